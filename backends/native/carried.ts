// What a loop carries from turn to turn for its delays: the last few values, oldest last, or all of them where a delay
// reaches far back. Where the initial value is the same at all turns, the first ones are that already.

import type { Graph, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Loop, Step } from "../../compiler/schedule/schedule.ts";
import { type Site, wholeOf } from "./context.ts";
import { isInside } from "./crossing.ts";
import type { Scope } from "./scope.ts";
import type { Variable } from "./turning.ts";
import type { Value, Whole } from "./values.ts";

/** Delays of more steps read a sequence: each step less costs three nodes at every turn. */
const mostSlots = 8;

/** For delays of one value with one initial value. */
interface Ring {
  readonly kind: "ring";
  readonly whole: Whole;
  readonly slots: readonly Variable[];
  /** Whether a delay shows the initial value by itself where it is outside. */
  readonly starts: boolean;
}

interface History {
  readonly kind: "history";
  readonly whole: Whole;
  readonly sequence: Variable;
}

export type Homes = ReadonlyMap<NodeId, readonly Loop[]>;

export class Carried {
  readonly #site: Site;
  readonly #scope: Scope;
  readonly #delays = new Map<string, { readonly value: NodeId; readonly kept: Ring | History }>();

  /** @param scope of the loop. */
  constructor(site: Site, scope: Scope, homes: Homes) {
    this.#site = site;
    this.#scope = scope;
    const { loop } = scope.loop!;
    const groups = new Map<string, NodeOf<"shift">[]>();
    for (const shift of delaysOf(site.graph, loop, homes)) {
      const key = keyOf(shift);
      groups.set(key, [...(groups.get(key) ?? []), shift]);
    }
    for (const [key, shifts] of groups) {
      this.#delays.set(key, { value: shifts[0]!.inputs[0]!, kept: this.#kept(shifts, homes) });
    }
  }

  #kept(shifts: readonly NodeOf<"shift">[], homes: Homes): Ring | History {
    const { values, graph } = this.#site;
    const { loop, turning } = this.#scope.loop!;
    const [value, initial] = shifts[0]!.inputs.map(id => graph.nodes.get(id)!);
    const outer = this.#scope.outer!;
    const whole = wholeOf(this.#site.contextOf(this.#scope), value!.type);
    const count = Math.max(...shifts.map(({ attrs }) => Math.abs(attrs.offset)));
    if (count > mostSlots) {
      const sequence = turning.sequence(value!.type.dtype, values.dims(whole));
      return { kind: "history", whole, sequence };
    }
    const isSteady =
      !initial!.type.axes.includes(loop.axis) &&
      !(homes.get(initial!.id) ?? []).includes(loop) &&
      initial!.type.axes.every(axis => value!.type.axes.includes(axis)) &&
      (value!.type.batched || !initial!.type.batched);
    const starts = isSteady && shifts.every(shift => !this.#hasOwnEnd(shift));
    const first = starts
      ? this.#site.read(initial!.id, outer)
      : values.scalar(this.#site.ops.zero(value!.type.dtype));
    const { tensor } = values.full(first, whole);
    return {
      kind: "ring",
      whole,
      starts,
      slots: Array.from({ length: count }, () => turning.variable(tensor)),
    };
  }

  /** Whether examples differ in where they are outside. */
  #hasOwnEnd({ attrs, type }: NodeOf<"shift">): boolean {
    return attrs.offset < 0 && type.batched && this.#site.contextOf(this.#scope).isRagged(attrs.axis);
  }

  /** What the delay is in a scope of the loop. */
  read(shift: NodeOf<"shift">, at: Scope): Value {
    const { values } = this.#site;
    const { kept } = this.#delays.get(keyOf(shift))!;
    const before = at.seen(this.#before(shift, kept), this.#scope);
    if (kept.kind === "ring" && kept.starts) return before;
    const inside = isInside(shift, this.#site.contextOf(at));
    return values.select(inside, before, this.#site.read(shift.inputs[1]!, at));
  }

  #before({ attrs: { offset } }: NodeOf<"shift">, kept: Ring | History): Value {
    if (kept.kind === "ring") return { ...kept.whole, tensor: kept.slots[Math.abs(offset) - 1]!.tensor };
    const { turning } = this.#scope.loop!;
    return { ...kept.whole, tensor: this.#site.ops.row(kept.sequence.tensor, turning.neighbour(offset)) };
  }

  /** Ends the loop's turn. */
  turn(): void {
    const { turning } = this.#scope.loop!;
    for (const { value, kept } of this.#delays.values()) {
      const { tensor } = this.#site.values.full(this.#site.read(value, this.#scope), kept.whole);
      if (kept.kind === "history") turning.write(kept.sequence, tensor);
      else
        for (const [k, slot] of kept.slots.entries()) turning.next(slot, kept.slots[k - 1]?.tensor ?? tensor);
    }
  }
}

const keyOf = ({ inputs: [value, initial] }: NodeOf<"shift">): string => `${value} ${initial}`;

/** Delays in a loop that read what it has computed at another turn. */
function delaysOf(graph: Graph, loop: Loop, homes: Homes): readonly NodeOf<"shift">[] {
  const found = new Set<NodeOf<"shift">>();
  const visit = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.kind === "loop") visit(step.body);
      else {
        const node = graph.nodes.get(step.node)!;
        if (node.op === "shift" && isCarriedBy(node, loop, homes)) found.add(node);
      }
    }
  };
  visit(loop.body);
  return [...found];
}

/** Whether a delay inside of the loop reads what the loop has computed at another turn. */
export const isCarriedBy = ({ attrs, inputs }: NodeOf<"shift">, loop: Loop, homes: Homes): boolean =>
  attrs.axis === loop.axis && (homes.get(inputs[0]!) ?? []).includes(loop);
