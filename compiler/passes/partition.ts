// The coarsest partition in which members of a block have the same colour and, slot by slot, operands in the same
// blocks (Hopcroft 1971, "An n log n algorithm for minimizing states in a finite automaton"). On a graph with cycles
// this finds equal recurrences, where hash-consing, which needs operands first, cannot begin.

import type { Arcs } from "../schedule/components.ts";

export interface Colouring {
  /** Vertices of different colour are different. */
  readonly colours: Int32Array;
  /** 1 where the order of the operands does not matter. */
  readonly symmetric: Uint8Array;
}

/** The block of each vertex. `users` are the reversed arcs. */
export function partition(operands: Arcs, users: Arcs, { colours, symmetric }: Colouring): Int32Array {
  const block = Int32Array.from(colours);
  const blocks: Set<number>[] = [];
  for (let v = 0; v < operands.size; v++) {
    blocks[block[v]!] ??= new Set();
    blocks[block[v]!]!.add(v);
  }
  const signature = (v: number): string => {
    const slots = [...operands.targets.subarray(operands.start[v]!, operands.start[v + 1]!)].map(
      m => block[m]!,
    );
    return (symmetric[v] === 1 ? slots.sort((a, b) => a - b) : slots).join();
  };
  // At first everything has to be looked at; afterwards only the readers of what moved to another block.
  let changed: ReadonlySet<number> = new Set(block.keys());
  while (changed.size > 0) {
    const touched = new Map<number, number[]>();
    for (const v of changed) {
      const list = touched.get(block[v]!);
      if (list === undefined) touched.set(block[v]!, [v]);
      else list.push(v);
    }
    // Splits are found against one state of all blocks and made together.
    const moves: { readonly group: readonly number[]; readonly from: number }[] = [];
    for (const [from, members] of touched) {
      const whole = blocks[from]!;
      if (whole.size === 1) continue;
      for (const group of smallerParts(whole, members, signature)) moves.push({ group, from });
    }
    const next = new Set<number>();
    for (const { group, from } of moves) {
      const to = blocks.push(new Set(group)) - 1;
      for (const v of group) {
        blocks[from]!.delete(v);
        block[v] = to;
        for (let s = users.start[v]!; s < users.start[v + 1]!; s++) next.add(users.targets[s]!);
      }
    }
    changed = next;
  }
  return block;
}

/**
 * The parts of a block that must leave it: all but the largest. Members that were not touched still have one signature,
 * and no touched member has it any more: operands of those moved to blocks that are new.
 */
function smallerParts(
  whole: ReadonlySet<number>,
  touched: readonly number[],
  signature: (v: number) => string,
): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const v of touched) {
    const key = signature(v);
    const list = groups.get(key);
    if (list === undefined) groups.set(key, [v]);
    else list.push(v);
  }
  const parts = [...groups.values()];
  const largest = parts.reduce((best, part) => (part.length > best.length ? part : best));
  const untouched = whole.size - touched.length;
  if (untouched >= largest.length) return parts;
  const others = parts.filter(part => part !== largest);
  if (untouched === 0) return others;
  const moved = new Set(touched);
  return [...others, [...whole].filter(v => !moved.has(v))];
}
