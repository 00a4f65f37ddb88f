// Ops that look along an axis by offset or position: shift (the only delay there is), at, stack. Where the node is
// batched, positions are counted by each example's own length, otherwise by the extent.

import type { AxisId, NodeId, NodeOf } from "../graph/graph.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Evaluation, OpTable, Point } from "./op.ts";
import { anyBatched, operand, pointwise, showShape, sizeOf, unionAxes } from "./shapes.ts";
import { inputTypes, rowStride, rowsOf, zerosOf } from "./values.ts";

type CrossingOp = "shift" | "at" | "stack";

/** The length that counts, as a real node: a constant, each example's own, or the extent (a sum of ones). */
function lengthFor(b: GraphBuilder, axis: AxisId, batched: boolean): NodeId {
  const known = b.lengthOf(axis);
  if (known !== null) return b.constant(known);
  if (batched) return b.cast(b.length(axis), "real");
  return b.sum(b.broadcast(b.constant(1), { axes: [axis] }), { axes: [axis] });
}

const position = (b: GraphBuilder, axis: AxisId): NodeId => b.cast(b.index(axis), "real");

/** Where `i - offset` is outside: the positions at which a shift shows its initial value. */
function outside(b: GraphBuilder, axis: AxisId, offset: number, batched: boolean): NodeId {
  if (offset > 0) return b.less(position(b, axis), b.constant(offset));
  const end = b.add(lengthFor(b, axis, batched), b.constant(offset));
  return b.greaterEqual(position(b, axis), end);
}

/** The position that `at` reads for an example; may be outside. */
function chosen(node: NodeOf<"at">, evaluation: Evaluation, example: number): number {
  const { axis, from, offset } = node.attrs;
  if (from === "first") return offset;
  const length = node.type.batched ? evaluation.length(axis, example) : evaluation.extent(axis);
  return length - 1 - offset;
}

/** The positions that `at` reads, once each; those outside an example's own length are left out. */
function chosenPositions(node: NodeOf<"at">, evaluation: Evaluation): readonly number[] {
  const { axis } = node.attrs;
  const positions = new Set<number>();
  for (let example = 0; example < rowsOf(node.type, evaluation); example++) {
    const i = chosen(node, evaluation, example);
    const end = node.type.batched ? evaluation.length(axis, example) : evaluation.extent(axis);
    if (i >= 0 && i < end) positions.add(i);
  }
  return [...positions];
}

/** Whether a shift shows its value (not its initial value) at a point for an example. */
function showsValue(node: NodeOf<"shift">, point: Point, evaluation: Evaluation, example: number): boolean {
  const { axis, offset } = node.attrs;
  const from = point.get(axis)! - offset;
  const end = node.type.batched ? evaluation.length(axis, example) : evaluation.extent(axis);
  return from >= 0 && from < end;
}

/** Which of its two operands a shift reads at a point, over all examples. */
function shiftReads(
  node: NodeOf<"shift">,
  point: Point,
  evaluation: Evaluation,
): { value: boolean; initial: boolean } {
  let [value, initial] = [false, false];
  for (let example = 0; example < rowsOf(node.type, evaluation); example++) {
    if (showsValue(node, point, evaluation, example)) value = true;
    else initial = true;
  }
  return { value, initial };
}

export const crossing: Pick<OpTable, CrossingOp> = {
  shift: {
    doc: "(value, initial) -> value at i - offset, or initial at i where that is outside. offset > 0 delays.",
    arity: 2,
    type: (inputs, { axis }) => {
      const { dtype, shape } = operand(inputs, 0);
      const type = pointwise(inputs, dtype, shape);
      return { ...type, axes: [...new Set([...type.axes, axis])] };
    },
    check: ([value, initial], { axis, offset }) => {
      if (!value || !initial || value.dtype !== initial.dtype) {
        return `the value is ${value?.dtype}, the initial value ${initial?.dtype}`;
      }
      if (value.shape.join() !== initial.shape.join()) {
        return `the value has the shape ${showShape(value.shape)}, the initial value ${showShape(initial.shape)}`;
      }
      if (!value.axes.includes(axis)) return `the value lacks the axis ${axis}`;
      return Number.isInteger(offset) && offset !== 0 ? null : "the offset is no integer other than 0";
    },
    adjoint: (b, node, k, adjoint) => {
      const { axis, offset } = node.attrs;
      if (k === 0) return b.shift(adjoint, b.constant(0, "real", node.type.shape), axis, -offset);
      return b.where(outside(b, axis, offset, b.typeOf(node.id).batched), adjoint, b.constant(0));
    },
    reads: (node, point, evaluation) => {
      const { axis, offset } = node.attrs;
      const { value, initial } = shiftReads(node, point, evaluation);
      return [
        ...(value ? [{ input: 0, point: new Map(point).set(axis, point.get(axis)! - offset) }] : []),
        ...(initial ? [{ input: 1, point }] : []),
      ];
    },
    evaluate: (node, point, evaluation, reads) => {
      const types = inputTypes(node, evaluation);
      const out = zerosOf(node.type, evaluation);
      const size = sizeOf(node.type.shape);
      const present = shiftReads(node, point, evaluation);
      const value = present.value ? reads[0] : undefined;
      const initial = present.value ? reads[1] : reads[0];
      for (let row = 0; row < rowsOf(node.type, evaluation); row++) {
        const shows = showsValue(node, point, evaluation, row);
        const start = row * rowStride(types[shows ? 0 : 1]!);
        out.set((shows ? value : initial)!.data.subarray(start, start + size), row * size);
      }
      return out;
    },
    cost: () => ({ flops: 0 }),
    elementwise: false,
  },
  at: {
    doc: "The value at position `offset` (first) or length - 1 - `offset` (last); 0 where that is outside.",
    arity: 1,
    type: (inputs, { axis }) => {
      const { dtype, shape } = operand(inputs, 0);
      return {
        dtype,
        shape,
        axes: unionAxes(inputs).filter(a => a !== axis),
        batched: anyBatched(inputs),
      };
    },
    check: ([x], { axis, offset }) => {
      if (!x?.axes.includes(axis)) return `the operand lacks the axis ${axis}`;
      return Number.isInteger(offset) && offset >= 0 ? null : "the offset is no natural number";
    },
    adjoint: (b, node, _, adjoint) => {
      const { axis, from, offset } = node.attrs;
      const place =
        from === "first"
          ? b.constant(offset)
          : b.sub(lengthFor(b, axis, b.typeOf(node.id).batched), b.constant(1 + offset));
      return b.where(b.equal(position(b, axis), place), adjoint, b.constant(0));
    },
    reads: (node, point, evaluation) =>
      chosenPositions(node, evaluation).map(i => ({
        input: 0,
        point: new Map(point).set(node.attrs.axis, i),
      })),
    evaluate: (node, _, evaluation, reads) => {
      const positions = chosenPositions(node, evaluation);
      const out = zerosOf(node.type, evaluation);
      const size = sizeOf(node.type.shape);
      for (let row = 0; row < rowsOf(node.type, evaluation); row++) {
        const i = chosen(node, evaluation, row);
        const end = node.type.batched
          ? evaluation.length(node.attrs.axis, row)
          : evaluation.extent(node.attrs.axis);
        if (i < 0 || i >= end) continue;
        const { data } = reads[positions.indexOf(i)]!;
        out.set(data.subarray(row * size, (row + 1) * size), row * size);
      }
      return out;
    },
    cost: () => ({ flops: 0 }),
    elementwise: false,
  },
  stack: {
    doc: "n operands -> one value along a static axis of length n, operand j at index j.",
    arity: { atLeast: 1 },
    type: (inputs, { axis }) => {
      const { dtype, shape } = operand(inputs, 0);
      const type = pointwise(inputs, dtype, shape);
      return { ...type, axes: [...new Set([...type.axes, axis])] };
    },
    check: (inputs, { axis }) => {
      const [first] = inputs;
      for (const { dtype, shape, axes } of inputs) {
        if (dtype !== first?.dtype) return `the operands are ${first?.dtype} and ${dtype}`;
        if (shape.join() !== first.shape.join()) {
          return `the operands have the shapes ${showShape(first.shape)} and ${showShape(shape)}`;
        }
        if (axes.includes(axis)) return `an operand already has the axis ${axis}`;
      }
      return null;
    },
    adjoint: (b, { attrs: { axis } }, k, adjoint) => b.at(adjoint, axis, "first", k),
    reads: (node, point) => [{ input: point.get(node.attrs.axis)!, point }],
    evaluate: (node, point, evaluation, [x]) => {
      const out = zerosOf(node.type, evaluation);
      const from = inputTypes(node, evaluation)[point.get(node.attrs.axis)!]!;
      const size = sizeOf(node.type.shape);
      for (let row = 0; row < rowsOf(node.type, evaluation); row++) {
        const start = row * rowStride(from);
        out.set(x!.data.subarray(start, start + size), row * size);
      }
      return out;
    },
    cost: () => ({ flops: 0 }),
    elementwise: false,
  },
};
