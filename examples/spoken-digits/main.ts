// `npm start`: the main job from the command line. Compiles model.frond, picks a backend and shows the progress; the
// job itself is job.ts.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../compiler/index.ts";
import { openFor } from "../../runtime/cli/choosing.ts";
import { command } from "../../runtime/cli/command.ts";
import { guarded } from "../../runtime/cli/guard.ts";
import { count, seed, text } from "../../runtime/cli/options.ts";
import { processIo } from "../../runtime/cli/process.ts";
import { newProgress } from "../../runtime/cli/train.ts";
import { trialOf } from "../../runtime/open.ts";
import { exampleFolder } from "./folder.ts";
import { run } from "./job.ts";

const start = command({
  name: "npm start --",
  summary: "train a network on spoken digits and try it",
  usage: "",
  arity: { least: 0, most: 0 },
  doc: "Trains on 2,700 recordings, tells how well 300 others are understood while they are heard, and\nnames the digits in ten WAV files.",
  options: {
    backend: text("NAME", "where to run: `cpu`, `reference`, .. (default auto)"),
    epochs: count("N", "passes through the recordings (default: as in model.frond)"),
    seed: seed("of weights and shuffling (default 0)"),
  },
  examples: ["npm start", "npm start -- --epochs 1", "npm start -- --backend reference"],
  run: async ({ values: { backend: name, epochs, seed } }, io) => {
    const started = io.now();
    const path = join(exampleFolder, "model.frond");
    const model = compile({ name: "model.frond", text: readFileSync(path, "utf8") });
    const backend = await openFor(name, () => trialOf(model, {}), io);
    const print = (line: string) => io.out.write(`${line}\n`);
    print(`${model.name} (examples/spoken-digits/model.frond) on the ${backend.name} backend`);
    const progress = await newProgress(io.out, io.now);
    await run({ model, backend, seed, epochs, print, onEvent: event => progress.show(event) });
    print(`\n${((io.now() - started) / 1000).toFixed(1)} s in all`);
    return 0;
  },
});

const argv = process.argv.slice(2);
const io = processIo();
process.exitCode = await guarded("npm start --", argv, io, () => start.execute(argv, io));
