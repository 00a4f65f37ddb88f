// Data in JSON: `{ "x": [[..], [..]], "x.length": [..] }`, or an array with an object for each example. Sequences of
// different lengths are padded with zeros and their lengths noted. NaN is written null, infinities "inf" and "-inf".

import type { Tensor } from "../../backends/api.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { elementCount } from "../tensor.ts";

/** An array and, where its examples differ in size, their sizes `[batch, dims]` along its first dimensions. */
export interface JsonArray {
  readonly tensor: Tensor;
  readonly lengths: Int32Array | null;
}

/** Reads the columns of a JSON text; `file` is its name in messages. */
export function readJson(text: string, file: string): ReadonlyMap<string, JsonArray> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw noData(file, error instanceof Error ? error.message : String(error));
  }
  const columns = columnsOf(value, file);
  return new Map(
    [...columns].map(([name, examples]) => [name.normalize("NFC"), regular(examples, name, file)]),
  );
}

/** A tensor as nested arrays; with `sizes`, each example is cut to its own along the first dimensions. */
export function toNested(tensor: Tensor, sizes: (example: number) => readonly number[] = () => []): unknown {
  const { shape, data, dtype } = tensor;
  const element = (value: number): unknown => {
    if (dtype === "bool") return value !== 0;
    if (Number.isNaN(value)) return null;
    return Number.isFinite(value) ? shortest(value, data) : value > 0 ? "inf" : "-inf";
  };
  const nested = (dim: number, offset: number, cut: readonly number[]): unknown => {
    if (dim === shape.length) return element(data[offset]!);
    const stride = elementCount(shape.slice(dim + 1));
    const size = dim === 0 ? shape[0]! : (cut[dim - 1] ?? shape[dim]!);
    return Array.from({ length: size }, (_, i) =>
      nested(dim + 1, offset + i * stride, dim === 0 ? sizes(i) : cut),
    );
  };
  return nested(0, 0, []);
}

/** As few digits as tell a float32 from its neighbours. */
function shortest(value: number, data: Tensor["data"]): number {
  if (!(data instanceof Float32Array)) return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** The examples of each name. */
function columnsOf(value: unknown, file: string): ReadonlyMap<string, readonly unknown[]> {
  const columns = new Map<string, unknown[]>();
  if (Array.isArray(value)) {
    value.forEach((example, i) => {
      if (!isObject(example)) throw noData(file, `element ${i} of the outermost array is no object`);
      for (const [name, array] of Object.entries(example)) {
        const column = columns.get(name) ?? [];
        if (column.length !== i) throw noData(file, `example ${i} has \`${name}\`, example ${i - 1} has not`);
        column.push(array);
        columns.set(name, column);
      }
      for (const [name, column] of columns) {
        if (column.length !== i + 1)
          throw noData(file, `example ${i} has no \`${name}\`, those before it have`);
      }
    });
    return columns;
  }
  if (!isObject(value)) throw noData(file, "the outermost value is neither an object nor an array");
  for (const [name, array] of Object.entries(value)) {
    if (!Array.isArray(array)) throw noData(file, `\`${name}\` is no array`);
    columns.set(name, array);
  }
  return columns;
}

/** Pads the examples to one shape. */
function regular(examples: readonly unknown[], name: string, file: string): JsonArray {
  const wrong = (example: number, why: string) =>
    new FrondError([report("F0842", { name, file }, null, { help: [`example ${example}: ${why}`] })]);
  const sizes = examples.map((example, i) => sizesOf(example, why => wrong(i, why)));
  const rank = Math.max(0, ...sizes.map(size => size.length));
  sizes.forEach((size, i) => {
    const open = size.at(-1) === 0;
    if (size.length < rank && !open) {
      throw wrong(i, `it is nested ${size.length} deep, other examples ${rank} deep`);
    }
  });
  const inner = Array.from({ length: rank }, (_, dim) =>
    sizes.reduce((most, size) => Math.max(most, size[dim] ?? 0), 0),
  );
  const shape = [examples.length, ...inner];
  const values = new Float64Array(elementCount(shape));
  const seen = { fraction: false, bool: 0, count: 0 };
  const stride = elementCount(inner);
  examples.forEach((example, i) => {
    flatten(example, inner, i * stride, values, seen, why => wrong(i, why));
  });
  const tensor = typed(values, shape, seen);
  return { tensor, lengths: raggedLengths(sizes, inner) };
}

/** The sizes of one example, all parts alike; an empty array hides what is below it. */
function sizesOf(value: unknown, wrong: (why: string) => FrondError): readonly number[] {
  if (!Array.isArray(value)) return [];
  const parts = value.map(part => sizesOf(part, wrong));
  const [first, ...rest] = parts;
  const odd = rest.findIndex(part => part.join() !== first!.join());
  if (odd >= 0) {
    throw wrong(
      `element ${odd + 1} has shape [${rest[odd]!.join(", ")}], element 0 has [${first!.join(", ")}]`,
    );
  }
  return [value.length, ...(first ?? [])];
}

interface Seen {
  fraction: boolean;
  bool: number;
  count: number;
}

function flatten(
  value: unknown,
  shape: readonly number[],
  offset: number,
  into: Float64Array,
  seen: Seen,
  wrong: (why: string) => FrondError,
): void {
  if (Array.isArray(value)) {
    const stride = elementCount(shape.slice(1));
    for (const [i, part] of value.entries())
      flatten(part, shape.slice(1), offset + i * stride, into, seen, wrong);
    return;
  }
  const number = toNumber(value);
  if (number === null) throw wrong(`${JSON.stringify(value)} is no number`);
  seen.count += 1;
  if (typeof value === "boolean") seen.bool += 1;
  if (number !== (number | 0)) seen.fraction = true;
  into[offset] = number;
}

function toNumber(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null) return Number.NaN;
  if (value === "inf") return Number.POSITIVE_INFINITY;
  return value === "-inf" ? Number.NEGATIVE_INFINITY : null;
}

function typed(values: Float64Array, shape: readonly number[], seen: Seen): Tensor {
  if (seen.count > 0 && seen.bool === seen.count)
    return { dtype: "bool", shape, data: Uint8Array.from(values) };
  if (seen.fraction) return { dtype: "real", shape, data: values };
  return { dtype: "index", shape, data: Int32Array.from(values) };
}

/** Sizes of every example along the leading dimensions, up to the last one in which they differ; null if none do. */
function raggedLengths(sizes: readonly (readonly number[])[], inner: readonly number[]): Int32Array | null {
  const dims = inner.findLastIndex((most, dim) => sizes.some(size => (size[dim] ?? most) !== most)) + 1;
  if (dims === 0) return null;
  return Int32Array.from(sizes.flatMap(size => Array.from({ length: dims }, (_, dim) => size[dim] ?? 0)));
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function noData(file: string, why: string): FrondError {
  return new FrondError([report("F0832", { file }, null, { help: [why] })]);
}
