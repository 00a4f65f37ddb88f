// Reverse-mode differentiation of the recurrence graph itself. Back-propagation through time is not a special case:
// the adjoint of a delay is a delay the other way, so the result is again a recurrence graph, which can be
// differentiated again. Rules of single ops are in compiler/ops/.

import type { AxisId, Graph, Node, NodeId, NodeType } from "../graph/graph.ts";
import { GraphBuilder } from "../ops/builder.ts";
import { sameList } from "../ops/infer.ts";
import { opRecord } from "../ops/table.ts";
import { InternalError } from "../unreachable.ts";

export interface Differentiated {
  /** The graph given, its ids kept, with the adjoints added. */
  readonly graph: Graph;
  /** d loss / d node for each of `wrt`, of exactly that node's type; zeros where the loss does not depend on it. */
  readonly gradients: ReadonlyMap<NodeId, NodeId>;
}

/** The gradients of `loss` (a real scalar without axes, unbatched) with respect to `wrt`, added to `graph`. */
export function differentiate(graph: Graph, loss: NodeId, wrt: readonly NodeId[]): Differentiated {
  const builder = GraphBuilder.from(graph);
  const gradients = addAdjoints(builder, graph, loss, wrt);
  return { graph: builder.finish(), gradients };
}

/**
 * Adds the adjoints of `graph`, which `builder` goes on with; returns the gradients.
 *
 * Every node on a path from `wrt` to the loss gets an accumulator of exactly its own type before any rule runs, so
 * cycles need no order and no type inference. Each rule's contribution is then reduced over the axes, the batch and
 * the broadcast features that the node has and the operand lacks.
 */
export function addAdjoints(
  builder: GraphBuilder,
  graph: Graph,
  loss: NodeId,
  wrt: readonly NodeId[],
): ReadonlyMap<NodeId, NodeId> {
  const lossType = builder.typeOf(loss);
  if (lossType.dtype !== "real" || lossType.shape.length + lossType.axes.length > 0 || lossType.batched) {
    throw new InternalError(
      "differentiate",
      `the loss %${loss} must be an unbatched real scalar without axes`,
    );
  }
  const active = activeNodes(graph, loss, wrt);
  const adjoints = new Map<NodeId, NodeId>();
  for (const node of active) {
    builder.withPlace(node, () => adjoints.set(node.id, builder.accumulate(node.type, [])));
  }
  for (const node of active) {
    const adjoint = adjoints.get(node.id)!;
    if (node.id === loss) builder.append(adjoint, builder.constant(1));
    builder.withPlace(node, () => propagate(builder, graph, node, adjoint, adjoints));
  }
  return new Map(
    wrt.map(id => {
      const zeros = (): NodeId =>
        builder.withPlace(builder.nodeOf(id), () => builder.accumulate(builder.typeOf(id), []));
      return [id, adjoints.get(id) ?? zeros()] as const;
    }),
  );
}

/** Adds what `node` passes back to each of its operands. */
function propagate(
  builder: GraphBuilder,
  graph: Graph,
  node: Node,
  adjoint: NodeId,
  adjoints: ReadonlyMap<NodeId, NodeId>,
): void {
  const rule = opRecord(node.op).adjoint;
  if (typeof rule !== "function") return;
  for (const [k, operand] of node.inputs.entries()) {
    const accumulator = adjoints.get(operand);
    if (accumulator === undefined) continue;
    const contribution = rule(builder, node, k, adjoint);
    if (contribution === null) continue;
    builder.append(accumulator, reduceTo(builder, contribution, nodeOf(graph, operand).type));
  }
}

/** Nodes that depend on `wrt` and that the loss depends on, along differentiable edges, in ascending order. */
function activeNodes(graph: Graph, loss: NodeId, wrt: readonly NodeId[]): readonly Node[] {
  const users = new Map<NodeId, NodeId[]>();
  for (const node of graph.nodes.values()) {
    if (!isDifferentiable(node)) continue;
    for (const input of node.inputs) {
      const list = users.get(input);
      if (list === undefined) users.set(input, [node.id]);
      else list.push(node.id);
    }
  }
  const below = reach(wrt, id => users.get(id) ?? []);
  const above = reach([loss], id => {
    const node = nodeOf(graph, id);
    return isDifferentiable(node) ? node.inputs : [];
  });
  return [...graph.nodes.values()].filter(({ id }) => below.has(id) && above.has(id));
}

const isDifferentiable = (node: Node): boolean =>
  node.type.dtype === "real" && typeof opRecord(node.op).adjoint === "function";

function reach(from: readonly NodeId[], next: (id: NodeId) => readonly NodeId[]): ReadonlySet<NodeId> {
  const seen = new Set(from);
  const stack = [...from];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    for (const other of next(id)) {
      if (seen.has(other)) continue;
      seen.add(other);
      stack.push(other);
    }
  }
  return seen;
}

/** Sums a contribution over the axes, the batch and the broadcast features that `target` lacks. */
function reduceTo(builder: GraphBuilder, contribution: NodeId, target: NodeType): NodeId {
  const type = builder.typeOf(contribution);
  const kept = new Set<AxisId>(target.axes);
  const axes = type.axes.filter(axis => !kept.has(axis));
  const batch = type.batched && !target.batched;
  const extra = type.shape.length - target.shape.length;
  const dims = type.shape.flatMap((size, dim) =>
    dim < extra || (target.shape[dim - extra] === 1 && size !== 1) ? [dim] : [],
  );
  if (axes.length === 0 && !batch && dims.length === 0) return contribution;
  const sum = builder.sum(contribution, { axes, batch, dims });
  return sameList(builder.typeOf(sum).shape, target.shape) ? sum : builder.reshape(sum, target.shape);
}

function nodeOf(graph: Graph, id: NodeId): Node {
  const node = graph.nodes.get(id);
  if (node === undefined) throw new InternalError("differentiate", `the graph has no node %${id}`);
  return node;
}
