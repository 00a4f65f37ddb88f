// The schedule that programs use: loops found, cheap vector ops and sums merged into them, and what one loop keeps for
// another cut down to what cannot be computed again.

import type { Graph } from "../graph/graph.ts";
import { InternalError } from "../unreachable.ts";
import { findLoops, type Scheduling, scheduleOf } from "./build.ts";
import type { Homes } from "./loops.ts";
import { recompute } from "./recompute.ts";
import type { Schedule } from "./schedule.ts";
import { sink } from "./sink.ts";
import { storedFloats } from "./storage.ts";
import { wire } from "./wiring.ts";

export interface ScheduleOptions {
  /** Move cheap vector ops and sums into loops. For backends that call a library once an op, loops grow longer by it. */
  readonly sink: boolean;
  /** Compute cheap values again instead of keeping them (needs `sink`). The schedule's graph has the copies. */
  readonly recompute: boolean;
}

export function scheduleWith(graph: Graph, options: ScheduleOptions): Scheduling {
  const ordering = findLoops(wire(graph));
  if (ordering.kind === "unordered") return ordering;
  const { homes } = ordering;
  if (options.sink) sink(homes);
  const whole = scheduleOf(homes);
  const smaller = options.sink && options.recompute ? recomputed(homes) : null;
  // The cut counts what it can see from single nodes; what counts is what the whole schedule stores.
  const better = smaller !== null && storedFloats(smaller) < storedFloats(whole) ? smaller : whole;
  return { kind: "scheduled", schedule: better };
}

/** The schedule with what is cheap computed again where it is needed; null where nothing is. */
function recomputed(homes: Homes): Schedule | null {
  const graph = recompute(homes);
  if (graph === homes.wiring.graph) return null;
  const ordering = findLoops(wire(graph));
  if (ordering.kind === "unordered") throw new InternalError("recompute", "the graph has no order any more");
  sink(ordering.homes);
  return scheduleOf(ordering.homes);
}
