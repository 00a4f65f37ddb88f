// Gives values their places in memory: one block for each dtype, in which values that are never needed at the same
// time share room. First fit, in the order in which values come to life.

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

interface Hole {
  offset: number;
  size: number;
}

/** Values begin at multiples of this many elements: whole cache lines. */
const alignment = 16;

export function layOut(claims: readonly Claim[]): Layout {
  const offsets = new Array<number>(claims.length).fill(0);
  const order = claims.map((_, i) => i).sort((a, b) => claims[a]!.from - claims[b]!.from);
  const ending = claims.map((_, i) => i).sort((a, b) => claims[a]!.to - claims[b]!.to);
  const holes: Hole[] = [];
  const sizeOf = (i: number): number => Math.ceil(claims[i]!.size / alignment) * alignment;
  let total = 0;
  let ended = 0;
  for (const i of order) {
    const { from } = claims[i]!;
    while (ended < ending.length && claims[ending[ended]!]!.to < from) {
      const j = ending[ended++]!;
      release(holes, offsets[j]!, sizeOf(j));
    }
    const size = sizeOf(i);
    const hole = holes.find(candidate => candidate.size >= size);
    if (hole !== undefined) {
      offsets[i] = hole.offset;
      hole.offset += size;
      hole.size -= size;
      if (hole.size === 0) holes.splice(holes.indexOf(hole), 1);
      continue;
    }
    // A hole at the end grows; otherwise the block does.
    const last = holes.at(-1);
    if (last !== undefined && last.offset + last.size === total) {
      offsets[i] = last.offset;
      total = last.offset + size;
      holes.pop();
    } else {
      offsets[i] = total;
      total += size;
    }
  }
  return { offsets, total };
}

/** Gives room back; holes stay sorted and joined. */
function release(holes: Hole[], offset: number, size: number): void {
  if (size === 0) return;
  let at = holes.findIndex(hole => hole.offset > offset);
  if (at < 0) at = holes.length;
  holes.splice(at, 0, { offset, size });
  const next = holes[at + 1];
  if (next !== undefined && offset + size === next.offset) {
    holes[at]!.size += next.size;
    holes.splice(at + 1, 1);
  }
  const before = holes[at - 1];
  if (before !== undefined && before.offset + before.size === offset) {
    before.size += holes[at]!.size;
    holes.splice(at, 1);
  }
}
