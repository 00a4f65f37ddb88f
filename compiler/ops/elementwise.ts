// Ops that work on each element by itself, assembled from unary, binary and the rest. Operands' features broadcast
// as in NumPy; axes and examples are joined.

import { binary } from "./binary.ts";
import type { OpTable } from "./op.ts";
import { fitsInto, joinShapes, operand, pointwise, showShape, sizeOf } from "./shapes.ts";
import { unary } from "./unary.ts";
import { broadcastIndex, inputTypes, rowStride, rowsOf, zerosOf } from "./values.ts";

type ElementwiseOp = keyof typeof unary | keyof typeof binary | "where" | "accumulate";

const selection: Pick<OpTable, "where" | "accumulate"> = {
  where: {
    doc: "where(condition, a, b): a where the condition holds, else b. What is not chosen does not matter, NaN included.",
    arity: 3,
    type: inputs => pointwise(inputs, operand(inputs, 1).dtype, joinShapes(inputs)),
    check: ([condition, a, b]) => {
      if (condition?.dtype !== "bool") return "the condition is not bool";
      return a?.dtype === b?.dtype ? null : `the branches are ${a?.dtype} and ${b?.dtype}`;
    },
    adjoint: (b, node, k, adjoint) => {
      if (k === 0) return null;
      const zero = b.constant(0);
      const condition = node.inputs[0]!;
      return k === 1 ? b.where(condition, adjoint, zero) : b.where(condition, zero, adjoint);
    },
    evaluate: (node, _, evaluation, [condition, x, y]) => {
      const types = inputTypes(node, evaluation);
      const out = zerosOf(node.type, evaluation);
      const size = sizeOf(node.type.shape);
      const [ic, ix, iy] = types.map(type => broadcastIndex(type.shape, node.type.shape));
      const [dc, dx, dy] = types.map(rowStride);
      for (let row = 0; row < rowsOf(node.type, evaluation); row++) {
        for (let i = 0; i < size; i++) {
          const chosen = condition!.data[row * dc! + ic![i]!] !== 0;
          out[row * size + i] = chosen ? x!.data[row * dx! + ix![i]!]! : y!.data[row * dy! + iy![i]!]!;
        }
      }
      return out;
    },
    cost: ({ type }) => ({ flops: sizeOf(type.shape) }),
    elementwise: true,
  },
  accumulate: {
    doc: "The sum of any number of operands, zeros without one, each broadcast to exactly `type`.",
    arity: { atLeast: 0 },
    type: (_, { type }) => type,
    check: (inputs, { type }) => {
      if (type.dtype !== "real") return `accumulates ${type.dtype}`;
      for (const input of inputs) {
        if (input.dtype !== "real") return `an operand is ${input.dtype}`;
        if (!fitsInto(input.shape, type.shape)) {
          return `an operand ${showShape(input.shape)} does not broadcast to ${showShape(type.shape)}`;
        }
        const extra = input.axes.find(axis => !type.axes.includes(axis));
        if (extra !== undefined) return `an operand has the axis ${extra}, the accumulator has not`;
        if (input.batched && !type.batched) return "an operand is batched, the accumulator is not";
      }
      return null;
    },
    adjoint: (_, __, ___, adjoint) => adjoint,
    evaluate: (node, _, evaluation, reads) => {
      const out = zerosOf(node.type, evaluation);
      const size = sizeOf(node.type.shape);
      for (const [k, type] of inputTypes(node, evaluation).entries()) {
        const { data } = reads[k]!;
        const index = broadcastIndex(type.shape, node.type.shape);
        const step = rowStride(type);
        for (let row = 0; row < rowsOf(node.type, evaluation); row++) {
          for (let i = 0; i < size; i++) out[row * size + i]! += data[row * step + index[i]!]!;
        }
      }
      return out;
    },
    cost: ({ type, inputs }) => ({ flops: Math.max(0, inputs.length - 1) * sizeOf(type.shape) }),
    elementwise: true,
  },
};

export const elementwise: Pick<OpTable, ElementwiseOp> = { ...unary, ...binary, ...selection };
