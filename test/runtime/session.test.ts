// Training, evaluation, prediction, checkpoints and resumption of a hand-built model on the reference backend.

import { describe, expect, test } from "vitest";
import { reference } from "../../backends/reference/index.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { readSafetensors, writeSafetensors } from "../../runtime/checkpoints/safetensors.ts";
import { type Dataset, makeDataset } from "../../runtime/data/dataset.ts";
import { draws } from "../../runtime/draws.ts";
import { Session } from "../../runtime/session.ts";
import type { TrainEvent } from "../../runtime/train.ts";
import { tolerances } from "../harness/tolerances.ts";
import { codesOf } from "./codes.ts";
import { classes, features, tagger } from "./tagger.ts";

/** The class is the sign pattern of the two features: learnable, with 2 to 6 steps an example. */
function dataset(size: number, seed = 1): Dataset {
  const longest = 6;
  const numbers = draws(seed, "data");
  const x = Float32Array.from({ length: size * longest * features }, (_, i) => numbers.normal(i));
  const y = Int32Array.from({ length: size * longest }, (_, i) =>
    x[2 * i]! > 0 ? 2 : x[2 * i + 1]! > 0 ? 1 : 0,
  );
  const lengths = Int32Array.from({ length: size }, (_, i) => 2 + Math.floor(numbers.uniform(1e6 + i) * 5));
  return makeDataset(
    "data",
    new Map([
      ["x", { dtype: "real", shape: [size, longest, features], data: x }],
      ["y", { dtype: "index", shape: [size, longest], data: y }],
      ["x.length", { dtype: "index", shape: [size], data: lengths }],
    ]),
  );
}

const open = (seed = 3) => new Session({ model: tagger, backend: reference, seed });

describe("training", () => {
  test("lowers the loss and raises the accuracy", async () => {
    const session = open();
    const data = dataset(40);
    const before = await session.evaluate(data);
    const history = await session.train(data, { epochs: 8 });
    const after = await session.evaluate(data);
    expect(history).toHaveLength(8);
    expect(after.loss!).toBeLessThan(0.7 * before.loss!);
    expect(after.metrics.get("accuracy")!).toBeGreaterThan(0.75);
  });

  test("tells every step and every epoch, the last batch with what is left", async () => {
    const events: TrainEvent[] = [];
    const validation = dataset(5, 2);
    const history = await open().train(dataset(10), {
      epochs: 2,
      validation,
      onEvent: e => void events.push(e),
    });
    const steps = events.filter(event => event.kind === "step");
    const taken = steps.map((event, i) => event.examples - (i % 3 === 0 ? 0 : steps[i - 1]!.examples));
    expect(taken.slice(0, 3).sort()).toEqual([2, 4, 4]);
    expect(taken.slice(3).sort()).toEqual([2, 4, 4]);
    expect(history.map(event => event.place.epoch)).toEqual([1, 2]);
    expect(history.every(event => event.validation !== null)).toBe(true);
  });

  test("is the same for the same seed, and another for another", async () => {
    const run = async (seed: number) => {
      const session = open(seed);
      await session.train(dataset(10), { epochs: 2 });
      return [...session.weights().get("h.W")!.data];
    };
    const once = await run(3);
    expect(await run(3)).toEqual(once);
    expect(await run(4)).not.toEqual(once);
  });

  test("goes on from a checkpoint as if it had never stopped", async () => {
    const data = dataset(10);
    const whole = open();
    await whole.train(data, { epochs: 4 });
    const first = open();
    await first.train(data, { epochs: 2 });
    const file = writeSafetensors(first.checkpoint());
    const second = open();
    second.load(readSafetensors(file, "w.safetensors"), "w.safetensors", { resume: true });
    expect(second.epoch).toBe(2);
    await second.train(data, { epochs: 4 });
    expect(second.checkpoint()).toEqual(whole.checkpoint());
  });

  test("stops where it is told to, with the last whole epoch", async () => {
    const session = open();
    const stop = new AbortController();
    const onEvent = (event: TrainEvent) => {
      if (event.kind === "step" && event.place.epoch === 2) stop.abort();
    };
    const history = await session.train(dataset(10), { epochs: 5, onEvent, signal: stop.signal });
    expect(history).toHaveLength(1);
    expect(session.epoch).toBe(1);
  });

  test("a loss that is no number ends it; the state of the last whole epoch stays", async () => {
    const session = open();
    const data = dataset(10);
    await session.train(data, { epochs: 1 });
    const good = session.checkpoint();
    const poisoned = new Map(data.arrays);
    const x = poisoned.get("x")!;
    poisoned.set("x", { ...x, data: x.data.map(() => Number.NaN) });
    const failure = session.train({ ...data, arrays: poisoned }, { epochs: 2 });
    expect(await codesOf(failure)).toEqual(["F0850"]);
    await expect(failure).rejects.toThrow("epoch 2, step 1");
    expect(session.checkpoint()).toEqual(good);
    expect((await session.evaluate(data)).loss).toBeGreaterThan(0);
  });
});

describe("evaluation", () => {
  test("does not depend on the batch size nor on what stands in the padding", async () => {
    const data = dataset(13);
    const session = open();
    const one = await session.evaluate(data, { batch: 13 });
    const many = await session.evaluate(data, { batch: 3 });
    expect(many.loss!).toBeCloseTo(one.loss!, 12);
    const x = data.arrays.get("x")!;
    const lengths = data.lengths.get("x")!;
    const values = x.data.map((value, i) =>
      Math.floor(i / features) % 6 < lengths[Math.floor(i / (6 * features))]! ? value : Number.NaN,
    );
    const arrays = new Map([...data.arrays, ["x", { ...x, data: values }] as const]);
    expect(await session.evaluate({ ...data, arrays }, { batch: 3 })).toEqual(many);
  });
});

describe("prediction", () => {
  test("gives every example its own, in the data's order, zeros in the padding", async () => {
    const data = dataset(7);
    const session = open();
    const whole = (await session.infer(data, { batch: 7 })).get("p")!;
    const parts = (await session.infer(data, { batch: 2 })).get("p")!;
    const longest = Math.max(...data.lengths.get("x")!);
    expect(whole.tensor.shape).toEqual([7, longest, classes]);
    expect(parts.tensor.shape).toEqual(whole.tensor.shape);
    whole.tensor.data.forEach((value, i) => {
      expect(Math.abs(parts.tensor.data[i]! - value)).toBeLessThan(tolerances.float64Rounding);
      const example = Math.floor(i / (longest * classes));
      const inside = Math.floor(i / classes) % longest < data.lengths.get("x")![example]!;
      expect(value > 0).toBe(inside);
    });
  });
});

describe("weights", () => {
  test("all that does not fit is reported at once, with the nearest name", async () => {
    const checkpoint = open().checkpoint();
    const tensors = new Map(checkpoint.tensors);
    const w = tensors.get("h.W")!;
    tensors.delete("h.W");
    tensors.set("h.V", w);
    tensors.set("logits.b", { ...tensors.get("logits.b")!, shape: [1, classes] });
    const load = () => open().load({ ...checkpoint, tensors }, "w.safetensors");
    expect(load).toThrow(FrondError);
    try {
      load();
    } catch (error) {
      const found = (error as FrondError).diagnostics;
      expect(found.map(({ code }) => code)).toEqual(["F0823", "F0824", "F0825"]);
      expect(found[0]!.help).toEqual(["the file has `h.V`"]);
    }
  });

  test("a file without training state cannot be resumed", async () => {
    const checkpoint = open().checkpoint();
    const resume = async () => open().load(checkpoint, "w.safetensors", { resume: true });
    expect(await codesOf(resume())).toEqual(["F0826"]);
  });
});
