// The job itself: train on 2,700 recordings, tell how well 300 others are understood, name the digits in a few WAV
// files. Which backend it runs on and where its lines go is the caller's choice.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Backend, Tensor } from "../../backends/api.ts";
import type { Dataset } from "../../runtime/data/dataset.ts";
import { makeDataset, readDataset } from "../../runtime/data/dataset.ts";
import type { CompiledModel } from "../../runtime/model.ts";
import { Session } from "../../runtime/session.ts";
import type { TrainEvent } from "../../runtime/train.ts";
import { bands, extract } from "./features.ts";
import { exampleFolder } from "./folder.ts";
import type { Normalisation } from "./normalise.ts";
import { normalise } from "./normalise.ts";
import type { Guesses } from "./report.ts";
import { accuracyByTenth, confusions, formatCurve, lastGuess, percent } from "./report.ts";
import { readWav } from "./wav.ts";

export interface Job {
  readonly model: CompiledModel;
  readonly backend: Backend;
  readonly seed: number;
  /** Null: as the model says. */
  readonly epochs: number | null;
  readonly print: (line: string) => void;
  readonly onEvent: (event: TrainEvent) => void;
}

/** Returns the accuracy after the last step of each test recording. */
export async function run({ model, backend, seed, epochs, print, onEvent }: Job): Promise<number> {
  const session = new Session({ model, backend, seed });
  try {
    await session.train(load("train.npz"), { onEvent, ...(epochs === null ? {} : { epochs }) });
    const accuracy = await reportTest(session, print);
    await nameRecordings(session, print);
    return accuracy;
  } finally {
    session.dispose();
  }
}

const load = (name: string): Dataset => readDataset(readFileSync(join(exampleFolder, name)), name);

async function reportTest(session: Session, print: Job["print"]): Promise<number> {
  const test = load("test.npz");
  const guesses = await guess(session, test);
  // Every step of a recording has the same label.
  const labels = test.arrays.get("y")!;
  const truth = Int32Array.from({ length: test.size }, (_, i) => labels.data[i * labels.shape[1]!]!);
  const accuracies = accuracyByTenth(guesses, truth);
  print(`\naccuracy on ${test.size} recordings not trained on, while they are heard:`);
  print(formatCurve(accuracies));
  const last = accuracies.at(-1)!;
  print(`last-step accuracy ${percent(last)}`);
  const mistakes = confusions(guesses, truth);
  if (mistakes.length > 0) print(`most confused: ${mistakes.join(", ")}`);
  return last;
}

/** All the way from sound to digit. */
async function nameRecordings(session: Session, print: Job["print"]): Promise<void> {
  const folder = join(exampleFolder, "recordings");
  const files = readdirSync(folder).filter(name => name.endsWith(".wav"));
  const { normalisation }: { normalisation: Normalisation } = JSON.parse(
    readFileSync(join(exampleFolder, "digits.json"), "utf8"),
  );
  const heard = files.map(name => {
    const { samples, rate } = readWav(readFileSync(join(folder, name)));
    return normalise(extract(samples, rate), normalisation);
  });
  const guesses = await guess(session, pack(heard));
  print("\nrecordings (DIGIT_SPEAKER_TAKE.wav) and what they say:");
  files.forEach((name, i) => {
    const { digit, probability } = lastGuess(guesses, i);
    const mark = name.startsWith(String(digit)) ? "" : "  (wrong)";
    print(`  ${name.padEnd(18)} ${digit}  ${percent(probability).padStart(7)}${mark}`);
  });
}

/** Features of several recordings as one data set, padded to the longest. */
function pack(recordings: readonly Float32Array[]): Dataset {
  const lengths = Int32Array.from(recordings, x => x.length / bands);
  const steps = Math.max(...lengths);
  const data = new Float32Array(recordings.length * steps * bands);
  recordings.forEach((x, i) => {
    data.set(x, i * steps * bands);
  });
  const x: Tensor = { dtype: "real", shape: [recordings.length, steps, bands], data };
  const length: Tensor = { dtype: "index", shape: [recordings.length], data: lengths };
  return makeDataset(
    "recordings",
    new Map([
      ["x", x],
      ["x.length", length],
    ]),
  );
}

async function guess(session: Session, data: Dataset): Promise<Guesses> {
  const { tensor, lengths } = (await session.infer(data)).get("p")!;
  const [own] = lengths.values();
  return { probabilities: tensor.data, steps: tensor.shape[1]!, lengths: own! };
}
