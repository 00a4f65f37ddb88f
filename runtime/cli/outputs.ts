// Writes what a model computed, as JSON or .npz.

import type { Tensor } from "../../backends/api.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { toNested } from "../data/json.ts";
import { writeNpz } from "../data/npz.ts";
import type { Prediction } from "../evaluate.ts";
import { checkWritable, writeAtomically } from "../node/files.ts";
import type { Io } from "./io.ts";

export type Outputs = ReadonlyMap<string, Prediction>;

/** Found out first, so that a wrong name costs no computing; `-` is standard output. */
export function outputsWriter(path: string, io: Io): (outputs: Outputs) => void {
  if (path === "-") return outputs => io.out.write(outputsAsJson(outputs));
  if (!/\.(npz|json)$/i.test(path))
    throw new FrondError([report("F0927", { path }, null, { help: ["name it `.npz` or `.json`"] })]);
  checkWritable(path);
  const encode = /\.npz$/i.test(path) ? outputsAsNpz : outputsAsJson;
  return outputs => writeAtomically(path, encode(outputs));
}

/** `{ "p": [[..], ..] }`, one line an output. */
function outputsAsJson(outputs: Outputs): string {
  const lines = [...outputs].map(([name, output]) => {
    const { tensor, type } = output;
    const sizes = (example: number) => sizesOf(output, example);
    return `  ${JSON.stringify(name)}: ${JSON.stringify(toNested(tensor, type.batched ? sizes : undefined))}`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

function outputsAsNpz(outputs: Outputs): Uint8Array {
  const arrays = new Map<string, Tensor>();
  for (const [name, output] of outputs) {
    const { tensor, type, lengths } = output;
    arrays.set(name, tensor);
    if (lengths.size === 0 || !type.batched) continue;
    const size = tensor.shape[0]!;
    const all = Array.from({ length: size }, (_, example) => sizesOf(output, example));
    const shape = type.axes.length === 1 ? [size] : [size, type.axes.length];
    arrays.set(`${name}.length`, { dtype: "index", shape, data: Int32Array.from(all.flat()) });
  }
  return writeNpz(arrays);
}

/** An example's own size along each axis. */
const sizesOf = ({ tensor, type, lengths }: Prediction, example: number): readonly number[] =>
  type.axes.map((id, dim) => lengths.get(id)?.[example] ?? tensor.shape[dim + 1]!);
