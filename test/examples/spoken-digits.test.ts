// The way from sound to features: against NumPy (test/golden/make_features.py) and against definitions.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { bands, extract, logMel, speech } from "../../examples/spoken-digits/features.ts";
import { powerSpectrum } from "../../examples/spoken-digits/fft.ts";
import { normalise } from "../../examples/spoken-digits/normalise.ts";
import { accuracyByTenth, confusions, formatCurve, lastGuess } from "../../examples/spoken-digits/report.ts";
import { readWav } from "../../examples/spoken-digits/wav.ts";
import { tolerances } from "../harness/tolerances.ts";

interface Expected {
  readonly shape: readonly [number, number];
  readonly data: readonly number[];
}
interface Golden {
  readonly recordings: Readonly<Record<string, { readonly logMel: Expected; readonly features: Expected }>>;
  readonly chirp: { readonly rate: number; readonly logMel: Expected };
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const example = "../../examples/spoken-digits";
const golden: Golden = JSON.parse(readFileSync(path("../golden/features.json"), "utf8"));
const recording = (name: string) => readWav(readFileSync(path(`${example}/recordings/${name}`)));

function expectClose(actual: Float32Array, expected: Expected): void {
  expect(actual.length).toBe(expected.shape[0] * expected.shape[1]);
  const worst = expected.data.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
  expect(worst).toBeLessThan(tolerances.features);
}

describe("features", () => {
  test.each(Object.entries(golden.recordings))("of %s agree with NumPy", (name, expected) => {
    const { samples, rate } = recording(name);
    expectClose(logMel(samples, rate), expected.logMel);
    expectClose(extract(samples, rate), expected.features);
  });

  test("of a chirp at another rate agree with NumPy", () => {
    const { rate, logMel: expected } = golden.chirp;
    const chirp = Float32Array.from(
      { length: 4000 },
      (_, i) => 0.5 * Math.sin((2 * Math.PI * (300 + 0.2 * i) * i) / rate),
    );
    expectClose(logMel(chirp, rate), expected);
  });

  test("do not depend on loudness", () => {
    const { samples, rate } = recording("8_lucas_3.wav");
    const loud = extract(samples, rate);
    const quiet = extract(
      samples.map(value => value / 2),
      rate,
    );
    // The floor under the logarithm keeps them from being equal.
    expect(Math.max(...loud.map((value, i) => Math.abs(value - quiet[i]!)))).toBeLessThan(0.1);
  });

  test("of silence and of nothing are finite", () => {
    for (const length of [0, 1, 79, 80, 255, 256, 1000]) {
      const features = extract(new Float32Array(length), 8000);
      expect(features.length % bands).toBe(0);
      expect(features.length).toBeGreaterThan(0);
      expect(features.every(Number.isFinite)).toBe(true);
    }
  });

  test("of the recordings stand in test.npz, rounded", () => {
    const { normalisation, speakers } = JSON.parse(readFileSync(path(`${example}/digits.json`), "utf8"));
    const arrays = unzipSync(readFileSync(path(`${example}/test.npz`)));
    // After NumPy's header, whose length stands at byte 8.
    const content = (name: string) => {
      const bytes = arrays[name]!;
      return bytes.slice(10 + bytes[8]! + 256 * bytes[9]!).buffer;
    };
    const x = new Float32Array(content("x.npy"));
    const lengths = new Int32Array(content("x.length.npy"));
    const names = readdirSync(path(`${example}/recordings`)).filter(name => name.endsWith(".wav"));
    expect(names.length).toBe(10);
    for (const name of names) {
      const [digit, speaker, take] = name.replace(".wav", "").split("_");
      const row = (Number(take) * speakers.length + speakers.indexOf(speaker)) * 10 + Number(digit);
      const { samples, rate } = recording(name);
      const features = normalise(extract(samples, rate), normalisation);
      expect(features.length).toBe(lengths[row]! * bands);
      const start = (row * x.length) / lengths.length;
      const worst = features.reduce((most, value, i) => Math.max(most, Math.abs(value - x[start + i]!)), 0);
      expect(worst).toBeLessThanOrEqual(1 / 64 + 1e-6);
    }
  });
});

test("speech ends where a long pause begins", () => {
  const samples = new Float32Array(8000);
  const burst = (from: number, to: number, level: number) => {
    for (let i = from * 80; i < to * 80; i++) samples[i] = i % 2 === 0 ? level : -level;
  };
  burst(30, 40, 1);
  burst(55, 60, 0.5); // after a pause of 0.15 s
  burst(62, 65, 0.01); // 40 dB below
  burst(90, 95, 0.9); // after a pause of 0.3 s
  const found = speech(samples, 8000);
  expect(found.byteOffset / 4).toBe(30 * 80);
  expect(found.length).toBe(30 * 80);
});

test("the power spectrum is the discrete Fourier transform's", () => {
  const size = fc.integer({ min: 0, max: 6 }).map(exponent => 2 ** exponent);
  const frames = size.chain(n =>
    fc.float64Array({ minLength: n, maxLength: n, min: -1, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(frames, frame => {
      const n = frame.length;
      powerSpectrum(frame).forEach((power, k) => {
        const re = frame.reduce((sum, value, i) => sum + value * Math.cos((2 * Math.PI * k * i) / n), 0);
        const im = frame.reduce((sum, value, i) => sum + value * Math.sin((2 * Math.PI * k * i) / n), 0);
        expect(Math.abs(power - (re * re + im * im))).toBeLessThan(1e-9);
      });
    }),
    { seed: 1, numRuns: 50 },
  );
});

describe("WAV files", () => {
  /** A RIFF file of a format chunk, another chunk of odd length, and the samples. */
  const file = (channels: number, bits: number, samples: readonly number[], code = 1) => {
    const data = bits === 8 ? Uint8Array.from(samples) : new Uint8Array(Int16Array.from(samples).buffer);
    const word = (value: number, bytes: number) =>
      Array.from({ length: bytes }, (_, i) => (value >> (8 * i)) & 255);
    const text = (letters: string) => [...new TextEncoder().encode(letters)];
    const width = (channels * bits) / 8;
    const format = [code, 2, channels, 2, 8000, 4, 8000 * width, 4, width, 2, bits, 2];
    const fmt = format.flatMap((value, i) => (i % 2 === 0 ? word(value, format[i + 1]!) : []));
    return Uint8Array.from([
      ...text("RIFF"),
      ...word(0, 4),
      ...text("WAVE"), // biome-ignore format: a table
      ...text("fmt "),
      ...word(16, 4),
      ...fmt, // biome-ignore format: a table
      ...text("note"),
      ...word(3, 4),
      1,
      2,
      3,
      0, // biome-ignore format: a table
      ...text("data"),
      ...word(data.length, 4),
      ...data, // biome-ignore format: a table
    ]);
  };

  test("of 16 bits, one channel", () => {
    const { rate, samples } = readWav(file(1, 16, [0, 16384, -32768]));
    expect(rate).toBe(8000);
    expect([...samples]).toEqual([0, 0.5, -1]);
  });

  test("of 8 bits, two channels: their average", () => {
    expect([...readWav(file(2, 8, [128, 192, 0, 128])).samples]).toEqual([0.25, -0.5]);
  });

  test.each([
    ["text", new TextEncoder().encode("hello, I am text"), "no RIFF/WAVE header"],
    ["nothing", new Uint8Array(0), "no RIFF/WAVE header"],
    ["compressed", file(1, 16, [0], 2), "format 2 is not supported"],
    ["of 24 bits", file(1, 24, [0, 0, 0]), "24 bits"],
    ["without channels", file(0, 16, [0]), "no channels"],
    ["cut off", file(1, 16, [1, 2, 3]).subarray(0, -2), "ends within its samples"],
    ["without samples", file(1, 16, []).subarray(0, 36), "no samples"],
  ])("%s are refused", (_, bytes, message) => {
    expect(() => readWav(bytes)).toThrow(message);
  });
});

describe("the report", () => {
  // Two recordings, of 2 and 3 steps: the first sure of 4 from its second step on, the second of 9 all along.
  const probabilities = new Float32Array(2 * 3 * 10);
  const sure = (recording: number, step: number, digit: number) => {
    probabilities[(recording * 3 + step) * 10 + digit] = 0.75;
  };
  sure(0, 0, 7);
  sure(0, 1, 4);
  sure(0, 2, 1); // in the padding
  for (const step of [0, 1, 2]) sure(1, step, 9);
  const guesses = { probabilities, steps: 3, lengths: Int32Array.of(2, 3) };

  test("counts what was named rightly after each tenth", () => {
    expect(lastGuess(guesses, 0)).toEqual({ digit: 4, probability: 0.75 });
    const [first, second] = [0.5, 1].map(value => new Array<number>(5).fill(value));
    expect(accuracyByTenth(guesses, Int32Array.of(4, 9))).toEqual([...first!, ...second!]);
  });

  test("names confusions, most frequent first", () => {
    expect(confusions(guesses, Int32Array.of(4, 9))).toEqual([]);
    expect(confusions(guesses, Int32Array.of(1, 9))).toEqual(["4 for 1 (once)"]);
  });

  test("draws a bar for each part", () => {
    expect(formatCurve([0, 1]).split("\n")).toEqual([
      "   heard",
      `    50 %  ${"·".repeat(30)}   0.0 %`,
      `   100 %  ${"█".repeat(30)} 100.0 %`,
    ]);
  });
});
