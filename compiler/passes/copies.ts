// Pass `copies`: readers of a copy read the original.
//
// Copies are adjoint accumulators with one contribution of their own type, and stopGradient, which means nothing once
// derivatives have been taken: run this pass after the last differentiation only. Guarantees that neither is left.
// Method: one replacement a node; on a cycle, chains of copies end at the delay that every cycle has.

import type { Graph, Node, NodeId } from "../graph/graph.ts";
import { sameType } from "../ops/infer.ts";
import { keepingTypes } from "./cycles.ts";
import type { Pass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

export const copies: Pass = {
  name: "copies",
  doc: "Readers of a copy (an accumulator of one value, stopGradient) read the original.",
  run: graph => keepingTypes(graph, propagateCopies),
};

function propagateCopies(graph: Graph, isAllowed: (id: NodeId) => boolean): Graph {
  const rewriter = new Rewriter(graph);
  for (const [id, node] of graph.nodes) {
    const [original] = node.inputs;
    if (original === undefined || !isCopy(node) || !isAllowed(id)) continue;
    if (sameType(graph.nodes.get(original)!.type, node.type)) rewriter.replace(id, original);
  }
  return rewriter.changes === 0 ? graph : rewriter.finish();
}

const isCopy = ({ op, inputs }: Node): boolean =>
  (op === "accumulate" && inputs.length === 1) || op === "stopGradient";
