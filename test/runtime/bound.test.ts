// A bound on memory: a session builds its programs at the fastest level that keeps within it for the data at hand,
// computes the same, and where nothing fits says what would.

import { describe, expect, test } from "vitest";
import { openBackend } from "../../backends/registry.ts";
import { allocated } from "../../backends/tfjs/device.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { FrondError, type Level, levels, type Program } from "../../compiler/index.ts";
import { formatBytes, readBytes } from "../../runtime/bytes.ts";
import { type Dataset, makeDataset } from "../../runtime/data/dataset.ts";
import { draws } from "../../runtime/draws.ts";
import { Session, type SessionOptions } from "../../runtime/session.ts";
import { float32Backends } from "../harness/backends.ts";
import { outputsError } from "../harness/differences.ts";
import { compileNamed, compileText } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { codesOf } from "./codes.ts";

const features = 3;
/** So many that wasm makes their products for all steps at once where it may; with few it never stores them. */
const manyFeatures = 72;
const longest = 40;
const batch = 4;
const tagger = (inputs: number) =>
  compileText(
    "tagger.frond",
    `model Tagger {
  axis t
  input  x[t]: real[${inputs}]
  target y[t]: index(3)
  h[t] = lstm[t](x[t], 16)
  logits[t] = dense(h[t], 3)
  output p[t] = softmax(logits[t])
  loss = mean[t](crossEntropy(logits[t], y[t]))
  train { optimizer: adam(rate: 1e-2), clip: norm(1.0), batch: ${batch}, epochs: 2 }
}
`,
  );
const model = tagger(features);

/** Ragged; the first example is as long as it says. */
function dataset(size: number, extent = longest, inputs = features): Dataset {
  const numbers = draws(1, "bound");
  const x = Float32Array.from({ length: size * extent * inputs }, (_, i) => numbers.normal(i));
  const y = Int32Array.from({ length: size * extent }, (_, i) => (x[i * inputs]! > 0 ? 2 : 0));
  const own = Int32Array.from({ length: size }, (_, i) =>
    i === 0 ? extent : Math.floor(numbers.uniform(1e6 + i) * extent),
  );
  return makeDataset(
    "data",
    new Map([
      ["x", { dtype: "real", shape: [size, extent, inputs], data: x }],
      ["y", { dtype: "index", shape: [size, extent], data: y }],
      ["x.length", { dtype: "index", shape: [size], data: own }],
    ]),
  );
}

const t = "t" as AxisId;

async function memoryOf(backend: string, program: Program, examples = batch, extent = longest) {
  const executable = await (await openBackend(backend)).compile(program);
  try {
    return (await executable.memory(examples, new Map([[t, extent]])))!;
  } finally {
    executable.dispose();
  }
}

const open = async (backend: string, options: Partial<SessionOptions> = {}): Promise<Session> =>
  new Session({ model, backend: await openBackend(backend), seed: 3, ...options });

async function refusal(of: Promise<unknown>) {
  try {
    await of;
  } catch (error) {
    if (error instanceof FrondError) return error.diagnostics[0]!;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe.each(float32Backends)("on %s", backend => {
  const stepAt = (level: Level) => model.train(undefined, level);

  test("each level takes less than the one before", async () => {
    const taken = await Promise.all(levels.map(level => memoryOf(backend, stepAt(level))));
    expect(taken.toSorted((a, b) => b - a)).toEqual(taken);
    expect(new Set(taken).size).toBe(3);
  });

  test("training takes the fastest level that fits and learns the same", async () => {
    const data = dataset(9);
    const free = await open(backend);
    await free.train(data);
    expect(free.fit).toBe(null);
    for (const level of levels) {
      const bytes = await memoryOf(backend, stepAt(level));
      const session = await open(backend, { memory: bytes });
      await session.train(data);
      expect(session.fit).toEqual({ level, bytes });
      expect(outputsError(session.weights(), free.weights())).toBeLessThan(tolerances.float32Steps);
      session.dispose();
    }
    free.dispose();
  });

  test("longer examples and larger batches need another level", async () => {
    const bytes = await memoryOf(backend, stepAt("fast"), batch, 20);
    const session = await open(backend, { memory: bytes });
    const levelFor = async (data: Dataset, own = batch) => {
      await session.train(data, { batch: own, epochs: session.epoch + 1 });
      return session.fit!.level;
    };
    expect(await levelFor(dataset(6, 20))).toBe("fast");
    expect(await levelFor(dataset(6, 24))).toBe("lean");
    expect(await levelFor(dataset(6, 20), 5)).toBe("lean");
    // Never more examples than there are.
    expect(await levelFor(dataset(4, 20), 100)).toBe("fast");
    session.dispose();
  });

  test("training and validation fit together", async () => {
    const [step, scoring] = [stepAt("fast"), model.evaluate()];
    const bytes = (await memoryOf(backend, step)) + (await memoryOf(backend, scoring));
    for (const [memory, level] of [
      [bytes, "fast"],
      [bytes - 1, "lean"],
    ] as const) {
      const session = await open(backend, { memory });
      await session.train(dataset(6), { validation: dataset(5) });
      expect(session.fit!.level).toBe(level);
      session.dispose();
    }
  });

  test("evaluation and inference", async () => {
    const wide = tagger(manyFeatures);
    const data = dataset(5, longest, manyFeatures);
    const free = await open(backend, { model: wide });
    const bound = (await memoryOf(backend, wide.infer(), 5)) - 1;
    const lean = await open(backend, { model: wide, memory: bound });
    const [whole, part] = [await free.infer(data), await lean.infer(data)];
    expect(lean.fit!.level).toBe("lean");
    const only = (outputs: typeof whole) => new Map([["p", outputs.get("p")!.tensor]]);
    expect(outputsError(only(part), only(whole))).toBeLessThan(tolerances.float32);
    expect((await lean.evaluate(data)).loss).toBeCloseTo((await free.evaluate(data)).loss!, 5);
    free.dispose();
    lean.dispose();
  });

  test("what cannot fit is refused with what is needed and what would fit", async () => {
    const least = await memoryOf(backend, stepAt("least"));
    const session = await open(backend, { memory: least - 1 });
    const found = await refusal(session.train(dataset(9)));
    expect(found.code).toBe("F0906");
    expect(found.title).toContain("`Tagger.train`");
    const [, needed = ""] = /: (.*) are needed at the least/.exec(found.title) ?? [];
    const enough = await open(backend, { memory: readBytes(needed)! });
    await enough.train(dataset(9), { epochs: 1 });
    expect(enough.fit!.level).toBe("least");
    const number = (pattern: RegExp) => Number(pattern.exec(found.help.join("\n"))![1]);
    expect(found.help[0]).toBe("that is for 4 examples, t = 40");
    const examples = number(/batches of (\d+) examples? fit/);
    const steps = number(/sequences of up to (\d+) steps fit/);
    const fits = async (own: number, extent: number) =>
      (await memoryOf(backend, stepAt("least"), own, extent)) < least;
    expect([await fits(examples, longest), await fits(examples + 1, longest)]).toEqual([true, false]);
    expect([await fits(batch, steps), await fits(batch, steps + 1)]).toEqual([true, false]);
    await session.train(dataset(9), { batch: examples, epochs: 1 });
    expect(session.fit!.level).toBe("least");
    session.dispose();
    enough.dispose();
  });

  test("not one example fits", async () => {
    const session = await open(backend, { memory: 100 });
    const found = await refusal(session.train(dataset(3), { validation: dataset(2) }));
    expect(found.title).toMatch(/^`Tagger.train` and `Tagger.evaluate` cannot keep within 100 B of memory: /);
    expect(found.help).toEqual([
      "that is for 3 examples, t = 40",
      "not even one example of that length fits",
      "or allow more memory",
    ]);
  });
});

test("generation is bound by the steps that it may make", async () => {
  const melody = compileText(
    "melody.frond",
    `model Melody {
  axis t
  input word[t]: index(8)
  h[t] = lstm[t](embedding(word[t], 8, 5), 8)
  output p[t] = softmax(dense(h[t], 8))
  generate word[t+1] = sample(p[t]) from 1
}
`,
  );
  const session = (memory?: number) =>
    openBackend("cpu").then(
      backend => new Session({ model: melody, backend, ...(memory === undefined ? {} : { memory }) }),
    );
  const bytes = await memoryOf("cpu", melody.generate(), 2, 30);
  for (const [memory, steps, level] of [
    [bytes, 30, "fast"],
    [bytes, 31, "lean"],
  ] as const) {
    const [bound, free] = [await session(memory), await session()];
    const options = { steps, count: 2 };
    const [actual, expected] = [await bound.generate(null, options), await free.generate(null, options)];
    expect(bound.fit!.level).toBe(level);
    expect(actual.get("word")!.tensor).toEqual(expected.get("word")!.tensor);
    bound.dispose();
    free.dispose();
  }
});

test("levels that do not fit leave nothing", async () => {
  const cpu = await openBackend("cpu");
  (await cpu.compile(model.infer())).dispose();
  const before = allocated.bytes;
  const session = await open("cpu", { memory: 1000 });
  const empty = allocated.bytes;
  expect(await codesOf(session.train(dataset(3)))).toEqual(["F0906"]);
  expect(await codesOf(session.infer(dataset(3)))).toEqual(["F0906"]);
  expect(allocated.bytes).toBe(empty);
  session.dispose();
  expect(allocated.bytes).toBe(before);
});

test("the reference, which keeps everything, is at its best without saving", async () => {
  const bytes = await memoryOf("reference", model.train());
  const session = await open("reference", { memory: bytes });
  await session.train(dataset(4), { epochs: 1 });
  expect(session.fit).toEqual({ level: "fast", bytes });
  const found = await refusal((await open("reference", { memory: bytes - 1 })).train(dataset(4)));
  expect(found.title).toContain(`${formatBytes(bytes, "up")} are needed`);
});

test("where the backend does not know, there is no bound to keep", async () => {
  const full = await open("cpu", { memory: 1e9, compile: { unroll: "full" } });
  expect(await codesOf(full.train(dataset(3)))).toEqual(["F0907"]);
  const by = await open("cpu", { memory: 1e9, compile: { unroll: 2 } });
  await by.train(dataset(3), { epochs: 1 });
  expect(by.fit!.level).toBe("fast");
  by.dispose();
});

test.each([0, -1, Number.NaN])("a bound of %d is refused", async memory => {
  expect(await codesOf(open("cpu", { memory }))).toEqual(["F0908"]);
});

test("programs over several axes say all of them", async () => {
  const named = compileNamed("attention");
  const session = new Session({ model: named, backend: await openBackend("cpu"), memory: 10 });
  const { inputs } = named.train();
  const size = 2;
  const arrays = inputs.map(({ name, dtype, axes, shape }) => {
    const whole = [size, ...axes.map(axis => (axis === "s" ? 5 : 7)), ...shape];
    const count = whole.reduce((a, b) => a * b, 1);
    const data = dtype === "real" ? new Float32Array(count) : new Int32Array(count);
    return [name, { dtype, shape: whole, data }] as const;
  });
  const found = await refusal(session.train(makeDataset("data", new Map(arrays))));
  expect(found.help[0]).toMatch(/^that is for 2 examples, s = 5, t = 7$/);
});

describe("amounts of memory", () => {
  test.each([
    ["1B", 1],
    ["64MB", 64e6],
    ["64 MB", 64e6],
    ["1.5kB", 1500],
    ["2KiB", 2048],
    ["1.5MiB", 1.5 * 2 ** 20],
    ["3GB", 3e9],
    ["2gib", 2 * 2 ** 30],
  ] as const)("%s is %d bytes", (text, bytes) => {
    expect(readBytes(text)).toBe(bytes);
  });

  test.each(["", "64", "MB", "-1MB", "1e3MB", "64Mb/s", "1TB", "0B", "0.1B", "1,5MB", "99999999999GB", "∞B"])(
    "`%s` is none",
    text => {
      expect(readBytes(text)).toBe(null);
    },
  );

  test("are shown with one digit, and read back no smaller where rounded up", () => {
    expect([0, 1023, 1024, 64e6, 2 ** 40].map(size => formatBytes(size))).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "61.0 MiB",
      "1.0 TiB",
    ]);
    for (const size of [1, 1023, 1025, 1048575, 1048577, 12_345_678, 3e9])
      expect(readBytes(formatBytes(size, "up"))).toBeGreaterThanOrEqual(size);
  });
});
