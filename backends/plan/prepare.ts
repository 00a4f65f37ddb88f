// Rewriting of a scheduled graph for backends with code of their own. Where caches count, a product of few terms moves
// into the loop that reads it: a step's rows stay in cache, a whole sequence would go to memory and back. What is no
// example's leaves loops. A slice of an elementwise result is the same result of slices, so that a sum of gates, of
// which each gate is a slice, is never made as a whole; and a quotient by one number for all elements is a product with
// its reciprocal, which is computed once.

import type { AxisId, Graph, Node, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Keeping, Loop, Schedule, Step } from "../../compiler/schedule/schedule.ts";
import { isOuterProduct } from "../../compiler/schedule/traits.ts";
import { nodesOf } from "./homes.ts";
import { product } from "./layout.ts";

type Compute = Extract<Step, { kind: "compute" }>;

export interface PrepareOptions {
  /** Whether a node is part of a nest, computed number by number. */
  readonly isElementwise: (node: Node) => boolean;
  /** Whether products of few terms move into loops; not where every step's product has a price of its own. */
  readonly sinks: boolean;
}

export function prepare(program: Program, options: PrepareOptions): Program {
  const rewriting = new Rewriting(program.schedule, options);
  const schedule = rewriting.finish();
  return { ...program, graph: schedule.graph, schedule };
}

class Rewriting {
  readonly #graph: Graph;
  readonly #nodes: Map<NodeId, Node>;
  readonly #keeping: Map<NodeId, ReadonlyMap<AxisId, Keeping>>;
  readonly #users = new Map<NodeId, Set<NodeId>>();
  readonly #outputs: ReadonlySet<NodeId>;
  readonly #isElementwise: (node: Node) => boolean;
  readonly #sinks: boolean;
  readonly #steps: readonly Step[];
  #next: number;

  constructor({ graph, steps, keeping }: Schedule, { isElementwise, sinks }: PrepareOptions) {
    this.#graph = graph;
    this.#nodes = new Map(graph.nodes);
    this.#keeping = new Map(keeping);
    this.#outputs = new Set(graph.outputs.values());
    this.#isElementwise = isElementwise;
    this.#sinks = sinks;
    this.#next = Math.max(-1, ...graph.nodes.keys()) + 1;
    for (const node of graph.nodes.values()) this.#count(node);
    this.#steps = steps;
  }

  finish(): Schedule {
    const sunk = this.#sinks ? this.#sinkProducts(this.#steps) : this.#steps;
    const steps = this.#body(this.#hoist(sunk), []);
    return { graph: { ...this.#graph, nodes: this.#nodes }, steps, keeping: this.#keeping };
  }

  #count({ id, inputs }: Node): void {
    for (const input of inputs) {
      const users = this.#users.get(input);
      if (users === undefined) this.#users.set(input, new Set([id]));
      else users.add(id);
    }
  }

  /** Adds a node that is used where it is made only. */
  #add(node: Omit<Node, "id">, loops: readonly Loop[]): NodeId {
    const id = this.#next++ as NodeId;
    const made = { ...node, id } as Node;
    this.#nodes.set(id, made);
    this.#count(made);
    this.#keep(made, loops);
    return id;
  }

  #keep({ id, type }: Node, loops: readonly Loop[]): void {
    const axes = loops.flatMap(({ axis }) => (type.axes.includes(axis) ? [axis] : []));
    if (axes.length > 0) this.#keeping.set(id, new Map(axes.map(axis => [axis, { kind: "step" }] as const)));
  }

  /**
   * Takes out of loops what is the same for all examples and needs nothing of the loop, such as positions as numbers:
   * computed for all steps before, so that threads find it there.
   */
  #hoist(steps: readonly Step[]): readonly Step[] {
    return steps.flatMap((step): readonly Step[] => {
      if (step.kind !== "loop" || step.factor !== 1) return [step];
      const made = new Set(nodesOf(step.body));
      const before: Step[] = [];
      const body = step.body.filter(inner => {
        const node = inner.kind === "compute" ? this.#nodes.get(inner.node)! : null;
        if (node === null || node.type.batched || !this.#isElementwise(node)) return true;
        if (node.inputs.some(input => made.has(input))) return true;
        made.delete(node.id);
        this.#keeping.delete(node.id);
        before.push(inner);
        return false;
      });
      return [...before, { ...step, body }];
    });
  }

  /** Moves products of few terms from the top level into the loops that read them. */
  #sinkProducts(steps: readonly Step[]): readonly Step[] {
    const loops = steps.filter(step => step.kind === "loop");
    const moved = new Map<Loop, Compute[]>();
    const kept = steps.filter(step => {
      const loop = step.kind === "compute" ? this.#readerOf(this.#nodes.get(step.node)!, loops) : null;
      if (loop === null || step.kind !== "compute") return true;
      this.#keeping.set(step.node, new Map([[loop.axis, { kind: "step" }]]));
      moved.set(loop, [...(moved.get(loop) ?? []), step]);
      return false;
    });
    return kept.map(step =>
      step.kind === "loop" ? { ...step, body: [...(moved.get(step) ?? []), ...step.body] } : step,
    );
  }

  /** The loop that alone reads a product of few terms with one matrix for all examples, step by step; else null. */
  #readerOf(node: Node, loops: readonly Loop[]): Loop | null {
    if (node.op !== "contract" || this.#outputs.has(node.id) || !node.type.batched) return null;
    const { left, right, out, axes, batch } = node.attrs;
    const operands = node.inputs.map(id => this.#nodes.get(id)!.type);
    const isMatrix = operands.map(type => !type.batched && type.axes.length === 0);
    if (axes.length > 0 || batch || isMatrix[0] === isMatrix[1]) return null;
    const [labels, { shape }] = isMatrix[0] ? [left, operands[0]!] : [right, operands[1]!];
    const terms = product(shape.filter((_, d) => !out.includes(labels[d]!)));
    if (terms > mostTerms) return null;
    const users = [...(this.#users.get(node.id) ?? [])];
    const reader = loops.find(({ body }) =>
      body.some(step => step.kind === "compute" && step.node === users[0]),
    );
    if (reader === undefined || reader.factor !== 1 || !node.type.axes.includes(reader.axis)) return null;
    // A loop without products may run as a scan (scan.ts), with one not.
    const hasProduct = reader.body.some(step => {
      const inner = step.kind === "compute" ? this.#nodes.get(step.node)! : null;
      return inner?.op === "contract" && !isOuterProduct(inner);
    });
    if (!hasProduct) return null;
    const inside = new Set(reader.body.flatMap(step => (step.kind === "compute" ? [step.node] : [])));
    const isBeside = users.every(id => inside.has(id) && this.#nodes.get(id)!.op !== "shift");
    return isBeside ? reader : null;
  }

  #body(steps: readonly Step[], loops: readonly Loop[]): readonly Step[] {
    const sliced = this.#pushSlices(steps, loops);
    const reciprocals = new Map<NodeId, NodeId>();
    return sliced.flatMap((step): readonly Step[] => {
      if (step.kind === "loop") return [this.#loop(step, loops)];
      if (step.kind !== "compute") return [step];
      return this.#divide(step, loops, reciprocals) ?? [step];
    });
  }

  /** In an unrolled loop a node is computed several times: those stay as they are. */
  #loop(loop: Loop, loops: readonly Loop[]): Loop {
    return loop.factor === 1 ? { ...loop, body: this.#body(loop.body, [...loops, loop]) } : loop;
  }

  /** Backwards, so that a slice moves through whole chains. */
  #pushSlices(steps: readonly Step[], loops: readonly Loop[]): readonly Step[] {
    const here = new Map(
      steps.flatMap(step => (step.kind === "compute" ? [[step.node, step] as const] : [])),
    );
    /** Steps to compute before a step, and steps to leave out. */
    const before = new Map<NodeId, Compute[]>();
    const gone = new Set<NodeId>();
    const pending = [...here.values()].reverse();
    for (const step of pending) {
      const node = this.#nodes.get(step.node)!;
      const slices = this.#slicesOf(node, step, here);
      if (slices === null) continue;
      gone.add(node.id);
      this.#nodes.delete(node.id);
      for (const input of node.inputs) this.#users.get(input)?.delete(node.id);
      const made = new Map<string, NodeId>();
      for (const slice of slices) {
        const inputs = node.inputs.map(input => this.#sliceInput(node, input, slice, made, loops));
        for (const [, id] of made) {
          if (here.has(id)) continue;
          const extra: Compute = { kind: "compute", node: id, offset: step.offset };
          here.set(id, extra);
          // Not before the slice: another one, which may come earlier, reads it too.
          before.set(node.id, [...(before.get(node.id) ?? []), extra]);
        }
        const { type, id } = slice;
        const attrs = node.op === "accumulate" ? { type } : node.attrs;
        this.#nodes.set(id, { ...node, id, inputs, attrs, type } as Node);
        this.#count(this.#nodes.get(id)!);
      }
    }
    if (gone.size === 0) return steps;
    const expand = (step: Compute): readonly Step[] => [
      ...(before.get(step.node) ?? []).flatMap(expand),
      ...(gone.has(step.node) ? [] : [step]),
    ];
    return steps.flatMap(step => (step.kind === "compute" ? expand(step) : [step]));
  }

  /** The slices that are all there is read of an elementwise node, computed beside it; null for other nodes. */
  #slicesOf(
    node: Node,
    step: Compute,
    here: ReadonlyMap<NodeId, Compute>,
  ): readonly NodeOf<"slice">[] | null {
    if (!this.#isElementwise(node) || this.#outputs.has(node.id)) return null;
    const slices: NodeOf<"slice">[] = [];
    for (const id of this.#users.get(node.id) ?? []) {
      const user = this.#nodes.get(id)!;
      if (user.op !== "slice" || here.get(id)?.offset !== step.offset) return null;
      slices.push(user);
    }
    const [first] = slices;
    if (first === undefined || slices.some(({ attrs }) => attrs.dim !== first.attrs.dim)) return null;
    // More work than before is not worth it.
    const size = slices.reduce((sum, { attrs }) => sum + attrs.size, 0);
    return size <= node.type.shape[first.attrs.dim]! ? slices : null;
  }

  /** The part of an operand that a slice of the result needs. */
  #sliceInput(
    node: Node,
    input: NodeId,
    { attrs }: NodeOf<"slice">,
    made: Map<string, NodeId>,
    loops: readonly Loop[],
  ): NodeId {
    const operand = this.#nodes.get(input)!;
    const { shape } = operand.type;
    const dim = attrs.dim - (node.type.shape.length - shape.length);
    if (dim < 0 || shape[dim] === 1) return input;
    const { start, size } = attrs;
    const key = `${input} ${start} ${size}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const type = { ...operand.type, shape: shape.map((n, d) => (d === dim ? size : n)) };
    const { span, label } = node;
    const id = this.#add(
      { op: "slice", inputs: [input], attrs: { dim, start, size }, type, span, label },
      loops,
    );
    made.set(key, id);
    return id;
  }

  /** x / s with one s for many x, as x * (1 / s). */
  #divide(step: Compute, loops: readonly Loop[], reciprocals: Map<NodeId, NodeId>): readonly Step[] | null {
    const node = this.#nodes.get(step.node)!;
    if (node.op !== "div") return null;
    const [x, s] = node.inputs;
    const divisor = this.#nodes.get(s!)!;
    const { axes, batched, shape } = divisor.type;
    if (axes.length > 0 || batched || product(shape) !== 1 || product(node.type.shape) < leastElements)
      return null;
    const steps: Step[] = [];
    let reciprocal = reciprocals.get(s!);
    if (reciprocal === undefined) {
      const { span, label } = node;
      const one = this.#add(
        {
          op: "constant",
          inputs: [],
          attrs: { dtype: "real", shape: [], values: [1] },
          type: { dtype: "real", shape: [], axes: [], batched: false },
          span,
          label,
        },
        [],
      );
      reciprocal = this.#add(
        { op: "div", inputs: [one, s!], attrs: {}, type: divisor.type, span, label },
        loops,
      );
      reciprocals.set(s!, reciprocal);
      for (const id of [one, reciprocal]) steps.push({ kind: "compute", node: id, offset: step.offset });
    }
    this.#nodes.set(node.id, { ...node, op: "mul", inputs: [x!, reciprocal], attrs: {} } as Node);
    return [...steps, step];
  }
}

/** Products of more terms are better made for all steps at once. */
const mostTerms = 64;

/** Fewer quotients are not worth a value of their own. */
const leastElements = 16;
