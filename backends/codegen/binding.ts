// The arena for one batch and extents: where every value lies in it, in bytes of the module's memory.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { layOut } from "../plan/arena.ts";
import { product } from "../plan/layout.ts";
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

export function bindExtents(
  { plan, places, primary, ahead }: Generated,
  { batch, extents }: Extents,
): Binding {
  let end = places.end;
  const reserve = (bytes: number): number => {
    const address = end;
    end += aligned(bytes);
    return address;
  };
  const examples = reserve(4 * batch);
  const active = reserve(4 * ((primary === null ? 0 : extents.get(primary)!) + ahead + 1));
  const lengths = new Map([...extents.keys()].map(axis => [axis, reserve(4 * batch)] as const));
  const claims = plan.stored.map(stored => ({
    size: bytesOf(places.shapeOf(stored), { batch, extents }) / 4,
    from: stored.from,
    to: stored.to,
  }));
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

function bytesOf({ axes, batched, rowBytes }: StoredShape, { batch, extents }: Extents): number {
  return (
    product(axes.map(({ axis, window }) => window ?? extents.get(axis)!)) * (batched ? batch : 1) * rowBytes
  );
}
