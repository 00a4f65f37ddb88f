// Pass `algebra`: identities of arithmetic and of views.
//
// Needs nothing; finds more after `fold`. Guarantees only that values stay: no rule may turn NaN or infinity into
// something else where an example is real, so x * 0 goes only where x is finite whatever is fed, and x - x never. (In
// padding anything may change.) -0 and 0 count as equal. Method: operands first, one rule a node (rules.ts), again
// until nothing changes, since a rule's result may let a cycle's delay go.

import type { Graph, NodeId } from "../graph/graph.ts";
import { keepingTypes } from "./cycles.ts";
import type { Pass } from "./pass.ts";
import { operandsFirst, Rewriter } from "./rewriter.ts";
import { simplified } from "./rules.ts";

export const algebra: Pass = {
  name: "algebra",
  doc: "Identities of arithmetic and of views: x + 0, x * 1, zeros through delays, slices of concatenations.",
  run: simplify,
};

/** Every round undoes at least one node; in practice two or three rounds find everything. */
const mostRounds = 16;

function simplify(graph: Graph): Graph {
  let current = graph;
  for (let round = 0; round < mostRounds; round++) {
    const next = keepingTypes(current, simplifyOnce);
    if (next === current) break;
    current = next;
  }
  return current;
}

function simplifyOnce(graph: Graph, isAllowed: (id: NodeId) => boolean): Graph {
  const rewriter = new Rewriter(graph);
  for (const { id } of operandsFirst(graph)) {
    if (rewriter.resolve(id) !== id || !isAllowed(id)) continue;
    const by = simplified(rewriter, rewriter.node(id));
    if (by !== null) rewriter.replace(id, by);
  }
  return rewriter.changes === 0 ? graph : rewriter.finish();
}
