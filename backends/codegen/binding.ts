// The arena for one batch and extents: where every value lies in it, in bytes of the module's memory.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { layOut } from "../plan/arena.ts";
import { product } from "../plan/layout.ts";
import type { Item } from "../plan/plan.ts";
import type { Generated } from "./generate.ts";
import { aligned, type StoredShape } from "./places.ts";

export interface Extents {
  readonly batch: number;
  /** Of all axes of the graph. */
  readonly extents: ReadonlyMap<AxisId, number>;
}

export interface Binding extends Extents {
  /** Of each stored value, by its number. */
  readonly bases: readonly number[];
  readonly lengths: ReadonlyMap<AxisId, number>;
  readonly active: number;
  readonly examples: number;
  /** The first address behind everything. */
  readonly end: number;
}

/** Vectors may be read across the end of the last row. */
const slack = 64;

export function bindExtents(generated: Generated, { batch, extents }: Extents): Binding {
  const { plan, places, primary, ahead, threads } = generated;
  let end = places.end;
  const reserve = (bytes: number): number => {
    const address = end;
    end += aligned(bytes);
    return address;
  };
  const examples = reserve(4 * batch);
  const active = reserve(4 * ((primary === null ? 0 : extents.get(primary)!) + ahead + 1));
  const lengths = new Map([...extents.keys()].map(axis => [axis, reserve(4 * batch)] as const));
  const epochs = epochSpans(generated);
  const claims = plan.stored.map(stored => {
    if (generated.inPlace.has(stored.node)) return { size: 0, from: 0, to: 0 };
    const bytes = bytesOf(places.shapeOf(stored), { batch, extents });
    return {
      size: (generated.ownSums.has(stored.node) ? threads * bytes : bytes) / 4,
      from: epochs.from(stored.from),
      to: epochs.to(stored.to),
    };
  });
  const { offsets, total } = layOut(claims);
  const start = reserve(4 * total);
  return {
    batch,
    extents,
    bases: offsets.map(offset => start + 4 * offset),
    lengths,
    active,
    examples,
    end: end + slack,
  };
}

/**
 * Threads are at different places between two meetings: what one still reads another must not write over, so values
 * live from the meeting before they are made to the one after they are last read.
 */
function epochSpans({ plan, epochs }: Generated) {
  if (epochs.length === 0) return { from: (at: number) => at, to: (at: number) => at };
  let now = 0;
  const ends = plan.items.map(item => {
    now += instantsOf(item);
    return now;
  });
  /** The item that is computed at an instant. */
  const itemAt = (at: number): number => {
    const found = ends.findIndex(end => at <= end);
    return found < 0 ? ends.length : found;
  };
  const epochAt = (at: number): number => (at === 0 ? -1 : (epochs[itemAt(at)] ?? Number.MAX_SAFE_INTEGER));
  return { from: epochAt, to: epochAt };
}

/** As plan.ts counts them. */
const instantsOf = (item: Item): number =>
  item.kind === "loop" ? 2 + item.body.reduce((sum, inner) => sum + instantsOf(inner), 0) : 1;

function bytesOf({ axes, batched, rowBytes }: StoredShape, { batch, extents }: Extents): number {
  return (
    product(axes.map(({ axis, window }) => window ?? extents.get(axis)!)) * (batched ? batch : 1) * rowBytes
  );
}
