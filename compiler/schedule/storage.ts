// How much a schedule stores along its axes: the measure by which sinking and recomputing are judged.

import type { AxisId, Graph, Node, NodeId } from "../graph/graph.ts";
import type { Schedule, Step } from "./schedule.ts";
import { floatsPerStep, workOf } from "./traits.ts";

/**
 * Numbers that stay in memory for each example and each index of the axes of unknown length: batched vector values
 * and sequences kept from loops. What the caller feeds is not counted, nor are views of what is counted.
 */
export function storedFloats({ graph, steps, keeping }: Schedule): number {
  const stored = new Set<NodeId>();
  const visit = (list: readonly Step[], depth: number): void => {
    for (const step of list) {
      if (step.kind === "loop") visit(step.body, depth + 1);
      else if (step.offset === 0 && isStored(graph, step, keeping.get(step.node))) stored.add(step.node);
    }
  };
  visit(steps, 0);
  let total = 0;
  for (const id of stored) {
    const node = graph.nodes.get(id)!;
    if (!isFree(graph, node, stored)) total += floatsPerStep(graph, node.type);
  }
  return total;
}

function isStored(
  graph: Graph,
  step: Exclude<Step, { kind: "loop" }>,
  kept: ReadonlyMap<AxisId, { readonly kind: string }> | undefined,
): boolean {
  const node = graph.nodes.get(step.node)!;
  const dynamic = new Set(graph.axes.flatMap(({ id, length }) => (length === null ? [id] : [])));
  if (!node.type.batched || !node.type.axes.some(axis => dynamic.has(axis))) return false;
  return kept === undefined || [...kept.values()].every(({ kind }) => kind === "sequence");
}

/** Fed, or a view of something fed or stored. */
function isFree(graph: Graph, node: Node, stored: ReadonlySet<NodeId>): boolean {
  const kind = workOf(node);
  if (kind === "source") return true;
  if (kind !== "view") return false;
  const base = graph.nodes.get(node.inputs[0]!)!;
  return stored.has(base.id) || isFree(graph, base, stored);
}
