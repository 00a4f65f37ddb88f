// Reads of names at positions: `x[t]`, `h[t-1, j]`, `b[first]`, `x[t-dilation*k]`. A read elsewhere than at the
// current position becomes shifts, one for each axis in the order of the name's axes, or an `at`.

import { report } from "../diagnostics/report.ts";
import type { NodeId } from "../graph/graph.ts";
import { constantOf } from "../semantics/size.ts";
import type { Index, TypedEquation, TypedExpression } from "../semantics/typed.ts";
import { InternalError } from "../unreachable.ts";
import { lowerExpression } from "./expression.ts";
import {
  type BoundAxis,
  calledInstance,
  type Instance,
  type PlacedBoundary,
  placeBoundary,
  type Scope,
  type Side,
} from "./instance.ts";
import type { Lowering } from "./lowering.ts";
import { asType, nodeOfName } from "./names.ts";
import { evaluateNumber, namesIn, type StaticEnvironment } from "./statics.ts";

type Read = Extract<TypedExpression, { kind: "read" }>;
type End = { readonly axis: BoundAxis; readonly from: "first" | "last"; readonly offset: number };

/** The equation (input, argument, parameter) that a name stands for, through aliases. */
interface Source {
  readonly instance: Instance;
  readonly name: string;
  readonly equation: TypedEquation | undefined;
}

/** One axis of a read with its offset in the graph's direction: positive delays. */
interface Shift {
  readonly axis: BoundAxis;
  readonly offset: number;
  /** What holds outside; null is zero. */
  readonly boundary: PlacedBoundary | null;
}

export function lowerRead(read: Read, scope: Scope): NodeId {
  const generated = generatedValue(read, scope);
  if (generated !== null) return generated;
  const { instance } = scope;
  const node = nodeOfName(instance, read.name);
  if (read.indices.every(isHere)) return node;
  const source = sourceOf(instance, read.name);
  const running = runningAxes(read, instance);
  const readAt = (axes: readonly string[], position: StaticEnvironment): NodeId => {
    const [name, ...rest] = axes;
    if (name === undefined) return readPosition(read, scope, source, node, position, running);
    const axis = instance.axis(name);
    instance.lowering.spend(axis.length ?? 1, read);
    const parts = Array.from({ length: axis.length ?? 1 }, (_, at) =>
      readAt(rest, new Map(position).set(name, positionOf(axis, at))),
    );
    return instance.lowering.builder.stack(parts, axis.id);
  };
  return readAt(running, instance.statics);
}

const isHere = ({ kind, offset }: Index): boolean => {
  const value =
    offset.kind === "number" ? offset.value : offset.kind === "size" ? constantOf(offset.size) : null;
  return kind === "offset" && value === 0;
};

/** `out[t+1]` inside a generate statement is what the statement gives. */
function generatedValue(read: Read, scope: Scope): NodeId | null {
  const value = scope.generated.get(read.name);
  if (value === undefined) return null;
  const ahead = read.indices.some(
    ({ kind, offset }) => kind === "offset" && offset.kind === "number" && offset.value === -1,
  );
  return ahead ? value() : null;
}

function sourceOf(instance: Instance, name: string): Source {
  let source: Source = { instance, name, equation: instance.equation(name) };
  while (source.equation?.alias === true) {
    const { value } = source.equation;
    if (value.kind !== "call") throw new InternalError("lower", `${source.name} is an alias of no call`);
    const called = calledInstance(value.call, source.instance.scopeOf(source.equation));
    const result = value.call.layer.results[value.result];
    if (result === undefined) throw new InternalError("lower", `${value.call.layer.name} lacks a result`);
    source = { instance: called, name: result, equation: called.equation(result) };
  }
  return source;
}

/** The static axes that the offsets of a read use: `k` in `x[t-dilation*k]`. */
function runningAxes(read: Read, instance: Instance): readonly string[] {
  const names = new Set(read.indices.flatMap(index => [...namesIn(index.offset)]));
  return [...names].filter(name => instance.axes.get(name)?.length != null);
}

/** What a static axis's name is worth at position `at` of the graph's axis. */
const positionOf = ({ first, length, reversed }: BoundAxis, at: number): number =>
  first + (reversed && length !== null ? length - 1 - at : at);

/** The read with the static axes of its offsets at fixed positions. */
function readPosition(
  read: Read,
  scope: Scope,
  source: Source,
  node: NodeId,
  position: StaticEnvironment,
  running: readonly string[],
): NodeId {
  const { instance } = scope;
  const shifts: Shift[] = [];
  const ends: End[] = [];
  for (const index of read.indices) {
    const axis = instance.axis(index.axis);
    const offset = evaluateNumber(index.offset, position);
    const forward = axis.reversed ? -offset : offset;
    if (index.kind === "end") {
      const from = axis.reversed === (index.from === "first") ? "last" : "first";
      ends.push({ axis, from, offset });
    } else if (running.includes(index.axis)) {
      const here = positionOf({ ...axis, first: 0 }, Number(position.get(index.axis)) - axis.first);
      ends.push({ axis, from: "first", offset: here - forward });
    } else if (forward !== 0) {
      const boundary = boundaryOf(source, axis, forward > 0 ? "before" : "after");
      shifts.push({ axis, offset: forward, boundary });
    }
  }
  const shifted = lowerShifts(node, shifts, read, instance);
  return ends.reduce((value, end) => lowerEnd(value, end, source, instance.lowering), shifted);
}

/** The nearest caller's word counts, then the equation's own. */
function boundaryOf(source: Source, axis: BoundAxis, side: Side): PlacedBoundary | null {
  const { instance, name, equation } = source;
  const own = (equation?.boundaries ?? []).map(boundary =>
    placeBoundary(boundary, instance.scopeOf(equation!)),
  );
  const all = [...(instance.boundaries.get(name) ?? []), ...own];
  return all.find(boundary => boundary.axis === axis.id && boundary.side === side) ?? null;
}

function lowerShifts(node: NodeId, shifts: readonly Shift[], read: Read, instance: Instance): NodeId {
  const { lowering } = instance;
  return shifts.reduce((value, shift, at) => {
    let initial = boundaryNode(shift.boundary, node, lowering);
    for (const earlier of shifts.slice(0, at)) {
      if (cornerKeeper(earlier, shift, read, instance) !== earlier) continue;
      const along = lowering.builder.broadcast(initial, { axes: [earlier.axis.id] });
      initial = delayed(along, boundaryNode(earlier.boundary, node, lowering), earlier, lowering);
    }
    return delayed(value, initial, shift, lowering);
  }, node);
}

/** A shift; towards the future each example's own end counts, so the value must be each example's own. */
function delayed(value: NodeId, initial: NodeId, { axis, offset }: Shift, { builder }: Lowering): NodeId {
  const own = offset < 0 && axis.length === null ? builder.broadcast(value, { batched: true }) : value;
  return builder.shift(own, initial, axis.id, offset);
}

/** Which of two shifts says what holds where both are outside. */
function cornerKeeper(earlier: Shift, later: Shift, read: Read, instance: Instance): Shift {
  const [a, b] = [earlier.boundary, later.boundary];
  const varying = [a, b].map(boundary => boundary !== null && boundary.value.type.axes.length > 0);
  if (varying[0] !== varying[1]) return varying[0] === true ? later : earlier;
  const axes = { name: read.name, first: earlier.axis.id, second: later.axis.id };
  const notes = [a, b].flatMap((boundary, k) =>
    boundary === null ? [] : [{ span: boundary.span, text: `along ${k === 0 ? axes.first : axes.second}` }],
  );
  if (varying[0] === true) {
    const help = [
      "name the value in between, `e[i,j] = h[i-1,j]`, and read `e[i,j-1]`: then the order is written",
    ];
    instance.refuse(report("F0718", axes, read.span, { notes, help }));
  }
  if (a !== b && !sameBoundary(a, b)) {
    const help = ["a boundary that is not stated is zero; state both, with the same value"];
    instance.refuse(report("F0716", axes, read.span, { notes, help }));
  }
  return later;
}

function sameBoundary(a: PlacedBoundary | null, b: PlacedBoundary | null): boolean {
  const [one, other] = [uniformValue(a), uniformValue(b)];
  if (one !== null || other !== null) return one === other;
  if (a === null || b === null) return false;
  return (
    a.value.kind === "read" &&
    b.value.kind === "read" &&
    a.value.name === b.value.name &&
    a.value.indices.length === 0 &&
    b.value.indices.length === 0 &&
    a.scope.instance === b.scope.instance
  );
}

/** The number that a boundary consists of, or null. */
function uniformValue(boundary: PlacedBoundary | null): number | null {
  if (boundary === null) return 0;
  const { statics } = boundary.scope.instance;
  const numberIn = (value: TypedExpression): number | null => {
    if (value.kind === "static") return evaluateNumber(value.value, statics);
    if (value.kind !== "builtin") return null;
    if (value.name === "zeros" || value.name === "ones") return value.name === "ones" ? 1 : 0;
    const [operand] = value.args;
    if (value.name === "neg" && operand !== undefined) {
      const inner = numberIn(operand);
      return inner === null ? null : -inner;
    }
    return null;
  };
  return numberIn(boundary.value);
}

/** A boundary's value, of the features of the value it continues. */
function boundaryNode(boundary: PlacedBoundary | null, node: NodeId, lowering: Lowering): NodeId {
  const { builder } = lowering;
  const { dtype, shape } = builder.typeOf(node);
  if (boundary === null) return builder.constant(0, dtype, shape);
  const { boundaryNodes } = boundary.scope.instance;
  const known = boundaryNodes.get(boundary.value);
  if (known !== undefined) return known;
  const place = { span: boundary.span, label: boundary.scope.label };
  const made = lowering.defer({ dtype, shape }, place, () =>
    asType(builder, lowerExpression(boundary.value, boundary.scope), { dtype, shape, axes: [] }),
  );
  boundaryNodes.set(boundary.value, made);
  return made;
}

/** The value at one end; where that is outside for certain, the boundary. */
function lowerEnd(value: NodeId, { axis, from, offset }: End, source: Source, lowering: Lowering): NodeId {
  const { builder } = lowering;
  if (offset < 0 || (axis.length !== null && offset >= axis.length)) {
    const side = offset < 0 === (from === "first") ? "before" : "after";
    return boundaryNode(boundaryOf(source, axis, side), value, lowering);
  }
  const own = axis.length === null ? builder.broadcast(value, { batched: true }) : value;
  return builder.at(own, axis.id, from, offset);
}
