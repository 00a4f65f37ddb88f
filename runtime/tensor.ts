// Host tensors: making them and saying their shapes. Arithmetic on them is the backends' business.

import type { Tensor } from "../backends/api.ts";
import type { DType } from "../compiler/graph/graph.ts";

/** The number of elements of a shape; 1 for a scalar. */
export const elementCount = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

/** `[32, t, 10]`; sizes that are not known yet may be names. */
export const formatShape = (shape: readonly (number | string)[]): string => `[${shape.join(", ")}]`;

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, dim) => size === b[dim]);

/** Zeros (false) of a type. */
export function zeros(dtype: DType, shape: readonly number[]): Tensor {
  const count = elementCount(shape);
  return { dtype, shape, data: zeroData(dtype, count) };
}

/** Zeros in the same kind of array as `like`, so that float64 stays float64. */
export function zerosLike(like: Tensor, shape: readonly number[]): Tensor {
  const count = elementCount(shape);
  const data = like.data instanceof Float64Array ? new Float64Array(count) : zeroData(like.dtype, count);
  return { dtype: like.dtype, shape, data };
}

function zeroData(dtype: DType, count: number): Tensor["data"] {
  switch (dtype) {
    case "real":
      return new Float32Array(count);
    case "index":
      return new Int32Array(count);
    case "bool":
      return new Uint8Array(count);
  }
}

/** A tensor's only element. */
export function scalar(tensor: Tensor): number {
  return tensor.data[0] ?? Number.NaN;
}
