// Which new values of parameters and states are written over the old ones right where they are computed: a nest reads
// the old value of each element before it writes the new one, and nobody reads the old value afterwards.

import type { Graph, NodeId } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { type FusedItem, type Item, ownersOf, type Plan } from "../plan/plan.ts";

/** The parameter or state whose memory a value is computed in; `node` is null where nothing reads the old value. */
export interface Target {
  readonly node: NodeId | null;
  readonly name: string;
}

export function updatesInPlace(
  { schedule: { graph }, results, updates }: Program,
  plan: Plan,
): ReadonlyMap<NodeId, Target> {
  const variables = new Map<string, NodeId>();
  for (const node of graph.nodes.values()) {
    if (node.op === "parameter" || node.op === "state") variables.set(node.attrs.name, node.id);
  }
  const names = [...results, ...updates.map(({ output }) => output)];
  const read = new Set(names.flatMap(name => ownersOf(plan, graph, graph.outputs.get(name)!)));
  const chosen = new Map<NodeId, Target>();
  for (const { target: name, output } of updates) {
    const id = graph.outputs.get(output)!;
    const node = variables.get(name) ?? null;
    if (chosen.has(id) || (node !== null && read.has(node))) continue;
    const at = plan.items.findIndex(item => item.kind === "fused" && item.stores.includes(id));
    if (at < 0 || plan.parts.has(id)) continue;
    if (node === null || isLastReader(plan, graph, at, node)) chosen.set(id, { node, name });
  }
  return chosen;
}

/** Whether item `at` and those before it are all that read the variable, and item `at` element by element. */
function isLastReader(plan: Plan, graph: Graph, at: number, variable: NodeId): boolean {
  const reads = (id: NodeId): boolean => ownersOf(plan, graph, id).includes(variable);
  if (plan.items.slice(at + 1).some(item => operandsOf(graph, item).some(reads))) return false;
  return (plan.items[at] as FusedItem).loads.every(
    ({ node, dims }) => !reads(node) || (node === variable && dims.every((dim, d) => dim === d)),
  );
}

function operandsOf(graph: Graph, item: Item): readonly NodeId[] {
  if (item.kind === "loop") return item.body.flatMap(inner => operandsOf(graph, inner));
  return item.kind === "fused" ? item.loads.map(({ node }) => node) : graph.nodes.get(item.node)!.inputs;
}
