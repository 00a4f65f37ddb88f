// frond diff: runs a model on two backends and says at which equation they part.

import type { Feeds, Tensor } from "../../backends/api.ts";
import type { Program } from "../../compiler/program/program.ts";
import { bind } from "../data/bind.ts";
import type { Dataset } from "../data/dataset.ts";
import { sampleFeeds } from "../data/sample.ts";
import { take } from "../data/take.ts";
import { agrees, diff as differences } from "../diff.ts";
import { draws } from "../draws.ts";
import type { CompiledModel } from "../model.ts";
import { Session } from "../session.ts";
import { exclusive } from "./arguments.ts";
import { command } from "./command.ts";
import { liveLine } from "./counter.ts";
import { type Compared, diffJson, diffText } from "./diff-text.ts";
import { Inputs, modelOptions } from "./inputs.ts";
import type { Io } from "./io.ts";
import {
  choice,
  count,
  flag,
  type GivenLengths,
  inputFile,
  lengthsOrOne,
  type Option,
  positive,
  seed,
  unrolling,
  wrong,
} from "./options.ts";
import { printJson } from "./print.ts";
import { settingOf } from "./setting.ts";
import { summaries } from "./summaries.ts";
import { threadsOption } from "./training.ts";

const programs = ["infer", "gradients", "train"] as const;

/** Small: the reference computes every value at every point. */
const usual = { batch: 3, length: 5, examples: 4 } as const;

/** What values of float32 agree to; the optimiser divides small gradients by their own size, which costs digits. */
const usualTolerance = { infer: 1e-4, gradients: 1e-4, train: 1e-3 } as const;

const two: Option<readonly [string, string]> = {
  kind: "value",
  placeholder: "A,B",
  doc: "the two to compare; `frond backends` lists them (default auto,reference)",
  expected: "two names with a comma between, as in `wasm,reference`",
  read: texts => {
    const [a = "", b = "", ...others] = (texts.at(-1) ?? "auto,reference").split(",");
    return a === "" || b === "" || others.length > 0 ? wrong : [a, b];
  },
};

export const diff = command({
  name: "frond diff",
  summary: summaries.diff,
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: `Runs the same program with the same weights and data on both. Where they differ, it names the value at
which they part: the first one, in the order of computation, that differs although all that it is made of
agrees. Errors are relative to a tensor's largest value. Without --data, data are random, and examples of
different lengths. Ends with exit code 1 if the two differ.`,
  options: {
    ...modelOptions,
    backends: two,
    what: choice(programs, "what to run (default: gradients where there is a loss, else infer)"),
    data: inputFile("take the first examples of this data file (.npz or JSON)"),
    weights: inputFile("weights (safetensors); random ones when left out"),
    batch: count("N", `examples (default ${usual.batch}, of --data ${usual.examples})`),
    length: lengthsOrOne(
      `the longest example along all axes, or by name, \`s=20,t=100\` (default ${usual.length})`,
    ),
    tolerance: positive("X", "largest relative error that passes (default 1e-4, for train 1e-3)"),
    unroll: unrolling("loops as straight code, where the backend can (default 1: not at all)"),
    threads: threadsOption,
    seed: seed("of weights, data and random draws (default 0)"),
    json: flag("print the result as JSON"),
  },
  examples: [
    "frond diff tagger.frond",
    "frond diff --backends wasm,cpu tagger.frond --what train",
    "frond diff --backends cpu,reference tagger.frond --data test.npz --weights tagger.safetensors",
  ],
  run: async ({ positionals, values }, io) => {
    const inputs = new Inputs(io);
    const model = await inputs.model(positionals[0]!, values);
    const what = values.what ?? (model.hasLoss ? "gradients" : "infer");
    const program = model[what]();
    const data = values.data === null ? null : await inputs.data(values.data);
    const feeds = feedsOf(model, program, data, values);
    const door = await io.load.backends(values.threads);
    const [a, b] = values.backends;
    const backends = [await door.open(a), await door.open(b)] as const;
    const session = new Session({ model, backend: backends[0], seed: values.seed });
    if (values.weights !== null) session.load(await inputs.weights(values.weights), values.weights);
    const weights = values.weights === null ? moved(session.weights(), values.seed) : session.weights();
    const tolerance = values.tolerance ?? usualTolerance[what];
    const live = liveLine(values.json, io);
    const found = await differences({
      backends,
      program,
      weights,
      feeds,
      tolerance,
      compile: { threads: values.threads, ...(values.unroll === null ? {} : { unroll: values.unroll }) },
      onProgress: part => live.show(`comparing ${part}`),
    }).finally(live.clear);
    const lowered = model.lowered(what === "infer" ? "infer" : "train");
    const names = [backends[0].name, backends[1].name] as const;
    await print({ program: program.name, backends: names, tolerance, diff: found, lowered }, values.json, io);
    return agrees(found, tolerance) ? 0 : 1;
  },
});

/** Initial weights, away from where they begin: with biases of zero, it would not show how they are used. */
function moved(weights: ReadonlyMap<string, Tensor>, from: number): ReadonlyMap<string, Tensor> {
  const one = ([name, tensor]: readonly [string, Tensor]) => {
    const { normal } = draws(from, `move ${name}`);
    const data = Float32Array.from(tensor.data, (value, i) => value + 0.1 * normal(i));
    return [name, { ...tensor, data }] as const;
  };
  return new Map([...weights].map(one));
}

async function print(compared: Compared, json: boolean, { load, out }: Io): Promise<void> {
  if (json) printJson(diffJson(compared), out);
  else {
    const render = await load.renderer();
    out.write(diffText(compared, diagnostic => render([diagnostic], out.color)));
  }
}

interface DataValues {
  readonly batch: number | null;
  readonly length: GivenLengths;
  readonly seed: number;
}

/** The first examples of the data, or random ones of different lengths. */
function feedsOf(
  model: CompiledModel,
  { inputs, graph }: Program,
  data: Dataset | null,
  { batch, length, seed: from }: DataValues,
): Feeds {
  const setting = settingOf(model, { batch, length });
  if (data === null) {
    const lengths = new Map(setting.lengths);
    for (const axis of setting.assumed) lengths.set(axis, usual.length);
    const size = { batch: batch ?? usual.batch, lengths, ragged: true };
    return sampleFeeds(inputs, graph.axes, size, from);
  }
  if (length.all !== null || Object.keys(length.byName).length > 0) throw exclusive("--length", "`--data`");
  const binding = bind(data, inputs, graph.axes);
  const examples = Math.min(batch ?? usual.examples, binding.size);
  return take(
    binding,
    Int32Array.from({ length: examples }, (_, i) => i),
    from,
    0,
  );
}
