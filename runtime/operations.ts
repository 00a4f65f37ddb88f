// Counts a program's floating-point operations by the ops' cost records: what each equation's nodes take, and how
// often. A special function such as tanh counts as about ten (compiler/ops). Padding counts: it is computed too.

import type { AxisId, Node, NodeOf, NodeType, OpName } from "../compiler/graph/graph.ts";
import { opRecord } from "../compiler/ops/table.ts";
import type { Program } from "../compiler/program/program.ts";
import { liveNodes } from "../compiler/schedule/wiring.ts";

/** How often something is computed in one call: once for each example and each index of some axes of unknown length. */
export interface Rate {
  readonly batched: boolean;
  /** In the graph's order. */
  readonly axes: readonly AxisId[];
}

/** Operations at a rate. */
export interface Operations extends Rate {
  /** Equation or parameter that the nodes belong to; null for the optimiser's. */
  readonly label: string | null;
  readonly flops: number;
}

/** What a call of a program takes, a row for each label and rate. */
export function operationsOf({ graph }: Program): readonly Operations[] {
  const live = liveNodes(graph);
  const rows = new Map<string, Operations>();
  for (const node of graph.nodes.values()) {
    if (!live.has(node.id)) continue;
    const inputs = node.inputs.map(id => graph.nodes.get(id)!.type);
    // The index space of an op is that of its operands: a sum over t is as much work as t is long.
    const over = [node.type, ...inputs];
    const along = graph.axes.filter(({ id }) => over.some(({ axes }) => axes.includes(id)));
    const repeats = along.reduce((product, { length }) => product * (length ?? 1), 1);
    const flops = costOf(node, inputs) * repeats;
    if (flops === 0) continue;
    const axes = along.filter(({ length }) => length === null).map(({ id }) => id);
    const batched = over.some(type => type.batched);
    // Only the optimiser's nodes come from nowhere in the source; adjoints stand where what they differentiate does.
    const label = node.span === null ? null : node.label;
    const key = JSON.stringify([label, batched, axes]);
    rows.set(key, { label, batched, axes, flops: flops + (rows.get(key)?.flops ?? 0) });
  }
  return [...rows.values()];
}

function costOf(node: Node, inputs: readonly NodeType[]): number {
  const any: NodeOf<OpName> = node;
  return opRecord<OpName>(node.op).cost(any, inputs).flops;
}

/** How many times one call computes what has this rate. */
export function timesOf(
  { batched, axes }: Rate,
  batch: number,
  extents: ReadonlyMap<AxisId, number>,
): number {
  return axes.reduce((product, axis) => product * extents.get(axis)!, batched ? batch : 1);
}
