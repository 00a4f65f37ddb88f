// The schedule that programs use: loops found, cheap vector ops and sums merged into them, and what one loop keeps for
// another cut down to what cannot be computed again.

import type { Graph } from "../graph/graph.ts";
import { InternalError } from "../unreachable.ts";
import { findLoops, type Scheduling, scheduleOf } from "./build.ts";
import type { Homes } from "./loops.ts";
import { type Repeated, recompute } from "./recompute.ts";
import type { Schedule } from "./schedule.ts";
import { type Sunk, sink } from "./sink.ts";
import { storedFloats } from "./storage.ts";
import { wire } from "./wiring.ts";

export interface ScheduleOptions {
  /**
   * What moves into loops, so that it needs no whole sequence in memory: cheap vector ops and sums, or products too,
   * one small one a step instead of one large one. For backends that call a library once an op, loops grow longer by it.
   */
  readonly sink: false | Sunk;
  /**
   * What is computed again instead of being kept: cheap values, or products too. Only where `sink` takes the like into
   * loops: elsewhere, what is computed again would be kept in turn. The schedule's graph has the copies.
   */
  readonly recompute: false | Repeated;
}

export function scheduleWith(graph: Graph, options: ScheduleOptions): Scheduling {
  const ordering = findLoops(wire(graph));
  if (ordering.kind === "unordered") return ordering;
  const { homes } = ordering;
  if (options.sink !== false) sink(homes, options.sink);
  let best = scheduleOf(homes);
  if (options.sink === false) return { kind: "scheduled", schedule: best };
  for (const repeated of repeatedBy(options)) {
    // The cut counts what it can see from single nodes; what counts is what the whole schedule stores.
    const smaller = recomputed(homes, options.sink, repeated);
    if (smaller !== null && storedFloats(smaller) < storedFloats(best)) best = smaller;
  }
  return { kind: "scheduled", schedule: best };
}

/** The least first: more is computed again only where that spares memory. */
function repeatedBy({ sink, recompute }: ScheduleOptions): readonly Repeated[] {
  if (recompute === false) return [];
  return recompute === "products" && sink === "products" ? ["cheap", "products"] : ["cheap"];
}

/** The schedule with values computed again where they are needed; null where none are. */
function recomputed(homes: Homes, sunk: Sunk, repeated: Repeated): Schedule | null {
  const graph = recompute(homes, repeated);
  if (graph === homes.wiring.graph) return null;
  const ordering = findLoops(wire(graph));
  if (ordering.kind === "unordered") throw new InternalError("recompute", "the graph has no order any more");
  sink(ordering.homes, sunk);
  return scheduleOf(ordering.homes);
}
