// frond run: computes a model's outputs for data.

import type { Tensor } from "../../backends/api.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { toNested } from "../data/json.ts";
import { writeNpz } from "../data/npz.ts";
import type { Prediction } from "../evaluate.ts";
import { checkWritable, writeAtomically } from "../node/files.ts";
import { command } from "./command.ts";
import { counter } from "./counter.ts";
import { Inputs, required } from "./inputs.ts";
import type { Io } from "./io.ts";
import { text } from "./options.ts";
import { openSession, sessionOptions } from "./training.ts";

const { json: _, ...options } = sessionOptions;

export const run = command({
  name: "run",
  summary: "compute a model's outputs for data",
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: "Writes every output, the examples in the data's order. In JSON each sequence has its own length; in\n.npz it is padded with zeros and `NAME.length` says how long it is.",
  options: { ...options, out: text("FILE", "a .npz or .json file; `-` (default) prints JSON") },
  examples: [
    "frond run tagger.frond --data test.npz --weights tagger.safetensors --out result.npz",
    "cat one.json | frond run tagger.frond --data - --weights tagger.safetensors",
  ],
  run: async ({ positionals, values }, io) => {
    const inputs = new Inputs(io);
    const dataFile = required(values.data, "run", "--data");
    required(values.weights, "run", "--weights");
    const write = writer(values.out ?? "-", io);
    const session = await openSession(positionals[0]!, values, inputs, io);
    try {
      const data = await inputs.data(dataFile);
      const count = counter("running", data.size, values.quiet, io);
      const batch = values.batch === null ? {} : { batch: values.batch };
      const outputs = await session.infer(data, { ...batch, onProgress: count.show });
      count.finish();
      write(outputs);
      return 0;
    } finally {
      session.dispose();
    }
  },
});

type Predictions = ReadonlyMap<string, Prediction>;

/** Found out first, so that a wrong name costs no computing. */
function writer(path: string, io: Io): (outputs: Predictions) => void {
  if (path === "-") return outputs => io.out.write(outputsAsJson(outputs));
  if (!/\.(npz|json)$/i.test(path)) throw new FrondError([report("F0927", { path }, null)]);
  checkWritable(path);
  const encode = /\.npz$/i.test(path) ? outputsAsNpz : outputsAsJson;
  return outputs => writeAtomically(path, encode(outputs));
}

/** `{ "p": [[..], ..] }`, one line an output. */
function outputsAsJson(outputs: Predictions): string {
  const lines = [...outputs].map(([name, { tensor, type, lengths }]) => {
    const sizes = (example: number) =>
      type.axes.map((id, dim) => lengths.get(id)?.[example] ?? tensor.shape[dim + 1]!);
    return `  ${JSON.stringify(name)}: ${JSON.stringify(toNested(tensor, type.batched ? sizes : undefined))}`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

function outputsAsNpz(outputs: Predictions): Uint8Array {
  const arrays = new Map<string, Tensor>();
  for (const [name, { tensor, type, lengths }] of outputs) {
    arrays.set(name, tensor);
    if (lengths.size === 0 || !type.batched) continue;
    const size = tensor.shape[0]!;
    const all = Array.from({ length: size }, (_, example) =>
      type.axes.map((id, dim) => lengths.get(id)?.[example] ?? tensor.shape[dim + 1]!),
    );
    const shape = type.axes.length === 1 ? [size] : [size, type.axes.length];
    arrays.set(`${name}.length`, { dtype: "index", shape, data: Int32Array.from(all.flat()) });
  }
  return writeNpz(arrays);
}
