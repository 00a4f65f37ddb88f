// Profiles: the time of each marked stretch of the code, told by the equations of the nodes that it computes. How the
// host measures is the target's affair.

import type { Graph, Node, NodeId, NodeOf, OpName } from "../../compiler/graph/graph.ts";
import { opRecord } from "../../compiler/ops/table.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { ProfileEntry } from "../api.ts";

/** A stretch of the main function that is timed by itself. */
export interface Mark {
  /** What it computes; or products for which it packs a matrix. */
  readonly nodes: readonly NodeId[];
  readonly packs: boolean;
}

/** The times of marks, in milliseconds and in their order, by equation and part of the work. */
export function profileOf(
  { schedule: { graph }, results }: Program,
  marks: readonly Mark[],
  times: ArrayLike<number>,
): readonly ProfileEntry[] {
  const forward = ancestors(graph, results);
  const entries = new Map<string, ProfileEntry>();
  for (const [i, { nodes, packs }] of marks.entries()) {
    const members = nodes.map(id => graph.nodes.get(id)!);
    const shares = sharesOf(graph, members);
    for (const [k, { id, label, span }] of members.entries()) {
      const part = packs ? "packing" : forward.has(id) ? "forward" : span === null ? "update" : "backward";
      const key = JSON.stringify([part, label, span?.source.name, span?.start, span?.end]);
      const milliseconds = times[i]! * shares[k]! + (entries.get(key)?.milliseconds ?? 0);
      entries.set(key, { label, span, part, milliseconds });
    }
  }
  return [...entries.values()];
}

/** What part each of the nodes has in the time of all: as its operations have, or all the same where there are none. */
export function sharesOf(graph: Graph, members: readonly Node[]): readonly number[] {
  const costs = members.map(node => {
    const any: NodeOf<OpName> = node;
    const inputs = node.inputs.map(id => graph.nodes.get(id)!.type);
    return opRecord<OpName>(node.op).cost(any, inputs).flops;
  });
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  return costs.map(cost => (total > 0 ? cost / total : 1 / members.length));
}

/** What these outputs are computed from. */
function ancestors(graph: Graph, outputs: readonly string[]): ReadonlySet<NodeId> {
  const found = new Set(outputs.map(name => graph.outputs.get(name)!));
  for (const id of found) for (const input of graph.nodes.get(id)!.inputs) found.add(input);
  return found;
}
