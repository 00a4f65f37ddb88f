// Several threads on one program: the same results as with one up to rounding, bit for bit the same when repeated,
// whatever the lengths; executables that come and go share the workers.

import { describe, expect, test } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { openBackend } from "../../backends/registry.ts";
import { outputsError } from "../harness/differences.ts";
import { compileNamed, environmentOf, modelNames } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { feedsOf, onBackend, trainingConfig, trainOn, valuesOf } from "../harness/training.ts";

const bits = (results: ReadonlyMap<string, Tensor>): readonly unknown[] =>
  [...results].map(([name, { data }]) => [name, [...data]]);

describe.each(modelNames)("%s", name => {
  test.each([2, 3])("gradients with %d threads", async threads => {
    const wasm = await openBackend("wasm");
    const program = compileNamed(name).gradients();
    for (const options of [
      { batch: 7, extent: 5, shortest: 0 },
      { batch: 4, extent: 4, shortest: 4 },
      { batch: 1, extent: 3 },
    ]) {
      const environment = environmentOf(program, { padding: "nan", ...options });
      if (name === "max-pooling" && options.shortest === 0) continue;
      const one = await onBackend(wasm, program, environment);
      const several = await onBackend(wasm, program, environment, { threads });
      expect(outputsError(several, one, 0.01), JSON.stringify(options)).toBeLessThan(tolerances.float32);
      expect(bits(await onBackend(wasm, program, environment, { threads }))).toEqual(bits(several));
    }
  });

  test("three steps of training with 2 threads", async () => {
    const wasm = await openBackend("wasm");
    const program = compileNamed(name).train(trainingConfig);
    const environments = [4, 6, 5].map((extent, step) =>
      environmentOf(program, { seed: 7 + step, batch: 9, extent }),
    );
    const one = await trainOn(wasm, program, environments);
    const two = await trainOn(wasm, program, environments, { threads: 2 });
    expect(outputsError(two, one)).toBeLessThan(tolerances.float32Steps);
  });
});

/** Large enough that nests and gradients are shared out in parts. */
const large = `model Large(features: size = 24, units: size = 72, classes: size = 9) {
  axis t
  input  x[t]: real[features]
  target y[t]: index(classes)
  h[t]      = lstm[t](lstm[t](x[t], units), units)
  logits[t] = dense(h[t], classes)
  output p[t] = softmax(logits[t])
  loss        = mean[t](crossEntropy(logits[t], y[t]))
}`;

test("a large model trains alike with 1 to 4 threads", async () => {
  const { compileText } = await import("../harness/models.ts");
  const wasm = await openBackend("wasm");
  const program = compileText("large.frond", large).train(trainingConfig);
  const environments = [9, 7].map((extent, step) =>
    environmentOf(program, { seed: step, batch: 21, extent }),
  );
  const one = await trainOn(wasm, program, environments);
  for (const threads of [2, 3, 4]) {
    const several = await trainOn(wasm, program, environments, { threads });
    expect(outputsError(several, one), `${threads}`).toBeLessThan(tolerances.float32Steps);
  }
});

/** Two matrices of one recurrence: the backward loop packs what is put together from them first. */
const twoStates = `model TwoStates(units: size = 64) {
  axis t
  input  x[t]: real[units]
  target y: real[units]
  param U: real[units, units] = orthogonal()
  param V: real[units, units] = orthogonal()
  f[t] = tanh(x[t] + 0.1 * (h[t-1] @ U + c[t-1] @ V))
  c[t] = 0.5 * c[t-1] + f[t]
  h[t] = f[t] - 0.5 * c[t]
  output p = h[last]
  loss = mean(square(h[last] - y))
}`;

test("matrices are packed after they are computed", async () => {
  const { compileText } = await import("../harness/models.ts");
  const wasm = await openBackend("wasm");
  const program = compileText("two-states.frond", twoStates).gradients();
  const environment = environmentOf(program, { batch: 16, extent: 6, shortest: 6 });
  const one = await onBackend(wasm, program, environment);
  for (let round = 0; round < 20; round++) {
    const several = await onBackend(wasm, program, environment, { threads: 2 + (round % 3) });
    expect(outputsError(several, one)).toBeLessThan(tolerances.float32);
  }
});

test("executables come and go, and several run in turn", async () => {
  const wasm = await openBackend("wasm");
  const program = compileNamed("lstm").gradients();
  const environment = environmentOf(program, { batch: 6, extent: 5 });
  const expected = bits(await onBackend(wasm, program, environment, { threads: 2 }));
  const executables = await Promise.all([1, 2, 3].map(() => wasm.compile(program, { threads: 2 })));
  for (let round = 0; round < 3; round++) {
    for (const executable of executables) {
      const state = executable.createState(valuesOf(program, environment));
      const results = await executable.run(feedsOf(environment), state);
      const read = new Map<string, Tensor>();
      for (const result of program.results) read.set(result, await results.read(result));
      expect(bits(read)).toEqual(expected);
    }
  }
  for (const executable of executables) executable.dispose();
  expect(bits(await onBackend(wasm, program, environment, { threads: 2 }))).toEqual(expected);
});
