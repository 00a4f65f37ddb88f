// How long each value made inside loops lives: an iteration, as many iterations as delays reach back, or as a whole
// sequence, only where something outside its loop reads it. Views read elsewhere are moved there by recompute.ts, so
// that a slice or a delayed copy does not keep a second sequence.

import type { AxisId, NodeId } from "../graph/graph.ts";
import { encloses, type Homes } from "./loops.ts";
import type { Keeping } from "./schedule.ts";
import { eachTarget } from "./wiring.ts";

export function keepingOf(homes: Homes): ReadonlyMap<NodeId, ReadonlyMap<AxisId, Keeping>> {
  const kept = new Map<NodeId, ReadonlyMap<AxisId, Keeping>>();
  for (const [v, node] of homes.wiring.nodes.entries()) {
    const chain = loopsAround(homes, v);
    if (chain.length === 0) continue;
    const slots = slotsOf(homes, v, chain);
    kept.set(node.id, new Map(chain.map((loop, i) => [homes.loops[loop]!.axis, asKeeping(slots[i]!)])));
  }
  return kept;
}

/** The loops along whose axes the node has a value at each iteration, outermost first. */
export function loopsAround({ home, loops, accumulates }: Homes, v: number): readonly number[] {
  const chain: number[] = [];
  const inner = accumulates[v] === 1 ? loops[home[v]!]!.parent : home[v]!;
  for (let at = inner; at !== -1; at = loops[at]!.parent) chain.unshift(at);
  return chain;
}

/** For each loop of the chain how many earlier iterations are read; Infinity where all are. */
function slotsOf(homes: Homes, v: number, chain: readonly number[]): readonly number[] {
  const { wiring, loops, home } = homes;
  const slots = chain.map(() => (wiring.output[v] === 1 ? Infinity : 0));
  eachTarget(wiring.users, v, user => {
    eachTarget(wiring.operands, user, (m, k) => {
      if (m !== v) return;
      const node = wiring.nodes[user]!;
      for (const [i, loop] of chain.entries()) {
        const inside = encloses(loops, loop, home[user]!);
        const carried = node.op === "shift" && k === 0 && node.attrs.axis === loops[loop]!.axis;
        if (inside && !carried) continue;
        if (inside && node.op === "shift") slots[i] = Math.max(slots[i]!, Math.abs(node.attrs.offset));
        // Another iteration, or none: loops further in have run to their end by then.
        slots.fill(Infinity, inside ? i + 1 : i);
        break;
      }
    });
  });
  return slots;
}

function asKeeping(slots: number): Keeping {
  if (slots === 0) return { kind: "step" };
  return slots === Infinity ? { kind: "sequence" } : { kind: "ring", slots };
}
