// Unrolled graphs compute what the recurrences compute, whatever the examples' lengths and their padding.

import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import type { AxisId, Graph } from "../../compiler/graph/graph.ts";
import { verify } from "../../compiler/ops/verify.ts";
import { runPasses } from "../../compiler/passes/pass.ts";
import { afterAdjoint } from "../../compiler/passes/pipeline.ts";
import { type ScheduleOptions, scheduleWith } from "../../compiler/schedule/merge.ts";
import type { Schedule } from "../../compiler/schedule/schedule.ts";
import { liveNodes } from "../../compiler/schedule/wiring.ts";
import { unrollBy } from "../../compiler/unroll/partial.ts";
import { unroll } from "../../compiler/unroll/unroll.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { graphs, lstm, withGradients } from "../harness/graphs.ts";
import { tolerances } from "../harness/tolerances.ts";

const classes = new Map([
  ["word", 11],
  ["next", 11],
]);

const levels: readonly (readonly [string, ScheduleOptions])[] = [
  ["as distributed", { sink: false, recompute: false }],
  ["sunk", { sink: "cheap", recompute: false }],
  ["sunk and recomputed", { sink: "cheap", recompute: "cheap" }],
  ["with products in loops", { sink: "products", recompute: "cheap" }],
  ["with products recomputed", { sink: "products", recompute: "products" }],
];

function scheduled(graph: Graph, options: ScheduleOptions): Schedule {
  const result = scheduleWith(graph, options);
  if (result.kind === "unordered") throw new Error(JSON.stringify(result.problems));
  return result.schedule;
}

const extentsOf = (graph: Graph, extent: number): ReadonlyMap<AxisId, number> =>
  new Map(graph.axes.map(({ id }) => [id, extent]));

describe.each(Object.entries(graphs))("%s", (_, make) => {
  const adjoint = withGradients(make());

  test.each(levels)("%s", (_, options) => {
    for (const extent of [1, 4]) {
      const environment = randomEnvironment(adjoint, { classes, extent, shortest: 1 });
      const unrolled = unroll(scheduled(adjoint, options), extentsOf(adjoint, extent));
      expect(verify(unrolled)).toEqual([]);
      expect([...unrolled.nodes.values()].some(hasLaterOperand)).toBe(false);
      expect(liveNodes(unrolled).size).toBe(unrolled.nodes.size);
      const actual = evaluateGraph(unrolled, environment);
      expect(outputsError(actual, evaluateGraph(adjoint, environment))).toBeLessThan(tolerances.rearranged);
    }
  });

  test("after all passes", () => {
    const graph = runPasses(adjoint, afterAdjoint, { verify: true });
    const environment = randomEnvironment(adjoint, { classes, extent: 5, seed: 2 });
    const unrolled = unroll(scheduled(graph, levels[2]![1]), extentsOf(graph, 5));
    const actual = evaluateGraph(unrolled, environment);
    expect(outputsError(actual, evaluateGraph(adjoint, environment))).toBeLessThan(tolerances.rearranged);
  });
});

const hasLaterOperand = ({
  id,
  inputs,
}: {
  readonly id: number;
  readonly inputs: readonly number[];
}): boolean => inputs.some(input => input >= id);

describe("unrolling by a factor", () => {
  const whole = scheduled(withGradients(lstm()), levels[2]![1]);

  test("repeats the body with offsets", () => {
    const [loop] = unrollBy(whole, 3).steps.filter(step => step.kind === "loop");
    const [before] = whole.steps.filter(step => step.kind === "loop");
    expect(loop?.kind === "loop" && loop.factor).toBe(3);
    expect(loop?.kind === "loop" && loop.body.length).toBe(
      (before?.kind === "loop" ? before.body.length : 0) * 3,
    );
    expect(
      loop?.kind === "loop" && new Set(loop.body.map(step => (step.kind === "loop" ? -1 : step.offset))),
    ).toEqual(new Set([0, 1, 2]));
  });

  test("again starts from the body for one step", () => {
    expect(unrollBy(unrollBy(whole, 3), 2)).toEqual(unrollBy(whole, 2));
  });

  test("does not change what full unrolling gives", () => {
    const extents = extentsOf(whole.graph, 4);
    expect(unroll(unrollBy(whole, 3), extents)).toEqual(unroll(whole, extents));
  });
});

test("full unrolling is linear in the number of steps", () => {
  const training = runPasses(withGradients(lstm(8, 4)), afterAdjoint);
  const schedule = scheduled(training, levels[2]![1]);
  const time = (extent: number): { readonly ms: number; readonly nodes: number } => {
    const start = performance.now();
    const { nodes } = unroll(schedule, extentsOf(training, extent));
    return { ms: performance.now() - start, nodes: nodes.size };
  };
  time(100);
  const short = time(100);
  const long = time(1000);
  expect(long.nodes).toBeLessThan(short.nodes * 10);
  expect(long.nodes / 1000).toBeLessThan(100);
  expect(long.ms).toBeLessThan(3000);
});
