// Which loops compute a node.

import type { NodeId } from "../../compiler/graph/graph.ts";
import type { Loop, Step } from "../../compiler/schedule/schedule.ts";

/** For each node of steps within `loops` the loops that compute it, outermost first. */
export function homesOf(steps: readonly Step[], loops: readonly Loop[]): Map<NodeId, readonly Loop[]> {
  const homes = new Map<NodeId, readonly Loop[]>();
  for (const step of steps) {
    if (step.kind !== "loop") homes.set(step.node, step.kind === "accumulate" ? loops.slice(0, -1) : loops);
    else for (const [id, home] of homesOf(step.body, [...loops, step])) homes.set(id, home);
  }
  return homes;
}

/** All nodes of steps, those in loops too. */
export function nodesOf(steps: readonly Step[]): readonly NodeId[] {
  return steps.flatMap(step => (step.kind === "loop" ? nodesOf(step.body) : [step.node]));
}
