// What a backend has to show with every model, against the reference: what it computes, its gradients and ten training
// steps, examples of different lengths, with anything in their padding.

import { expect, test } from "vitest";
import { openBackend } from "../../backends/registry.ts";
import { outputsError } from "../harness/differences.ts";
import { compileNamed, environmentOf, modelNames, onBackend } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { trainingConfig, trainOn } from "../harness/training.ts";

const steps = Array.from({ length: 10 }, (_, step) => step + 1);

/** Tests of all models; or of a part of them for each of the three things, by its number. */
export function conformance(
  name: string,
  modelsOf: (turn: number) => readonly string[] = () => modelNames,
): void {
  for (const [turn, what] of (["infer", "gradients"] as const).entries()) {
    test.each(modelsOf(turn))(`%s: ${what}`, async model => {
      const program = compileNamed(model)[what]();
      for (const options of [
        { batch: 5, extent: 6, padding: "nan" },
        { batch: 2, extent: 3, shortest: 3 },
      ] as const) {
        const environment = environmentOf(program, options);
        const expected = await onBackend(await openBackend("reference"), program, environment);
        const actual = await onBackend(await openBackend(name), program, environment);
        expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32);
      }
    });
  }

  test.each(modelsOf(2))("%s: training", async model => {
    const program = compileNamed(model).train(trainingConfig);
    const environments = steps.map(seed => environmentOf(program, { seed, extent: 3 + (seed % 4) }));
    const expected = await trainOn(await openBackend("reference"), program, environments);
    const actual = await trainOn(await openBackend(name), program, environments);
    expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32Steps);
  });
}
