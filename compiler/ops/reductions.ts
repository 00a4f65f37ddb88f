// sum, max and logsumexp over features, axes and, for sums, the batch. They see real positions only: padding is left
// out by selection. An empty sum is 0, an empty maximum and an empty logsumexp are -inf.

import type { NodeId, NodeOf, NodeType, Reduced } from "../graph/graph.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Evaluation, OpRecord, OpTable, Point, Value } from "./op.ts";
import { dimIn, operand, sizeOf, stridesOf } from "./shapes.ts";
import { indexBy, inputTypes, isReal, pointsOver, rowStride, zerosOf } from "./values.ts";

type Reduction = "sum" | "max" | "logsumexp";

/** The operand's shape with the reduced dimensions of size 1. */
const keptShape = (shape: readonly number[], dims: readonly number[]): readonly number[] =>
  shape.map((n, d) => (dims.includes(d) ? 1 : n));

function reducedType([x]: readonly NodeType[], { dims, axes, batch, keep }: Reduced): NodeType {
  const { dtype, shape, axes: all, batched } = operand(x ? [x] : [], 0);
  return {
    dtype,
    shape: keep ? keptShape(shape, dims) : shape.filter((_, d) => !dims.includes(d)),
    axes: all.filter(axis => !axes.includes(axis)),
    batched: batched && !batch,
  };
}

function checkReduced(x: NodeType | undefined, { dims, axes, batch }: Reduced): string | null {
  if (x?.dtype !== "real") return `the operand is ${x?.dtype}, not real`;
  const outside = dims.find(dim => !dimIn(x.shape, dim));
  if (outside !== undefined) return `there is no dimension ${outside}`;
  if (dims.some((dim, i) => i > 0 && dim <= dims[i - 1]!)) return "`dims` do not ascend";
  const missing = axes.find(axis => !x.axes.includes(axis));
  if (missing !== undefined) return `the operand lacks the axis ${missing}`;
  return batch && !x.batched ? "the operand is not batched" : null;
}

/** Calls `visit` for each real element: its index in `value.data` and the index of the result it goes to. */
function eachElement(
  node: NodeOf<Reduction>,
  point: Point,
  evaluation: Evaluation,
  reads: readonly Value[],
  visit: (data: Float64Array, from: number, to: number) => void,
): void {
  const type = inputTypes(node, evaluation)[0]!;
  const size = sizeOf(type.shape);
  const strides = stridesOf(keptShape(type.shape, node.attrs.dims));
  const target = indexBy(
    type.shape,
    strides.map((stride, d) => (node.attrs.dims.includes(d) ? 0 : stride)),
  );
  const step = rowStride(node.type);
  for (const [i, here] of pointsOver(evaluation, point, node.attrs.axes).entries()) {
    const { data, rows } = reads[i]!;
    for (let row = 0; row < rows; row++) {
      if (!isReal(type, evaluation, here, row)) continue;
      for (let j = 0; j < size; j++) visit(data, row * size + j, row * step + target[j]!);
    }
  }
}

function largest(
  node: NodeOf<Reduction>,
  point: Point,
  evaluation: Evaluation,
  reads: readonly Value[],
): Float64Array {
  const out = zerosOf(node.type, evaluation).fill(Number.NEGATIVE_INFINITY);
  eachElement(node, point, evaluation, reads, (data, from, to) => {
    out[to] = Math.max(out[to]!, data[from]!);
  });
  return out;
}

/** Brings a value of the reduction's shape back to the operand's features, for its adjoint. */
function restore(b: GraphBuilder, node: NodeOf<Reduction>, x: NodeId): NodeId {
  const { shape } = b.typeOf(node.inputs[0]!);
  const { dims } = node.attrs;
  if (dims.length === 0) return x;
  const kept = node.attrs.keep ? x : b.reshape(x, keptShape(shape, dims));
  return b.broadcast(kept, { shape });
}

const common = {
  arity: 1,
  type: reducedType,
  reads: (node: NodeOf<Reduction>, point: Point, evaluation: Evaluation) =>
    pointsOver(evaluation, point, node.attrs.axes).map(at => ({ input: 0, point: at })),
  elementwise: false,
} as const;

const sum: OpRecord<"sum"> = {
  ...common,
  doc: "The sum over feature dimensions, axes and the batch.",
  check: ([x], attrs) => checkReduced(x, attrs),
  // Over axes and the batch the adjoint is the same everywhere: autodiff broadcasts it.
  adjoint: (b, node, _, adjoint) => restore(b, node, adjoint),
  evaluate: (node, point, evaluation, reads) => {
    const out = zerosOf(node.type, evaluation);
    eachElement(node, point, evaluation, reads, (data, from, to) => {
      out[to]! += data[from]!;
    });
    return out;
  },
  cost: (_, [x]) => ({ flops: sizeOf(x?.shape ?? []) }),
};

const max: OpRecord<"max"> = {
  ...common,
  doc: "The largest value over feature dimensions and axes; ties share the adjoint.",
  check: ([x], attrs) => (attrs.batch ? "the batch cannot be reduced by max" : checkReduced(x, attrs)),
  adjoint: (b, node, _, adjoint) => {
    const x = node.inputs[0]!;
    const zero = b.constant(0);
    const isLargest = b.equal(x, restore(b, node, node.id));
    const ties = b.sum(b.where(isLargest, b.constant(1), zero), node.attrs);
    // At least 1, so that rows without a largest value (of length 0, of NaN) do not divide by 0.
    const share = b.div(adjoint, b.maximum(ties, b.constant(1)));
    return b.where(isLargest, restore(b, node, share), zero);
  },
  evaluate: largest,
  cost: (_, [x]) => ({ flops: sizeOf(x?.shape ?? []) }),
};

const logsumexp: OpRecord<"logsumexp"> = {
  ...common,
  doc: "log(sum(exp(x))) over feature dimensions and axes, without overflow; -inf on rows of -inf.",
  check: ([x], attrs) => (attrs.batch ? "the batch cannot be reduced by logsumexp" : checkReduced(x, attrs)),
  adjoint: (b, node, _, adjoint) => {
    const weight = b.expdiff(node.inputs[0]!, restore(b, node, node.id));
    return b.mul(restore(b, node, adjoint), weight);
  },
  evaluate: (node, point, evaluation, reads) => {
    const top = largest(node, point, evaluation, reads);
    const out = zerosOf(node.type, evaluation);
    eachElement(node, point, evaluation, reads, (data, from, to) => {
      out[to]! += Math.exp(data[from]! - top[to]!);
    });
    // Where the largest value is infinite it is the answer: the differences are NaN.
    for (let i = 0; i < out.length; i++)
      out[i] = Number.isFinite(top[i]!) ? top[i]! + Math.log(out[i]!) : top[i]!;
    return out;
  },
  cost: (_, [x]) => ({ flops: 12 * sizeOf(x?.shape ?? []) }),
};

export const reductions: Pick<OpTable, Reduction> = { sum, max, logsumexp };
