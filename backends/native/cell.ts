// Finds loops that are one LSTM cell and nothing else, by what they compute: gates that are the four parts of one sum of
// products, and the two values that delays carry. Whatever layer it came from, and whatever it is called.

import type { AxisId, Graph, Node, NodeId, NodeOf, OpName } from "../../compiler/graph/graph.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";

/** h[t] = sigmoid(o) * tanh(c[t]), c[t] = sigmoid(f) * c[t-1] + sigmoid(i) * tanh(g); i, f, g, o: x W + h[t-1] U + b. */
export interface Cell {
  readonly x: NodeId;
  readonly w: NodeId;
  readonly u: NodeId;
  readonly bias: NodeId | null;
  /** Initial values. */
  readonly h: NodeId;
  readonly c: NodeId;
  readonly units: number;
  /** Nodes of what TensorFlow's op gives: sigmoid(i), c, sigmoid(f), sigmoid(o), tanh(g), tanh(c), h. */
  readonly results: readonly NodeId[];
  readonly nodes: ReadonlySet<NodeId>;
}

/** The cell that a loop is, or null. */
export function cellOf(graph: Graph, { axis, direction, body }: Loop): Cell | null {
  if (direction !== "forward") return null;
  const own = new Set<NodeId>();
  for (const step of body) {
    if (step.kind !== "compute") return null;
    own.add(step.node);
  }
  for (const id of own) {
    const node = graph.nodes.get(id)!;
    const cell = node.op === "mul" ? new Matcher(graph, axis).cell(node) : null;
    if (cell !== null && [...own].every(one => cell.nodes.has(one))) return cell;
  }
  return null;
}

/** What a gate is taken from. */
type Part = NodeOf<"slice">;

class Matcher {
  readonly #graph: Graph;
  readonly #axis: AxisId;
  readonly #nodes = new Set<NodeId>();

  constructor(graph: Graph, axis: AxisId) {
    this.#graph = graph;
    this.#axis = axis;
  }

  cell(h: NodeOf<"mul">): Cell | null {
    const { type } = h;
    if (!type.batched || type.axes.join() !== this.#axis || type.shape.length !== 1) return null;
    const [units] = type.shape as [number];
    const [o, shown] = this.#both(h, "sigmoid", "tanh") ?? [];
    const c = shown === undefined ? null : this.#node(shown.inputs[0]!, "add");
    const terms = c?.inputs.map(id => this.#node(id, "mul")) ?? [];
    for (const [kept, added] of [terms, terms.toReversed()]) {
      const [f, before] = this.#both(kept ?? null, "sigmoid", "shift") ?? [];
      const [i, g] = this.#both(added ?? null, "sigmoid", "tanh") ?? [];
      if (!o || !shown || !c || !f || !before || !i || !g || !this.#delays(before, c.id)) continue;
      const sum = this.#sumOf(
        [i, f, g, o].map(gate => this.#node(gate.inputs[0]!, "slice")),
        units,
      );
      const products = sum === null ? null : this.#products(sum, h.id);
      if (products === null) continue;
      for (const { id } of [h, c, o, shown, kept!, added!, f, before, i, g]) this.#nodes.add(id);
      const results = [i, c, f, o, g, shown, h].map(({ id }) => id);
      return { ...products, c: before.inputs[1]!, units, results, nodes: this.#nodes };
    }
    return null;
  }

  #node<O extends OpName>(id: NodeId, op: O): NodeOf<O> | null {
    const node: Node = this.#graph.nodes.get(id)!;
    return node.op === op ? (node as NodeOf<O>) : null;
  }

  /** The factors of a product, where one is of this op and the other of that. */
  #both<A extends OpName, B extends OpName>(
    product: NodeOf<"mul"> | null,
    a: A,
    b: B,
  ): readonly [NodeOf<A>, NodeOf<B>] | null {
    const [x, y] = product?.inputs ?? [];
    if (x === undefined || y === undefined) return null;
    for (const [p, q] of [
      [x, y],
      [y, x],
    ] as const) {
      const found = [this.#node(p, a), this.#node(q, b)] as const;
      if (found[0] !== null && found[1] !== null) return [found[0], found[1]];
    }
    return null;
  }

  /** Whether it is the value of the step before, from an initial value that is the same at all steps. */
  #delays({ attrs, inputs: [value, initial] }: NodeOf<"shift">, of: NodeId): boolean {
    const start = this.#graph.nodes.get(initial!)!;
    return value === of && attrs.axis === this.#axis && attrs.offset === 1 && start.type.axes.length === 0;
  }

  /** What the gates are the four quarters of, one after the other. */
  #sumOf(gates: readonly (Part | null)[], units: number): NodeId | null {
    const sum = gates[0]?.inputs[0];
    for (const [k, gate] of gates.entries()) {
      if (gate === null || gate.inputs[0] !== sum) return null;
      if (gate.attrs.start !== k * units || gate.attrs.size !== units) return null;
      this.#nodes.add(gate.id);
    }
    if (sum === undefined || this.#graph.nodes.get(sum)!.type.shape.join() !== String(4 * units)) return null;
    return sum;
  }

  /** The sum's terms: a product with the step before, one with something that has the axis, and at most one vector. */
  #products(sum: NodeId, h: NodeId): Pick<Cell, "x" | "w" | "u" | "bias" | "h"> | null {
    const found: { x?: NodeOf<"contract">; h?: NodeOf<"shift">; u?: NodeId; bias?: NodeId } = {};
    const put = <K extends keyof typeof found>(name: K, value: NonNullable<(typeof found)[K]>): boolean => {
      const isFirst = found[name] === undefined;
      found[name] = value;
      return isFirst;
    };
    const take = (id: NodeId): boolean => {
      const node = this.#graph.nodes.get(id)!;
      if (node.op === "add") {
        this.#nodes.add(id);
        return node.inputs.every(take);
      }
      const { type } = node;
      if (node.op !== "contract")
        return !type.batched && type.axes.length === 0 && type.shape.length === 1 && put("bias", id);
      if (!this.#isRowsTimesMatrix(node)) return false;
      this.#nodes.add(id);
      const [rows, matrix] = node.inputs as [NodeId, NodeId];
      const before = this.#node(rows, "shift");
      if (before === null || before.inputs[0] !== h) return put("x", node);
      this.#nodes.add(before.id);
      return this.#delays(before, h) && put("u", matrix) && put("h", before);
    };
    if (!take(sum) || found.x === undefined || found.h === undefined || found.u === undefined) return null;
    const [x, w] = found.x.inputs as [NodeId, NodeId];
    return { x, w, u: found.u, bias: found.bias ?? null, h: found.h.inputs[1]! };
  }

  #isRowsTimesMatrix({ inputs, attrs }: NodeOf<"contract">): boolean {
    const [rows, matrix] = inputs.map(id => this.#graph.nodes.get(id)!.type);
    const isPlain = attrs.axes.length === 0 && !attrs.batch && attrs.left.join() === "0";
    return (
      isPlain &&
      attrs.right.join() === "0,1" &&
      attrs.out.join() === "1" &&
      rows!.batched &&
      rows!.axes.join() === this.#axis &&
      !matrix!.batched &&
      matrix!.axes.length === 0
    );
  }
}
