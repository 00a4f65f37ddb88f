// Ten steps of training of programs and examples, on every backend.

import { expect, test } from "vitest";
import { reference } from "../../backends/reference/index.ts";
import { outputsError } from "../harness/differences.ts";
import { trainOn } from "../harness/training.ts";
import { programCases, suite } from "./cases.ts";
import { conformance } from "./suite.ts";

test("there are ten", () => {
  expect(suite.programs.steps.count).toBe(10);
  expect(suite.ops.steps.count).toBe(10);
});

test.each(programCases)("a step of $name moves its parameters", async each => {
  const program = each.program("steps");
  const [first] = each.environments("steps", program);
  const after = await trainOn(reference, program, [first!]);
  expect(outputsError(after, first!.parameters)).toBeGreaterThan(1e-4);
});

conformance(programCases, ["steps"]);
