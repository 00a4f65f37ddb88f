// Tidies the graph that lowering wrote: broadcasts that change nothing go (lowering asks for each example's own value
// wherever it might matter), and what no output reaches; the rest is numbered in reading order, operands first, so
// that only cycles refer forward.

import type { Graph, Node, NodeId, NodeType } from "../graph/graph.ts";
import { axisOrder, inferTypes, sameType } from "../ops/infer.ts";
import { InternalError } from "../unreachable.ts";

export interface Tidied {
  readonly graph: Graph;
  /** The new id of a node, or null when it is dead. */
  renamed(id: NodeId): NodeId | null;
}

export function tidy(graph: Graph): Tidied {
  const skipped = findIdle(graph);
  const resolve = (id: NodeId): NodeId => resolveIn(skipped, id);
  const nodes = withoutSkipped(graph, skipped);
  const roots = [...graph.outputs.values()].map(resolve);
  const ids = new Map<NodeId, NodeId>();
  for (const id of readingOrder(nodes, roots)) ids.set(id, ids.size as NodeId);
  const renamed = (id: NodeId): NodeId | null => ids.get(resolve(id)) ?? null;
  const rename = (id: NodeId): NodeId => {
    const found = renamed(id);
    if (found === null) throw new InternalError("tidy", `%${id} is read and has no place`);
    return found;
  };
  const kept = [...ids].map(([old, id]): [NodeId, Node] => {
    const node = nodes.get(old)!;
    return [id, { ...node, id, inputs: node.inputs.map(rename) }];
  });
  const outputs = new Map([...graph.outputs].map(([name, id]) => [name, rename(id)]));
  return { graph: { axes: graph.axes, nodes: new Map(kept), outputs }, renamed };
}

type Skipped = ReadonlyMap<NodeId, NodeId>;

function resolveIn(skipped: Skipped, id: NodeId): NodeId {
  let at = id;
  for (let next = skipped.get(at); next !== undefined; next = skipped.get(at)) at = next;
  return at;
}

function withoutSkipped(graph: Graph, skipped: Skipped): ReadonlyMap<NodeId, Node> {
  const kept = [...graph.nodes.values()].filter(({ id }) => !skipped.has(id));
  return new Map(
    kept.map(node => [node.id, { ...node, inputs: node.inputs.map(id => resolveIn(skipped, id)) } as Node]),
  );
}

/** Whether a broadcast would leave an operand of this type as it is. */
function isIdle(node: Node, operand: NodeType): boolean {
  if (node.op !== "broadcast") return false;
  const { shape, axes, batched } = node.attrs;
  return (
    shape.length === operand.shape.length &&
    shape.every((size, dim) => size === operand.shape[dim]) &&
    axes.every(axis => operand.axes.includes(axis)) &&
    (!batched || operand.batched)
  );
}

/**
 * The broadcasts that change nothing, each with its operand. On a cycle a broadcast may be what gives the cycle its
 * axes, and look idle for that very reason: types are inferred again without the candidates, and those that turn
 * out to be needed stay.
 */
function findIdle(graph: Graph): Skipped {
  const order = axisOrder(graph.axes);
  const types = new Map([...graph.nodes].map(([id, node]) => [id, node.type]));
  let skipped = idleAmong([...graph.nodes.values()], types, new Map());
  while (skipped.size > 0) {
    const left = inferTypes(order, [...withoutSkipped(graph, skipped).values()]);
    if ([...left].every(([id, node]) => sameType(node.type, types.get(id)!))) return skipped;
    const inferred = new Map([...left].map(([id, node]) => [id, node.type]));
    const candidates = [...skipped.keys()].map(id => graph.nodes.get(id)!);
    const fewer = idleAmong(candidates, inferred, skipped);
    if (fewer.size === skipped.size) throw new InternalError("tidy", "types changed without a cause");
    skipped = fewer;
  }
  return skipped;
}

function idleAmong(nodes: readonly Node[], types: ReadonlyMap<NodeId, NodeType>, skipped: Skipped): Skipped {
  return new Map(
    nodes.flatMap(node => {
      const [input] = node.inputs;
      const type = input === undefined ? undefined : types.get(resolveIn(skipped, input));
      return input !== undefined && type !== undefined && isIdle(node, type) ? [[node.id, input]] : [];
    }),
  );
}

/** What the roots reach, operands before their users where there is no cycle. Its own stack: graphs may be deep. */
function readingOrder(nodes: ReadonlyMap<NodeId, Node>, roots: readonly NodeId[]): Iterable<NodeId> {
  const done = new Set<NodeId>();
  const open = new Set<NodeId>();
  for (const root of roots) {
    const stack = [{ id: root, next: 0 }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const node = nodes.get(frame.id);
      if (node === undefined) throw new InternalError("tidy", `there is no node %${frame.id}`);
      open.add(frame.id);
      const input = done.has(frame.id) ? undefined : node.inputs[frame.next++];
      if (input === undefined) {
        done.add(frame.id);
        stack.pop();
      } else if (!open.has(input)) stack.push({ id: input, next: 0 });
    }
  }
  return done;
}
