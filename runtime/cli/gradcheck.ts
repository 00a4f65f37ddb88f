// frond gradcheck: compares the compiler's gradients with central differences, on the reference backend in float64.

import type { Feeds } from "../../backends/api.ts";
import type { Program } from "../../compiler/program/program.ts";
import { bind } from "../data/bind.ts";
import type { Dataset } from "../data/dataset.ts";
import { sampleDataset } from "../data/sample.ts";
import { take } from "../data/take.ts";
import { checkGradients, type GradientRow } from "../gradcheck.ts";
import { Session } from "../session.ts";
import { formatShape } from "../tensor.ts";
import { command } from "./command.ts";
import { Inputs, modelOptions } from "./inputs.ts";
import { count, flag, inputFile, positive, seed } from "./options.ts";
import { printJson, table } from "./print.ts";
import { summaries } from "./summaries.ts";

/** Examples taken from a data file: every run of the reference computes all of them. */
const examples = 4;

export const gradcheck = command({
  name: "frond gradcheck",
  summary: summaries.gradcheck,
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: "Runs on the reference backend in float64, with random weights, and random data of small\nlengths unless data are given. Ends with exit code 1 if a gradient is off.",
  options: {
    ...modelOptions,
    data: inputFile("take the first examples of this data file (.npz or JSON)"),
    samples: count("N", "elements checked of each parameter (default 10)"),
    tolerance: positive("X", "largest relative error that passes (default 1e-6)"),
    seed: seed("of weights, data and the elements checked (default 0)"),
    json: flag("print the table as JSON"),
  },
  examples: ["frond gradcheck tagger.frond", "frond gradcheck tagger.frond --size units=8 --samples 50"],
  run: async ({ positionals, values }, io) => {
    const inputs = new Inputs(io);
    const model = await inputs.model(positionals[0]!, values);
    const data = values.data === null ? null : await inputs.data(values.data);
    const backend = await (await io.load.backends()).open("reference");
    const tolerance = values.tolerance ?? 1e-6;
    const live = io.err.terminal && !values.json;
    const rows = await checkGradients({
      backend,
      program: model.gradients(),
      values: new Session({ model, backend, seed: values.seed }).weights(),
      feeds: feedsOf(model.gradients(), data, values.seed),
      samples: values.samples ?? 10,
      seed: values.seed,
      onProgress: name => {
        if (live) io.err.write(`\r\x1b[2Kchecking ${name} `);
      },
    });
    if (live) io.err.write("\r\x1b[2K");
    const ok = rows.every(row => row.worst <= tolerance);
    if (values.json) printJson({ model: model.name, tolerance, ok, parameters: rows }, io.out);
    else io.out.write(`${report(rows, tolerance)}${verdict(rows, tolerance)}\n`);
    return ok ? 0 : 1;
  },
});

/** The first examples of the data, or random ones. */
function feedsOf({ inputs, graph }: Program, data: Dataset | null, seed: number): Feeds {
  const binding = bind(data ?? sampleDataset(inputs, graph.axes, seed), inputs, graph.axes);
  const chosen = Int32Array.from({ length: Math.min(examples, binding.size) }, (_, i) => i);
  return take(binding, chosen, seed, 0);
}

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
