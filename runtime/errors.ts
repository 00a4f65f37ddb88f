// How far two backends' tensors are apart. Errors are relative to a tensor's largest value, as single elements may be
// small by chance; NaN and infinities must match.

import type { Tensor } from "../backends/api.ts";

/** The same value as two backends have it. */
export type Pair = readonly [Tensor, Tensor];

/** How far a pair is apart, and where most. */
export interface Apart {
  /** Relative; infinite where only one is a number, or the shapes differ. */
  readonly error: number;
  readonly difference: number;
  /** The element where the difference is largest. */
  readonly at: number;
}

export const distance = (a: number, b: number): number => {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const difference = Math.abs(a - b);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
};

/** What is smaller is nothing: a tensor of zeros may hold roundings of larger numbers. */
export const leastScale = 1e-6;

/** The largest finite magnitude of the one that has the smaller one, so that a value that has exploded hides nothing. */
export const largestOf = ([a, b]: Pair): number => Math.min(largest(a), largest(b));

export const scaleOf = (pair: Pair): number => Math.max(leastScale, largestOf(pair));

function largest({ data }: Tensor): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) {
    const magnitude = Math.abs(data[i]!);
    if (magnitude > most && magnitude < Number.POSITIVE_INFINITY) most = magnitude;
  }
  return most;
}

/** The smallest magnitude but zero, which is also what padding holds. */
export function smallestOf(pair: Pair): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { data } of pair) {
    for (let i = 0; i < data.length; i++) {
      const magnitude = Math.abs(data[i]!);
      if (magnitude < least && magnitude > 0) least = magnitude;
    }
  }
  return least;
}

/** @param scale that the error is relative to. */
export function apart(pair: Pair, scale = scaleOf(pair)): Apart {
  const [a, b] = pair;
  if (a.data.length !== b.data.length || a.shape.join() !== b.shape.join())
    return { error: Number.POSITIVE_INFINITY, difference: Number.POSITIVE_INFINITY, at: 0 };
  let difference = 0;
  let at = 0;
  for (let i = 0; i < a.data.length; i++) {
    const here = distance(a.data[i]!, b.data[i]!);
    if (here > difference) [difference, at] = [here, i];
  }
  return { error: difference / scale, difference, at };
}
