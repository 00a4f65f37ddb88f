// A data set as a file gives it: named arrays with the examples first, and how long each example is. What a model's
// inputs make of them is bind.ts's business.

import type { Tensor } from "../../backends/api.ts";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { formatShape } from "../tensor.ts";
import { readJson } from "./json.ts";
import { npyMagic } from "./npy.ts";
import { readNpz } from "./npz.ts";

export interface Dataset {
  /** The file's name in messages. */
  readonly name: string;
  /** The number of examples. */
  readonly size: number;
  /** `[size, ...]` each. */
  readonly arrays: ReadonlyMap<string, Tensor>;
  /** By array name, `[size, axes]` row-major: each example's length along the array's first axes. */
  readonly lengths: ReadonlyMap<string, Int32Array>;
}

const lengthSuffix = ".length";

/** Reads a data file, `.npz` or JSON by its content. */
export function readDataset(bytes: Uint8Array, file: string): Dataset {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return makeDataset(file, readNpz(bytes, file));
  const text = new TextDecoder().decode(bytes);
  if (/^\s*[[{]/.test(text)) {
    const columns = readJson(text, file);
    const arrays = new Map([...columns].map(([name, { tensor }]) => [name, tensor]));
    const ragged = new Map<string, Int32Array>();
    for (const [name, { lengths }] of columns) if (lengths !== null) ragged.set(name, lengths);
    return makeDataset(file, arrays, ragged);
  }
  throw new FrondError([report("F0830", { file }, null, { help: [whatElse(bytes)] })]);
}

/** Makes a data set of arrays in memory; `NAME.length` among them gives the lengths of NAME. */
export function makeDataset(
  name: string,
  arrays: ReadonlyMap<string, Tensor>,
  ragged: ReadonlyMap<string, Int32Array> = new Map(),
): Dataset {
  const values = new Map<string, Tensor>();
  const lengths = new Map(ragged);
  const problems: Diagnostic[] = [];
  let first: readonly [string, number] | null = null;
  for (const [key, tensor] of arrays) {
    const size = tensor.shape[0];
    if (size === undefined) {
      const help = ["it is a single number; the first dimension counts the examples"];
      problems.push(report("F0842", { name: key, file: name }, null, { help }));
      continue;
    }
    first ??= [key, size];
    if (size !== first[1]) problems.push(differentSizes(first, [key, size], name));
    else if (key.endsWith(lengthSuffix)) {
      const own = readLengths(key, tensor, name);
      if (own instanceof Int32Array) lengths.set(key.slice(0, -lengthSuffix.length), own);
      else problems.push(own);
    } else values.set(key, tensor);
  }
  if (problems.length > 0) throw new FrondError(problems);
  if (first === null || first[1] === 0) throw new FrondError([report("F0841", { file: name }, null)]);
  return { name, size: first[1], arrays: values, lengths };
}

/** Examples of which nothing is known but their number. */
export const emptyDataset = (size: number): Dataset => ({
  name: "no data",
  size,
  arrays: new Map(),
  lengths: new Map(),
});

function differentSizes(
  a: readonly [string, number],
  b: readonly [string, number],
  file: string,
): Diagnostic {
  const help = [`\`${a[0]}\` has ${a[1]} examples, \`${b[0]}\` has ${b[1]}`];
  return report("F0839", { first: a[0], second: b[0], file }, null, { help });
}

function readLengths(name: string, tensor: Tensor, file: string): Int32Array | Diagnostic {
  const wrong = (help: string) => report("F0837", { name, file }, null, { help: [help] });
  if (tensor.shape.length > 2) {
    return wrong(
      `they have shape ${formatShape(tensor.shape)}; wanted is [batch], or [batch, axes] for several axes`,
    );
  }
  const odd = tensor.data.findIndex(value => !(Number.isInteger(value) && value >= 0));
  const columns = tensor.shape[1] ?? 1;
  if (odd >= 0) return wrong(`example ${Math.floor(odd / columns)} has the length ${tensor.data[odd]}`);
  return Int32Array.from(tensor.data);
}

function whatElse(bytes: Uint8Array): string {
  if (npyMagic.every((byte, i) => bytes[i] === byte)) {
    return "it is a single .npy array; save it under its input's name: `numpy.savez(file, x=x)`";
  }
  if (bytes.length === 0) return "it is empty";
  return "wanted is a NumPy archive (.npz) or JSON; this is neither";
}
