// frond bench: how long inference and a training step take on random data, and with --profile which lines take it.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { Program } from "../../compiler/program/program.ts";
import { Bench, type BenchOptions, type Timing } from "../bench.ts";
import type { CompiledModel } from "../model.ts";
import { trialOf } from "../open.ts";
import { type ProfileByLine, profileByLine } from "../profile.ts";
import { Session } from "../session.ts";
import { flopsOf } from "../summary.ts";
import { type Benched, benchJson, benchText, names, type Timed } from "./bench-text.ts";
import { openFor } from "./choosing.ts";
import { command } from "./command.ts";
import { liveLine } from "./counter.ts";
import { Inputs, modelOptions } from "./inputs.ts";
import { flag, positive, text } from "./options.ts";
import { printJson } from "./print.ts";
import { settingOf, settingOptions } from "./setting.ts";
import { summaries } from "./summaries.ts";
import { threadsOption } from "./training.ts";

/** For the help of those who ask another one. */
export const backendsWithProfiles = ["wasm"];

const defaultSeconds = 2;

export const bench = command({
  name: "frond bench",
  summary: summaries.bench,
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: `Times inference and, where there is a loss, a training step: again and again on one batch of random
data, all examples as long as the lengths given. GFLOP/s counts operations as \`frond summary\` does.

With --profile each is timed once more, on one thread and with a look at the clock before each kernel,
and the time is told by the lines of the source. What a layer of the library takes is in the line that
calls it; the layer's own lines stand below. Where elements of several equations are computed by one
kernel, its time is divided as their operations are.`,
  options: {
    ...modelOptions,
    backend: text("NAME", "where to run; `frond backends` lists them (default auto)"),
    threads: threadsOption,
    ...settingOptions,
    seconds: positive("S", `how long to time each, after a warm-up (default ${defaultSeconds})`),
    profile: flag("say which lines take the time"),
    json: flag("print the numbers as JSON"),
  },
  examples: [
    "frond bench tagger.frond",
    "frond bench tagger.frond --profile",
    "frond bench tagger.frond --size units=512 --batch 8 --length 1000 --threads 4 --seconds 10",
  ],
  run: async ({ positionals, values }, io) => {
    const model = await new Inputs(io).model(positionals[0]!, values);
    const setting = settingOf(model, values);
    const { threads, seconds, profile, json } = values;
    const compile = profile ? { profile } : threads === 1 ? {} : { threads };
    const trial = () => ({ ...trialOf(model, { ...setting, compile }), ...(profile ? { needs } : {}) });
    const backend = await openFor(values.backend, trial, io, { threads });
    const options = {
      ...setting,
      backend,
      weights: new Session({ model, backend, seed: 0 }).weights(),
      seconds: seconds ?? defaultSeconds,
      now: io.now,
    };
    const programs = programsOf(model);
    const timed: Timed[] = [];
    const live = liveLine(json, io);
    try {
      // What there is no profile of is said before anything takes time.
      if (profile) await checkProfile(programs[0]!.program, options);
      for (const { what, program } of programs) {
        live.show(`timing ${names[what]}`);
        const { runs } = await time(program, { ...options, compile: { threads } });
        live.show(`profiling ${names[what]}`);
        const lines = profile ? await profileOf(model, what, program, options) : null;
        timed.push({ what, flops: flopsOf(program, setting), runs, profile: lines });
      }
    } finally {
      live.clear();
    }
    const found: Benched = { model: model.name, backend: backend.name, threads, setting, timed };
    if (json) printJson(benchJson(found), io.out);
    else io.out.write(benchText(found, io.out.columns));
    return 0;
  },
});

const needs = "profile" as const;

type Options = Omit<BenchOptions, "compile">;

/** Of inference and training, what the model has: one at least. */
function programsOf(
  model: CompiledModel,
): readonly { readonly what: Timed["what"]; readonly program: Program }[] {
  return [
    ...(model.lowered("infer").outputs.length > 0
      ? [{ what: "inference", program: model.infer() } as const]
      : []),
    ...(model.hasLoss ? [{ what: "training", program: model.train() } as const] : []),
  ];
}

async function checkProfile(program: Program, options: Options): Promise<void> {
  const bench = await Bench.make(program, { ...options, compile: { profile: true } });
  const { hasProfile } = bench;
  bench.dispose();
  if (hasProfile) return;
  const other = `the backend \`${options.backend.name}\`, which makes no profiles`;
  const help = [`these do: ${backendsWithProfiles.map(name => `\`--backend ${name}\``).join(", ")}`];
  throw new FrondError([report("F0928", { option: "--profile", other }, null, { help })]);
}

async function time(program: Program, options: BenchOptions): Promise<Timing> {
  const bench = await Bench.make(program, options);
  try {
    return await bench.time();
  } finally {
    bench.dispose();
  }
}

async function profileOf(
  model: CompiledModel,
  what: Timed["what"],
  program: Program,
  options: Options,
): Promise<ProfileByLine> {
  const { runs, profile } = await time(program, { ...options, compile: { profile: true } });
  return profileByLine(model.lowered(what === "training" ? "train" : "infer"), profile ?? [], runs);
}
