// frond gradcheck: compares the compiler's gradients with central differences, on the reference backend in float64.

import { bind } from "../data/bind.ts";
import { sampleDataset } from "../data/sample.ts";
import { take } from "../data/take.ts";
import { checkGradients, type GradientRow } from "../gradcheck.ts";
import { Session } from "../session.ts";
import { formatShape } from "../tensor.ts";
import { command } from "./command.ts";
import { Inputs, modelOptions } from "./inputs.ts";
import { count, flag, positive, text } from "./options.ts";
import { printJson, table } from "./print.ts";

/** Examples taken from a data file: every run of the reference computes all of them. */
const examples = 4;

export const gradcheck = command({
  name: "gradcheck",
  summary: "compare a model's gradients with central differences",
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: "Runs on the reference backend in float64, with random weights, and random data of small\nlengths unless data are given. Ends with exit code 1 if a gradient is off.",
  options: {
    ...modelOptions,
    data: text("FILE", "take the first examples of this data file (.npz or JSON)"),
    samples: count("N", "elements checked of each parameter (default 10)"),
    tolerance: positive("X", "largest relative error that passes (default 1e-6)"),
    seed: count("N", "of weights, data and the elements checked (default 0)", 0),
    json: flag("print the table as JSON"),
  },
  examples: ["frond gradcheck tagger.frond", "frond gradcheck tagger.frond --size units=8 --samples 50"],
  run: async ({ positionals, values }, io) => {
    const inputs = new Inputs(io);
    const model = await inputs.model(positionals[0]!, values);
    const data = values.data === null ? null : await inputs.data(values.data);
    const backend = await (await io.load.backends()).open("reference");
    const seed = values.seed ?? 0;
    const tolerance = values.tolerance ?? 1e-6;
    const program = model.gradients();
    const binding = bind(
      data ?? sampleDataset(program.inputs, program.graph.axes, seed),
      program.inputs,
      program.graph.axes,
    );
    const chosen = Int32Array.from({ length: Math.min(examples, binding.size) }, (_, i) => i);
    const rows = await checkGradients({
      backend,
      program,
      values: new Session({ model, backend, seed }).weights(),
      feeds: take(binding, chosen, seed, 0),
      samples: values.samples ?? 10,
      seed,
      onProgress: name => {
        if (io.err.terminal && !values.json) io.err.write(`\r\x1b[2Kchecking ${name} `);
      },
    });
    if (io.err.terminal && !values.json) io.err.write("\r\x1b[2K");
    const ok = rows.every(row => row.worst <= tolerance);
    if (values.json) printJson({ model: model.name, tolerance, ok, parameters: rows }, io.out);
    else io.out.write(`${report(rows, tolerance)}${verdict(rows, tolerance)}\n`);
    return ok ? 0 : 1;
  },
});

function report(rows: readonly GradientRow[], tolerance: number): string {
  const head = ["parameter", "shape", "checked", "gradient", "difference", "relative error", ""];
  const lines = rows.map(row => [
    row.name,
    formatShape(row.shape),
    String(row.checked),
    row.gradient.toExponential(6),
    row.difference.toExponential(6),
    row.worst.toExponential(1),
    row.worst <= tolerance ? "ok" : "OFF",
  ]);
  return table([head, ...lines], [2, 3, 4, 5]);
}

function verdict(rows: readonly GradientRow[], tolerance: number): string {
  const off = rows.filter(row => !(row.worst <= tolerance));
  const limit = tolerance.toExponential(0);
  if (off.length > 0) return `${off.length} of ${rows.length} parameters are off by more than ${limit}`;
  return `all ${rows.length} parameters agree to ${limit}`;
}
