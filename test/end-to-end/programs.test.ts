// Random valid programs: what holds for the programs of spec/conformance/programs holds for any. A failure prints the program and
// shrinks it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import { format } from "../../compiler/syntax/format.ts";
import { parse } from "../../compiler/syntax/parse.ts";
import { float32Backends } from "../harness/backends.ts";
import { directionError, outputsError } from "../harness/differences.ts";
import {
  compileText,
  differentiatedThenUnrolled,
  environmentOf,
  unrolledThenDifferentiated,
} from "../harness/models.ts";
import { programs } from "../harness/programs.ts";
import { orderProblems } from "../harness/schedules.ts";
import { tolerances } from "../harness/tolerances.ts";
import { onBackend } from "../harness/training.ts";

/** In four tests of equal size, so that each has a time of its own. */
const parts = [1, 2, 3, 4];
const numRuns = 75;

test.each(parts)(
  "random programs, part %d of 4",
  async part => {
    const opened = await Promise.all(float32Backends.map(name => openBackend(name)));
    const property = fc.asyncProperty(programs(), async text => {
      const model = compileText("random.frond", text);
      const program = model.gradients();
      const results = [...program.results];
      const environment = environmentOf(program, { seed: part, extent: 5 });
      const expected = evaluateGraph(program.graph, environment, results);
      const clean = environmentOf(program, { seed: part, extent: 5, padding: "zero" });
      expect(outputsError(evaluateGraph(program.graph, clean, results), expected), "padding").toBe(0);
      expect(directionError(program.graph, environment, part), "differences").toBeLessThan(
        tolerances.differences,
      );
      expect(
        outputsError(differentiatedThenUnrolled(program, environment), expected),
        "unrolled",
      ).toBeLessThan(tolerances.rearranged);
      expect(outputsError(unrolledThenDifferentiated(model, clean), expected), "tape").toBeLessThan(
        tolerances.rearranged,
      );
      for (const level of ["lean", "least"] as const) {
        const saving = model.gradients(level);
        expect(orderProblems(saving.schedule), level).toEqual([]);
        expect(outputsError(evaluateGraph(saving.graph, environment, results), expected), level).toBeLessThan(
          tolerances.rearranged,
        );
        for (const [i, backend] of opened.entries()) {
          const unroll = ([1, 3, "full"] as const)[(text.length + i) % 3]!;
          const actual = await onBackend(backend, saving, environment, { unroll });
          expect(outputsError(actual, expected), `${backend.name}, ${level}, ${unroll}`).toBeLessThan(
            tolerances.float32,
          );
        }
      }
      for (const backend of opened) {
        for (const unroll of [1, 3, "full"] as const) {
          const actual = await onBackend(backend, program, environment, { unroll });
          expect(outputsError(actual, expected), `${backend.name}, ${unroll}`).toBeLessThan(
            tolerances.float32,
          );
        }
      }
    });
    await fc.assert(property, { numRuns, seed: part });
  },
  120_000,
);

test("random programs print and parse back", () => {
  const property = fc.property(programs(), text => {
    const once = format(parse({ name: "a", text }).file);
    expect(format(parse({ name: "a", text: once }).file)).toBe(once);
  });
  fc.assert(property, { numRuns: 100, seed: 5 });
});
