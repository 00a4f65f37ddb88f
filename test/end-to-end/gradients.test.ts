// Every program of test/models, from text to gradients: right by differences, whatever stands in the padding, in
// whichever order it is unrolled, on every backend.

import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import { float32Backends } from "../harness/backends.ts";
import { gradientError, outputsError } from "../harness/differences.ts";
import {
  compileNamed,
  differentiatedThenUnrolled,
  environmentOf,
  modelNames,
  onBackend,
  unrolledThenDifferentiated,
} from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";

describe.each(modelNames)("%s", name => {
  const model = compileNamed(name);
  const program = model.gradients();
  const results = [...program.results];

  test("agrees with central differences", () => {
    expect(gradientError(program.graph, environmentOf(program, { extent: 5 }), { limit: 10 })).toBeLessThan(
      tolerances.differences,
    );
  });

  test("does not see the padding", () => {
    const [zero, nan, huge] = (["zero", "nan", "huge"] as const).map(padding =>
      evaluateGraph(program.graph, environmentOf(program, { padding, extent: 5 }), results),
    );
    expect(outputsError(nan!, zero!)).toBe(0);
    expect(outputsError(huge!, zero!)).toBe(0);
  });

  test("commutes with unrolling", () => {
    const garbage = environmentOf(program, { padding: "mixed" });
    const expected = evaluateGraph(program.graph, garbage, results);
    expect(outputsError(differentiatedThenUnrolled(program, garbage), expected)).toBeLessThan(
      tolerances.rearranged,
    );
    const harmless = environmentOf(program, { padding: "zero" });
    expect(outputsError(unrolledThenDifferentiated(model, harmless), expected)).toBeLessThan(
      tolerances.rearranged,
    );
  });

  test.each(float32Backends)("agrees on %s", async backend => {
    const environment = environmentOf(program, { extent: 5 });
    const expected = evaluateGraph(program.graph, environment, results);
    const actual = await onBackend(await openBackend(backend), program, environment);
    expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32);
  });
});
