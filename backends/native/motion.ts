// Which sums over a loop's turns are better computed when it has ended, for all turns at once: where what they add is
// kept anyway or takes little to keep. A sum that outer products or gradients of weights are added to turn by turn is
// one large product then. (What needs nothing of the loop at all may as well stay in it: it takes the same time.)

import type { AxisId, Graph, Node, NodeId } from "../../compiler/graph/graph.ts";
import { sizeOf } from "../../compiler/ops/shapes.ts";
import { elementwise } from "./elementwise.ts";

/** What an op of a loop costs beside its arithmetic, in elements that it could have computed meanwhile. */
const opCost = 5000;

/** Stands for extents and batches that are not known. */
const usualExtent = 30;

const views: ReadonlySet<string> = new Set(["broadcast", "reshape", "transpose", "slice", "stopGradient"]);

/** Ops that need no memory of their own, or little. */
export const isView = ({ op }: Node): boolean => views.has(op);

/** Ops that are as good for all positions as for one. */
const isFree = (node: Node): boolean =>
  Object.hasOwn(elementwise, node.op) || isView(node) || node.op === "concat" || node.op === "pad";

/** Elements that a node has at one index of that axis, about. */
function elementsOf(graph: Graph, { type }: Node, except: AxisId): number {
  const extents = type.axes
    .filter(axis => axis !== except)
    .map(axis => graph.axes.find(({ id }) => id === axis)?.length ?? usualExtent);
  return sizeOf([...extents, type.batched ? usualExtent : 1, ...type.shape]);
}

/** Whether a node is larger than what it is computed from, and so not to be had for all turns at once. */
function expands(graph: Graph, node: Node, axis: AxisId): boolean {
  const operands = node.inputs
    .map(id => graph.nodes.get(id)!)
    .filter(({ type }) => type.axes.includes(axis))
    .map(operand => elementsOf(graph, operand, axis));
  return elementsOf(graph, node, axis) > Math.max(0, ...operands);
}

/** What of a loop is there when it has ended. */
export interface Ended {
  readonly graph: Graph;
  readonly axis: AxisId;
  /** Whether a value is there as a whole without further ado. */
  isThere(id: NodeId): boolean;
  /** Whether the loop computes it, turn by turn. */
  isOwn(id: NodeId): boolean;
  usersOf(id: NodeId): readonly (Node | null)[];
}

/** Values to keep as sequences so that a sum over the turns can be computed after the loop; null: not worth it. */
export function keptFor(sum: Node, loop: Ended): ReadonlySet<NodeId> | null {
  const kept = new Set<NodeId>();
  let cost = 0;
  for (const id of sum.inputs) cost += costOf(id, loop, kept, sum);
  // Each turn it would be added to the running sum.
  const saved = 2 * elementsOf(loop.graph, sum, loop.axis) + 3 * opCost;
  return cost <= saved ? kept : null;
}

/** What it costs to have a value after the loop; adds what is to be kept for it. */
function costOf(id: NodeId, loop: Ended, kept: Set<NodeId>, user: Node): number {
  if (loop.isThere(id) || kept.has(id)) return 0;
  if (!loop.isOwn(id)) return Number.POSITIVE_INFINITY;
  const node = loop.graph.nodes.get(id)!;
  const elements = elementsOf(loop.graph, node, loop.axis);
  const keeping = elements + 4 * opCost;
  // What others read too is computed in the loop all the same.
  const again = loop.usersOf(id).length > 1 ? 2 * elements : 0;
  const inside = new Set(kept);
  const deriving = again + derivingCost(node, loop, inside, user, keeping - again);
  if (deriving > keeping) {
    kept.add(id);
    return keeping;
  }
  for (const other of inside) kept.add(other);
  return deriving;
}

/** What it costs to have the operands there, of what may be computed again; not looked into beyond `limit`. */
function derivingCost(node: Node, loop: Ended, kept: Set<NodeId>, user: Node, limit: number): number {
  const isSummed = user.op === "sum" && node.op === "mul" && loop.usersOf(node.id).length === 1;
  const mayBe = isSummed || isDelay(node, loop) || (isFree(node) && !expands(loop.graph, node, loop.axis));
  // What a delay reads may in turn be computed from the delay.
  if (!mayBe || isDelay(user, loop)) return Number.POSITIVE_INFINITY;
  let cost = 0;
  for (const id of node.inputs) {
    if (cost <= limit) cost += costOf(id, loop, kept, node);
  }
  return cost;
}

const isDelay = (node: Node, { axis }: Ended): boolean => node.op === "shift" && node.attrs.axis === axis;
