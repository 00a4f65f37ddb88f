// Axes and `batched` of a cycle are the least fixpoint of its ops' rules: something in it or before it must bring them
// in. A rewriting that takes away just that (a broadcast on the cycle, an accumulator's declared type) leaves types that
// hold each other up and nothing else; whoever infers them again finds less. So rewritings that drop operands try the
// whole graph first and, where that happens, keep off the cycles.

import type { Graph, NodeId } from "../graph/graph.ts";
import { axisOrder, inferTypes, sameType } from "../ops/infer.ts";
import { components } from "../schedule/components.ts";
import { wire } from "../schedule/wiring.ts";

/** Runs `rewrite` on all nodes or, where types would lose their ground, on those that are on no cycle. */
export function keepingTypes(
  graph: Graph,
  rewrite: (graph: Graph, isAllowed: (id: NodeId) => boolean) => Graph,
): Graph {
  const everywhere = rewrite(graph, () => true);
  if (everywhere === graph || areLeast(everywhere)) return everywhere;
  return rewrite(graph, offCycles(graph));
}

function areLeast(graph: Graph): boolean {
  const inferred = inferTypes(axisOrder(graph.axes), [...graph.nodes.values()]);
  for (const [id, node] of graph.nodes) if (!sameType(inferred.get(id)!.type, node.type)) return false;
  return true;
}

function offCycles(graph: Graph): (id: NodeId) => boolean {
  const { nodes, operands } = wire(graph);
  const cyclic = new Set<NodeId>();
  for (const component of components(operands)) {
    if (component.length > 1) for (const v of component) cyclic.add(nodes[v]!.id);
  }
  return id => !cyclic.has(id);
}
