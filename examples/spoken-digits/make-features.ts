// Makes train.npz, test.npz, digits.json and recordings/ from the Free Spoken Digit Dataset. Run by hand, rarely:
//
//   git clone https://github.com/Jakobovski/free-spoken-digit-dataset
//   npm run build
//   node dist/examples/spoken-digits/make-features.js free-spoken-digit-dataset/recordings

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "../../backends/api.ts";
import { writeNpz } from "../../runtime/data/npz.ts";
import { bands, extract } from "./features.ts";
import { exampleFolder } from "./folder.ts";
import type { Normalisation } from "./normalise.ts";
import { normalise } from "./normalise.ts";
import { readWav } from "./wav.ts";

const rate = 8000;
/** Features are rounded to this part of their deviation, so that the files compress well. */
const grain = 1 / 32;

interface Take {
  readonly digit: number;
  readonly speaker: string;
  readonly take: number;
  readonly samples: Float32Array;
}

/** All files `DIGIT_SPEAKER_TAKE.wav` of the folder. */
function readTakes(folder: string): Take[] {
  const takes = readdirSync(folder).flatMap(name => {
    const [, digit, speaker, take] = /^(\d)_(\w+)_(\d+)\.wav$/.exec(name) ?? [];
    if (speaker === undefined) return [];
    const recording = readWav(readFileSync(join(folder, name)));
    if (recording.rate !== rate)
      throw new Error(`${name} has ${recording.rate} samples a second, not ${rate}`);
    return [{ digit: Number(digit), speaker, take: Number(take), samples: recording.samples }];
  });
  if (takes.length === 0) throw new Error(`${folder} holds no files DIGIT_SPEAKER_TAKE.wav`);
  // Neighbours differ in digit and speaker, so that even unshuffled batches are mixed: recording r is take
  // floor(r / 60) of its part, by speaker floor(r / 10) mod 6, and says digit r mod 10.
  return takes.sort(
    (a, b) => a.take - b.take || a.speaker.localeCompare(b.speaker, "en") || a.digit - b.digit,
  );
}

/** Mean and deviation of each band over all frames of the training recordings. */
function describe(training: readonly Float32Array[]): Normalisation {
  const frames = training.reduce((sum, features) => sum + features.length / bands, 0);
  const average = (of: (value: number, band: number) => number) =>
    Array.from({ length: bands }, (_, band) => {
      let sum = 0;
      for (const x of training) for (let i = band; i < x.length; i += bands) sum += of(x[i]!, band);
      return sum / frames;
    });
  const mean = average(value => value);
  const deviation = average((value, band) => (value - mean[band]!) ** 2).map(Math.sqrt);
  const round = (value: number) => Number(value.toFixed(5));
  return { mean: mean.map(round), deviation: deviation.map(round) };
}

/** `x` [recordings, frames, bands], `x.length`, and the digit at every step as `y` [recordings, frames]. */
function pack(takes: readonly Take[], features: readonly Float32Array[]): Uint8Array {
  const lengths = Int32Array.from(features, x => x.length / bands);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const x = new Float32Array(takes.length * longest * bands);
  const y = new Int32Array(takes.length * longest);
  takes.forEach(({ digit }, i) => {
    x.set(features[i]!, i * longest * bands);
    y.fill(digit, i * longest, (i + 1) * longest);
  });
  const batch = takes.length;
  return writeNpz(
    new Map<string, Tensor>([
      ["x", { dtype: "real", shape: [batch, longest, bands], data: x }],
      ["x.length", { dtype: "index", shape: [batch], data: lengths }],
      ["y", { dtype: "index", shape: [batch, longest], data: y }],
    ]),
  );
}

/** 16-bit PCM, one channel. */
function wav(samples: Float32Array): Uint8Array {
  const size = 2 * samples.length;
  const bytes = new Uint8Array(44 + size);
  const view = new DataView(bytes.buffer);
  const letters = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  letters(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  letters(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  letters(36, "data");
  view.setUint32(40, size, true);
  samples.forEach((value, i) => {
    view.setInt16(44 + 2 * i, 32768 * value, true);
  });
  return bytes;
}

function main(folder: string): void {
  const takes = readTakes(folder);
  const raw = takes.map(({ samples }) => extract(samples, rate));
  const isTest = takes.map(({ take }) => take < 5);
  const normalisation = describe(raw.filter((_, i) => !isTest[i]));
  const features = raw.map(x => normalise(x, normalisation).map(value => Math.round(value / grain) * grain));
  const part = (test: boolean): Uint8Array => {
    const here = (_: unknown, i: number) => isTest[i] === test;
    return pack(takes.filter(here), features.filter(here));
  };
  writeFileSync(join(exampleFolder, "train.npz"), part(false));
  writeFileSync(join(exampleFolder, "test.npz"), part(true));
  const speakers = [...new Set(takes.map(({ speaker }) => speaker))];
  writeFileSync(join(exampleFolder, "digits.json"), `${JSON.stringify({ normalisation, speakers })}\n`);
  mkdirSync(join(exampleFolder, "recordings"), { recursive: true });
  for (let digit = 0; digit < 10; digit++) writeRecording(takes, speakers, digit);
  console.log(`made from ${takes.length} recordings of ${speakers.length} speakers`);
}

/** One of the test takes, every digit by another of the speakers in turn. */
function writeRecording(takes: readonly Take[], speakers: readonly string[], digit: number): void {
  const speaker = speakers[digit % speakers.length]!;
  const take = digit % 5;
  const found = takes.find(one => one.digit === digit && one.speaker === speaker && one.take === take)!;
  writeFileSync(join(exampleFolder, "recordings", `${digit}_${speaker}_${take}.wav`), wav(found.samples));
}

const usage = "usage: node dist/examples/spoken-digits/make-features.js FOLDER";
const [folder] = process.argv.slice(2);
try {
  if (folder === undefined) throw new Error(usage);
  main(folder);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
