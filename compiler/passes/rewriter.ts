// A graph under change: new nodes are added, old ones stand for others. Replacements must have exactly the type of what
// they replace, so that no type elsewhere ever changes and cycles need no second inference.

import type { Graph, Node, NodeId, NodeOf, NodeType, OpAttrs, OpName } from "../graph/graph.ts";
import { type AxisOrder, axisOrder, sameType, typeByRule } from "../ops/infer.ts";
import { isShifted, liveNodes, operandsFirst as ordered, wire } from "../schedule/wiring.ts";
import { InternalError } from "../unreachable.ts";

export class Rewriter {
  readonly #graph: Graph;
  readonly #nodes: Map<NodeId, Node>;
  readonly #instead = new Map<NodeId, NodeId>();
  readonly #order: AxisOrder;
  #next: number;
  #changes = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#nodes = new Map(graph.nodes);
    this.#order = axisOrder(graph.axes);
    this.#next = 0;
    for (const id of graph.nodes.keys()) if (id >= this.#next) this.#next = id + 1;
  }

  /** How often something was replaced or rewired. */
  get changes(): number {
    return this.#changes;
  }

  /** What stands for the node now. */
  resolve(id: NodeId): NodeId {
    let at = id;
    for (let next = this.#instead.get(at); next !== undefined; next = this.#instead.get(at)) at = next;
    if (at !== id) this.#instead.set(id, at);
    return at;
  }

  /** The node that stands for the id now; its operands may still be replaced ones. */
  node(id: NodeId): Node {
    const node = this.#nodes.get(this.resolve(id));
    if (node === undefined) throw new InternalError("Rewriter", `no node %${id}`);
    return node;
  }

  /** Operand k of a node, as it stands now. */
  operand(node: Node, k: number): Node {
    return this.node(node.inputs[k]!);
  }

  typeOf(op: OpName, inputs: readonly NodeId[], attrs: Node["attrs"]): NodeType {
    const types = inputs.map(id => this.node(id).type);
    return typeByRule(this.#order, { op, attrs }, types);
  }

  /** A new node from the same place as `from`. */
  add<O extends OpName>(
    op: O,
    inputs: readonly NodeId[],
    attrs: OpAttrs[O],
    from: Pick<Node, "span" | "label">,
  ): NodeId {
    const id = this.#next++ as NodeId;
    const resolved = inputs.map(input => this.resolve(input));
    const type = this.typeOf(op, resolved, attrs);
    const node: NodeOf<O> = { id, op, inputs: resolved, attrs, type, span: from.span, label: from.label };
    this.#nodes.set(id, node as Node);
    return id;
  }

  /** Zeros, ones, or any other number everywhere in a type. */
  fill(value: number, { dtype, shape, axes, batched }: NodeType, from: Pick<Node, "span" | "label">): NodeId {
    const plain = axes.length === 0 && !batched;
    const constant = this.add("constant", [], { dtype, shape: plain ? shape : [], values: [value] }, from);
    return plain ? constant : this.add("broadcast", [constant], { shape, axes, batched }, from);
  }

  /** The value broadcast to the type; itself where it has that type. */
  as(id: NodeId, type: NodeType, from: Pick<Node, "span" | "label">): NodeId {
    if (sameType(this.node(id).type, type)) return this.resolve(id);
    const { shape, axes, batched } = type;
    return this.add("broadcast", [id], { shape, axes, batched }, from);
  }

  replace(id: NodeId, by: NodeId): void {
    const [from, to] = [this.resolve(id), this.resolve(by)];
    if (from === to) return;
    if (!sameType(this.node(from).type, this.node(to).type)) {
      throw new InternalError("Rewriter.replace", `%${from} and %${to} differ in type`);
    }
    this.#instead.set(from, to);
    this.#changes++;
  }

  /** Gives a node other operands; its type must stay. */
  rewire(id: NodeId, inputs: readonly NodeId[]): void {
    const node = this.node(id);
    this.#nodes.set(node.id, { ...node, inputs });
    this.#changes++;
  }

  /** The graph of what the outputs still reach. */
  finish(): Graph {
    const outputs = new Map([...this.#graph.outputs].map(([name, id]) => [name, this.resolve(id)] as const));
    const nodes = new Map<NodeId, Node>();
    for (const [id, node] of this.#nodes) {
      if (this.#instead.has(id)) continue;
      const settled = node.inputs.every(input => !this.#instead.has(input));
      const inputs = settled ? node.inputs : node.inputs.map(input => this.resolve(input));
      nodes.set(id, settled ? node : { ...node, inputs });
    }
    return withoutDead({ axes: this.#graph.axes, nodes, outputs });
  }
}

/** The graph without the nodes that no output reaches. */
export function withoutDead(graph: Graph): Graph {
  const live = liveNodes(graph);
  if (live.size === graph.nodes.size) return graph;
  return { ...graph, nodes: new Map([...graph.nodes].filter(([id]) => live.has(id))) };
}

/** The live nodes, operands first but for those of shifts. */
export function operandsFirst(graph: Graph): readonly Node[] {
  const wiring = wire(graph);
  return ordered(wiring, (v, k) => isShifted(wiring, v, k)).map(v => wiring.nodes[v]!);
}
