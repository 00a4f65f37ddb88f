// In which order the examples are taken and how they are cut into batches. Examples of like length go together, so
// that little is padded; which examples meet is still drawn anew each epoch. Depends only on (seed, epoch) and the data.

import { type Draws, draws } from "../draws.ts";
import type { Binding } from "./bind.ts";

export interface BatchOptions {
  /** Examples a batch; the last one may have fewer. */
  readonly batch: number;
  /** Null: by length, nothing drawn. */
  readonly shuffle: { readonly seed: number; readonly epoch: number } | null;
}

/** Examples are sorted by length within stretches of this many batches: long enough to group, short enough to mix. */
const stretchBatches = 16;

/** The indices of every batch; each example is in exactly one. */
export function batches(binding: Binding, { batch, shuffle }: BatchOptions): readonly Int32Array[] {
  const order = Int32Array.from({ length: binding.size }, (_, i) => i);
  const lengths = totalLengths(binding);
  if (shuffle === null) return cut(byLength(order, lengths), batch);
  const numbers = draws(shuffle.seed, `shuffle ${shuffle.epoch}`);
  shuffleInPlace(order, numbers, 0);
  if (lengths === null) return cut(order, batch);
  const grouped = cut(order, batch * stretchBatches).flatMap(stretch =>
    cut(byLength(stretch, lengths), batch),
  );
  return shuffleInPlace([...grouped], numbers, binding.size);
}

/** Every example's steps over all axes; null where all have the same. */
function totalLengths({ lengths, size }: Binding): Float64Array | null {
  const total = new Float64Array(size);
  for (const own of lengths.values()) {
    own.forEach((length, i) => {
      total[i]! += length;
    });
  }
  return total.every(length => length === total[0]) ? null : total;
}

/** Longest first: a batch that does not fit into memory fails at once, not at the end. Stable. */
function byLength(indices: Int32Array, lengths: Float64Array | null): Int32Array {
  if (lengths === null) return indices;
  return Int32Array.from([...indices].sort((a, b) => lengths[b]! - lengths[a]!));
}

function cut(order: Int32Array, size: number): Int32Array[] {
  return Array.from({ length: Math.ceil(order.length / size) }, (_, i) =>
    order.subarray(i * size, (i + 1) * size),
  );
}

/** Fisher and Yates' shuffle; uses the draws from `first` on. */
function shuffleInPlace<T extends Int32Array | Int32Array[]>(items: T, numbers: Draws, first: number): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(numbers.uniform(first + i) * (i + 1));
    const held = items[i]!;
    items[i] = items[j]!;
    items[j] = held;
  }
  return items;
}
