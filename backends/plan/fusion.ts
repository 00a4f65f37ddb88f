// Groups of elementwise nodes that one loop nest computes, and where each of their operands comes from.

import type { Graph, Node, NodeId } from "../../compiler/graph/graph.ts";
import { isOuterProduct } from "../../compiler/schedule/traits.ts";
import { InternalError } from "../../compiler/unreachable.ts";

/** An operand from memory. `dims`: for each dimension of the nest the operand's own, or -1 where it has none. */
export interface Load {
  readonly node: NodeId;
  readonly dims: readonly number[];
}

/** The number that fills a node, where that is known: a constant, or a view of one. */
export function constantFill(graph: Graph, id: NodeId): number | null {
  const node = graph.nodes.get(id);
  if (node === undefined) throw new InternalError("constantFill", `no node %${id}`);
  if (node.op === "constant") return node.attrs.values.length === 1 ? (node.attrs.values[0] ?? null) : null;
  if (node.op !== "broadcast" && node.op !== "reshape" && node.op !== "slice") return null;
  const [operand] = node.inputs;
  return operand === undefined ? null : constantFill(graph, operand);
}

const identity = (rank: number): readonly number[] => Array.from({ length: rank }, (_, d) => d);

const isIdentity = (dims: readonly number[], rank: number): boolean =>
  dims.length === rank && dims.every((dim, d) => dim === d);

export class Nest {
  readonly nodes: NodeId[] = [];
  readonly offset: number;
  readonly #graph: Graph;
  readonly #loads = new Map<string, Load>();

  constructor(graph: Graph, first: Node, offset: number) {
    this.#graph = graph;
    this.offset = offset;
    this.add(first);
  }

  /** Products that sum nothing are taken too. */
  static takes(node: Node): boolean {
    return node.op === "contract" && isOuterProduct(node);
  }

  /** Whether `user` could take operand `id` from a register. */
  holds(user: Node, id: NodeId): boolean {
    if (!this.nodes.includes(id)) return false;
    return user.inputs.every(
      (input, k) => input !== id || isIdentity(this.#dimsOf(user, k), user.type.shape.length),
    );
  }

  add(node: Node): void {
    for (const [k, input] of node.inputs.entries()) {
      if (this.nodes.includes(input) || constantFill(this.#graph, input) !== null) continue;
      const load = { node: input, dims: this.#dimsOf(node, k) };
      this.#loads.set(loadKey(load), load);
    }
    this.nodes.push(node.id);
  }

  loads(): readonly Load[] {
    return [...this.#loads.values()];
  }

  /** The members that `stores` need, and what they read. */
  close(stores: readonly NodeId[]): { readonly nodes: readonly NodeId[]; readonly loads: readonly Load[] } {
    return { nodes: this.#needed(stores), loads: this.loads() };
  }

  /** Members that the stores depend on; the others stay out of the body. */
  #needed(stores: readonly NodeId[]): readonly NodeId[] {
    const needed = new Set(stores);
    for (const id of this.nodes.toReversed()) {
      if (needed.has(id)) for (const input of this.#node(id).inputs) needed.add(input);
    }
    return this.nodes.filter(id => needed.has(id));
  }

  #node(id: NodeId): Node {
    const node = this.#graph.nodes.get(id);
    if (node === undefined) throw new InternalError("Nest", `no node %${id}`);
    return node;
  }

  #dimsOf(user: Node, k: number): readonly number[] {
    return operandDims(user, k, this.#node(user.inputs[k]!).type.shape);
  }
}

/** For each feature dimension of `user` the one of its operand k (of shape `shape`), or -1 where it has none. */
function operandDims(user: Node, k: number, shape: readonly number[]): readonly number[] {
  if (user.op === "contract") {
    const labels = k === 0 ? user.attrs.left : user.attrs.right;
    return user.attrs.out.map(label => labels.indexOf(label));
  }
  const target = user.type.shape;
  const missing = target.length - shape.length;
  return identity(target.length).map(d => {
    const own = d - missing;
    return own < 0 || (shape[own] === 1 && target[d] !== 1) ? -1 : own;
  });
}

const loadKey = ({ node, dims }: Load): string => `${node} ${dims.join()}`;

/** Where operand k of a member comes from: another member, a known number, or a load. */
export type Source =
  | { readonly kind: "member"; readonly node: NodeId }
  | { readonly kind: "fill"; readonly value: number }
  | { readonly kind: "load"; readonly index: number };

/** Finds operands in a nest of `nodes` and `loads`. */
export function sourceFinder(
  graph: Graph,
  nodes: readonly NodeId[],
  loads: readonly Load[],
): (user: Node, k: number) => Source {
  const position = new Map(loads.map((load, i) => [loadKey(load), i]));
  return (user, k) => {
    const id = user.inputs[k]!;
    if (nodes.includes(id)) return { kind: "member", node: id };
    const value = constantFill(graph, id);
    if (value !== null) return { kind: "fill", value };
    const { shape } = graph.nodes.get(id)!.type;
    const index = position.get(loadKey({ node: id, dims: operandDims(user, k, shape) }));
    if (index === undefined) throw new InternalError("sourceFinder", `%${id} is not read by the nest`);
    return { kind: "load", index };
  };
}
