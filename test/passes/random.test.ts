// Random recurrence graphs: passes, schedules and unrolling keep what the reference evaluates, gradients included.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { runPasses } from "../../compiler/passes/pass.ts";
import { afterAdjoint, allPasses, beforeAdjoint } from "../../compiler/passes/pipeline.ts";
import { schedule } from "../../compiler/schedule/build.ts";
import { parseSchedule, printSchedule } from "../../compiler/schedule/text.ts";
import { unroll } from "../../compiler/unroll/unroll.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { foundGraphs } from "../harness/found-graphs.ts";
import { withGradients } from "../harness/graphs.ts";
import { randomGraph } from "../harness/random-graphs.ts";
import { distributed, merged, orderProblems, scheduled, sunk } from "../harness/schedules.ts";
import { tolerances } from "../harness/tolerances.ts";

const choices = fc.array(fc.nat(1 << 16), { minLength: 4, maxLength: 90, size: "max" });

/** Graphs with an order only: others have no value. */
function ordered(list: readonly number[]): Graph | null {
  const graph = randomGraph(list);
  return schedule(graph).kind === "scheduled" ? graph : null;
}

const environmentOf = (graph: Graph) => randomEnvironment(graph, { batch: 2, extent: 3 });

function error(changed: Graph, graph: Graph): number {
  const environment = environmentOf(graph);
  // Values are of order 1; a gradient of 1e-6 is what is left of larger ones.
  return outputsError(evaluateGraph(changed, environment), evaluateGraph(graph, environment), 1);
}

const runs = { seed: 7, numRuns: 120 };

describe("on random graphs with their gradients", () => {
  test("most have an order and a recurrence", () => {
    const lists = fc.sample(choices, runs);
    const graphs = lists.flatMap(list => ordered(list) ?? []);
    expect(graphs.length).toBeGreaterThan(lists.length * 0.6);
    const looping = graphs.filter(graph => scheduled(graph).steps.some(({ kind }) => kind === "loop"));
    expect(looping.length).toBeGreaterThan(lists.length * 0.35);
  });

  test("passes, one by one and all", () => {
    fc.assert(fc.property(choices, checkPasses), runs);
  });

  test("schedules are in order, print and parse back, and unroll", () => {
    fc.assert(fc.property(choices, checkSchedules), runs);
  });

  test.each(Object.entries(foundGraphs))("found before: %s", (_, list) => {
    checkPasses(list);
    checkSchedules(list);
  });
});

function checkPasses(list: readonly number[]): void {
  const model = ordered(list);
  if (model === null) return;
  const whole = withGradients(model);
  for (const pass of allPasses) {
    const changed = runPasses(whole, [pass], { verify: true });
    expect(error(changed, whole), pass.name).toBeLessThan(tolerances.rearranged);
  }
  const after = simplified(model, true);
  // Parameters that only dead branches read have no gradient here.
  const outputs = new Map([...whole.outputs].filter(([name]) => after.outputs.has(name)));
  expect(error(after, { ...whole, outputs })).toBeLessThan(tolerances.rearranged);
}

const simplified = (model: Graph, verify: boolean): Graph =>
  runPasses(withGradients(runPasses(model, beforeAdjoint, { verify })), afterAdjoint, { verify });

function checkSchedules(list: readonly number[]): void {
  const model = ordered(list);
  if (model === null) return;
  const graph = simplified(model, false);
  const extents = new Map(graph.axes.map(({ id }) => [id, 3]));
  for (const options of [distributed, sunk, merged]) {
    const found = scheduled(graph, options);
    expect(orderProblems(found)).toEqual([]);
    const parsed = parseSchedule(printSchedule(found));
    expect(parsed.ok && parsed.schedule.steps).toEqual(found.steps);
    expect(parsed.ok && parsed.schedule.keeping).toEqual(found.keeping);
    expect(error(unroll(found, extents), graph)).toBeLessThan(tolerances.rearranged);
  }
}
