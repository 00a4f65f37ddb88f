// A draw reads a limited number of matrices. Nests that read more are split: what some of their nodes come to is stored
// on the way.

import type { Graph, NodeId } from "../../compiler/graph/graph.ts";
import { constantFill, type Load } from "../plan/fusion.ts";
import type { FusedItem, Item, Plan } from "../plan/plan.ts";

/** The matrices that reading a value takes, each with how far back along which axes. */
export function matricesOf(graph: Graph, plan: Plan, value: NodeId): ReadonlySet<string> {
  const read = new Set<string>();
  const visit = (id: NodeId, back: string): void => {
    if (constantFill(graph, id) !== null) return;
    const operand = plan.viewed.get(id);
    const node = graph.nodes.get(id)!;
    if (operand === undefined) read.add(`${id}${back}`);
    else if (node.op !== "shift") visit(operand, back);
    else {
      const { axis, offset } = node.attrs;
      if (offset < 0) read.add(`length ${axis}`);
      visit(operand, `${back} ${axis} ${offset}`);
      visit(node.inputs[1]!, back);
    }
  };
  visit(value, "");
  return read;
}

/** A plan whose nests have no result that takes more than `most` matrices. */
export function splitWide(graph: Graph, plan: Plan, most: number): Plan {
  const items = (list: readonly Item[]): readonly Item[] =>
    list.flatMap((item): readonly Item[] => {
      if (item.kind === "loop") return [{ ...item, body: items(item.body) }];
      return item.kind === "fused" ? split(graph, plan, item, most) : [item];
    });
  return { ...plan, items: items(plan.items) };
}

function split(graph: Graph, plan: Plan, item: FusedItem, most: number): readonly FusedItem[] {
  const reads = new Map<NodeId, ReadonlySet<string>>();
  const cuts: NodeId[] = [];
  const readOf = (id: NodeId): ReadonlySet<string> => reads.get(id) ?? matricesOf(graph, plan, id);
  for (const id of item.nodes) {
    const inputs = [...new Set(graph.nodes.get(id)!.inputs)];
    const all = (): Set<string> => new Set(inputs.flatMap(input => [...readOf(input)]));
    // The operands that take most are stored first.
    const members = inputs
      .filter(input => item.nodes.includes(input))
      .sort((a, b) => readOf(b).size - readOf(a).size);
    for (const member of members) {
      if (all().size <= most) break;
      if (cuts.includes(member) || readOf(member).size < 2) continue;
      cuts.push(member);
      reads.set(member, new Set([`${member}`]));
    }
    reads.set(id, all());
  }
  if (cuts.length === 0) return [item];
  const order = item.nodes.filter(id => cuts.includes(id));
  return [...order.map(id => [id]), item.stores.filter(id => !cuts.includes(id))].flatMap((stores, i) =>
    stores.length === 0 ? [] : [part(graph, item, stores, order.slice(0, i))],
  );
}

/** The part of a nest that computes some of its nodes, others being stored. */
function part(
  graph: Graph,
  item: FusedItem,
  stores: readonly NodeId[],
  stored: readonly NodeId[],
): FusedItem {
  const needed = new Set(stores);
  for (const id of item.nodes.toReversed()) {
    if (needed.has(id) && !stored.includes(id)) {
      for (const input of graph.nodes.get(id)!.inputs) needed.add(input);
    }
  }
  const nodes = item.nodes.filter(id => needed.has(id) && !stored.includes(id));
  const rank = graph.nodes.get(item.nodes[0]!)!.type.shape.length;
  const dims = Array.from({ length: rank }, (_, d) => d);
  const between = stored.flatMap((id): Load[] => (needed.has(id) ? [{ node: id, dims }] : []));
  const loads = [...item.loads.filter(({ node }) => needed.has(node)), ...between];
  return { ...item, nodes, loads, stores };
}
