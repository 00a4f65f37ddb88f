// Whole training steps with clipping and Adam on every backend against the reference, step by step: what is kept
// from one run to the next (state, packed weights, bindings) must not go stale.

import { expect, test } from "vitest";
import { reference } from "../../backends/reference/index.ts";
import { openBackend } from "../../backends/registry.ts";
import type { Program } from "../../compiler/program/program.ts";
import { conformingBackends } from "../harness/backends.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { attention, bidirectional, gru, languageModel, lstm, twoLevel } from "../harness/graphs.ts";
import { tolerances } from "../harness/tolerances.ts";
import { trainOn } from "../harness/training.ts";
import { programOf, roundedToFloat32, trainingStepOf } from "./run.ts";

/** Batches of changing lengths. */
const environments = (program: Program) =>
  Array.from({ length: 8 }, (_, step) =>
    roundedToFloat32(randomEnvironment(program.graph, { seed: step, batch: 6, extent: 5 - (step % 2) })),
  );

const graphs = { lstm, gru, bidirectional, attention, twoLevel, languageModel };
const cases = Object.entries(graphs).flatMap(([graph, make]) =>
  conformingBackends.map(name => ({ name, graph, make })),
);

test.each(cases)("eight steps of $graph on $name", async ({ name, make }) => {
  const program = { ...programOf(trainingStepOf(make())), results: ["loss"] };
  const data = environments(program);
  const [actual, expected] = [
    await trainOn(await openBackend(name), program, data),
    await trainOn(reference, program, data),
  ];
  expect(actual.size).toBeGreaterThan(10);
  expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32Steps);
});
