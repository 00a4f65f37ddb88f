// What can be decided before the batch and the lengths are known, for all backends that run loops: which nodes share a
// loop nest, which are views of others or parts of others' memory, and from when to when each value is needed. The
// schedule's order is kept but for elementwise nodes, which move up to a nest of the same shape where their operands
// allow.

import type { AxisId, Graph, Node, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Keeping, Loop, Step } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { constantFill, type Load, Nest } from "./fusion.ts";
import { homesOf, nodesOf } from "./homes.ts";
import { denseStrides, type Features } from "./layout.ts";
import { keepingOf, Lifetimes, reach } from "./lifetimes.ts";
import { viewOf } from "./views.ts";

/** What a backend's lowering is like. */
export interface PlanTraits {
  /** `source`: given before the first step. `view`: the operand's memory, where strides can say it. */
  kindOf(node: Node): "source" | "elementwise" | "view" | "kernel";
  /** Whether a shift may be read in place: its value at another index, or its initial value. */
  readsDelay(node: NodeOf<"shift">): boolean;
  /** What else readers find in another value's memory by themselves; null, or left out, for nothing. */
  shows?(node: Node): Shown | null;
  /** Whether nests may write their results where a concatenation wants them. */
  readonly parts: boolean;
}

/** Where a node's elements are found: each as the operand's element of the same features, or by its own number. */
export interface Shown {
  readonly operand: NodeId;
  readonly by: "features" | "number";
}

/** Elementwise nodes computed by one loop nest. */
export interface FusedItem {
  readonly kind: "fused";
  /** All of one type up to dtype, which is that of the nest; operands first. */
  readonly nodes: readonly NodeId[];
  readonly loads: readonly Load[];
  /** Nodes that others read: only these are written. */
  readonly stores: readonly NodeId[];
  readonly offset: number;
}

export interface KernelItem {
  readonly kind: "kernel";
  readonly node: NodeId;
  readonly accumulate: boolean;
  readonly offset: number;
}

export interface LoopItem {
  readonly kind: "loop";
  readonly loop: Loop;
  readonly body: readonly Item[];
  /** Running sums, zero before the loop. */
  readonly accumulated: readonly NodeId[];
}

export type Item = FusedItem | KernelItem | LoopItem;

/** A value with memory of its own. */
export interface Stored {
  readonly node: NodeId;
  /** The loops that compute it, outermost first. */
  readonly loops: readonly Loop[];
  /** It is needed from instant `from` to instant `to`, both included. */
  readonly from: number;
  readonly to: number;
}

/** Memory of another value that a value is computed into: its features from `start` on, row-major. */
export interface Part {
  readonly of: NodeId;
  readonly start: number;
}

export interface Plan {
  readonly items: readonly Item[];
  readonly stored: readonly Stored[];
  /** Operand of each node that is a view; of a shift, its value. */
  readonly viewed: ReadonlyMap<NodeId, NodeId>;
  readonly parts: ReadonlyMap<NodeId, Part>;
  /** The innermost loop that computes each node; sources and vector ops have none. */
  readonly home: ReadonlyMap<NodeId, readonly Loop[]>;
}

/** The values in whose memory a value lies: itself, what it is a view or a part of; a shift in place has two. */
export function ownersOf(plan: Pick<Plan, "viewed" | "parts">, graph: Graph, id: NodeId): readonly NodeId[] {
  const operand = plan.viewed.get(id);
  if (operand !== undefined) {
    const { op, inputs } = graph.nodes.get(id)!;
    const read = op === "shift" ? [operand, inputs[1]!] : [operand];
    return read.flatMap(one => ownersOf(plan, graph, one));
  }
  const part = plan.parts.get(id);
  return part === undefined ? [id] : ownersOf(plan, graph, part.of);
}

export function makePlan(program: Program, traits: PlanTraits): Plan {
  const planner = new Planner(program, traits);
  const drafts = planner.body(program.schedule.steps, []);
  return planner.finish(drafts);
}

/** A body under construction: nests still take nodes. */
type Draft =
  | Nest
  | KernelItem
  | { readonly kind: "loop"; readonly loop: Loop; readonly body: readonly Draft[] };

class Planner {
  readonly #graph: Graph;
  readonly #program: Program;
  readonly #keeping: Program["schedule"]["keeping"];
  readonly #home = new Map<NodeId, readonly Loop[]>();
  readonly #traits: PlanTraits;
  readonly #viewed = new Map<NodeId, NodeId>();
  readonly #parts = new Map<NodeId, Part>();
  readonly #features = new Map<NodeId, Features>();
  /** What delays have been made views of before it is known how it lies: densely. */
  readonly #ahead = new Set<NodeId>();
  #homes: ReadonlyMap<NodeId, readonly Loop[]> | null = null;

  constructor(program: Program, traits: PlanTraits) {
    this.#program = program;
    this.#traits = traits;
    this.#graph = program.schedule.graph;
    this.#keeping = program.schedule.keeping;
  }

  /** The drafts of one body; `definedAt` finds the last draft that defines a node. */
  body(steps: readonly Step[], loops: readonly Loop[]): readonly Draft[] {
    const drafts: Draft[] = [];
    const definedAt = new Map<NodeId, number>();
    const nests = new Map<string, number>();
    for (const step of steps) {
      if (step.kind === "loop") {
        drafts.push({ kind: "loop", loop: step, body: this.body(step.body, [...loops, step]) });
        for (const id of nodesOf(step.body)) definedAt.set(id, drafts.length - 1);
        continue;
      }
      const node = this.#node(step.node);
      const kind = this.#traits.kindOf(node);
      if (kind === "source") continue;
      this.#home.set(node.id, step.kind === "accumulate" ? loops.slice(0, -1) : loops);
      if (step.kind === "compute" && this.#makeView(node, kind)) continue;
      if (step.kind === "compute" && (kind === "elementwise" || Nest.takes(node))) {
        definedAt.set(node.id, this.#place(node, step.offset, loops, drafts, nests, definedAt));
        continue;
      }
      if (node.op === "concat" && this.#takeParts(node, step.offset, drafts, definedAt)) continue;
      const accumulate = step.kind === "accumulate";
      drafts.push({ kind: "kernel", node: node.id, accumulate, offset: step.offset });
      definedAt.set(node.id, drafts.length - 1);
    }
    return drafts;
  }

  /** Puts an elementwise node into the last nest of its type, if its operands are there by then, or a new one. */
  #place(
    node: Node,
    offset: number,
    loops: readonly Loop[],
    drafts: Draft[],
    nests: Map<string, number>,
    definedAt: ReadonlyMap<NodeId, number>,
  ): number {
    const { shape, axes, batched } = node.type;
    const free = axes.filter(axis => loops.every(loop => loop.axis !== axis));
    const key = `${offset} ${free.join()} ${batched} ${shape.join()}`;
    const last = nests.get(key);
    const nest = last === undefined ? undefined : drafts[last];
    if (last !== undefined && nest instanceof Nest) {
      const fits = node.inputs.every(input => {
        if (nest.holds(node, input) || constantFill(this.#graph, input) !== null) return true;
        return this.#roots(input).every(root => {
          const defined = definedAt.get(root);
          return defined === undefined || defined < last;
        });
      });
      if (fits) {
        nest.add(node);
        return last;
      }
    }
    drafts.push(new Nest(this.#graph, node, offset));
    nests.set(key, drafts.length - 1);
    return drafts.length - 1;
  }

  #node(id: NodeId): Node {
    const node = this.#graph.nodes.get(id);
    if (node === undefined) throw new InternalError("makePlan", `no node %${id}`);
    return node;
  }

  /** What is computed where a value is read. */
  #roots(id: NodeId): readonly NodeId[] {
    return ownersOf({ viewed: this.#viewed, parts: new Map() }, this.#graph, id);
  }

  /** Whether the node is made a view of its operand: strides can say it, and the operand is kept long enough. */
  #makeView(node: Node, kind: "elementwise" | "view" | "kernel"): boolean {
    const shown = this.#traits.shows?.(node) ?? null;
    const operand = shown?.operand ?? node.inputs[0];
    if (operand === undefined) return false;
    const features =
      shown !== null
        ? this.#shownFeatures(node, shown)
        : kind === "view"
          ? viewOf(node, this.#featuresOf(operand))
          : this.#delayed(node);
    if (features === null || !this.#outlives(node, operand)) return false;
    const operands = node.op === "shift" ? node.inputs : [operand];
    if (operands.some(id => this.#roots(id).includes(node.id))) return false;
    if (this.#ahead.has(node.id) && !isDense(features)) return false;
    if (node.op === "shift" && this.#isAhead(operand)) this.#ahead.add(operand);
    this.#viewed.set(node.id, operand);
    this.#features.set(node.id, features);
    return true;
  }

  #shownFeatures({ type: { shape } }: Node, { operand, by }: Shown): Features {
    return by === "features" ? this.#featuresOf(operand) : { offset: 0, shape, dims: denseStrides(shape) };
  }

  /** Whether a value comes further down, and may become a view there: what delays read does. */
  #isAhead(id: NodeId): boolean {
    return !this.#home.has(id) && this.#futureHome(id).length > 0;
  }

  /** The features of a shift that is read in place: its value and its initial value lie alike. */
  #delayed(node: Node): Features | null {
    if (node.op !== "shift" || !this.#traits.readsDelay(node)) return null;
    const [value, initial] = [this.#featuresOf(node.inputs[0]!), this.#featuresOf(node.inputs[1]!)];
    const isAlike = initial.dims.join() === value.dims.join();
    const isFill = constantFill(this.#graph, node.inputs[1]!) !== null;
    return isAlike || (isFill && isDense(value)) ? value : null;
  }

  #featuresOf(id: NodeId): Features {
    const known = this.#features.get(id);
    if (known !== undefined) return known;
    const node = this.#node(id);
    const { shape } = node.type;
    const fill = node.op === "constant" && node.attrs.values.length === 1;
    return { offset: 0, shape, dims: fill ? shape.map(() => 0) : denseStrides(shape) };
  }

  /** Whether along every loop around both, what a view shows is kept as long as the view has to be. */
  #outlives(node: Node, operand: NodeId): boolean {
    const loops = this.#home.get(node.id) ?? [];
    const needed = new Map(
      loops.flatMap(({ axis }) =>
        node.type.axes.includes(axis) ? [[axis, reach(this.keepingOf(node.id, axis))] as const] : [],
      ),
    );
    return this.#operandsKept(node, operand, loops, needed);
  }

  #operandsKept(
    node: Node,
    operand: NodeId,
    loops: readonly Loop[],
    needed: ReadonlyMap<AxisId, number>,
  ): boolean {
    if (node.op !== "shift") return this.#isKept(operand, loops, needed);
    const { axis, offset } = node.attrs;
    const further = new Map(needed).set(axis, (needed.get(axis) ?? 0) + Math.abs(offset));
    return this.#isKept(operand, loops, further) && this.#isKept(node.inputs[1]!, loops, needed);
  }

  /** Whether a value can be read so many iterations after it was made. */
  #isKept(id: NodeId, loops: readonly Loop[], needed: ReadonlyMap<AxisId, number>): boolean {
    const operand = this.#viewed.get(id);
    if (operand !== undefined) return this.#operandsKept(this.#node(id), operand, loops, needed);
    const { axes } = this.#node(id).type;
    const around = this.#home.get(id) ?? this.#futureHome(id);
    return loops.every(loop => {
      if (!around.includes(loop) || !axes.includes(loop.axis)) return true;
      return reach(this.keepingOf(id, loop.axis)) >= (needed.get(loop.axis) ?? 0);
    });
  }

  /** The loops around a value that is computed further down: what delays read. */
  #futureHome(id: NodeId): readonly Loop[] {
    this.#homes ??= homesOf(this.#program.schedule.steps, []);
    return this.#homes.get(id) ?? [];
  }

  /**
   * Lets the nests before it compute the operands of a concatenation in its own memory. Returns whether that are all
   * of them, so that nothing is left to do.
   */
  #takeParts(
    node: NodeOf<"concat">,
    offset: number,
    drafts: readonly Draft[],
    definedAt: Map<NodeId, number>,
  ): boolean {
    const { dim } = node.attrs;
    if (!this.#traits.parts || node.type.shape.slice(0, dim).some(size => size !== 1)) return false;
    let start = 0;
    let all = true;
    let last = -1;
    for (const input of node.inputs) {
      const at = definedAt.get(input);
      const taken = at !== undefined && this.#fitsInto(node, input, drafts[at]!, offset);
      if (taken) {
        this.#parts.set(input, { of: node.id, start });
        last = Math.max(last, at);
      } else all = false;
      start += this.#node(input).type.shape.reduce((total, size) => total * size, 1);
    }
    if (all) definedAt.set(node.id, last);
    return all;
  }

  #fitsInto(node: NodeOf<"concat">, input: NodeId, draft: Draft, offset: number): boolean {
    if (!(draft instanceof Nest) || draft.offset !== offset || !draft.nodes.includes(input)) return false;
    if (this.#parts.has(input) || node.inputs.indexOf(input) !== node.inputs.lastIndexOf(input)) return false;
    const { axes, batched } = this.#node(input).type;
    if (batched !== node.type.batched || axes.join() !== node.type.axes.join()) return false;
    return (this.#home.get(node.id) ?? []).every(
      ({ axis }) => reach(this.keepingOf(node.id, axis)) >= reach(this.keepingOf(input, axis)),
    );
  }

  keepingOf(id: NodeId, axis: AxisId): Keeping {
    return keepingOf(this.#keeping, id, axis);
  }

  finish(drafts: readonly Draft[]): Plan {
    const uses = new Set<NodeId>();
    for (const name of this.#outputs()) {
      const id = this.#graph.outputs.get(name);
      if (id === undefined) throw new InternalError("makePlan", `the graph has no output ${name}`);
      for (const root of this.#roots(id)) uses.add(root);
    }
    this.#collectUses(drafts, uses);
    for (const [id, part] of this.#parts) if (uses.has(part.of)) uses.add(id);
    const items = this.#close(drafts, uses);
    const roots = (id: NodeId): readonly NodeId[] =>
      ownersOf({ viewed: this.#viewed, parts: this.#parts }, this.#graph, id);
    const life = new Lifetimes(this.#graph, this.#keeping, roots);
    life.walk(items, []);
    for (const name of this.#outputs()) life.keepToEnd(this.#graph.outputs.get(name)!);
    return {
      items,
      stored: life.stored(),
      viewed: this.#viewed,
      parts: this.#parts,
      home: this.#home,
    };
  }

  #outputs(): readonly string[] {
    return [...this.#program.results, ...this.#program.updates.map(({ output }) => output)];
  }

  #collectUses(drafts: readonly Draft[], uses: Set<NodeId>): void {
    for (const draft of drafts) {
      if (draft instanceof Nest) for (const { node } of draft.loads()) this.#use(node, uses);
      else if (draft.kind === "loop") this.#collectUses(draft.body, uses);
      else for (const input of this.#node(draft.node).inputs) this.#use(input, uses);
    }
  }

  #use(id: NodeId, uses: Set<NodeId>): void {
    for (const root of this.#roots(id)) uses.add(root);
  }

  #close(drafts: readonly Draft[], uses: ReadonlySet<NodeId>): readonly Item[] {
    return drafts.flatMap((draft): Item[] => {
      if (draft instanceof Nest) {
        const stores = draft.nodes.filter(id => uses.has(id));
        if (stores.length === 0) return [];
        return [{ kind: "fused", ...draft.close(stores), stores, offset: draft.offset }];
      }
      if (draft.kind === "kernel") return uses.has(draft.node) ? [draft] : [];
      const body = this.#close(draft.body, uses);
      const accumulated = body.flatMap(item =>
        item.kind === "kernel" && item.accumulate ? [item.node] : [],
      );
      return [{ kind: "loop", loop: draft.loop, body, accumulated: [...new Set(accumulated)] }];
    });
  }
}

const isDense = ({ shape, dims }: Features): boolean => dims.join() === denseStrides(shape).join();
