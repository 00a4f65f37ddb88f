// Every model on webgpu, directly where Node has it and else in the page of a headless browser, against the reference: what
// it computes, its gradients and three training steps, examples of different lengths, with anything in their padding.
// In software that takes long: a sixth of the models for each, unless FROND_REQUIRE asks for webgpu.

import { afterAll, expect, test } from "vitest";
import { closeBrowsers } from "../../backends/browser/index.ts";
import { backends, openBackend } from "../../backends/registry.ts";
import { build } from "../browser/harness.ts";
import { outputsError } from "../harness/differences.ts";
import { compileNamed, environmentOf, modelNames, onBackend } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { trainOn } from "../harness/training.ts";
import { unavailable } from "../webgpu/unavailable.ts";

const config = {
  optimizer: { kind: "adam", rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-3 },
  clipNorm: 1,
  batch: 3,
  epochs: 1,
} as const;

const required = (process.env.FROND_REQUIRE ?? "").split(",").includes("webgpu");
const modelsOf = (turn: number) => modelNames.filter((_, i) => required || i % 6 === 2 * turn);

build();
const availability = await backends.find(({ name }) => name === "webgpu")!.probe();
afterAll(closeBrowsers);
if (!availability.available) unavailable(availability.reason);
else {
  for (const [turn, what] of (["infer", "gradients"] as const).entries()) {
    test.each(modelsOf(turn))(`%s: ${what}`, async name => {
      const program = compileNamed(name)[what]();
      for (const options of [
        { batch: 5, extent: 6, padding: "nan" },
        { batch: 2, extent: 3, shortest: 3 },
      ] as const) {
        const environment = environmentOf(program, options);
        const expected = await onBackend(await openBackend("reference"), program, environment);
        const actual = await onBackend(await openBackend("webgpu"), program, environment);
        expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32);
      }
    });
  }

  test.each(modelsOf(2))("%s: training", async name => {
    const program = compileNamed(name).train(config);
    const environments = [1, 2, 3].map(seed => environmentOf(program, { seed, extent: 3 + seed }));
    const expected = await trainOn(await openBackend("reference"), program, environments);
    const actual = await trainOn(await openBackend("webgpu"), program, environments);
    expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32Steps);
  });
}
