// Messages as bytes, the same in Node and in the page. What tensors hold travels as it lies in memory; the rest, which
// is small, as the text that devalue makes: Maps, Sets, undefined, -0 and NaN survive, and what was one object before
// (a program's graph and its schedule's, the source behind a thousand spans) is one object after.
//
//     u32 bytes of the text | text | padding to 8 | arrays, each padded to 8

import { parse, stringify } from "devalue";

/** Tensors have the first four; what else is given in their place, the backend is to refuse in its own words. */
const arrayTypes = {
  Float32Array,
  Float64Array,
  Int32Array,
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
} as const;
type ArrayName = keyof typeof arrayTypes;
type Values = InstanceType<(typeof arrayTypes)[ArrayName]>;

/** Where an array lies, in bytes from the first one; how many elements. */
type Place = readonly [type: ArrayName, offset: number, length: number];

const headBytes = 4;
const aligned = (bytes: number): number => (bytes + 7) & ~7;

/** Throws for what is no plain data: functions, symbols, objects of classes. */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  const arrays: { readonly values: Values; readonly offset: number }[] = [];
  let end = 0;
  const place = (candidate: unknown): Place | false => {
    if (!ArrayBuffer.isView(candidate)) return false;
    const name = nameOf(candidate);
    const offset = end;
    arrays.push({ values: candidate as Values, offset });
    end = aligned(end + candidate.byteLength);
    return [name, offset, (candidate as Values).length];
  };
  const text = new TextEncoder().encode(stringify(value, { array: place }));
  const start = aligned(headBytes + text.length);
  const bytes = new Uint8Array(start + end);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, headBytes);
  for (const { values, offset } of arrays) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start + offset);
  }
  return bytes;
}

/** The value; its arrays are views of `message`, which belongs to it from now on. */
export function decode(message: ArrayBuffer): unknown {
  const size = new DataView(message).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(message, headBytes, size));
  const start = aligned(headBytes + size);
  return parse(text, {
    array: ([type, offset, length]: Place) => new arrayTypes[type](message, start + offset, length),
  });
}

function nameOf(view: ArrayBufferView): ArrayName {
  const found = Object.entries(arrayTypes).find(([, type]) => view instanceof type);
  if (found === undefined) throw new TypeError(`a ${view.constructor.name} cannot be sent`);
  return found[0] as ArrayName;
}
