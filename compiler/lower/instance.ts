// One use of a definition: its sizes, its axes, where its parameters live, and the names it has lowered so far.
// The model itself is the instance without a caller.

import type { Diagnostic, Note, Span } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import type { AxisId, NodeId } from "../graph/graph.ts";
import { constantOf, evaluateSize, namesInSize, printSize, type Size } from "../semantics/size.ts";
import type {
  AxisName,
  Boundary,
  LayerCall,
  StaticParameter,
  TypedDefinition,
  TypedEquation,
  TypedExpression,
  ValueType,
} from "../semantics/typed.ts";
import { InternalError } from "../unreachable.ts";
import { type Lowering, largestValue, longestStaticAxis, tooLarge } from "./lowering.ts";
import { evaluateNumber, evaluateStatic, type StaticValue } from "./statics.ts";

/** What an axis name of a definition stands for in an instance. */
export interface BoundAxis {
  readonly id: AxisId;
  /** Runs from the end: in here `t-1` is the graph's i+1. */
  readonly reversed: boolean;
  /** Of a static axis; null when only run time knows. */
  readonly length: number | null;
  /** The value that the axis's name has at position 0: `axis k = first..last`. */
  readonly first: number;
}

export type Side = "before" | "after";

/** A boundary in the graph's terms, whatever the direction of the instance that states it. */
export interface PlacedBoundary {
  readonly axis: AxisId;
  readonly side: Side;
  readonly value: TypedExpression;
  /** Where `value` is to be read. */
  readonly scope: Scope;
  readonly span: Span;
}

/** Where an expression stands. */
export interface Scope {
  readonly instance: Instance;
  /** The full name of its equation. */
  readonly label: string;
  /** Inside a `generate` statement: what `out[t+1]` means, by input. */
  readonly generated: ReadonlyMap<string, () => NodeId>;
}

export interface Caller {
  readonly call: LayerCall;
  /** Of the call. */
  readonly scope: Scope;
}

export class Instance {
  readonly lowering: Lowering;
  readonly definition: TypedDefinition;
  /** "" for the model, "h" or "d.embedding" for layers. */
  readonly path: string;
  readonly caller: Caller | null;
  readonly statics = new Map<string, StaticValue>();
  readonly sizes = new Map<string, number>();
  readonly axes = new Map<AxisName, BoundAxis>();
  /** Axes of the call's arguments that the layer knows nothing of. */
  readonly mapped: readonly AxisId[];
  /** Boundaries that callers give to names in here, nearest to the model first. */
  readonly boundaries: ReadonlyMap<string, readonly PlacedBoundary[]>;
  readonly nodes = new Map<string, NodeId>();
  readonly values = new Map<TypedExpression, NodeId>();
  readonly calls = new Map<LayerCall, Instance>();
  readonly boundaryNodes = new Map<TypedExpression, NodeId>();

  constructor(
    lowering: Lowering,
    definition: TypedDefinition,
    path: string,
    caller: Caller | null,
    mapped: readonly AxisId[],
    boundaries: ReadonlyMap<string, readonly PlacedBoundary[]>,
  ) {
    this.lowering = lowering;
    this.definition = definition;
    this.path = path;
    this.caller = caller;
    this.mapped = mapped;
    this.boundaries = boundaries;
  }

  /** The full name of something in here, as in checkpoints: "h.W". */
  named(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  axis(name: AxisName): BoundAxis {
    const axis = this.axes.get(name);
    if (axis === undefined) throw new InternalError("lower", `${this.definition.name} has no axis ${name}`);
    return axis;
  }

  equation(name: string): TypedEquation | undefined {
    return this.definition.equations.get(name);
  }

  /** The axes of a type in here, mapped ones included. */
  axesOf(type: ValueType): readonly AxisId[] {
    return [...type.axes.map(name => this.axis(name).id), ...this.mapped];
  }

  scopeOf(equation: Pick<TypedEquation, "name">): Scope {
    return { instance: this, label: this.named(equation.name), generated: new Map() };
  }

  shape(type: ValueType, span: Span): readonly number[] {
    const shape = type.shape.map(size => this.size(size, span));
    const count = shape.reduce((product, size) => product * size, 1);
    if (count > largestValue) {
      this.refuse(tooLarge("a value", count, "numbers", largestValue, span));
    }
    return shape;
  }

  size(size: Size, span: Span): number {
    const value = evaluateSize(size, this.sizes);
    if (!Number.isInteger(value) || value < 1) {
      const name = constantOf(size) === null ? `the size \`${printSize(size)}\`` : "a size";
      const extra = { label: "sizes are at least 1", help: this.#values(size) };
      this.refuse(report("F0712", { name, value }, span, extra));
    }
    return value;
  }

  /** What the names in a size are worth here, for a help line. */
  #values(size: Size): readonly string[] {
    const names = namesInSize(size);
    return names.length === 0
      ? []
      : [`here ${names.map(name => `${name} = ${this.sizes.get(name)}`).join(", ")}`];
  }

  /** Reports an error with the chain of uses that led here, and ends the job. */
  refuse(diagnostic: Diagnostic): never {
    return this.lowering.refuse(this.explained(diagnostic));
  }

  /** The diagnostic with a note for each use of a layer on the way from the model to here. */
  explained(diagnostic: Diagnostic): Diagnostic {
    const notes: Note[] = [];
    for (let at: Instance = this; at.caller !== null && notes.length < 8; at = at.caller.scope.instance) {
      const { call } = at.caller;
      notes.push({
        span: call.span,
        text: `in \`${at.definition.name}\`, used for \`${call.instance}\` here`,
      });
    }
    return { ...diagnostic, notes: [...diagnostic.notes, ...notes] };
  }
}

const noBoundaries: ReadonlyMap<string, readonly PlacedBoundary[]> = new Map();

/** The model as an instance; `given` are the values of its arguments. Null after a reported error. */
export function modelInstance(
  lowering: Lowering,
  model: TypedDefinition,
  given: ReadonlyMap<string, StaticValue>,
): Instance | null {
  const instance = new Instance(lowering, model, "", null, [], noBoundaries);
  const known = model.statics.map(({ name }) => name);
  for (const name of given.keys()) {
    if (known.includes(name)) continue;
    const help = known.length === 0 ? "it has no arguments" : `its arguments are ${known.join(", ")}`;
    lowering.add(report("F0711", { model: model.name, name }, model.headerSpan, { help: [help] }));
  }
  for (const parameter of model.statics) {
    lowering.attempt(() => setStatic(instance, parameter, given.get(parameter.name), parameter.span));
  }
  if (lowering.diagnostics.length > 0) return null;
  return lowering.attempt(() => {
    for (const axis of model.axes) {
      if (axis.kind === "dynamic") {
        const id = lowering.builder.axis(axis.name, null);
        instance.axes.set(axis.name, { id, reversed: false, length: null, first: 0 });
      } else declareStaticAxis(instance, axis.name);
    }
    checkConstraints(instance);
    return instance;
  });
}

/** The instance that a call makes; the same one for all results of the call. */
export function calledInstance(call: LayerCall, scope: Scope): Instance {
  const caller = scope.instance;
  const known = caller.calls.get(call);
  if (known !== undefined) return known;
  const { layer } = call;
  const instance = new Instance(
    caller.lowering,
    layer,
    caller.named(call.instance),
    { call, scope },
    mappedAxes(call, caller),
    calledBoundaries(call, scope),
  );
  for (const [name, size] of call.sizes) {
    const value = caller.size(size, call.span);
    instance.sizes.set(name, value);
    instance.statics.set(name, value);
  }
  for (const parameter of layer.statics) {
    const value = call.statics.get(parameter.name);
    const given = value === undefined ? undefined : evaluateStatic(value, caller.statics);
    setStatic(instance, parameter, given, call.span);
  }
  bindAxes(instance, call, caller);
  checkConstraints(instance);
  caller.calls.set(call, instance);
  const { layers } = caller.lowering;
  layers.set(instance.path, [...new Set(layers.get(instance.path)).add(call)]);
  return instance;
}

function setStatic(
  instance: Instance,
  { name, kind, default: otherwise, span }: StaticParameter,
  given: StaticValue | undefined,
  at: Span,
): void {
  if (kind === "function") return;
  if (given === undefined && otherwise === null) {
    const help = kind === "bool" ? `--size ${name}=true` : `--size ${name}=1000`;
    instance.refuse(
      report("F0710", { name, model: instance.definition.name }, span, {
        label: "has no default",
        help: [`give it one here, \`${name}: ${kind} = ..\`, or a value from outside: \`${help}\``],
      }),
    );
  }
  const value = given ?? evaluateStatic(otherwise!, instance.statics);
  const legal = {
    size: Number.isInteger(value) && Number(value) >= 1 && Number(value) <= largestValue,
    number: typeof value === "number" && !Number.isNaN(value),
    bool: typeof value === "boolean",
  }[kind];
  if (!legal) {
    const wanted = { size: "a whole number from 1", number: "a number", bool: "true or false" }[kind];
    const diagnostic =
      kind === "size" && Number.isInteger(value) && Number(value) > largestValue
        ? tooLarge(`\`${name}\``, Number(value), "elements", largestValue, at)
        : report("F0712", { name: `\`${name}\``, value: String(value) }, at, { label: `must be ${wanted}` });
    instance.refuse(diagnostic);
  }
  instance.statics.set(name, value);
  if (typeof value === "number") instance.sizes.set(name, value);
}

function bindAxes(instance: Instance, call: LayerCall, caller: Instance): void {
  let next = 0;
  for (const axis of instance.definition.axes) {
    if (axis.kind === "static") {
      declareStaticAxis(instance, axis.name);
      continue;
    }
    const bound = call.axes[next++];
    if (bound === undefined)
      throw new InternalError("lower", `${call.layer.name}[${axis.name}] is not bound`);
    const outer = caller.axis(bound.axis);
    instance.axes.set(axis.name, { ...outer, reversed: outer.reversed !== bound.reversed });
  }
}

function declareStaticAxis(instance: Instance, name: AxisName): void {
  const axis = instance.definition.axes.find(candidate => candidate.name === name);
  if (axis?.first == null || axis.last === null)
    throw new InternalError("lower", `axis ${name} has no range`);
  const first = evaluateNumber(axis.first, instance.statics);
  const last = evaluateNumber(axis.last, instance.statics);
  const length = last - first + 1;
  const fault = !Number.isInteger(first) || !Number.isInteger(last) || length < 1;
  if (fault)
    instance.refuse(report("F0714", { name, first, last }, axis.span, { label: `${length} positions` }));
  if (length > longestStaticAxis) {
    instance.refuse(tooLarge(`an axis \`${name}\``, length, "indices", longestStaticAxis, axis.span));
  }
  // Uses of one shared layer have the same path and the same sizes: the axis is declared once for all.
  const id = instance.lowering.builder.axis(instance.named(name), length);
  instance.axes.set(name, { id, reversed: false, length, first });
}

/** Axes of the arguments (and results) that the call's brackets do not name, and the caller's own mapped axes. */
function mappedAxes(call: LayerCall, caller: Instance): readonly AxisId[] {
  const bound = new Set(call.axes.map(({ axis }) => axis));
  const mapped = new Set(caller.mapped);
  for (const { type } of call.values.values()) {
    for (const name of type.axes) {
      if (!bound.has(name)) mapped.add(caller.axis(name).id);
    }
  }
  return [...mapped];
}

/** A boundary in the graph's terms. */
export function placeBoundary(boundary: Boundary, scope: Scope): PlacedBoundary {
  const axis = scope.instance.axis(boundary.axis);
  const flipped: Side = boundary.side === "before" ? "after" : "before";
  const side = axis.reversed ? flipped : boundary.side;
  return { axis: axis.id, side, value: boundary.value, scope, span: boundary.span };
}

/** The alias rule: what the caller says of `h` at the ends, and what its callers say of the names that are `h`. */
function calledBoundaries(call: LayerCall, scope: Scope): ReadonlyMap<string, readonly PlacedBoundary[]> {
  const caller = scope.instance;
  const given = new Map<string, PlacedBoundary[]>();
  const named = caller.boundaries.size === 0 ? [] : caller.definition.equations.values();
  for (const equation of named) {
    const { value } = equation;
    if (!equation.alias || value.kind !== "call" || value.call !== call) continue;
    const outer = caller.boundaries.get(equation.name);
    const result = call.layer.results[value.result];
    if (outer !== undefined && result !== undefined) given.set(result, [...outer]);
  }
  for (const [name, boundaries] of call.boundaries) {
    const placed = boundaries.map(boundary => placeBoundary(boundary, scope));
    given.set(name, [...(given.get(name) ?? []), ...placed]);
  }
  return given;
}

function checkConstraints(instance: Instance): void {
  const found = instance.definition.constraints
    .map(constraint => constraint.check(instance.sizes))
    .filter(diagnostic => diagnostic !== null);
  for (const diagnostic of found) instance.lowering.add(instance.explained(diagnostic));
  const [first] = found;
  if (first !== undefined) instance.refuse(first);
}
