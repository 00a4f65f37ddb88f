// Ops that rearrange features and leave indices alone: broadcast, reshape, transpose, slice, pad, concat.

import type { NodeOf, NodeType } from "../graph/graph.ts";
import { type Evaluation, isNumeric, type OpTable, type Value } from "./op.ts";
import {
  anyBatched,
  dimIn,
  fitsInto,
  isSize,
  operand,
  pointwise,
  showShape,
  sizeOf,
  stridesOf,
  unionAxes,
} from "./shapes.ts";
import { broadcastIndex, gatherRows, indexBy, inputTypes, rowStride, rowsOf, zerosOf } from "./values.ts";

type FeatureOp = "broadcast" | "reshape" | "transpose" | "slice" | "pad" | "concat";

const copies = { flops: 0 };

const withSize = (shape: readonly number[], dim: number, size: number): readonly number[] =>
  shape.map((n, d) => (d === dim ? size : n));

/** A shape seen from one dimension: `before` blocks of `size` steps of `after` elements. */
function around(shape: readonly number[], dim: number): { before: number; size: number; after: number } {
  return {
    before: sizeOf(shape.slice(0, dim)),
    size: shape[dim]!,
    after: sizeOf(shape.slice(dim + 1)),
  };
}

/** Copies steps `from .. from + size` of `x` along `dim` to steps `to ..` of `out`, in each row. */
function copySteps(
  evaluation: Evaluation,
  x: { readonly value: Value; readonly type: NodeType; readonly from: number },
  out: { readonly data: Float64Array; readonly type: NodeType; readonly to: number },
  dim: number,
  size: number,
): void {
  const source = around(x.type.shape, dim);
  const target = around(out.type.shape, dim);
  const rowOut = sizeOf(out.type.shape);
  for (let row = 0; row < rowsOf(out.type, evaluation); row++) {
    for (let block = 0; block < source.before; block++) {
      const at = row * rowStride(x.type) + (block * source.size + x.from) * source.after;
      const part = x.value.data.subarray(at, at + size * source.after);
      out.data.set(part, row * rowOut + (block * target.size + out.to) * target.after);
    }
  }
}

const typeOfInput = (node: NodeOf<FeatureOp>, evaluation: Evaluation): NodeType =>
  inputTypes(node, evaluation)[0]!;

export const features: Pick<OpTable, FeatureOp> = {
  broadcast: {
    doc: "Features broadcast to `shape` as in NumPy; `axes` are added; with `batched`, one copy for each example.",
    arity: 1,
    type: (inputs, { shape, axes, batched }) => ({
      dtype: operand(inputs, 0).dtype,
      shape,
      axes: [...new Set([...unionAxes(inputs), ...axes])],
      batched: batched || anyBatched(inputs),
    }),
    check: ([x], { shape }) =>
      x && fitsInto(x.shape, shape)
        ? null
        : `${showShape(x?.shape ?? [])} does not broadcast to ${showShape(shape)}`,
    adjoint: (_, __, ___, adjoint) => adjoint,
    evaluate: (node, _, evaluation, [x]) => {
      const from = typeOfInput(node, evaluation);
      return gatherRows(node.type, from, evaluation, x!, broadcastIndex(from.shape, node.type.shape));
    },
    cost: () => copies,
    elementwise: true,
  },
  reshape: {
    doc: "The same elements, row-major, under another shape.",
    arity: 1,
    type: (inputs, { shape }) => pointwise(inputs, operand(inputs, 0).dtype, shape),
    check: ([x], { shape }) =>
      x && shape.every(isSize) && sizeOf(x.shape) === sizeOf(shape)
        ? null
        : `${showShape(x?.shape ?? [])} has not as many elements as ${showShape(shape)}`,
    adjoint: (b, node, _, adjoint) => b.reshape(adjoint, b.typeOf(node.inputs[0]!).shape),
    evaluate: (_, __, ___, [x]) => x!.data,
    cost: () => copies,
    elementwise: false,
  },
  transpose: {
    doc: "Dimension i of the result is dimension perm[i] of the operand.",
    arity: 1,
    type: (inputs, { perm }) => {
      const { dtype, shape } = operand(inputs, 0);
      return pointwise(
        inputs,
        dtype,
        perm.map(d => shape[d] ?? 0),
      );
    },
    check: ([x], { perm }) =>
      x && perm.length === x.shape.length && x.shape.every((_, d) => perm.includes(d))
        ? null
        : `[${perm.join(", ")}] is no permutation of the operand's dimensions`,
    adjoint: (b, { attrs: { perm } }, _, adjoint) =>
      b.transpose(
        adjoint,
        perm.map((_, d) => perm.indexOf(d)),
      ),
    evaluate: (node, _, evaluation, [x]) => {
      const from = typeOfInput(node, evaluation);
      const strides = stridesOf(from.shape);
      const index = indexBy(
        node.type.shape,
        node.attrs.perm.map(d => strides[d]!),
      );
      return gatherRows(node.type, from, evaluation, x!, index);
    },
    cost: () => copies,
    elementwise: false,
  },
  slice: {
    doc: "`size` steps of dimension `dim` from `start` on.",
    arity: 1,
    type: (inputs, { dim, size }) => {
      const { dtype, shape } = operand(inputs, 0);
      return pointwise(inputs, dtype, withSize(shape, dim, size));
    },
    check: ([x], { dim, start, size }) => {
      if (!x || !dimIn(x.shape, dim)) return `there is no dimension ${dim}`;
      if (!isSize(start) || !isSize(size) || start + size > x.shape[dim]!) {
        return `${start}..${start + size} is outside dimension ${dim} of ${showShape(x.shape)}`;
      }
      return null;
    },
    adjoint: (b, { inputs, attrs: { dim, start, size } }, _, adjoint) => {
      const whole = b.typeOf(inputs[0]!).shape[dim]!;
      return b.pad(adjoint, dim, start, whole - start - size);
    },
    evaluate: (node, _, evaluation, [x]) => {
      const { dim, start, size } = node.attrs;
      const data = zerosOf(node.type, evaluation);
      const from = { value: x!, type: typeOfInput(node, evaluation), from: start };
      copySteps(evaluation, from, { data, type: node.type, to: 0 }, dim, size);
      return data;
    },
    cost: () => copies,
    elementwise: false,
  },
  pad: {
    doc: "`before` and `after` zeros put around dimension `dim`.",
    arity: 1,
    type: (inputs, { dim, before, after }) => {
      const { dtype, shape } = operand(inputs, 0);
      return pointwise(inputs, dtype, withSize(shape, dim, (shape[dim] ?? 0) + before + after));
    },
    check: ([x], { dim, before, after }) => {
      if (!x || !dimIn(x.shape, dim)) return `there is no dimension ${dim}`;
      if (!isNumeric(x.dtype)) return "the operand is bool";
      return isSize(before) && isSize(after) ? null : "`before` or `after` is no natural number";
    },
    adjoint: (b, { inputs, attrs: { dim, before } }, _, adjoint) =>
      b.slice(adjoint, dim, before, b.typeOf(inputs[0]!).shape[dim]!),
    evaluate: (node, _, evaluation, [x]) => {
      const { dim, before } = node.attrs;
      const data = zerosOf(node.type, evaluation);
      const type = typeOfInput(node, evaluation);
      const to = { data, type: node.type, to: before };
      copySteps(evaluation, { value: x!, type, from: 0 }, to, dim, type.shape[dim]!);
      return data;
    },
    cost: () => copies,
    elementwise: false,
  },
  concat: {
    doc: "The operands one after another along dimension `dim`; their other sizes are equal.",
    arity: { atLeast: 1 },
    type: (inputs, { dim }) => {
      const { dtype, shape } = operand(inputs, 0);
      const total = inputs.reduce((sum, x) => sum + (x.shape[dim] ?? 0), 0);
      return pointwise(inputs, dtype, withSize(shape, dim, total));
    },
    check: (inputs, { dim }, type) => {
      if (!dimIn(type.shape, dim)) return `there is no dimension ${dim}`;
      for (const { dtype, shape } of inputs) {
        if (dtype !== type.dtype) return `the operands are ${type.dtype} and ${dtype}`;
        const fits =
          shape.length === type.shape.length && shape.every((n, d) => d === dim || n === type.shape[d]);
        if (!fits) return `${showShape(shape)} does not fit into ${showShape(type.shape)}`;
      }
      return null;
    },
    adjoint: (b, { inputs, attrs: { dim } }, k, adjoint) => {
      const sizes = inputs.map(id => b.typeOf(id).shape[dim]!);
      const start = sizes.slice(0, k).reduce((sum, n) => sum + n, 0);
      return b.slice(adjoint, dim, start, sizes[k]!);
    },
    evaluate: (node, _, evaluation, reads) => {
      const { dim } = node.attrs;
      const data = zerosOf(node.type, evaluation);
      let to = 0;
      for (const [k, type] of inputTypes(node, evaluation).entries()) {
        const size = type.shape[dim]!;
        copySteps(evaluation, { value: reads[k]!, type, from: 0 }, { data, type: node.type, to }, dim, size);
        to += size;
      }
      return data;
    },
    cost: () => copies,
    elementwise: false,
  },
};
