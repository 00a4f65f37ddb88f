// frond summary: what a model consists of, and what inference and a training step take. Compiles, but runs nothing.

import type { Backend } from "../../backends/api.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { defaultTraining } from "../../compiler/program/model.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { CompiledModel } from "../model.ts";
import { summarize } from "../summary.ts";
import { checkAxes, openAxes } from "./axes.ts";
import { command } from "./command.ts";
import { Inputs, modelOptions } from "./inputs.ts";
import { count, flag, type GivenLengths, lengthsOrOne, text } from "./options.ts";
import { printJson } from "./print.ts";
import { summaries } from "./summaries.ts";
import { type Memory, type Setting, summaryJson, summaryText } from "./summary-text.ts";

/** Of axes whose length is given by nobody. */
const assumedLength = 100;

export const summary = command({
  name: "frond summary",
  summary: summaries.summary,
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: `Lists inputs, equations and layers with the shapes of their values and their parameters; counts the
floating-point operations of inference and of a training step, a function such as tanh as ten; and says
how much memory they take on a backend, at the most: examples may be shorter than the lengths given.`,
  options: {
    ...modelOptions,
    backend: text("NAME", "whose memory to say; `frond backends` lists them (default auto)"),
    batch: count("N", "examples a batch (default: as the model's `train` block says)"),
    length: lengthsOrOne(`steps along all axes, or by name, \`s=20,t=100\` (default ${assumedLength})`),
    json: flag("print the numbers as JSON"),
  },
  examples: [
    "frond summary tagger.frond",
    "frond summary tagger.frond --size units=512 --batch 8 --length 1000",
    "frond summary translator.frond --length s=20,t=30 --backend reference --json",
  ],
  run: async ({ positionals, values }, io) => {
    const model = await new Inputs(io).model(positionals[0]!, values);
    const setting = settingOf(model, values.batch, values.length);
    const backend = await (await io.load.backends()).open(values.backend ?? "auto");
    const found = summarize(model, setting);
    const memory: Memory = {
      backend: backend.name,
      inference: found.inference === null ? null : await memoryOf(backend, model.infer(), setting),
      training: found.training === null ? null : await memoryOf(backend, model.train(), setting),
    };
    if (values.json) printJson(summaryJson(model.name, found, memory, setting), io.out);
    else io.out.write(summaryText(model.name, found, memory, setting));
    return 0;
  },
});

/** What is summed up, and where its numbers come from. */
function settingOf(model: CompiledModel, batch: number | null, given: GivenLengths): Setting {
  checkAxes(model, Object.keys(given.byName));
  const axes = openAxes(model);
  if (given.all !== null && axes.length === 0) {
    const other = `\`${model.name}\`, which has no axis of unknown length`;
    throw new FrondError([report("F0928", { option: "--length", other }, null, { help: ["leave it out"] })]);
  }
  const lengths = axes.map((axis): [AxisId, number] => [
    axis,
    given.byName[axis] ?? given.all ?? assumedLength,
  ]);
  const assumed = given.all === null ? axes.filter(axis => given.byName[axis] === undefined) : [];
  return {
    batch: batch ?? (model.trainConfig ?? defaultTraining).batch,
    batchFrom: batch !== null ? "given" : model.trainConfig !== null ? "train block" : "default",
    lengths: new Map(lengths),
    assumed,
  };
}

async function memoryOf(
  backend: Backend,
  program: Program,
  { batch, lengths }: Setting,
): Promise<number | null> {
  const executable = await backend.compile(program);
  try {
    return executable.memory(batch, lengths);
  } finally {
    executable.dispose();
  }
}
