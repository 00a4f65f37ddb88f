// `npm start`: the main job from the command line. Compiles model.frond, picks a backend and shows the progress; the
// job itself is job.ts.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openBackend } from "../../backends/registry.ts";
import { compile, FrondError, render } from "../../compiler/index.ts";
import { Progress } from "../../runtime/progress.ts";
import { exampleFolder } from "./folder.ts";
import { run } from "./job.ts";

const usage = `usage: npm start -- [options]
  --backend NAME   cpu, reference, ... or auto (the default)
  --epochs N       as in model.frond when left out
  --seed N         of weights and shuffling; 0 when left out
  --help`;

/** Thrown for a command line that cannot be understood; the message says why. */
class Misuse extends Error {}

function readOptions(): { backend: string; epochs: number | null; seed: number; help: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        backend: { type: "string", default: "auto" },
        epochs: { type: "string" },
        seed: { type: "string", default: "0" },
        help: { type: "boolean", default: false },
      },
    });
    const { backend, help, seed, epochs } = values;
    return {
      backend,
      help,
      seed: wholeNumber("--seed", seed, 0),
      epochs: epochs === undefined ? null : wholeNumber("--epochs", epochs, 1),
    };
  } catch (error) {
    // parseArgs' own complaints are TypeErrors.
    throw error instanceof TypeError ? new Misuse(error.message) : error;
  }
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= least) return value;
  throw new Misuse(`${flag} wants a whole number of at least ${least}, not "${text}"`);
}

async function main(): Promise<void> {
  const { backend: name, epochs, seed, help } = readOptions();
  if (help) return console.log(usage);
  const started = performance.now();
  const text = readFileSync(join(exampleFolder, "model.frond"), "utf8");
  const model = compile({ name: "model.frond", text });
  const backend = await openBackend(name);
  console.log(`${model.name} (examples/spoken-digits/model.frond) on the ${backend.name} backend`);
  const progress = new Progress({
    live: process.stdout.isTTY,
    columns: process.stdout.columns ?? 80,
    write: text => void process.stdout.write(text),
    now: () => performance.now(),
    dim: text => text,
  });
  await run({
    model,
    backend,
    seed,
    epochs,
    print: line => console.log(line),
    onEvent: event => progress.show(event),
  });
  console.log(`\n${((performance.now() - started) / 1000).toFixed(1)} s in all`);
}

main().catch((error: unknown) => {
  if (error instanceof Misuse) {
    console.error(`${error.message}\n${usage}`);
    process.exitCode = 2;
  } else if (error instanceof FrondError) {
    console.error(render(error.diagnostics, { color: process.stderr.isTTY }));
    process.exitCode = 1;
  } else throw error;
});
