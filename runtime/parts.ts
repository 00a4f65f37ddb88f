// The parts that a model consists of, as a reader of its source sees them: inputs, parameters and equations in the
// order of the source, and inside of them the layers that have parameters of their own.

import type { Span } from "../compiler/diagnostics/diagnostic.ts";
import type { AxisId, DType, Graph, NodeId } from "../compiler/graph/graph.ts";
import type { LoweredModel } from "../compiler/lower/model.ts";
import { findBuiltin } from "../compiler/semantics/builtins.ts";
import type { LayerCall, TypedEquation, TypedExpression } from "../compiler/semantics/typed.ts";
import { staticShape } from "./axes.ts";
import { elementCount } from "./tensor.ts";

/** One value, at each index of its axes. */
export interface PartValue {
  readonly dtype: DType;
  /** For `index(n)` inputs: n. */
  readonly classes: number | null;
  readonly shape: readonly number[];
  readonly axes: readonly AxisId[];
}

export interface Part {
  /** As in checkpoints, without the parameter: `h`, `d.embedding`. */
  readonly name: string;
  /** 0 for what the model itself names, more inside of a part above. */
  readonly depth: number;
  /** What makes it and what it is for: `input`; `lstm[t]`; `equation`, `output`. */
  readonly made: readonly string[];
  /** Null for a shared layer: each use has its own. */
  readonly value: PartValue | null;
  /** Numbers in its parameters, those of parts inside of it left out. */
  readonly parameters: number;
}

export function partsOf(lowered: LoweredModel): readonly Part[] {
  const own = parametersByPath(lowered);
  const equations = inOrder([...lowered.equations].filter(isShown(lowered)).map(([, equation]) => equation));
  const top = [
    ...inputParts(lowered),
    ...parameterParts(lowered),
    ...sharedParts(lowered, own),
    ...equations.map(equation => equationPart(lowered, own, equation)),
  ];
  // A boundary of a name that is only read through the layer behind it: `c[t<0] = dense(..)`.
  const names = new Set(top.map(({ name }) => name));
  for (const path of [...own.keys()].toSorted((a, b) => a.length - b.length)) {
    if (path === "" || partAround(names, path) !== null) continue;
    names.add(path);
    top.push(layerPart(lowered, own, path, 0));
  }
  return top.flatMap(part => [part, ...within(lowered, own, part)]);
}

/** The model's own equations that are in its graph; a micro mean has no node, only totals. */
const isShown =
  ({ names }: LoweredModel) =>
  ([name, { role }]: readonly [string, TypedEquation]): boolean =>
    !name.includes(".") && (names.has(name) || role !== "plain");

/** The part that a name belongs to: itself, or the innermost part around it; null where there is none. */
export function partAround(parts: ReadonlySet<string>, name: string): string | null {
  for (let at = name; ; at = at.slice(0, at.lastIndexOf("."))) {
    if (parts.has(at)) return at;
    if (!at.includes(".")) return null;
  }
}

/** Numbers in parameters or states. */
export const numbersIn = (
  { axes }: Pick<Graph, "axes">,
  specs: readonly { readonly axes: readonly AxisId[]; readonly shape: readonly number[] }[],
): number => specs.reduce((total, spec) => total + elementCount(staticShape(axes, spec)), 0);

const pathOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf(".")));

/** Numbers in the parameters of each layer, by its path; the model's own have the path "". */
function parametersByPath({ graph, parameters }: LoweredModel): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const spec of parameters) {
    const path = pathOf(spec.name);
    counts.set(path, (counts.get(path) ?? 0) + numbersIn(graph, [spec]));
  }
  return counts;
}

const inputParts = ({ inputs }: LoweredModel): readonly Part[] =>
  inputs.map(({ name, role, dtype, classes, shape, axes }) => ({
    name,
    depth: 0,
    made: [role],
    value: { dtype, classes, shape, axes },
    parameters: 0,
  }));

/** Lowering keeps no order of the source. */
const inOrder = <T extends { readonly span: Span | null }>(those: readonly T[]): readonly T[] =>
  those.toSorted((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));

/** The model's own. */
const parameterParts = ({ graph, parameters }: LoweredModel): readonly Part[] =>
  inOrder(parameters.filter(({ name }) => pathOf(name) === "")).map(spec => ({
    name: spec.name,
    depth: 0,
    made: ["parameter"],
    value: { dtype: "real", classes: null, shape: spec.shape, axes: spec.axes },
    parameters: numbersIn(graph, [spec]),
  }));

/** Layers that are not named after an equation in the graph. */
const sharedParts = (lowered: LoweredModel, own: ReadonlyMap<string, number>): readonly Part[] =>
  [...lowered.layers.keys()]
    .filter(path => !path.includes(".") && !lowered.equations.has(path))
    .map(path => layerPart(lowered, own, path, 0));

function layerPart(
  lowered: LoweredModel,
  own: ReadonlyMap<string, number>,
  name: string,
  depth: number,
): Part {
  const [first, ...others] = lowered.layers.get(name) ?? [];
  const shared = others.length > 0;
  const made =
    first === undefined ? [] : [shared ? first.layer.name : showCall(first.layer.name, first.axes)];
  return {
    name,
    depth,
    made: shared ? [...made, "shared"] : made,
    value: shared ? null : nodeValue(lowered, lowered.names.get(`${name}.${first?.layer.results[0]}`)),
    parameters: own.get(name) ?? 0,
  };
}

function equationPart(
  lowered: LoweredModel,
  own: ReadonlyMap<string, number>,
  { name, value, role }: TypedEquation,
): Part {
  const maker = makerOf(lowered, value);
  return {
    name,
    depth: 0,
    made: role === "plain" ? [maker] : [maker, role],
    value: nodeValue(lowered, lowered.names.get(name)),
    parameters: own.get(name) ?? 0,
  };
}

/** The layer or function that an equation's right side calls. */
function makerOf(lowered: LoweredModel, value: TypedExpression): string {
  if (value.kind === "call") {
    // A shared layer has a part of its own, and its name.
    const { instance, layer, axes } = value.call;
    return showCall(lowered.equations.has(instance) ? layer.name : instance, axes);
  }
  if (value.kind !== "builtin" || findBuiltin(value.name) === null) return "equation";
  return showCall(
    value.name,
    value.axes.map(axis => ({ axis, reversed: false })),
  );
}

/** Layers with parameters inside of a part. */
function within(lowered: LoweredModel, own: ReadonlyMap<string, number>, outer: Part): readonly Part[] {
  const paths = [...own.keys()].filter(path => path.startsWith(`${outer.name}.`));
  return paths.map(name =>
    layerPart(lowered, own, name, 1 + paths.filter(other => name.startsWith(`${other}.`)).length),
  );
}

/** `lstm[-t]`, `dense` */
function showCall(name: string, axes: LayerCall["axes"]): string {
  const brackets = axes.map(({ axis, reversed }) => (reversed ? `-${axis}` : axis)).join(",");
  return brackets === "" ? name : `${name}[${brackets}]`;
}

function nodeValue({ graph }: LoweredModel, id: NodeId | undefined): PartValue | null {
  const node = id === undefined ? undefined : graph.nodes.get(id);
  if (node === undefined) return null;
  const { dtype, shape, axes } = node.type;
  return { dtype, classes: null, shape, axes };
}
