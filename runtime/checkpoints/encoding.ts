// Tensors as the little-endian bytes that safetensors files hold. Bytes are put together by DataView where the
// machine's own order could matter, so that files are the same everywhere.

import type { Tensor } from "../../backends/api.ts";

/** The element types that Frond reads; it writes all of them but I64 and BOOL. */
export type StoredType = "F64" | "F32" | "I64" | "I32" | "U8" | "BOOL";

export const elementBytes: { readonly [T in StoredType]: number } = {
  F64: 8,
  F32: 4,
  I64: 8,
  I32: 4,
  U8: 1,
  BOOL: 1,
};

export const isStoredType = (type: string): type is StoredType => Object.hasOwn(elementBytes, type);

export function encodeTensor(tensor: Tensor): { type: StoredType; bytes: Uint8Array } {
  const { data } = tensor;
  const view = new DataView(new ArrayBuffer(data.byteLength));
  const bytes = new Uint8Array(view.buffer);
  if (data instanceof Float64Array) {
    data.forEach((value, i) => {
      view.setFloat64(8 * i, value, true);
    });
    return { type: "F64", bytes };
  }
  if (data instanceof Float32Array) {
    data.forEach((value, i) => {
      view.setFloat32(4 * i, value, true);
    });
    return { type: "F32", bytes };
  }
  if (data instanceof Int32Array) {
    data.forEach((value, i) => {
      view.setInt32(4 * i, value, true);
    });
    return { type: "I32", bytes };
  }
  bytes.set(data);
  return { type: "U8", bytes };
}

/** `problem` makes the error for values that do not fit. */
export function decodeTensor(
  type: StoredType,
  shape: readonly number[],
  bytes: Uint8Array,
  problem: (why: string) => Error,
): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / elementBytes[type];
  const each = { length: count };
  switch (type) {
    case "F64":
      return { dtype: "real", shape, data: Float64Array.from(each, (_, i) => view.getFloat64(8 * i, true)) };
    case "F32":
      return { dtype: "real", shape, data: Float32Array.from(each, (_, i) => view.getFloat32(4 * i, true)) };
    case "I32":
      return { dtype: "index", shape, data: Int32Array.from(each, (_, i) => view.getInt32(4 * i, true)) };
    case "I64":
      return {
        dtype: "index",
        shape,
        data: Int32Array.from(each, (_, i) => toInt32(view.getBigInt64(8 * i, true), problem)),
      };
    case "U8":
    case "BOOL":
      return { dtype: "bool", shape, data: bytes.slice() };
  }
}

function toInt32(value: bigint, problem: (why: string) => Error): number {
  if (value !== BigInt.asIntN(32, value)) throw problem(`its value ${value} does not fit into 32 bits`);
  return Number(value);
}
