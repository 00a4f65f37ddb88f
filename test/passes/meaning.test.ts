// Every pass keeps what the reference evaluates, on the hand-built recurrences and their derivatives.

import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { runPasses } from "../../compiler/passes/pass.ts";
import { afterAdjoint, allPasses, beforeAdjoint } from "../../compiler/passes/pipeline.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { graphs, withGradients } from "../harness/graphs.ts";
import { tolerances } from "../harness/tolerances.ts";

const classes = new Map([
  ["word", 11],
  ["next", 11],
]);

function difference(changed: Graph, graph: Graph): number {
  const environment = randomEnvironment(graph, { classes });
  return outputsError(evaluateGraph(changed, environment), evaluateGraph(graph, environment));
}

describe.each(Object.entries(graphs))("%s", (_, make) => {
  const model = make();
  const adjoint = withGradients(model);

  test.each(allPasses)("pass $name", pass => {
    const changed = runPasses(adjoint, [pass], { verify: true });
    expect(difference(changed, adjoint)).toBeLessThan(tolerances.rearranged);
    expect([...changed.outputs.keys()]).toEqual([...adjoint.outputs.keys()]);
  });

  test("all of them, before and after differentiation", () => {
    const before = runPasses(model, beforeAdjoint, { verify: true });
    const whole = withGradients(before);
    const after = runPasses(whole, afterAdjoint, { verify: true });
    expect(difference(after, adjoint)).toBeLessThan(tolerances.rearranged);
    expect(after.nodes.size).toBeLessThan(adjoint.nodes.size * 0.8);
  });

  test("running them again changes nothing more", () => {
    const once = runPasses(adjoint, afterAdjoint);
    const twice = runPasses(once, afterAdjoint);
    expect(twice.nodes.size).toBe(once.nodes.size);
  });
});
