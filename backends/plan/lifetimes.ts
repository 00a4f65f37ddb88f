// From when to when each value of a plan is needed, as instants in the order in which its items are computed.

import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Keeping, Loop } from "../../compiler/schedule/schedule.ts";
import type { Item, Stored } from "./plan.ts";

/** What the schedule says, or, where it says nothing, the safe answer. */
export function keepingOf(keeping: Program["schedule"]["keeping"], id: NodeId, axis: AxisId): Keeping {
  return keeping.get(id)?.get(axis) ?? { kind: "sequence" };
}

/** How many iterations back a value can be read. */
export const reach = (keeping: Keeping): number =>
  keeping.kind === "step" ? 0 : keeping.kind === "ring" ? keeping.slots : Number.POSITIVE_INFINITY;

/** Instants are numbered as items are walked: a loop has one at its begin and one at its end. */
export class Lifetimes {
  readonly #graph: Graph;
  readonly #keeping: Program["schedule"]["keeping"];
  readonly #roots: (id: NodeId) => readonly NodeId[];
  readonly #spans = new Map<Loop, { from: number; to: number }>();
  readonly #lives = new Map<NodeId, { loops: readonly Loop[]; from: number; to: number }>();
  readonly #reads: { readonly id: NodeId; readonly at: number; readonly loops: readonly Loop[] }[] = [];
  #now = 0;

  constructor(
    graph: Graph,
    keeping: Program["schedule"]["keeping"],
    roots: (id: NodeId) => readonly NodeId[],
  ) {
    this.#graph = graph;
    this.#keeping = keeping;
    this.#roots = roots;
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
        for (const { node } of item.loads) this.#read(node, at, loops);
        for (const id of item.stores) this.#defined(id, loops, at);
      } else {
        for (const id of this.#graph.nodes.get(item.node)!.inputs) this.#read(id, at, loops);
        if (!item.accumulate) this.#defined(item.node, loops, at);
      }
    }
  }

  #read(node: NodeId, at: number, loops: readonly Loop[]): void {
    for (const id of this.#roots(node)) this.#reads.push({ id, at, loops });
  }

  #defined(node: NodeId, loops: readonly Loop[], at: number): void {
    const [id] = this.#roots(node) as [NodeId];
    const known = this.#lives.get(id);
    if (known === undefined) this.#lives.set(id, { loops, from: at, to: at });
    else known.to = Math.max(known.to, at);
  }

  keepToEnd(id: NodeId): void {
    this.#read(id, this.#now + 1, []);
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
