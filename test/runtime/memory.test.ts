// A session on the cpu backend holds what it held: after a thousand steps as after ten, whatever the lengths and batch
// sizes, after passes in turn, after failures; and nothing once it is disposed of.

import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import type { Backend, CompileOptions } from "../../backends/api.ts";
import { openBackend } from "../../backends/registry.ts";
import { allocated } from "../../backends/tfjs/device.ts";
import { type Dataset, makeDataset } from "../../runtime/data/dataset.ts";
import { draws } from "../../runtime/draws.ts";
import { Session } from "../../runtime/session.ts";
import { compileNamed } from "../harness/models.ts";
import { codesOf } from "./codes.ts";

const longest = 6;
const features = 3;

/** Ragged examples for the model `lstm`, some of length 0, one of each four as long as can be. */
function dataset(size: number, broken: "no" | "NaN" = "no"): Dataset {
  const numbers = draws(1, "memory");
  const x = Float32Array.from({ length: size * longest * features }, (_, i) =>
    broken === "NaN" ? Number.NaN : numbers.normal(i),
  );
  const y = Int32Array.from({ length: size * longest }, (_, i) => (x[i * features]! > 0 ? 2 : 0));
  const lengths = Int32Array.from({ length: size }, (_, i) =>
    i % 4 === 0 ? longest : Math.floor(numbers.uniform(1e6 + i) * longest),
  );
  return makeDataset(
    "data",
    new Map([
      ["x", { dtype: "real", shape: [size, longest, features], data: x }],
      ["y", { dtype: "index", shape: [size, longest], data: y }],
      ["x.length", { dtype: "index", shape: [size], data: lengths }],
    ]),
  );
}

/** What tfjs counts, its engine and its cpu backend, and what Frond's buffers hold. */
function held() {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes, ids: tf.findBackend("cpu").numDataIds(), bytes: allocated.bytes }; // biome-ignore format: one record
}

let cpu: Backend;
const model = compileNamed("lstm");
const open = (compile: CompileOptions = {}) => new Session({ model, backend: cpu, compile });

beforeAll(async () => {
  cpu = await openBackend("cpu");
  // tfjs registers its backend at the first use.
  (await cpu.compile(model.infer())).dispose();
});

describe.each([{}, { unroll: "full" }] as const)("compiled with %o", options => {
  test("a thousand training steps with validation", async () => {
    const before = held();
    const session = open(options);
    const after: ReturnType<typeof held>[] = [];
    const onEvent = ({ kind }: { readonly kind: string }) => {
      if (kind === "epoch") after.push(held());
    };
    // 12 steps an epoch; the last batch has 2 examples of 46.
    await session.train(dataset(46), { batch: 4, epochs: 84, validation: dataset(9), onEvent });
    expect(after).toHaveLength(84);
    // Straight code is made for each extent that comes: by the third epoch all have come.
    for (const epoch of after.slice(3)) expect(epoch).toEqual(after[2]);
    session.dispose();
    expect(held()).toEqual(before);
  });

  test("evaluation and inference in turn, with changing batch sizes", async () => {
    const before = held();
    const session = open(options);
    const data = dataset(10);
    const round = async () => {
      for (const batch of [10, 1, 3, 4]) {
        await session.evaluate(data, { batch });
        await session.infer(data, { batch });
      }
    };
    await round();
    const first = held();
    for (let i = 0; i < 20; i++) await round();
    expect(held()).toEqual(first);
    session.dispose();
    expect(held()).toEqual(before);
  });
});

test("failures leave nothing", async () => {
  const before = held();
  const session = open();
  const data = dataset(10);
  await session.train(data, { batch: 4, epochs: 1, validation: data });
  await session.evaluate(data);
  const first = held();
  const without = { ...data, arrays: new Map([...data.arrays].filter(([name]) => name !== "y")) };
  expect(await codesOf(session.train(dataset(10, "NaN"), { batch: 4, epochs: 2 }))).toEqual(["F0850"]);
  expect(await codesOf(session.train(without, { batch: 4, epochs: 2 }))).toEqual(["F0833"]);
  expect(await codesOf(session.train(data, { epochs: 2, validation: without }))).toEqual(["F0833"]);
  expect(await codesOf(session.evaluate(without))).toEqual(["F0833"]);
  const failing = () => {
    throw new Error("told to fail");
  };
  await expect(session.train(data, { batch: 4, epochs: 2, onEvent: failing })).rejects.toThrow(
    "told to fail",
  );
  await expect(session.evaluate(data, { onProgress: failing })).rejects.toThrow("told to fail");
  const stop = AbortSignal.abort();
  await session.train(data, { batch: 4, epochs: 2, signal: stop });
  expect(held()).toEqual(first);
  session.dispose();
  session.dispose();
  expect(held()).toEqual(before);
});

test("another rate compiles another step, and forgets the one before", async () => {
  const session = open();
  const data = dataset(8);
  await session.train(data, { epochs: 1, rate: 1e-3 });
  const first = held();
  for (let epoch = 2; epoch < 6; epoch++) {
    await session.train(data, { epochs: epoch, rate: epoch * 1e-3 });
    expect(held()).toEqual(first);
  }
  session.dispose();
});
