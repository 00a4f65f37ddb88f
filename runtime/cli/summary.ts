// frond summary: what a model consists of, and what inference and a training step take. Compiles, but runs nothing.

import type { Backend } from "../../backends/api.ts";
import { type Level, levels } from "../../compiler/program/levels.ts";
import type { Program } from "../../compiler/program/program.ts";
import { trialOf } from "../open.ts";
import { flopsOf, summarize } from "../summary.ts";
import { openFor } from "./choosing.ts";
import { command } from "./command.ts";
import { Inputs, modelOptions } from "./inputs.ts";
import { flag, memorySize, text } from "./options.ts";
import { printJson } from "./print.ts";
import { type Setting, settingOf, settingOptions } from "./setting.ts";
import { summaries } from "./summaries.ts";
import { type LevelRow, type Memory, summaryJson, summaryText } from "./summary-text.ts";

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
    ...settingOptions,
    memory: memorySize("compare levels of saving memory, and say which one keeps within this bound"),
    json: flag("print the numbers as JSON"),
  },
  examples: [
    "frond summary tagger.frond",
    "frond summary tagger.frond --size units=512 --batch 8 --length 1000",
    "frond summary tagger.frond --memory 64MB",
    "frond summary translator.frond --length s=20,t=30 --backend reference --json",
  ],
  run: async ({ positionals, values }, io) => {
    const model = await new Inputs(io).model(positionals[0]!, values);
    const setting = settingOf(model, values);
    const trial = () => trialOf(model, setting);
    const backend = await openFor(values.backend, trial, io, { unmeasured: true });
    const found = summarize(model, setting);
    const { memory: allowed } = values;
    const shown = allowed === null ? levels.slice(0, 1) : levels;
    const rowsOf = (programAt: (level: Level) => Program): Promise<readonly LevelRow[]> =>
      levelRows(backend, shown, programAt, setting);
    const memory: Memory = {
      backend: backend.name,
      allowed,
      inference: found.inference === null ? [] : await rowsOf(level => model.infer(level)),
      training: found.training === null ? [] : await rowsOf(level => model.train(undefined, level)),
    };
    if (values.json) printJson(summaryJson(model.name, found, memory, setting), io.out);
    else io.out.write(summaryText(model.name, found, memory, setting));
    return 0;
  },
});

async function levelRows(
  backend: Backend,
  shown: readonly Level[],
  programAt: (level: Level) => Program,
  setting: Setting,
): Promise<readonly LevelRow[]> {
  const rows: LevelRow[] = [];
  for (const level of shown) {
    const program = programAt(level);
    rows.push({ level, flops: flopsOf(program, setting), bytes: await memoryOf(backend, program, setting) });
  }
  return rows;
}

async function memoryOf(
  backend: Backend,
  program: Program,
  { batch, lengths }: Setting,
): Promise<number | null> {
  const executable = await backend.compile(program);
  try {
    return await executable.memory(batch, lengths);
  } finally {
    executable.dispose();
  }
}
