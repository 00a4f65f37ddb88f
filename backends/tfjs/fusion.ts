// Groups of elementwise nodes that one loop nest computes, and the body generated for them.

import type { Graph, Node, NodeId } from "../../compiler/graph/graph.ts";
import { isOuterProduct } from "../../compiler/schedule/traits.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Body } from "./elementwise.ts";
import { literal, type Term } from "./expressions.ts";
import { expressionOf } from "./lowering.ts";

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

  /** Elementwise nodes, and products that sum nothing. */
  static takes(node: Node): boolean {
    return node.op === "contract" ? isOuterProduct(node) : expressionOf(node) !== null;
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
      this.#loads.set(keyOf(load), load);
    }
    this.nodes.push(node.id);
  }

  loads(): readonly Load[] {
    return [...this.#loads.values()];
  }

  /** The body that computes all nodes and writes `stores`. */
  close(stores: readonly NodeId[]): { readonly loads: readonly Load[]; readonly body: Body } {
    const loads = this.loads();
    const position = new Map([...this.#loads.keys()].map((key, k) => [key, k]));
    const needed = this.#needed(stores);
    const statements = needed.map(id => {
      const node = this.#node(id);
      const terms = node.inputs.map((input, k): Term => {
        const { dtype } = this.#node(input).type;
        if (this.nodes.includes(input)) return { text: `v${input}`, dtype, exact: false };
        const fill = constantFill(this.#graph, input);
        if (fill !== null) return { text: literal(fill), dtype, exact: false };
        const at = position.get(keyOf({ node: input, dims: this.#dimsOf(node, k) }));
        return { text: `l${at}`, dtype, exact: true };
      });
      return `const v${id} = ${this.#expression(node, terms)};`;
    });
    return {
      loads,
      body: {
        loads: loads.length,
        statements: renumber(statements, this.nodes),
        stores: stores.map(id => `v${this.nodes.indexOf(id)}`),
      },
    };
  }

  /** Members that the stores depend on; the others stay out of the body. */
  #needed(stores: readonly NodeId[]): readonly NodeId[] {
    const needed = new Set(stores);
    for (const id of this.nodes.toReversed()) {
      if (needed.has(id)) for (const input of this.#node(id).inputs) needed.add(input);
    }
    return this.nodes.filter(id => needed.has(id));
  }

  #expression(node: Node, terms: readonly Term[]): string {
    if (node.op === "contract") return `(${terms[0]?.text} * ${terms[1]?.text})`;
    const text = expressionOf(node)?.(terms);
    if (text === undefined) throw new InternalError("Nest", `%${node.id} = ${node.op} is not elementwise`);
    return text;
  }

  #node(id: NodeId): Node {
    const node = this.#graph.nodes.get(id);
    if (node === undefined) throw new InternalError("Nest", `no node %${id}`);
    return node;
  }

  #dimsOf(user: Node, k: number): readonly number[] {
    const { shape } = this.#node(user.inputs[k]!).type;
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
}

const keyOf = ({ node, dims }: Load): string => `${node} ${dims.join()}`;

/** Names by position instead of by node, so that equal bodies have equal texts. */
function renumber(statements: readonly string[], nodes: readonly NodeId[]): readonly string[] {
  const position = new Map(nodes.map((id, i) => [String(id), i]));
  return statements.map(statement =>
    statement.replaceAll(/\bv(\d+)\b/g, (_, id: string) => `v${position.get(id)}`),
  );
}
