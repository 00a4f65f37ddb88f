// Gives values their places in memory: one block for each dtype, in which values that are never needed at the same
// time share room. First fit, in the order in which values come to life.

import { Arena } from "../../compiler/program/arena.ts";

/** What wants room from instant `from` to instant `to`, both included. */
export interface Claim {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

export interface Layout {
  /** One for each claim. */
  readonly offsets: readonly number[];
  readonly total: number;
}

/** Values begin at multiples of this many elements: whole cache lines. */
const alignment = 16;

const rounded = ({ size }: Claim): number => Math.ceil(size / alignment) * alignment;

/** Throws a RangeError, as an array of that size would, where places could no longer be told apart. */
export function layOut(claims: readonly Claim[]): Layout {
  if (!Number.isSafeInteger(claims.reduce((total, claim) => total + rounded(claim), 0))) {
    throw new RangeError("array length beyond what numbers tell apart");
  }
  const numbers = claims.map((_, i) => i);
  const starting = numbers.toSorted((a, b) => claims[a]!.from - claims[b]!.from);
  const ending = numbers.toSorted((a, b) => claims[a]!.to - claims[b]!.to);
  const offsets = new Array<number>(claims.length).fill(0);
  const arena = new Arena();
  let ended = 0;
  for (const i of starting) {
    const claim = claims[i]!;
    for (let j = ending[ended]!; claims[j]!.to < claim.from; j = ending[++ended]!) {
      arena.giveBack({ start: offsets[j]!, size: rounded(claims[j]!) });
    }
    offsets[i] = arena.take(rounded(claim));
  }
  return { offsets, total: arena.size };
}
