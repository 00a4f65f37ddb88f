// Which contractions are matrix products: rows times a matrix that is the same for all examples, and sums of outer
// products over rows (weight gradients). Both as sizes and strides; whatever is neither is a reduction (reduce.ts).

import type { AxisId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import { collapse, denseStrides, product } from "../plan/layout.ts";
import type { Reference } from "./places.ts";

export interface RowsTimesMatrix {
  readonly kind: "product";
  /** Which operand has the rows, 0 or 1; the other is the matrix. */
  readonly rows: 0 | 1;
  /** Rows of the product in each row of features. */
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** Of the matrix, in bytes. */
  readonly kStride: number;
  readonly nStride: number;
  readonly apart: readonly Apart[];
}

/** A static axis at each of whose positions there is a matrix of its own. */
export interface Apart {
  readonly axis: AxisId;
  readonly length: number;
  /** The products at its positions are added up. */
  readonly reduced: boolean;
}

/** All positions along some axes: what is computed one by one. The first of those to be added up comes first. */
export function positionsOf(apart: readonly Apart[]): readonly ReadonlyMap<AxisId, number>[] {
  let all: ReadonlyMap<AxisId, number>[] = [new Map()];
  for (const { axis, length } of apart) {
    all = all.flatMap(at => Array.from({ length }, (_, i) => new Map(at).set(axis, i)));
  }
  return all;
}

export interface SumOfOuterProducts {
  readonly kind: "gradient";
  /** The operand whose features are the result's rows, 0 or 1. */
  readonly rows: 0 | 1;
  readonly m: number;
  readonly n: number;
  /** Contracted features: each of their places is one more row. Sizes and byte strides of [row operand, other]. */
  readonly sizes: readonly number[];
  readonly strides: readonly [readonly number[], readonly number[]];
  readonly apart: readonly Apart[];
}

export interface ContractOperand {
  readonly type: NodeType;
  readonly reference: Reference;
}

type Contract = NodeOf<"contract">;

/** The sums of strides of a label's places: an operand may have a label twice. */
const strideOf = (labels: readonly number[], dims: readonly number[], label: number): number =>
  labels.reduce((sum, own, d) => (own === label ? sum + (dims[d] ?? 0) : sum), 0);

export interface Labels {
  readonly out: readonly number[];
  readonly contracted: readonly number[];
  readonly size: (label: number) => number;
  /** In numbers. */
  readonly stride: (operand: 0 | 1, label: number) => number;
}

export function labelsOf(node: Contract, operands: readonly [ContractOperand, ContractOperand]): Labels {
  const { left, right, out } = node.attrs;
  const sizes = new Map<number, number>();
  for (const [k, labels] of [left, right].entries()) {
    for (const [d, label] of labels.entries()) sizes.set(label, operands[k]!.reference.features.shape[d]!);
  }
  return {
    out,
    contracted: [...sizes.keys()].filter(label => !out.includes(label)),
    size: label => sizes.get(label) ?? 1,
    stride: (operand, label) =>
      strideOf(operand === 0 ? left : right, operands[operand].reference.features.dims, label),
  };
}

/** The stride of several labels walked as one, row-major, or null where they are no even walk. */
function evenStride(labels: readonly number[], { size, stride }: Labels, operand: 0 | 1): number | null {
  const { sizes, strides } = collapse({
    sizes: labels.map(size),
    strides: [labels.map(label => stride(operand, label))],
  });
  if (sizes.length === 0) return 1;
  return sizes.length === 1 ? strides[0]![0]! : null;
}

/** Fewer products than this are not worth a packed matrix. */
const leastProducts = 32;
const leastColumns = 4;
/** More matrices than this are not multiplied one by one. */
const mostApart = 16;

/** The axes as static ones, or null where one is not, or there are too many positions. */
function asApart(
  axes: readonly AxisId[],
  reduced: readonly AxisId[],
  lengthOf: LengthOf,
): readonly Apart[] | null {
  const apart: Apart[] = [];
  for (const axis of axes) {
    const length = lengthOf(axis);
    if (length === null) return null;
    apart.push({ axis, length, reduced: reduced.includes(axis) });
  }
  return product(apart.map(({ length }) => length)) <= mostApart ? apart : null;
}

/** The length of a static axis, else null. */
export type LengthOf = (axis: AxisId) => number | null;

/**
 * @param bound axes of the loops around the node.
 * @param lanes rows of the result are written in whole vectors.
 */
export function asProduct(
  node: Contract,
  operands: readonly [ContractOperand, ContractOperand],
  bound: readonly AxisId[],
  lanes: number,
  lengthOf: LengthOf,
): RowsTimesMatrix | null {
  const { axes, batch, left, right } = node.attrs;
  if (batch) return null;
  for (const rows of [0, 1] as const) {
    const matrix = rows === 0 ? 1 : 0;
    const { type, reference } = operands[matrix];
    const own = type.axes.filter(axis => !bound.includes(axis));
    const apart = asApart(own, axes, lengthOf);
    if (type.batched || apart === null || axes.some(axis => !own.includes(axis))) continue;
    if (
      reference.memory.kind !== "rows" ||
      operands[rows].type.axes.length + Number(operands[rows].type.batched) === 0
    )
      continue;
    const made = productOf(node, operands, rows, rows === 0 ? [left, right] : [right, left]);
    if (made !== null && (made.m === 1 || made.n % lanes === 0)) return { ...made, apart };
  }
  return null;
}

function productOf(
  node: Contract,
  operands: readonly [ContractOperand, ContractOperand],
  rows: 0 | 1,
  [own, other]: readonly [readonly number[], readonly number[]],
): Omit<RowsTimesMatrix, "apart"> | null {
  const labels = labelsOf(node, operands);
  const { out, contracted, size, stride } = labels;
  const mLabels = out.filter(label => own.includes(label) && !other.includes(label));
  const nLabels = out.filter(label => other.includes(label) && !own.includes(label));
  if (mLabels.length + nLabels.length !== out.length || out.join() !== [...mLabels, ...nLabels].join())
    return null;
  const ordered = contracted.toSorted((a, b) => stride(rows, b) - stride(rows, a));
  const matrix = rows === 0 ? 1 : 0;
  const [k, n, m] = [ordered, nLabels, mLabels].map(list => product(list.map(size))) as [
    number,
    number,
    number,
  ];
  if (n < leastColumns || k * n < leastProducts || m === 0) return null;
  // Rows of k numbers, m of them one after the other.
  const dense = denseStrides([...mLabels, ...ordered].map(size));
  const isDense = [...mLabels, ...ordered].every(
    (label, d) => size(label) === 1 || stride(rows, label) === dense[d],
  );
  const kStride = evenStride(ordered, labels, matrix);
  const nStride = evenStride(nLabels, labels, matrix);
  if (!isDense || kStride === null || nStride === null) return null;
  return { kind: "product", rows, m, k, n, kStride: 4 * kStride, nStride: 4 * nStride };
}

export function asGradient(
  node: Contract,
  operands: readonly [ContractOperand, ContractOperand],
  lengthOf: LengthOf,
): SumOfOuterProducts | null {
  const { axes, batch, left, right } = node.attrs;
  const apart = asApart(node.type.axes, [], lengthOf);
  if ((axes.length === 0 && !batch) || node.type.batched || apart === null) return null;
  const labels = labelsOf(node, operands);
  const { out, contracted, size, stride } = labels;
  const only = [
    out.filter(label => !right.includes(label)),
    out.filter(label => !left.includes(label)),
  ] as const;
  if (only[0].length + only[1].length !== out.length) return null;
  for (const rows of [0, 1] as const) {
    const other = rows === 0 ? 1 : 0;
    if (out.join() !== [...only[rows], ...only[other]].join()) continue;
    if (evenStride(only[rows], labels, rows) !== 1 || evenStride(only[other], labels, other) !== 1) continue;
    const [m, n] = [only[rows], only[other]].map(list => product(list.map(size))) as [number, number];
    if (n < leastColumns || m * n < leastProducts) return null;
    const along = (operand: 0 | 1): readonly number[] => contracted.map(label => 4 * stride(operand, label));
    return {
      kind: "gradient",
      rows,
      m,
      n,
      sizes: contracted.map(size),
      strides: [along(rows), along(other)],
      apart,
    };
  }
  return null;
}
