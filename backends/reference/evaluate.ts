// Outputs of a graph as tensors, for plain tensors: what tests and passes call. No program, no state, no checks of
// the user's data (that is normalizeFeeds).

import type { AxisId, DType, Graph, Node, NodeId } from "../../compiler/graph/graph.ts";
import type { Point } from "../../compiler/ops/op.ts";
import { sizeOf } from "../../compiler/ops/shapes.ts";
import { isReal, pointsOver } from "../../compiler/ops/values.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Tensor } from "../api.ts";
import { type Environment, Interpreter } from "./interpreter.ts";

/** What is left out: no tensors, seed and step 0, lengths as long as the arrays. */
export interface PlainEnvironment extends Partial<Omit<Environment, "batch" | "extents">> {
  readonly batch: number;
}

/** Values of the outputs (all of them unless named), `[batch, ...axes, ...shape]`, zeros in the padding. */
export function evaluateGraph(
  graph: Graph,
  environment: PlainEnvironment,
  outputs: readonly string[] = [...graph.outputs.keys()],
): ReadonlyMap<string, Tensor> {
  const interpreter = new Interpreter(graph, complete(graph, environment));
  return new Map(
    outputs.map(name => {
      const id = graph.outputs.get(name);
      if (id === undefined) throw new InternalError("evaluateGraph", `the graph has no output ${name}`);
      return [name, tensorOf(interpreter, id)] as const;
    }),
  );
}

/** A node's value at all its points. */
export function tensorOf(interpreter: Interpreter, id: NodeId): Tensor {
  const { type } = interpreter.graph.nodes.get(id)!;
  const size = sizeOf(type.shape);
  const extents = type.axes.map(axis => interpreter.extent(axis));
  const steps = sizeOf(extents);
  const data = emptyArray(type.dtype, (type.batched ? interpreter.batch : 1) * steps * size);
  const start: Point = new Map<AxisId, number>();
  for (const [i, point] of pointsOver(interpreter, start, type.axes).entries()) {
    const value = interpreter.valueOf(id, point);
    for (let row = 0; row < value.rows; row++) {
      if (!isReal(type, interpreter, point, row)) continue;
      data.set(value.data.subarray(row * size, (row + 1) * size), (row * steps + i) * size);
    }
  }
  const shape = [...(type.batched ? [interpreter.batch] : []), ...extents, ...type.shape];
  return { dtype: type.dtype, shape, data };
}

export function emptyArray(dtype: DType, length: number): Float64Array | Int32Array | Uint8Array {
  switch (dtype) {
    case "real":
      return new Float64Array(length);
    case "index":
      return new Int32Array(length);
    case "bool":
      return new Uint8Array(length);
  }
}

function complete(graph: Graph, environment: PlainEnvironment): Environment {
  const none = new Map<string, Tensor>();
  const { batch, inputs = none, parameters = none, states = none, seed = 0, step = 0 } = environment;
  const given = environment.lengths ?? new Map<AxisId, ArrayLike<number>>();
  const lengths = new Map<AxisId, ArrayLike<number>>();
  const extents = new Map<AxisId, number>();
  for (const { id, length } of graph.axes) {
    const own = length === null ? (given.get(id) ?? wholeArray(graph, id, inputs, batch)) : undefined;
    if (own !== undefined) lengths.set(id, own);
    const extent = length ?? (own === undefined ? undefined : Math.max(0, ...Array.from(own)));
    if (extent !== undefined) extents.set(id, extent);
  }
  return { batch, lengths, extents, inputs, parameters, states, seed, step };
}

/** The dimension along an axis of the first input that has it, for every example. */
function wholeArray(
  graph: Graph,
  axis: AxisId,
  inputs: ReadonlyMap<string, Tensor>,
  batch: number,
): ArrayLike<number> | undefined {
  for (const node of graph.nodes.values()) {
    if (!isInputAlong(node, axis)) continue;
    const dim = node.type.axes.indexOf(axis) + (node.type.batched ? 1 : 0);
    const size = inputs.get(node.attrs.name)?.shape[dim];
    if (size !== undefined) return new Int32Array(batch).fill(size);
  }
  return undefined;
}

const isInputAlong = (node: Node, axis: AxisId): node is Extract<Node, { op: "input" }> =>
  node.op === "input" && node.type.axes.includes(axis);
