// Tensors between the host and matrices: [batch, ..axes, ..shape] here; rows [axes.., batch, outer features] there, each of
// whole texels. Truth values are 0 and 1 in both.

import type { AxisId, DType, NodeType } from "../../compiler/graph/graph.ts";
import type { Tensor } from "../api.ts";
import { denseStrides, offsetTable, product } from "../plan/layout.ts";
import { lastOf, outerOf, type Reference, type RowShape, texelsIn } from "./cells.ts";

/** Where the numbers of a value are in a matrix; see Reference. */
export interface Region
  extends Pick<Extract<Reference, { kind: "stored" }>, "column" | "width" | "features"> {
  readonly rows: RowShape;
}

export interface Sizes {
  readonly batch: number;
  readonly extents: ReadonlyMap<AxisId, number>;
}

export const rowsOf = ({ axes, batched, outer }: RowShape, { batch, extents }: Sizes): number =>
  product(axes.map(axis => extents.get(axis)!)) * (batched ? batch : 1) * outer;

/** For each row of the host's order [batch, ..axes] where its features begin, in rows of a matrix. */
function rowTable({ axes, batched }: NodeType, rows: RowShape, { batch, extents }: Sizes): Int32Array {
  const sizes = rows.axes.map(axis => extents.get(axis)!);
  const strides = denseStrides([...sizes, rows.batched ? batch : 1, rows.outer]);
  const stepOf = (axis: AxisId): number => strides[rows.axes.indexOf(axis)] ?? 0;
  return offsetTable(
    [batched ? batch : 1, ...axes.map(axis => extents.get(axis)!)],
    [rows.batched ? strides[rows.axes.length]! : 0, ...axes.map(stepOf)],
  );
}

/** A tensor as the numbers of a matrix of its own. */
export function toMatrix(
  { shape, axes, batched, dtype }: NodeType,
  { data }: Tensor,
  sizes: Sizes,
): Float32Array {
  const rows = { axes, batched, outer: outerOf(shape) };
  const table = rowTable({ shape, axes, batched, dtype }, rows, sizes);
  const [last, stride] = [lastOf(shape), 4 * texelsIn(lastOf(shape))];
  const out = new Float32Array(rowsOf(rows, sizes) * stride);
  const each = last * rows.outer;
  for (const [row, first] of table.entries()) {
    for (let o = 0; o < rows.outer; o++) {
      const [from, to] = [row * each + o * last, (first + o) * stride];
      for (let i = 0; i < last; i++) out[to + i] = data[from + i]!;
    }
  }
  return out;
}

/** A value out of the matrix that holds it, with zeros in the padding. */
export function fromMatrix(
  type: NodeType,
  { rows, column, width, features }: Region,
  numbers: Float32Array,
  texels: number,
  sizes: Sizes,
  lengths: ReadonlyMap<AxisId, Int32Array>,
): Tensor {
  const { batch, extents } = sizes;
  const axisSizes = type.axes.map(axis => extents.get(axis)!);
  const shape = [...(type.batched ? [batch] : []), ...axisSizes, ...type.shape];
  const table = rowTable(type, rows, sizes);
  const places = offsetTable(features.shape, features.dims).map(flat => {
    const at = features.offset + flat;
    return Math.floor(at / width) * 4 * texels + (at % width) + 4 * column;
  });
  const data = makeArray(type.dtype, product(shape));
  eachRow(type, axisSizes, batch, lengths, row => {
    const [from, to] = [table[row]! * 4 * texels, row * places.length];
    for (let i = 0; i < places.length; i++) data[to + i] = numbers[from + places[i]!]!;
  });
  return { dtype: type.dtype, shape, data };
}

/** A number for all elements, zeros in the padding. */
export function filledTensor(
  type: NodeType,
  value: number,
  sizes: Sizes,
  lengths: ReadonlyMap<AxisId, Int32Array>,
): Tensor {
  const { batch, extents } = sizes;
  const axisSizes = type.axes.map(axis => extents.get(axis)!);
  const shape = [...(type.batched ? [batch] : []), ...axisSizes, ...type.shape];
  const data = makeArray(type.dtype, product(shape));
  eachRow(type, axisSizes, batch, lengths, row => {
    const each = product(type.shape);
    data.fill(value, row * each, (row + 1) * each);
  });
  return { dtype: type.dtype, shape, data };
}

/** The rows of the host's order that are no padding. */
function eachRow(
  { axes, batched }: NodeType,
  sizes: readonly number[],
  batch: number,
  lengths: ReadonlyMap<AxisId, Int32Array>,
  visit: (row: number) => void,
): void {
  const strides = denseStrides(sizes);
  const positions = product(sizes);
  const own = batched ? axes.map(axis => lengths.get(axis)) : [];
  for (let row = 0; row < positions * (batched ? batch : 1); row++) {
    const example = Math.floor(row / positions);
    const isPadding = own.some(
      (list, d) => list !== undefined && Math.floor(row / strides[d]!) % sizes[d]! >= list[example]!,
    );
    if (!isPadding) visit(row);
  }
}

function makeArray(dtype: DType, size: number): Float32Array | Int32Array | Uint8Array {
  if (dtype === "real") return new Float32Array(size);
  return dtype === "index" ? new Int32Array(size) : new Uint8Array(size);
}
