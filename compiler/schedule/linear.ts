// What kind of recurrence a loop is, found by algebra on what it carries from step to step. Where the new values are an
// affine function of the old ones, feature by feature, the loop is a scan (Blelloch 1990, "Prefix sums and their
// applications"; Martin & Cundy 2018, "Parallelizing linear recurrent neural nets over sequence length"). No layer is
// known by name: a backward loop is linear whatever the cell, since adjoints are.

import type { AxisId, Graph, Node, NodeId } from "../graph/graph.ts";
import { InternalError, unreachable } from "../unreachable.ts";
import { Coupling, composed, type Elements, elementsOf, sameElements } from "./elements.ts";
import { type Rule, ruleOf } from "./linear-rules.ts";
import type { Loop, Schedule, Step } from "./schedule.ts";

export type LoopKind =
  /** Affine in what is carried. `states`: the numbers that hang together, 1 where each feature hears only itself. */
  | { readonly kind: "linear"; readonly states: number }
  /** Not affine, but no feature hears more than a few others. */
  | { readonly kind: "elementwise" }
  /** Features hear each other, first by node `because`. */
  | { readonly kind: "general"; readonly because: NodeId };

/** More coupled states than this are a matrix, not a block of a scan. */
const mostStates = 8;

/** A carried value that a node depends on, and which of its features each of the node's features sees. */
interface Term {
  readonly state: NodeId;
  readonly elements: Elements;
}

/** What a node is as a function of what is carried. */
interface Form {
  /** None: it does not depend on it. */
  readonly terms: readonly Term[];
  readonly linear: boolean;
  /** The first node on the way that mixes features or indices. */
  readonly crossed: NodeId | null;
}

const free: Form = { terms: [], linear: true, crossed: null };

/** The kind of each loop of a schedule. */
export function loopKinds({ graph, steps }: Schedule): ReadonlyMap<Loop, LoopKind> {
  const kinds = new Map<Loop, LoopKind>();
  const visit = (list: readonly Step[], around: readonly AxisId[]): void => {
    for (const step of list) {
      if (step.kind !== "loop") continue;
      kinds.set(step, kindOf(graph, step, around));
      visit(step.body, [...around, step.axis]);
    }
  };
  visit(steps, []);
  return kinds;
}

/** @param around axes of the loops around: values at their other indices are known. */
function kindOf(graph: Graph, loop: Loop, around: readonly AxisId[]): LoopKind {
  const walk = new Walk(graph, loop, around);
  const states = onCycles(walk.carried, walk.forms(walk.carried));
  const forms = walk.forms(states);
  const coupling = new Coupling();
  for (const { value, shape, steps } of states.values()) coupling.add(value, shape, steps);
  let linear = true;
  for (const { value } of states.values()) {
    const form = forms.get(value)!;
    if (form.crossed !== null) return { kind: "general", because: form.crossed };
    if (!form.linear) linear = false;
    for (const { state, elements } of form.terms) {
      coupling.join(value, states.get(state)!.value, elements);
    }
  }
  const count = coupling.largest();
  const [first] = states.values();
  if (first !== undefined && count > mostStates) return { kind: "general", because: first.value };
  return linear ? { kind: "linear", states: count } : { kind: "elementwise" };
}

/** What a shift along the loop's axis carries over. */
interface Carried {
  readonly value: NodeId;
  readonly shape: readonly number[];
  /** How many steps back. */
  readonly steps: number;
}

type States = ReadonlyMap<NodeId, Carried>;

/** Carried values that come back to themselves: others are only read later. */
function onCycles(carried: States, forms: ReadonlyMap<NodeId, Form>): States {
  const comesBack = ([start]: readonly [NodeId, Carried]): boolean => {
    const reached = new Set<NodeId>();
    const enter = (shift: NodeId): void => {
      for (const { state } of forms.get(carried.get(shift)!.value)?.terms ?? []) reached.add(state);
    };
    enter(start);
    for (const state of reached) enter(state);
    return reached.has(start);
  };
  return new Map([...carried].filter(comesBack));
}

/** Goes through a loop's nodes in the order in which they are computed. */
class Walk {
  readonly #graph: Graph;
  readonly #nodes: readonly Node[];
  readonly #inside: ReadonlySet<NodeId>;
  readonly #known: readonly AxisId[];
  /** By shift. */
  readonly carried: States;

  constructor(graph: Graph, loop: Loop, around: readonly AxisId[]) {
    this.#graph = graph;
    this.#nodes = computed(loop.body).map(id => this.#node(id));
    this.#inside = new Set(this.#nodes.map(({ id }) => id));
    this.#known = [...around, loop.axis];
    this.carried = new Map(
      this.#nodes.flatMap(node => {
        const [value] = node.inputs;
        if (node.op !== "shift" || node.attrs.axis !== loop.axis || !this.#inside.has(value!)) return [];
        return [
          [node.id, { value: value!, shape: node.type.shape, steps: Math.abs(node.attrs.offset) }] as const,
        ];
      }),
    );
  }

  #node(id: NodeId): Node {
    const node = this.#graph.nodes.get(id);
    if (node === undefined) throw new InternalError("loopKinds", `no node %${id}`);
    return node;
  }

  /** Every node's form, with what the shifts of `states` give as unknowns and all other shifts as known. */
  forms(states: States): ReadonlyMap<NodeId, Form> {
    const forms = new Map<NodeId, Form>();
    for (const node of this.#nodes) {
      if (!forms.has(node.id)) forms.set(node.id, this.#formOf(node, states, forms));
    }
    return forms;
  }

  #formOf(node: Node, states: States, forms: ReadonlyMap<NodeId, Form>): Form {
    const operands = node.inputs.map(id => forms.get(id) ?? free);
    if (node.op === "shift" && this.#known.includes(node.attrs.axis)) {
      const initial = operands[1]!;
      if (initial.terms.length > 0) return this.#crossed(node, operands);
      return states.has(node.id) ? { ...free, terms: [{ state: node.id, elements: null }] } : free;
    }
    // Further in, a shift may stand before its value.
    const waits = node.op === "shift" && this.#inside.has(node.inputs[0]!);
    if (!waits && operands.every(({ terms }) => terms.length === 0)) return free;
    const rule = ruleOf(node);
    if (rule === "cross") return this.#crossed(node, operands);
    return {
      terms: this.#termsOf(node, operands),
      linear: operands.every(({ linear }) => linear) && isLinear(rule, operands),
      crossed: operands.find(({ crossed }) => crossed !== null)?.crossed ?? null,
    };
  }

  /** Which features are seen does not matter any more. */
  #crossed(node: Node, operands: readonly Form[]): Form {
    const terms = operands.flatMap(form => form.terms.map(({ state }) => ({ state, elements: null })));
    const before = operands.find(({ crossed }) => crossed !== null)?.crossed;
    return { terms: distinct(terms), linear: false, crossed: before ?? node.id };
  }

  #termsOf(node: Node, operands: readonly Form[]): readonly Term[] {
    let start = 0;
    const terms: Term[] = [];
    for (const [k, form] of operands.entries()) {
      const { shape } = this.#node(node.inputs[k]!).type;
      if (form.terms.length > 0) {
        const seen = elementsOf(node, k, shape, start);
        for (const { state, elements } of form.terms)
          terms.push({ state, elements: composed(seen, elements) });
      }
      if (node.op === "concat") start += shape[node.attrs.dim]!;
    }
    return distinct(terms);
  }
}

function isLinear(rule: Exclude<Rule, "cross">, operands: readonly Form[]): boolean {
  const isFree = (k: number): boolean => operands[k]!.terms.length === 0;
  switch (rule) {
    case "sum":
    case "move":
      return true;
    case "product":
      return isFree(0) || isFree(1);
    case "quotient":
      return isFree(1);
    case "choice":
      return isFree(0);
    case "pointwise":
      return false;
    default:
      return unreachable(rule);
  }
}

function distinct(terms: readonly Term[]): readonly Term[] {
  return terms.filter(
    ({ state, elements }, i) =>
      terms.findIndex(other => other.state === state && sameElements(other.elements, elements)) === i,
  );
}

/** The nodes computed in a body and in the loops in it, in order. Sums over its axis are complete only later. */
const computed = (steps: readonly Step[]): readonly NodeId[] =>
  steps.flatMap(step =>
    step.kind === "loop" ? computed(step.body) : step.kind === "compute" ? [step.node] : [],
  );
