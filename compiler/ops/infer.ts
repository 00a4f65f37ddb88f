// Types of a whole graph. An op's rule gives one node's type from its operands'; on a cycle the axes and `batched`
// are the least fixpoint of the rules: everything starts without axes and unbatched and only grows.

import type { Axis, AxisId, Node, NodeId, NodeOf, NodeType, OpName } from "../graph/graph.ts";
import { InternalError } from "../unreachable.ts";
import { ops } from "./table.ts";

/** Each axis's place in `Graph.axes`. */
export type AxisOrder = ReadonlyMap<AxisId, number>;

export const axisOrder = (axes: readonly Axis[]): AxisOrder => new Map(axes.map(({ id }, i) => [id, i]));

/** The axes once each, in the order of the graph's. An axis the graph lacks is our own bug. */
export function orderAxes(order: AxisOrder, axes: readonly AxisId[]): readonly AxisId[] {
  for (const axis of axes) {
    if (!order.has(axis)) throw new InternalError("orderAxes", `axis ${axis} is not declared`);
  }
  if (axes.length < 2) return axes;
  return [...new Set(axes)].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
}

/** What a node's rule says of it, axes ordered. Throws where the rule refuses the shapes. */
export function typeByRule<O extends OpName>(
  order: AxisOrder,
  node: Pick<NodeOf<O>, "op" | "attrs">,
  inputs: readonly NodeType[],
): NodeType {
  const type = ops[node.op].type(inputs, node.attrs);
  return { ...type, axes: orderAxes(order, type.axes) };
}

/** The nodes with their final types, in ascending order of id. dtypes and shapes are taken as they stand. */
export function inferTypes(order: AxisOrder, nodes: readonly Node[]): ReadonlyMap<NodeId, Node> {
  const types = new Map<NodeId, NodeType>();
  for (const { id, type } of nodes) types.set(id, { ...type, axes: [], batched: false });
  const users = usersOf(nodes);
  const pending = new Set(nodes);
  // A Set keeps insertion order and forgets duplicates: in an acyclic graph every node is taken once.
  for (const node of pending) {
    pending.delete(node);
    const inputs = node.inputs.map(id => known(types, id, node));
    const before = known(types, node.id, node);
    const after = typeByRule(order, node, inputs);
    if (sameExtent(before, after)) continue;
    types.set(node.id, after);
    for (const user of users.get(node.id) ?? []) pending.add(user);
  }
  const typed = nodes.map(node => {
    const type = known(types, node.id, node);
    return [node.id, sameType(type, node.type) ? node : { ...node, type }] as const;
  });
  return new Map(typed.sort(([a], [b]) => a - b));
}

function usersOf(nodes: readonly Node[]): ReadonlyMap<NodeId, readonly Node[]> {
  const users = new Map<NodeId, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      const list = users.get(input);
      if (list === undefined) users.set(input, [node]);
      else list.push(node);
    }
  }
  return users;
}

function known(types: ReadonlyMap<NodeId, NodeType>, id: NodeId, node: Node): NodeType {
  const type = types.get(id);
  if (type === undefined) {
    throw new InternalError(
      "inferTypes",
      `%${node.id} = ${node.op} (${node.label}) reads %${id}, which is not there`,
    );
  }
  return type;
}

export const sameList = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

const sameExtent = (a: NodeType, b: NodeType): boolean => a.batched === b.batched && sameList(a.axes, b.axes);

export const sameType = (a: NodeType, b: NodeType): boolean =>
  a.dtype === b.dtype && sameList(a.shape, b.shape) && sameExtent(a, b);
