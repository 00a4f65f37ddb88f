// Three steps of training of every program of test/models, with other lengths and extents in each: the same losses and
// parameters on every backend.

import { expect, test } from "vitest";
import { openBackend } from "../../backends/registry.ts";
import { float32Backends } from "../harness/backends.ts";
import { outputsError } from "../harness/differences.ts";
import { compileNamed, environmentOf, modelNames } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { trainingConfig, trainOn } from "../harness/training.ts";

const cases = modelNames.flatMap(name => float32Backends.map(backend => ({ name, backend })));

test.each(cases)("$name trains alike on $backend and reference", async ({ name, backend }) => {
  const program = compileNamed(name).train(trainingConfig);
  const environments = [4, 6, 5].map((extent, step) => environmentOf(program, { seed: 7 + step, extent }));
  const expected = await trainOn(await openBackend("reference"), program, environments);
  const actual = await trainOn(await openBackend(backend), program, environments);
  expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32Steps);
  const start = environments[0]!.parameters;
  expect(outputsError(expected, start)).toBeGreaterThan(1e-4);
});
