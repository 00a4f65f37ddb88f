// A reduction to one number for each row, and what is made of that number, as a square root, in one draw: where a nest of
// numbers is all that reads a reduction, it computes it.

import type { Graph, Node, NodeId } from "../../compiler/graph/graph.ts";
import { product } from "../plan/layout.ts";
import type { Item } from "../plan/plan.ts";

export type InlinedReduction = Extract<Node, { op: "sum" | "max" | "logsumexp" }>;

/** The reductions that nests compute themselves. */
export function inlineReductions(graph: Graph, items: readonly Item[]): ReadonlySet<NodeId> {
  const users = new Map<NodeId, NodeId[]>();
  for (const { id, inputs } of graph.nodes.values()) {
    for (const input of inputs) users.set(input, [...(users.get(input) ?? []), id]);
  }
  const outputs = new Set(graph.outputs.values());
  const inlined = new Set<NodeId>();
  const walk = (body: readonly Item[]): void => {
    const before = new Set<NodeId>();
    for (const item of body) {
      if (item.kind === "loop") walk(item.body);
      else if (item.kind === "kernel") {
        if (!item.accumulate) before.add(item.node);
      } else {
        for (const { node: id } of item.loads) {
          const node = graph.nodes.get(id)!;
          if (!before.has(id) || !isNumber(graph, item.nodes[0]!) || !isReduction(graph, node)) continue;
          if (!outputs.has(id) && users.get(id)!.every(user => item.nodes.includes(user))) inlined.add(id);
        }
      }
    }
  };
  walk(items);
  return inlined;
}

const isNumber = (graph: Graph, id: NodeId): boolean => product(graph.nodes.get(id)!.type.shape) === 1;

/** Over features only: what goes over examples or positions is long enough for a draw. */
function isReduction(graph: Graph, node: Node): node is InlinedReduction {
  if (node.op !== "sum" && node.op !== "max" && node.op !== "logsumexp") return false;
  return node.attrs.axes.length === 0 && !node.attrs.batch && isNumber(graph, node.id);
}
