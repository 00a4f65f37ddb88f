// Random data for a graph: lengths, inputs with anything in their padding, parameters and states. Drawn from the
// place they stand at, so the same seed gives the same data.

import type { Tensor } from "../../backends/api.ts";
import type { PlainEnvironment } from "../../backends/reference/evaluate.ts";
import type { AxisId, Graph, Node } from "../../compiler/graph/graph.ts";
import { type Draw, drawNormal, drawUniform } from "../../compiler/ops/random.ts";

/** What stands in the padding of real inputs. */
export type Padding = "zero" | "nan" | "huge" | "mixed";

export interface EnvironmentOptions {
  readonly seed?: number;
  readonly batch?: number;
  /** The longest example along each axis of unknown length; at least one example has it. */
  readonly extent?: number;
  /** For axes whose extent is another. */
  readonly extents?: Readonly<Record<string, number>>;
  readonly padding?: Padding;
  /** The least length of the others. */
  readonly shortest?: number;
  readonly classes?: ReadonlyMap<string, number>;
}

/** Everything `evaluateGraph` wants, every length of its own. */
export function randomEnvironment(
  graph: Graph,
  options: EnvironmentOptions = {},
): Required<PlainEnvironment> {
  const { seed = 1, batch = 3, padding = "mixed", shortest = 1, classes = new Map() } = options;
  const draw = (site: number, place: number): number => drawUniform(at(seed, site, place));
  const lengths = new Map<AxisId, Int32Array>();
  for (const [i, { id, length }] of graph.axes.entries()) {
    if (length !== null) continue;
    const extent = options.extents?.[id] ?? options.extent ?? 4;
    const own = Int32Array.from({ length: batch }, (_, b) =>
      b === i % batch
        ? extent
        : Math.min(extent, shortest + Math.floor(draw(i, b) * (extent - shortest + 1))),
    );
    lengths.set(id, own);
  }
  const tensors = { inputs: new Map<string, Tensor>(), parameters: new Map(), states: new Map() };
  for (const node of graph.nodes.values()) {
    if (node.op === "input") {
      const limit = node.type.dtype === "bool" ? 2 : (classes.get(node.attrs.name) ?? 2);
      tensors.inputs.set(node.attrs.name, randomInput(graph, node, { seed, batch, lengths, padding, limit }));
    } else if (node.op === "parameter")
      tensors.parameters.set(node.attrs.name, randomReal(graph, node, seed, 0.6));
    else if (node.op === "state") tensors.states.set(node.attrs.name, randomReal(graph, node, seed, 0));
  }
  return { batch, lengths, ...tensors, seed, step: 1 };
}

const at = (seed: number, site: number, place: number): Draw => ({
  seed,
  step: 0,
  site,
  example: place,
  position: 0,
  feature: 0,
});

interface InputData {
  readonly seed: number;
  readonly batch: number;
  readonly lengths: ReadonlyMap<AxisId, Int32Array>;
  readonly padding: Padding;
  readonly limit: number;
}

function randomInput(graph: Graph, node: Extract<Node, { op: "input" }>, data: InputData): Tensor {
  const { axes, shape, dtype, batched } = node.type;
  const batch = batched ? [data.batch] : [];
  const extents = axes.map(axis => lengthOf(graph, axis) ?? Math.max(0, ...(data.lengths.get(axis) ?? [])));
  const whole = [...batch, ...extents, ...shape];
  const size = whole.reduce((a, b) => a * b, 1);
  const features = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: size }, (_, place) => {
    const position = Math.floor(place / features);
    if (isPadding(position, axes, extents, data)) {
      // Positions outside of everything, and one that could be meant.
      return dtype === "real" ? filler(data.padding, place) : [-7, 0, 1e6][place % 3]!;
    }
    return dtype === "real"
      ? drawNormal(at(data.seed, hash(node.attrs.name), place))
      : Math.floor(drawUniform(at(data.seed, hash(node.attrs.name), place)) * data.limit);
  });
  const array = dtype === "real" ? Float64Array : dtype === "index" ? Int32Array : Uint8Array;
  return { dtype, shape: whole, data: array.from(values) };
}

const lengthOf = (graph: Graph, axis: AxisId): number | null =>
  graph.axes.find(({ id }) => id === axis)?.length ?? null;

/** Whether a position (row-major over batch and axes) is past its example's length along some axis. */
function isPadding(
  position: number,
  axes: readonly AxisId[],
  extents: readonly number[],
  { lengths }: InputData,
): boolean {
  let rest = position;
  const indices = extents.toReversed().map(extent => {
    const index = rest % extent;
    rest = Math.floor(rest / extent);
    return index;
  });
  indices.reverse();
  return axes.some((axis, i) => indices[i]! >= (lengths.get(axis)?.[rest] ?? Number.POSITIVE_INFINITY));
}

function filler(padding: Padding, place: number): number {
  switch (padding) {
    case "zero":
      return 0;
    case "nan":
      return Number.NaN;
    case "huge":
      return place % 2 === 0 ? 1e30 : -1e30;
    case "mixed":
      return [Number.NaN, 1e30, Number.POSITIVE_INFINITY, -1e30][place % 4] ?? 0;
  }
}

function randomReal(
  graph: Graph,
  node: Extract<Node, { op: "parameter" | "state" }>,
  seed: number,
  scale: number,
): Tensor {
  const shape = [...node.type.axes.map(axis => lengthOf(graph, axis) ?? 1), ...node.type.shape];
  const size = shape.reduce((a, b) => a * b, 1);
  const site = hash(node.attrs.name);
  const data = Float64Array.from({ length: size }, (_, place) => scale * drawNormal(at(seed, site, place)));
  return { dtype: node.type.dtype, shape, data };
}

/** FNV-1a, so that each name has its own numbers. */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (const character of name) value = Math.imul(value ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}
