// `unroll` changes no number: loops, loops of several steps and straight code train alike, on every backend, on
// batches whose extents change.

import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import type { Backend, CompileOptions } from "../../backends/api.ts";
import type { PlainEnvironment } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import { allocated } from "../../backends/tfjs/device.ts";
import type { Program } from "../../compiler/index.ts";
import { float32Backends } from "../harness/backends.ts";
import { outputsError } from "../harness/differences.ts";
import { compileNamed, environmentOf } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { feedsOf, trainOn, valuesOf } from "../harness/training.ts";

/** Ragged batches of several sizes; extents that come again, of `j` others; examples of length 0. */
const environments = (program: Program): readonly Required<PlainEnvironment>[] =>
  [4, 2, 4, 5, 2].map((extent, seed) =>
    environmentOf(program, { seed, extent, extents: { j: 2 + seed }, batch: 2 + (seed % 2), shortest: 0 }),
  );

/** Straight code on the reference adds up in another order; in float32 that is visible after steps of Adam. */
const allowed = ({ name }: Backend): number =>
  name === "reference" ? tolerances.rearranged : tolerances.float32Steps;

const models = ["lstm", "grid", "attention", "mixed-lags", "advance", "dropout", "static-heads", "grid-boundaries"]; // biome-ignore format: a list

describe.each(["reference", ...float32Backends])("on %s", name => {
  test.each(models)("%s", async model => {
    const backend = await openBackend(name);
    const program = compileNamed(model).train();
    const data = environments(program);
    const expected = await trainOn(backend, program, data);
    expect(expected.get(`${data.length - 1}.loss`)!.data[0]).not.toBe(expected.get("0.loss")!.data[0]);
    for (const unroll of [2, 3, "full"] as const) {
      const actual = await trainOn(backend, program, data, { unroll });
      expect(outputsError(actual, expected), `${unroll}`).toBeLessThan(allowed(backend));
    }
  });

  test("one state serves loops and straight code in turn", async () => {
    const backend = await openBackend(name);
    const program = compileNamed("lstm").train();
    const data = environments(program);
    const [looped, straight] = [await backend.compile(program), await backend.compile(program, full)];
    const state = looped.createState(valuesOf(program, data[0]!));
    for (const [step, environment] of data.entries()) {
      const executable = step % 2 === 0 ? straight : looped;
      const results = await executable.run({ ...feedsOf(environment), step }, state);
      results.dispose();
    }
    // It outlives the executable that made it.
    looped.dispose();
    const weights = await state.read("h.W");
    const expected = (await trainOn(backend, program, data)).get("h.W")!;
    expect(outputsError(new Map([["h.W", weights]]), new Map([["h.W", expected]]))).toBeLessThan(
      allowed(backend),
    );
    state.dispose();
    straight.dispose();
  });

  test.each([0, -1, 1.5, Number.NaN])("a factor of %d is refused", async unroll => {
    const backend = await openBackend(name);
    await expect(backend.compile(compileNamed("lstm").infer(), { unroll })).rejects.toThrow(
      `F0903: \`unroll\` is ${unroll}, expected "full" or a whole number from 1 on`,
    );
  });
});

const full: CompileOptions = { unroll: "full" };

test("straight code is forgotten when extents go on changing, and all of it is given back", async () => {
  const cpu = await openBackend("cpu");
  const program = compileNamed("lstm").train();
  const held = () => ({ ids: tf.findBackend("cpu").numDataIds(), bytes: allocated.bytes, ...tf.memory() });
  const before = held();
  const executable = await cpu.compile(program, full);
  const environmentFor = (extent: number) => environmentOf(program, { extent, batch: 2, shortest: extent });
  const state = executable.createState(valuesOf(program, environmentFor(1)));
  const ids: number[] = [];
  for (let extent = 1; extent <= 24; extent++) {
    const results = await executable.run(feedsOf(environmentFor(extent)), state);
    results.dispose();
    ids.push(held().ids);
  }
  expect(Math.max(...ids.slice(8))).toBe(ids[7]);
  // Results may be read when the code that made them is gone.
  const results = await executable.run(feedsOf(environmentFor(3)), state);
  executable.dispose();
  expect((await results.read("loss")).data[0]).toBeGreaterThan(0);
  results.dispose();
  state.dispose();
  expect(held()).toEqual(before);
});

test("calls that overlap take turns", async () => {
  const cpu = await openBackend("cpu");
  const program = compileNamed("lstm").infer();
  const executable = await cpu.compile(program, full);
  const data = Array.from({ length: 20 }, (_, i) => environmentOf(program, { extent: 1 + i, batch: 1 }));
  const state = executable.createState(valuesOf(program, data[0]!));
  const runs = data.map(environment => executable.run(feedsOf(environment), state));
  for (const [i, results] of (await Promise.all(runs)).entries()) {
    expect((await results.read("output.p")).shape).toEqual([1, 1 + i, 3]);
    results.dispose();
  }
  state.dispose();
  executable.dispose();
});
