// PyTorch's numbers, and those of cells written by hand in plain TypeScript, against Frond's on every backend.

import { describe, expect, test } from "vitest";
import { openBackend } from "../../backends/registry.ts";
import { handwrittenCases } from "../handwritten/cases.ts";
import { float32Backends } from "../harness/backends.ts";
import { compareLayer, compareOutputs, compareSteps, type Errors } from "../harness/golden.ts";
import { compileText } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { layerGoldens, optimizerGoldens } from "./golden.ts";

const worst = (errors: Errors): number => {
  expect(errors.size).toBeGreaterThan(0);
  return Math.max(...errors.values());
};

describe.each([
  ["reference", tolerances.torchFloat64] as const,
  ...float32Backends.map(name => [name, tolerances.torchFloat32] as const),
])("PyTorch on %s", (name, tolerance) => {
  test.each(layerGoldens)("$name: outputs, loss, gradients", async golden => {
    const model = compileText(golden.name, golden.source);
    expect(worst(await compareLayer(golden, model, await openBackend(name)))).toBeLessThan(tolerance);
  });

  test.each(optimizerGoldens)("$name: ten steps", async golden => {
    const model = compileText(golden.name, golden.source);
    const errors = await compareSteps(golden, model, await openBackend(name));
    expect(errors.size).toBeGreaterThan(40);
    expect(worst(errors)).toBeLessThan(tolerances.torchSteps);
  });
});

describe("cells written by hand", () => {
  test.each(handwrittenCases)("$name on reference", async golden => {
    const model = compileText(golden.name, golden.source);
    const backend = await openBackend("reference");
    expect(worst(await compareOutputs(golden, model, backend))).toBeLessThan(tolerances.handwritten);
  });

  const everywhere = float32Backends.flatMap(on => handwrittenCases.map(golden => ({ ...golden, on })));

  test.each(everywhere)("$name on $on", async golden => {
    const model = compileText(golden.name, golden.source);
    const backend = await openBackend(golden.on);
    expect(worst(await compareOutputs(golden, model, backend))).toBeLessThan(tolerances.torchFloat32);
  });
});
