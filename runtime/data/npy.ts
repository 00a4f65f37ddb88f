// One array in NumPy's `.npy` format, versions 1 to 3
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
// Reads little-endian floats, integers and booleans in C or Fortran order; writes what tensors hold.

import type { Tensor } from "../../backends/api.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { elementCount } from "../tensor.ts";

interface Header {
  readonly type: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly start: number;
}

type Elements = Float32Array | Float64Array | Int32Array | Uint8Array;
type Reader = { readonly bytes: number; readonly read: (view: DataView, count: number) => Elements };

/** By the type's name without its byte order. 64-bit and unsigned 32-bit integers become reals where 32 bits are too few. */
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["f4", { bytes: 4, read: (view, n) => fill(new Float32Array(n), i => view.getFloat32(4 * i, true)) }],
  ["f8", { bytes: 8, read: (view, n) => fill(new Float64Array(n), i => view.getFloat64(8 * i, true)) }],
  ["i1", { bytes: 1, read: (view, n) => fill(new Int32Array(n), i => view.getInt8(i)) }],
  ["u1", { bytes: 1, read: (view, n) => fill(new Int32Array(n), i => view.getUint8(i)) }],
  ["i2", { bytes: 2, read: (view, n) => fill(new Int32Array(n), i => view.getInt16(2 * i, true)) }],
  ["u2", { bytes: 2, read: (view, n) => fill(new Int32Array(n), i => view.getUint16(2 * i, true)) }],
  ["i4", { bytes: 4, read: (view, n) => fill(new Int32Array(n), i => view.getInt32(4 * i, true)) }],
  [
    "u4",
    { bytes: 4, read: (view, n) => narrow(fill(new Float64Array(n), i => view.getUint32(4 * i, true))) },
  ],
  [
    "i8",
    {
      bytes: 8,
      read: (view, n) => narrow(fill(new Float64Array(n), i => Number(view.getBigInt64(8 * i, true)))),
    },
  ],
  [
    "u8",
    {
      bytes: 8,
      read: (view, n) => narrow(fill(new Float64Array(n), i => Number(view.getBigUint64(8 * i, true)))),
    },
  ],
  ["b1", { bytes: 1, read: (view, n) => fill(new Uint8Array(n), i => (view.getUint8(i) === 0 ? 0 : 1)) }],
]);

/** Reads the array `name` of `file` (both for messages). */
export function readNpy(bytes: Uint8Array, name: string, file: string): Tensor {
  const wrong = (why: string) => new FrondError([report("F0831", { name, file }, null, { help: [why] })]);
  const header = readHeader(bytes, wrong);
  const reader = readers.get(header.type.slice(1));
  if (reader === undefined || header.type.startsWith(">")) throw wrong(unsupported(header.type));
  const count = elementCount(header.shape);
  const size = bytes.length - header.start;
  if (size !== count * reader.bytes) {
    throw wrong(`its header promises ${count * reader.bytes} bytes of elements; there are ${size}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.start, size);
  const elements = reader.read(view, count);
  const data = header.fortran ? fromFortran(elements, header.shape) : elements;
  return { dtype: dtypeOf(data), shape: header.shape, data };
}

/** The tensor as a version 1 file. */
export function writeNpy({ shape, data, dtype }: Tensor): Uint8Array {
  const type =
    dtype === "bool"
      ? "|b1"
      : data instanceof Float64Array
        ? "<f8"
        : data instanceof Int32Array
          ? "<i4"
          : "<f4";
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // The elements begin at a multiple of 64 bytes; the header ends with a line feed.
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const start = 10 + padded.length;
  const file = new Uint8Array(start + data.byteLength);
  file.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  const view = new DataView(file.buffer);
  view.setUint16(8, padded.length, true);
  file.set(new TextEncoder().encode(padded), 10);
  data.forEach((value, i) => {
    if (data instanceof Float64Array) view.setFloat64(start + 8 * i, value, true);
    else if (data instanceof Float32Array) view.setFloat32(start + 4 * i, value, true);
    else if (data instanceof Int32Array) view.setInt32(start + 4 * i, value, true);
    else view.setUint8(start + i, value);
  });
  return file;
}

export const npyMagic: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

function readHeader(bytes: Uint8Array, wrong: (why: string) => FrondError): Header {
  if (bytes.length < 10 || npyMagic.some((byte, i) => bytes[i] !== byte)) throw wrong("it is no .npy array");
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw wrong(`it is of version ${version}; known are 1 to 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const before = version === 1 ? 10 : 12;
  if (bytes.length < before) throw wrong("it is cut off");
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (before + length > bytes.length) throw wrong("it is cut off");
  const text = new TextDecoder().decode(bytes.subarray(before, before + length));
  const descr = /'descr':\s*(?:'([^']*)'|(\[))/.exec(text);
  const fortran = /'fortran_order':\s*(True|False)/.exec(text);
  const shape = /'shape':\s*\(([\d\s,]*)\)/.exec(text);
  if (descr === null || fortran === null || shape === null)
    throw wrong(`its header is not understood: ${text.trim()}`);
  if (descr[2] !== undefined) throw wrong("structured arrays are not read; save each field as an array");
  const sizes = shape[1]!.split(",").map(size => size.trim());
  return {
    type: descr[1]!,
    fortran: fortran[1] === "True",
    shape: sizes.filter(size => size !== "").map(Number),
    start: before + length,
  };
}

function unsupported(type: string): string {
  if (type.startsWith(">")) {
    return `its elements are big-endian (${type}); save it with \`.astype('<${type.slice(1)}')\``;
  }
  const kind = type.replace(/^[<|=]/, "")[0] ?? "";
  const names: Readonly<Record<string, string>> = {
    U: "text",
    S: "bytes",
    O: "objects",
    c: "complex numbers",
  };
  const what = names[kind] === undefined ? `of type ${type}` : `${names[kind]} (${type})`;
  return `its elements are ${what}; read are f4, f8, i1 to i8, u1 to u8 and b1`;
}

/** Column-major to row-major. */
function fromFortran(elements: Elements, shape: readonly number[]): Elements {
  const result = elements.slice();
  const strides: number[] = [];
  let stride = 1;
  for (const size of shape) {
    strides.push(stride);
    stride *= size;
  }
  const position = shape.map(() => 0);
  for (let i = 0; i < elements.length; i++) {
    result[i] = elements[position.reduce((sum, at, dim) => sum + at * strides[dim]!, 0)]!;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      position[dim]! += 1;
      if (position[dim]! < shape[dim]!) break;
      position[dim] = 0;
    }
  }
  return result;
}

function fill<T extends Elements>(array: T, value: (i: number) => number): T {
  for (let i = 0; i < array.length; i++) array[i] = value(i);
  return array;
}

/** 32-bit integers where all values are such. */
function narrow(values: Float64Array): Int32Array | Float64Array {
  return values.every(value => value === (value | 0)) ? Int32Array.from(values) : values;
}

function dtypeOf(data: Elements): Tensor["dtype"] {
  if (data instanceof Int32Array) return "index";
  return data instanceof Uint8Array ? "bool" : "real";
}
