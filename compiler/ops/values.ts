// Loops that the ops' float64 evaluations share: rows, broadcasting, points of an index space, which examples are
// real at a point. Clear first; the reference is an oracle, but it must not be slow either, so nothing is allocated
// for single elements.

import type { AxisId, NodeId, NodeType } from "../graph/graph.ts";
import type { Evaluation, Point, Value } from "./op.ts";
import { sizeOf, stridesOf } from "./shapes.ts";

/** One row for each example, or one for all. */
export const rowsOf = (type: NodeType, evaluation: Evaluation): number =>
  type.batched ? evaluation.batch : 1;

/** A zeroed value of a type. */
export const zerosOf = (type: NodeType, evaluation: Evaluation): Float64Array =>
  new Float64Array(rowsOf(type, evaluation) * sizeOf(type.shape));

/** Elements from one example to the next: 0 for a value that all examples share. */
export const rowStride = (type: NodeType): number => (type.batched ? sizeOf(type.shape) : 0);

const broadcastCache = new Map<string, Int32Array>();

/** For each element of `target`, the element of `shape` that is broadcast to it. */
export function broadcastIndex(shape: readonly number[], target: readonly number[]): Int32Array {
  const key = `${shape.join()}>${target.join()}`;
  const known = broadcastCache.get(key);
  if (known !== undefined) return known;
  const strides = stridesOf(shape);
  const lead = target.length - shape.length;
  const index = indexBy(
    target,
    target.map((_, d) => (d < lead || shape[d - lead] === 1 ? 0 : strides[d - lead]!)),
  );
  if (broadcastCache.size > 1000) broadcastCache.clear();
  broadcastCache.set(key, index);
  return index;
}

/** The offsets sum(i_d * strides_d) of all elements i of a shape, row-major. */
export function indexBy(shape: readonly number[], strides: readonly number[]): Int32Array {
  const out = new Int32Array(sizeOf(shape));
  let filled = 1;
  if (out.length === 0) return out;
  // Dimension by dimension, from the last: the block made so far is repeated at each step of the next.
  for (let d = shape.length - 1; d >= 0; d--) {
    for (let i = 1; i < shape[d]!; i++) {
      const by = i * strides[d]!;
      for (let j = 0; j < filled; j++) out[i * filled + j] = out[j]! + by;
    }
    filled *= shape[d]!;
  }
  return out;
}

/** All points that agree with `point` and run over `axes` in full extent. */
export function pointsOver(evaluation: Evaluation, point: Point, axes: readonly AxisId[]): readonly Point[] {
  let points: Point[] = [point];
  for (const axis of axes) {
    const extent = evaluation.extent(axis);
    const next: Point[] = [];
    for (const base of points) {
      for (let i = 0; i < extent; i++) next.push(new Map(base).set(axis, i));
    }
    points = next;
  }
  return points;
}

/**
 * Whether an operand means something at a point for an example. Padding is where a batched operand has the axis and
 * the example is too short; an unbatched operand lives on the whole extent.
 */
export function isReal(type: NodeType, evaluation: Evaluation, point: Point, example: number): boolean {
  if (!type.batched) return true;
  for (const axis of type.axes) {
    if (point.get(axis)! >= evaluation.length(axis, example)) return false;
  }
  return true;
}

export type Unary = (x: number) => number;
export type Binary = (x: number, y: number) => number;

export function mapValue(x: Value, f: Unary): Float64Array {
  const out = new Float64Array(x.data.length);
  for (let i = 0; i < out.length; i++) out[i] = f(x.data[i]!);
  return out;
}

/** Elementwise on two operands with broadcast features and rows. */
export function zipValues(
  type: NodeType,
  types: readonly [NodeType, NodeType],
  evaluation: Evaluation,
  a: Value,
  b: Value,
  f: Binary,
): Float64Array {
  const out = zerosOf(type, evaluation);
  const size = sizeOf(type.shape);
  const rows = rowsOf(type, evaluation);
  const ia = broadcastIndex(types[0].shape, type.shape);
  const ib = broadcastIndex(types[1].shape, type.shape);
  const da = rowStride(types[0]);
  const db = rowStride(types[1]);
  for (let row = 0; row < rows; row++) {
    const at = row * size;
    for (let i = 0; i < size; i++) out[at + i] = f(a.data[row * da + ia[i]!]!, b.data[row * db + ib[i]!]!);
  }
  return out;
}

/** Copies elements by offsets, the same in each row: what reshape, transpose, slice and broadcast do. */
export function gatherRows(
  type: NodeType,
  from: NodeType,
  evaluation: Evaluation,
  x: Value,
  index: Int32Array,
): Float64Array {
  const out = zerosOf(type, evaluation);
  const size = index.length;
  const step = rowStride(from);
  for (let row = 0; row < rowsOf(type, evaluation); row++) {
    for (let i = 0; i < size; i++) out[row * size + i] = x.data[row * step + index[i]!]!;
  }
  return out;
}

/** The types of a node's operands, as evaluations need them. */
export function inputTypes(
  node: { readonly inputs: readonly NodeId[] },
  evaluation: Evaluation,
): readonly NodeType[] {
  return node.inputs.map(id => evaluation.graph.nodes.get(id)!.type);
}
