// What can be decided before the batch and the lengths are known: which nodes share a loop nest, which are views of
// others, and from when to when each value is needed. The schedule's order is kept but for elementwise nodes, which
// move up to a nest of the same shape where their operands allow.

import type { AxisId, Graph, Node, NodeId } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Keeping, Loop, Step } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Body } from "./elementwise.ts";
import { constantFill, type Load, Nest } from "./fusion.ts";
import { denseStrides, type Features } from "./layout.ts";
import { lowerings, viewOf } from "./lowering.ts";

/** Elementwise nodes computed by one loop nest. */
export interface FusedItem {
  readonly kind: "fused";
  /** All of one type up to dtype, which is that of the nest. */
  readonly nodes: readonly NodeId[];
  readonly loads: readonly Load[];
  /** Nodes that others read: only these are written. */
  readonly stores: readonly NodeId[];
  readonly body: Body;
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

export interface Plan {
  readonly items: readonly Item[];
  readonly stored: readonly Stored[];
  /** Operand of each node that is a view. */
  readonly viewed: ReadonlyMap<NodeId, NodeId>;
  /** The innermost loop that computes each node; sources and vector ops have none. */
  readonly home: ReadonlyMap<NodeId, readonly Loop[]>;
}

export function makePlan(program: Program): Plan {
  const planner = new Planner(program);
  const drafts = planner.body(program.schedule.steps, []);
  return planner.finish(drafts);
}

export const isSource = (node: Node): boolean => lowerings[node.op].kind === "source";

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
  readonly #viewed = new Map<NodeId, NodeId>();
  readonly #features = new Map<NodeId, Features>();

  constructor(program: Program) {
    this.#program = program;
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
      if (isSource(node)) continue;
      this.#home.set(node.id, step.kind === "accumulate" ? loops.slice(0, -1) : loops);
      if (step.kind === "compute" && this.#makeView(node)) continue;
      if (step.kind === "compute" && Nest.takes(node)) {
        definedAt.set(node.id, this.#place(node, step.offset, loops, drafts, nests, definedAt));
        continue;
      }
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
        if (nest.holds(node, input)) return true;
        const defined = definedAt.get(this.#root(input));
        return constantFill(this.#graph, input) !== null || defined === undefined || defined < last;
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

  #root(id: NodeId): NodeId {
    let at = id;
    for (let next = this.#viewed.get(at); next !== undefined; next = this.#viewed.get(at)) at = next;
    return at;
  }

  /** Whether the node is made a view of its operand: strides can say it, and the operand is kept long enough. */
  #makeView(node: Node): boolean {
    const [operand] = node.inputs;
    if (operand === undefined) return false;
    const features = viewOf(node, this.#featuresOf(operand));
    if (features === null || !this.#outlives(this.#root(operand), node)) return false;
    this.#viewed.set(node.id, operand);
    this.#features.set(node.id, features);
    return true;
  }

  #featuresOf(id: NodeId): Features {
    const known = this.#features.get(id);
    if (known !== undefined) return known;
    const node = this.#node(id);
    const { shape } = node.type;
    const fill = node.op === "constant" && node.attrs.values.length === 1;
    return { offset: 0, shape, dims: fill ? shape.map(() => 0) : denseStrides(shape) };
  }

  /** Whether along every loop around both the root is kept at least as long as the node has to be. */
  #outlives(root: NodeId, node: Node): boolean {
    const around = this.#home.get(root) ?? [];
    return (this.#home.get(node.id) ?? []).every(loop => {
      if (!around.includes(loop) || !node.type.axes.includes(loop.axis)) return true;
      return reach(this.keepingOf(root, loop.axis)) >= reach(this.keepingOf(node.id, loop.axis));
    });
  }

  keepingOf(id: NodeId, axis: AxisId): Keeping {
    return keepingOf(this.#keeping, id, axis);
  }

  finish(drafts: readonly Draft[]): Plan {
    const uses = new Set<NodeId>();
    for (const name of this.#outputs()) {
      const id = this.#graph.outputs.get(name);
      if (id === undefined) throw new InternalError("makePlan", `the graph has no output ${name}`);
      uses.add(this.#root(id));
    }
    this.#collectUses(drafts, uses);
    const items = this.#close(drafts, uses);
    const life = new Lifetimes(this.#graph, this.#keeping, id => this.#root(id));
    life.walk(items, []);
    for (const name of this.#outputs()) life.keepToEnd(this.#root(this.#graph.outputs.get(name)!));
    return { items, stored: life.stored(), viewed: this.#viewed, home: this.#home };
  }

  #outputs(): readonly string[] {
    return [...this.#program.results, ...this.#program.updates.map(({ output }) => output)];
  }

  #collectUses(drafts: readonly Draft[], uses: Set<NodeId>): void {
    for (const draft of drafts) {
      if (draft instanceof Nest) for (const { node } of draft.loads()) uses.add(this.#root(node));
      else if (draft.kind === "loop") this.#collectUses(draft.body, uses);
      else for (const input of this.#node(draft.node).inputs) uses.add(this.#root(input));
    }
  }

  #close(drafts: readonly Draft[], uses: ReadonlySet<NodeId>): readonly Item[] {
    return drafts.flatMap((draft): Item[] => {
      if (draft instanceof Nest) {
        const stores = draft.nodes.filter(id => uses.has(id));
        if (stores.length === 0) return [];
        const { loads, body } = draft.close(stores);
        return [{ kind: "fused", nodes: draft.nodes, loads, stores, body, offset: draft.offset }];
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

function nodesOf(steps: readonly Step[]): readonly NodeId[] {
  return steps.flatMap(step => (step.kind === "loop" ? nodesOf(step.body) : [step.node]));
}

/** What the schedule says, or, where it says nothing, the safe answer. */
export function keepingOf(keeping: Program["schedule"]["keeping"], id: NodeId, axis: AxisId): Keeping {
  return keeping.get(id)?.get(axis) ?? { kind: "sequence" };
}

/** How many iterations back a value can be read. */
const reach = (keeping: Keeping): number =>
  keeping.kind === "step" ? 0 : keeping.kind === "ring" ? keeping.slots : Number.POSITIVE_INFINITY;

/** Instants are numbered as items are walked: a loop has one at its begin and one at its end. */
class Lifetimes {
  readonly #graph: Graph;
  readonly #keeping: Program["schedule"]["keeping"];
  readonly #root: (id: NodeId) => NodeId;
  readonly #spans = new Map<Loop, { from: number; to: number }>();
  readonly #lives = new Map<NodeId, { loops: readonly Loop[]; from: number; to: number }>();
  readonly #reads: { readonly id: NodeId; readonly at: number; readonly loops: readonly Loop[] }[] = [];
  #now = 0;

  constructor(graph: Graph, keeping: Program["schedule"]["keeping"], root: (id: NodeId) => NodeId) {
    this.#graph = graph;
    this.#keeping = keeping;
    this.#root = root;
  }

  walk(items: readonly Item[], loops: readonly Loop[]): void {
    for (const item of items) {
      const at = ++this.#now;
      if (item.kind === "loop") {
        const span = { from: at, to: at };
        this.#spans.set(item.loop, span);
        for (const id of item.accumulated) this.#defined(id, loops, at);
        this.walk(item.body, [...loops, item.loop]);
        span.to = ++this.#now;
      } else if (item.kind === "fused") {
        for (const { node } of item.loads) this.#reads.push({ id: this.#root(node), at, loops });
        for (const id of item.stores) this.#defined(id, loops, at);
      } else {
        for (const id of this.#graph.nodes.get(item.node)!.inputs) {
          this.#reads.push({ id: this.#root(id), at, loops });
        }
        if (!item.accumulate) this.#defined(item.node, loops, at);
      }
    }
  }

  #defined(id: NodeId, loops: readonly Loop[], at: number): void {
    const known = this.#lives.get(id);
    if (known === undefined) this.#lives.set(id, { loops, from: at, to: at });
    else known.to = Math.max(known.to, at);
  }

  keepToEnd(root: NodeId): void {
    this.#reads.push({ id: root, at: this.#now + 1, loops: [] });
  }

  stored(): readonly Stored[] {
    for (const { id, at, loops } of this.#reads) {
      const node = this.#graph.nodes.get(id)!;
      if (node.op === "constant" || node.op === "parameter" || node.op === "state") continue;
      // What is fed is there from the beginning.
      const life = this.#lives.get(id) ?? { loops: [], from: 0, to: 0 };
      this.#lives.set(id, life);
      life.to = Math.max(life.to, at);
      const entered = loops.find(loop => !life.loops.includes(loop));
      if (entered !== undefined) life.to = Math.max(life.to, this.#spans.get(entered)!.to);
    }
    // What is kept beyond an iteration, for later ones or for readers outside, lives as long as the loop.
    for (const [id, life] of this.#lives) {
      const node = this.#graph.nodes.get(id)!;
      const carried = life.loops.find(
        ({ axis }) => !node.type.axes.includes(axis) || keepingOf(this.#keeping, id, axis).kind !== "step",
      );
      if (carried !== undefined) this.#cover(life, carried);
    }
    return [...this.#lives].map(([node, life]) => ({ node, ...life }));
  }

  #cover(life: { from: number; to: number }, loop: Loop): void {
    const span = this.#spans.get(loop)!;
    life.from = Math.min(life.from, span.from);
    life.to = Math.max(life.to, span.to);
  }
}
