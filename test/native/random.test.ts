// Random recurrence graphs with their gradients, scheduled in every way: loops in loops, delays of all kinds, sums
// inside and outside.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { native } from "../../backends/native/index.ts";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { schedule } from "../../compiler/schedule/build.ts";
import { programOf, roundedToFloat32, schedulings } from "../backends/run.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { foundGraphs } from "../harness/found-graphs.ts";
import { withGradients } from "../harness/graphs.ts";
import { randomGraph } from "../harness/random-graphs.ts";
import { tolerances } from "../harness/tolerances.ts";
import { runWith } from "../harness/training.ts";
import { runs, why } from "./installed.ts";

const choices = fc.array(fc.nat(1 << 16), { minLength: 4, maxLength: 90, size: "max" });

async function check(list: readonly number[]): Promise<void> {
  const model = randomGraph(list);
  if (schedule(model).kind !== "scheduled") return;
  const graph = model.outputs.has("loss") ? withGradients(model) : model;
  if (schedule(graph).kind !== "scheduled") return;
  for (const [i, options] of schedulings.entries()) {
    const program = programOf(graph, options);
    const executable = await native.compile(program);
    for (const shortest of [3, i % 2]) {
      const environment = roundedToFloat32(randomEnvironment(graph, { batch: 2, extent: 3, shortest }));
      const actual = await runWith(executable, program, environment);
      expect(outputsError(actual, evaluateGraph(graph, environment), 1)).toBeLessThan(tolerances.float32);
    }
    executable.dispose();
  }
}

describe.runIf(runs)(`native${why}`, () => {
  test("random graphs", async () => {
    await fc.assert(fc.asyncProperty(choices, check), { seed: 7, numRuns: 30 });
  });

  test.each(Object.entries(foundGraphs))("found before: %s", async (_, list) => {
    await check(list);
  });
});
