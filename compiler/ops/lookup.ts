// Ops between positions and numbers: argmax, oneHot, gather and its adjoint scatterAdd.

import type { NodeType } from "../graph/graph.ts";
import type { OpTable } from "./op.ts";
import { anyBatched, dimIn, isSize, operand, pointwise, showShape, sizeOf, unionAxes } from "./shapes.ts";
import { inputTypes, isReal, pointsOver, rowStride, rowsOf, zerosOf } from "./values.ts";

type LookupOp = "argmax" | "oneHot" | "gather" | "scatterAdd";

const positionOnly = { none: "the operand is a position" };

const checkIndex = (index: NodeType | undefined): string | null => {
  if (index?.dtype !== "index") return `the position is ${index?.dtype}, not index`;
  return index.shape.length === 0 ? null : `the position has the shape ${showShape(index.shape)}`;
};

export const lookup: Pick<OpTable, LookupOp> = {
  argmax: {
    doc: "The position of the first largest value along dimension `dim`, which disappears.",
    arity: 1,
    type: (inputs, { dim }) =>
      pointwise(
        inputs,
        "index",
        operand(inputs, 0).shape.filter((_, d) => d !== dim),
      ),
    check: ([x], { dim }) => {
      if (x?.dtype !== "real") return `the operand is ${x?.dtype}, not real`;
      if (!dimIn(x.shape, dim)) return `there is no dimension ${dim}`;
      return x.shape[dim] === 0 ? `dimension ${dim} is empty` : null;
    },
    adjoint: { none: "piecewise constant" },
    evaluate: (node, _, evaluation, [x]) => {
      const { shape } = inputTypes(node, evaluation)[0]!;
      const { dim } = node.attrs;
      const out = zerosOf(node.type, evaluation);
      const n = shape[dim]!;
      const after = sizeOf(shape.slice(dim + 1));
      for (let o = 0; o < out.length; o++) {
        const start = Math.floor(o / after) * n * after + (o % after);
        let best = 0;
        for (let i = 1; i < n; i++) {
          if (x!.data[start + i * after]! > x!.data[start + best * after]!) best = i;
        }
        out[o] = best;
      }
      return out;
    },
    cost: (_, [x]) => ({ flops: sizeOf(x?.shape ?? []) }),
    elementwise: false,
  },
  oneHot: {
    doc: "Positions [...shape] to reals [...shape, size]: 1 at the position, 0 elsewhere.",
    arity: 1,
    type: (inputs, { size }) => pointwise(inputs, "real", [...operand(inputs, 0).shape, size]),
    check: ([x], { size }) => {
      if (x?.dtype !== "index") return `the operand is ${x?.dtype}, not index`;
      return isSize(size) ? null : "`size` is no natural number";
    },
    adjoint: positionOnly,
    evaluate: (node, _, evaluation, [x]) => {
      const { size } = node.attrs;
      const out = zerosOf(node.type, evaluation);
      for (let i = 0; i < x!.data.length; i++) {
        const position = x!.data[i]!;
        if (position >= 0 && position < size) out[i * size + position] = 1;
      }
      return out;
    },
    cost: ({ type }) => ({ flops: sizeOf(type.shape) }),
    elementwise: false,
  },
  gather: {
    doc: "(table [n, ...rest], position []) -> [...rest]: the table's row. NaN outside the table.",
    arity: 2,
    type: inputs => pointwise(inputs, operand(inputs, 0).dtype, operand(inputs, 0).shape.slice(1)),
    check: ([table, index]) => (table?.shape.length ? checkIndex(index) : "the table has no dimension"),
    adjoint: (b, node, k, adjoint) => {
      if (k === 1) return null;
      const [table, index] = [node.inputs[0]!, node.inputs[1]!];
      const { shape, axes, batched } = b.typeOf(table);
      return b.scatterAdd(index, adjoint, {
        size: shape[0]!,
        axes: b.typeOf(adjoint).axes.filter(axis => !axes.includes(axis)),
        batch: b.typeOf(adjoint).batched && !batched,
      });
    },
    evaluate: (node, _, evaluation, [table, index]) => {
      const [from, at] = inputTypes(node, evaluation);
      const out = zerosOf(node.type, evaluation);
      const size = sizeOf(node.type.shape);
      for (let row = 0; row < rowsOf(node.type, evaluation); row++) {
        const position = index!.data[row * rowStride(at!)]!;
        const start = row * rowStride(from!) + position * size;
        const inside = position >= 0 && position < from!.shape[0]!;
        if (inside) out.set(table!.data.subarray(start, start + size), row * size);
        else out.fill(Number.NaN, row * size, (row + 1) * size);
      }
      return out;
    },
    cost: () => ({ flops: 0 }),
    elementwise: false,
  },
  scatterAdd: {
    doc: "(position [], value [...rest]) -> [size, ...rest]: values added at their rows, over `axes` and the batch.",
    arity: 2,
    type: (inputs, { size, axes, batch }) => ({
      dtype: operand(inputs, 1).dtype,
      shape: [size, ...operand(inputs, 1).shape],
      axes: unionAxes(inputs).filter(axis => !axes.includes(axis)),
      batched: anyBatched(inputs) && !batch,
    }),
    check: (inputs, { size, axes, batch }) => {
      if (inputs[1]?.dtype !== "real") return `the value is ${inputs[1]?.dtype}, not real`;
      if (!isSize(size)) return "`size` is no natural number";
      const all = unionAxes(inputs);
      const missing = axes.find(axis => !all.includes(axis));
      if (missing !== undefined) return `no operand has the axis ${missing}`;
      if (batch && !anyBatched(inputs)) return "no operand is batched";
      return checkIndex(inputs[0]);
    },
    adjoint: (b, node, k, adjoint) => {
      if (k === 0) return null;
      // Values of positions outside have gone nowhere; `gather` would give NaN there.
      const [position] = node.inputs;
      const isInside = b.and(
        b.greaterEqual(position!, b.constant(0, "index")),
        b.less(position!, b.constant(node.attrs.size, "index")),
      );
      return b.where(isInside, b.gather(adjoint, position!), b.constant(0));
    },
    reads: (node, point, evaluation) =>
      pointsOver(evaluation, point, node.attrs.axes).flatMap(at => [
        { input: 0, point: at },
        { input: 1, point: at },
      ]),
    evaluate: (node, point, evaluation, reads) => {
      const [at, from] = inputTypes(node, evaluation);
      const out = zerosOf(node.type, evaluation);
      const size = sizeOf(from!.shape);
      const rows = at!.batched || from!.batched ? evaluation.batch : 1;
      const step = node.type.batched ? node.attrs.size * size : 0;
      for (const [i, here] of pointsOver(evaluation, point, node.attrs.axes).entries()) {
        const [index, value] = [reads[2 * i]!, reads[2 * i + 1]!];
        for (let row = 0; row < rows; row++) {
          if (!isReal(at!, evaluation, here, row) || !isReal(from!, evaluation, here, row)) continue;
          const position = index.data[row * rowStride(at!)]!;
          if (!(position >= 0 && position < node.attrs.size)) continue;
          const to = row * step + position * size;
          const start = row * rowStride(from!);
          for (let j = 0; j < size; j++) out[to + j]! += value.data[start + j]!;
        }
      }
      return out;
    },
    cost: (_, [, value]) => ({ flops: sizeOf(value?.shape ?? []) }),
    elementwise: false,
  },
};
