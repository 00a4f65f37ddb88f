// A stretch of memory that is handed out and taken back in pieces: the first gap that fits, else more at the end.
// Some of it may be promised to others later on; a piece that is kept so long must not lie there.

import { InternalError } from "../unreachable.ts";

export interface Stretch {
  readonly start: number;
  readonly size: number;
}

const endOf = ({ start, size }: Stretch): number => start + size;

export class Arena {
  /** Ascending, never empty, never touching. */
  readonly #gaps: Stretch[] = [];
  #end = 0;

  /** Up to here memory was ever used. */
  get size(): number {
    return this.#end;
  }

  /** The start of `size` free floats that none of `promised` (ascending) overlaps. */
  take(size: number, promised: readonly Stretch[] = []): number {
    for (const [i, gap] of this.#gaps.entries()) {
      const room = gap.size < size ? null : firstRoom(gap, size, promised);
      if (room === null) continue;
      this.#cut(i, room);
      return room.start;
    }
    return this.#grow(size, promised);
  }

  /** Takes exactly this stretch, which must be free. */
  takeAt(stretch: Stretch): void {
    if (stretch.size === 0) return;
    if (endOf(stretch) > this.#end) this.#extend(endOf(stretch));
    const index = this.#firstAfter(stretch.start) - 1;
    const gap = this.#gaps[index];
    if (gap === undefined || endOf(gap) < endOf(stretch)) {
      throw new InternalError("Arena.takeAt", `${stretch.start} + ${stretch.size} is not free`);
    }
    this.#cut(index, stretch);
  }

  #cut(index: number, { start, size }: Stretch): void {
    const gap = this.#gaps[index]!;
    const rests = [
      { start: gap.start, size: start - gap.start },
      { start: start + size, size: endOf(gap) - start - size },
    ];
    this.#gaps.splice(index, 1, ...rests.filter(rest => rest.size > 0));
  }

  /** At the end; a gap that ends there is used up first. */
  #grow(size: number, promised: readonly Stretch[]): number {
    const last = this.#gaps[this.#gaps.length - 1];
    const from = last !== undefined && endOf(last) === this.#end ? last.start : this.#end;
    const { start } = firstRoom({ start: from, size: Number.POSITIVE_INFINITY }, size, promised)!;
    this.#extend(start + size);
    this.takeAt({ start, size });
    return start;
  }

  #extend(end: number): void {
    const start = this.#end;
    this.#end = end;
    this.giveBack({ start, size: end - start });
  }

  giveBack({ start, size }: Stretch): void {
    if (size === 0) return;
    const after = this.#firstAfter(start);
    const [before, next] = [this.#gaps[after - 1], this.#gaps[after]];
    if ((before && endOf(before) > start) || (next && start + size > next.start)) {
      throw new InternalError("Arena.giveBack", `${start} + ${size} is free already`);
    }
    const from = before !== undefined && endOf(before) === start ? before.start : start;
    const to = next !== undefined && start + size === next.start ? endOf(next) : start + size;
    const joined = (from < start ? 1 : 0) + (to > start + size ? 1 : 0);
    this.#gaps.splice(from < start ? after - 1 : after, joined, { start: from, size: to - from });
  }

  /** The place of the first gap behind `start`. */
  #firstAfter(start: number): number {
    let [low, high] = [0, this.#gaps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#gaps[middle]!.start > start) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The first `size` floats of a gap that nothing promised overlaps. */
function firstRoom(gap: Stretch, size: number, promised: readonly Stretch[]): Stretch | null {
  let { start } = gap;
  for (const other of promised) {
    if (other.start >= start + size) break;
    if (endOf(other) > start) start = endOf(other);
  }
  return start + size <= endOf(gap) ? { start, size } : null;
}
