// The safetensors format (https://github.com/huggingface/safetensors): 8 bytes of header length, a JSON header, the
// tensors' bytes. Works on bytes in memory; files are runtime/node's. Nothing of a file is trusted: a header that
// does not add up is refused before a single value is read.

import type { Tensor } from "../../backends/api.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { elementCount } from "../tensor.ts";
import { decodeTensor, elementBytes, encodeTensor, isStoredType } from "./encoding.ts";
import { firstDuplicateKey } from "./keys.ts";

/** Named tensors and what is said about them. */
export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The format's own bound on a header, 100 MB: more is a file of another kind. */
const longestHeader = 100_000_000;
const metadataKey = "__metadata__";

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** Reads a file's bytes; `file` is its name in messages. */
export function readSafetensors(bytes: Uint8Array, file: string): Checkpoint {
  const { header, body } = splitHeader(bytes, file);
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === metadataKey) {
      for (const [key, text] of Object.entries(stringMap(value, file))) metadata.set(key, text);
    } else entries.push(readEntry(name, value, file));
  }
  checkLayout(entries, body.length, file);
  const tensors = new Map<string, Tensor>();
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!isStoredType(entry.type)) {
      throw new FrondError([report("F0827", { name: entry.name, file, type: entry.type }, null)]);
    }
    const problem = (why: string) => unsound(file, `tensor \`${entry.name}\`: ${why}`);
    tensors.set(
      entry.name,
      decodeTensor(entry.type, entry.shape, body.subarray(entry.start, entry.end), problem),
    );
  }
  return { tensors, metadata };
}

/** The file's bytes. Wide types come first, so that every tensor is aligned to its own width. */
export function writeSafetensors({ tensors, metadata }: Checkpoint): Uint8Array {
  const encoded = [...tensors]
    .map(([name, tensor]) => ({ name, shape: tensor.shape, ...encodeTensor(tensor) }))
    .sort((a, b) => elementBytes[b.type] - elementBytes[a.type] || (a.name < b.name ? -1 : 1));
  const header: [string, unknown][] = [];
  if (metadata.size > 0) header.push([metadataKey, Object.fromEntries([...metadata].sort())]);
  let offset = 0;
  for (const { name, type, shape, bytes } of encoded) {
    header.push([name, { dtype: type, shape, data_offsets: [offset, offset + bytes.length] }]);
    offset += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  // Spaces up to a multiple of 8 keep the tensors aligned.
  const length = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + length + offset).fill(0x20, 8, 8 + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(text, 8);
  let at = 8 + length;
  for (const { bytes } of encoded) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

function splitHeader(bytes: Uint8Array, file: string): { header: object; body: Uint8Array } {
  if (bytes.length < 8)
    throw unsound(file, `it has ${bytes.length} bytes; the header's length alone takes 8`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > longestHeader || length + 8 > bytes.length) {
    throw unsound(
      file,
      `its first 8 bytes promise a header of ${length} bytes; the file has ${bytes.length}`,
      "wanted is what `frond train --save` or the safetensors library writes",
    );
  }
  const text = decodeText(bytes.subarray(8, 8 + length), file);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw unsound(file, "its header is no JSON");
  }
  if (!isObject(header)) throw unsound(file, "its header is no JSON object");
  const duplicate = firstDuplicateKey(text);
  if (duplicate !== null) throw unsound(file, `its header names \`${duplicate}\` twice`);
  return { header, body: bytes.subarray(8 + length) };
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unsound(file, "its header is no UTF-8 text");
  }
}

function readEntry(name: string, value: unknown, file: string): Entry {
  const wrong = (what: string) => unsound(file, `tensor \`${name}\`: ${what}`);
  if (!isObject(value)) throw wrong("its entry is no object");
  const { dtype: type, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof type !== "string") throw wrong("its `dtype` is no string");
  if (!isCounts(shape)) throw wrong("its `shape` is no list of sizes");
  if (!isCounts(offsets) || offsets.length !== 2) throw wrong("its `data_offsets` are no pair of positions");
  const [start, end] = offsets;
  if (start! > end!) throw wrong(`it ends (${end}) before it starts (${start})`);
  if (isStoredType(type) && elementCount(shape) * elementBytes[type] !== end! - start!) {
    throw wrong(`${type} of shape [${shape.join(", ")}] does not take ${end! - start!} bytes`);
  }
  return { name, type, shape, start: start!, end: end! };
}

/** The tensors must lie end to end and fill the file. */
function checkLayout(entries: readonly Entry[], size: number, file: string): void {
  let at = 0;
  for (const { name, start, end } of entries.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== at) {
      const what = start < at ? "overlaps the one before" : "leaves a gap before it";
      throw unsound(file, `tensor \`${name}\` ${what} (it starts at ${start}, not at ${at})`);
    }
    at = end;
  }
  if (at !== size) {
    throw unsound(file, `its header speaks of ${at} bytes of tensors; the file has ${size}: is it cut off?`);
  }
}

function stringMap(value: unknown, file: string): Record<string, string> {
  const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === "string";
  const entries = isObject(value) ? Object.entries(value) : null;
  if (entries === null || !entries.every(isText)) throw unsound(file, "its metadata are no strings");
  return Object.fromEntries(entries);
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(size => Number.isSafeInteger(size) && size >= 0);

function unsound(file: string, ...why: readonly string[]): FrondError {
  return new FrondError([report("F0822", { file }, null, { help: why })]);
}
