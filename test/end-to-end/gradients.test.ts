// Every program of spec/conformance/programs, from text to gradients: right by differences, whatever stands in the
// padding, in whichever order it is unrolled. That backends agree is asked by the conformance suite.

import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { gradientError, outputsError } from "../harness/differences.ts";
import {
  compileNamed,
  differentiatedThenUnrolled,
  environmentOf,
  modelNames,
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
});
