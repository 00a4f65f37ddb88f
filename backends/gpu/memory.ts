// What a run holds at most, from the shapes of its cells.

import type { Cell, Cells } from "./cells.ts";
import type { DrawStep, Draws } from "./draws.ts";
import { rowsOf, type Sizes } from "./transfer.ts";

/** Bytes of the most matrices that a run has at once, and of the lengths along so many axes; variables are not counted. */
export function most({ steps, free }: Draws, cells: Cells, sizes: Sizes, lengths: number): number {
  const bytes = ({ rows, texels, rings }: Cell): number =>
    16 * texels * rowsOf(rows, sizes) * rings.reduce((all, { slots }) => all * slots, 1);
  const live = new Set<Cell>([...cells.sources.values()].filter(({ kind }) => kind !== "variable"));
  let now = [...live].reduce((all, cell) => all + bytes(cell), 16 * sizes.batch * lengths);
  let top = now;
  for (const [i, step] of steps.entries()) {
    // What a step of a loop computes is there twice, before it is copied to its place or takes the place of another.
    let largest = 0;
    for (const cell of computedBy(step)) {
      const axes = cell.rows.axes.filter(axis => !cell.sequences.includes(axis));
      if (step.kind === "loop" || step.part !== null)
        largest = Math.max(largest, 16 * cell.texels * rowsOf({ ...cell.rows, axes }, sizes));
      if (live.has(cell)) continue;
      live.add(cell);
      now += bytes(cell);
    }
    top = Math.max(top, now + largest);
    for (const cell of free[i]!) if (live.delete(cell)) now -= bytes(cell);
  }
  return top;
}

function computedBy(step: DrawStep): readonly Cell[] {
  return step.kind === "draw" ? [step.cell] : step.body.flatMap(computedBy);
}
