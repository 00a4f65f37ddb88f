// From a program to a TensorFlow graph: the steps of the schedule in their order, loops as loops. Made once for all
// batches and extents, which are fed; a second one where examples of a batch differ in length, since that costs
// selections at every turn of a loop.

import type { AxisId, Graph, Node, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Loop, Step } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { homesOf } from "../plan/homes.ts";
import { asBlockLstm } from "./block-lstm.ts";
import { Carried, type Homes, isCarriedBy } from "./carried.ts";
import type { Context, Site } from "./context.ts";
import { isInside } from "./crossing.ts";
import { Fed } from "./fed.ts";
import type { NodeDef } from "./graph-def.ts";
import { leave, loopScope } from "./loops.ts";
import { isSource, lower } from "./lowering.ts";
import { isView } from "./motion.ts";
import { Ops } from "./ops.ts";
import { fetched } from "./outputs.ts";
import { Scope } from "./scope.ts";
import { ScopeContext } from "./scope-context.ts";
import { sizesOf } from "./sizes.ts";
import { type Value, Values } from "./values.ts";

export interface LoweredProgram {
  readonly nodes: readonly NodeDef[];
  /** Names of placeholders (fed.ts) that want a value. */
  readonly feeds: ReadonlySet<string>;
  /** What the host draws, by number. */
  readonly draws: readonly NodeOf<"random">[];
  /** Tensors that are the program's results and updates, in the order of the boundary. */
  readonly results: readonly string[];
  readonly updates: readonly string[];
}

/**
 * @param variables names of parameters and states, in the order in which they are fed.
 * @param ragged whether examples may be shorter than the extents.
 */
export function lowerProgram(
  program: Program,
  variables: readonly string[],
  ragged: boolean,
): LoweredProgram {
  return new Lowering(program, variables, ragged).run();
}

class Lowering implements Site {
  readonly ops = new Ops();
  readonly values: Values;
  readonly graph: Graph;
  readonly fed: Fed;
  readonly ragged: boolean;
  readonly #program: Program;
  readonly #homes: Homes;
  readonly #users: ReadonlyMap<NodeId, readonly (Node | null)[]>;
  readonly #root: Scope;
  readonly #carried = new Map<Loop, Carried>();
  readonly #contexts = new Map<Scope, Context>();

  constructor(program: Program, variables: readonly string[], ragged: boolean) {
    this.#program = program;
    this.graph = program.schedule.graph;
    this.ragged = ragged;
    this.fed = new Fed(this.ops, program, variables);
    this.values = new Values(this.ops, sizesOf(this.ops, program.schedule));
    this.#homes = homesOf(program.schedule.steps, []);
    this.#users = usersIn(this.graph);
    this.#root = new Scope(this.values);
  }

  run(): LoweredProgram {
    this.#steps(this.#program.schedule.steps, this.#root);
    const { results, updates } = this.#program;
    const outputs = {
      results: results.map(name => this.#output(name)),
      updates: updates.map(({ output }) => this.#output(output)),
    };
    return { ...outputs, nodes: this.ops.nodes, feeds: this.fed.names, draws: this.fed.draw };
  }

  contextOf(scope: Scope): Context {
    const known = this.#contexts.get(scope);
    if (known !== undefined) return known;
    const context = new ScopeContext(this, scope);
    this.#contexts.set(scope, context);
    return context;
  }

  usersOf(id: NodeId): readonly (Node | null)[] {
    return this.#users.get(id) ?? [];
  }

  read(id: NodeId, scope: Scope): Value {
    const value = this.find(id, scope);
    if (value !== null) return value;
    const { op, label } = this.#node(id);
    throw new InternalError("lowerProgram", `%${id} = ${op} (${label}) is read but not computed`);
  }

  /** Sources are there when they are asked for. */
  find(id: NodeId, scope: Scope): Value | null {
    const node = this.#node(id);
    if (node.op === "index") return this.contextOf(scope).position(node.attrs.axis);
    if (isSource(node) && this.#root.find(id) === null) {
      this.#root.set(id, lower(node, this.contextOf(this.#root)));
    }
    return scope.find(id);
  }

  keeps(id: NodeId, axis: AxisId): boolean {
    return this.#program.schedule.keeping.get(id)?.get(axis)?.kind === "sequence";
  }

  #output(name: string): string {
    return fetched(this, this.#node(this.graph.outputs.get(name)!), this.#root);
  }

  #node(id: NodeId): Node {
    const node = this.graph.nodes.get(id);
    if (node === undefined) throw new InternalError("lowerProgram", `no node %${id}`);
    return node;
  }

  /** Where a loop is unrolled by a factor its steps stand there several times, told apart by offsets. */
  #steps(steps: readonly Step[], scope: Scope): void {
    for (const step of steps) {
      if (step.kind === "loop") this.#loop(step, scope);
      else if (step.kind === "compute" && step.offset === 0) this.#compute(this.#node(step.node), scope);
    }
  }

  #compute(node: Node, scope: Scope): void {
    if (isSource(node)) return;
    if (node.op === "shift") this.#delay(node, scope);
    else this.set(node, this.#outermost(node, scope));
  }

  #delay(node: NodeOf<"shift">, scope: Scope): void {
    const over = scope.over(node.attrs.axis);
    if (over !== null && isCarriedBy(node, over.loop!.loop, this.#homes)) {
      const carried = this.#carried.get(over.loop!.loop)!;
      scope.set(
        node.id,
        this.ops.for(node, () => carried.read(node, scope)),
      );
      return;
    }
    const home = this.#outermost(node, scope);
    if (home.over(node.attrs.axis) === null) this.set(node, home);
    else
      home.set(
        node.id,
        this.ops.for(node, () => this.#lookedUp(node, over!, home)),
      );
  }

  /** A delay, at one turn, of what is there at all of them, but for its initial value. */
  #lookedUp(node: NodeOf<"shift">, over: Scope, scope: Scope): Value {
    const [value, initial] = node.inputs;
    const at = over.loop!.turning.neighbour(node.attrs.offset);
    const before = this.values.row(this.read(value!, over.outer!), node.attrs.axis, at);
    const inside = isInside(node, this.contextOf(scope));
    return this.values.select(inside, scope.seen(before, over), this.read(initial!, scope));
  }

  /** Where a node is computed: outside of loops that it is the same in at all turns, or that have only a delay of it. */
  #outermost(node: Node, scope: Scope): Scope {
    const { outer, loop } = scope;
    if (outer === null || loop === null) return scope;
    const { axis } = loop.loop;
    const isDelay = node.op === "shift" && node.attrs.axis === axis;
    if (!isDelay && node.type.axes.includes(axis)) return scope;
    const isThere = node.inputs.every(id => this.#hasOutside(id, outer));
    if (!isThere) return scope;
    for (const id of node.inputs) this.bring(id, outer);
    return this.#outermost(node, outer);
  }

  /** Whether a scope has a value, or may have it as a view. */
  #hasOutside(id: NodeId, scope: Scope): boolean {
    if (this.find(id, scope) !== null) return true;
    const node = this.#node(id);
    return isView(node) && node.inputs.every(input => this.#hasOutside(input, scope));
  }

  bring(id: NodeId, scope: Scope): void {
    if (this.find(id, scope) !== null) return;
    const node = this.#node(id);
    for (const input of node.inputs) this.bring(input, scope);
    this.set(node, scope);
  }

  set(node: Node, scope: Scope): void {
    const value = this.ops.for(node, () => lower(node, this.contextOf(scope)));
    scope.set(node.id, value);
  }

  #loop(loop: Loop, outer: Scope): void {
    if (asBlockLstm(this, loop, outer)) return;
    const number = this.#carried.size;
    const scope = loopScope(this, loop, number, outer);
    const carried = new Carried(this, scope, this.#homes);
    this.#carried.set(loop, carried);
    this.#steps(loop.body, scope);
    const sums = loop.body.flatMap(step =>
      step.kind === "accumulate" && step.offset === 0 ? [this.#node(step.node)] : [],
    );
    leave(this, scope, carried, sums);
  }
}

/** The readers of each node, once each; null stands for an output. */
function usersIn(graph: Graph): ReadonlyMap<NodeId, readonly (Node | null)[]> {
  const users = new Map<NodeId, Set<Node | null>>([...graph.nodes.keys()].map(id => [id, new Set()]));
  for (const node of graph.nodes.values()) for (const id of node.inputs) users.get(id)?.add(node);
  for (const id of graph.outputs.values()) users.get(id)?.add(null);
  return new Map([...users].map(([id, readers]) => [id, [...readers]]));
}
