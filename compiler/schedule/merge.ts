// The schedule that programs use: loops found, cheap vector ops and sums merged into them, and what one loop keeps for
// another cut down to what cannot be computed again.

import type { Graph } from "../graph/graph.ts";
import { findLoops, type Scheduling, scheduleOf } from "./build.ts";
import { recompute } from "./recompute.ts";
import { sink } from "./sink.ts";
import { wire } from "./wiring.ts";

export interface ScheduleOptions {
  /** Move cheap vector ops and sums into loops. For backends that call a library once an op, loops grow longer by it. */
  readonly sink: boolean;
  /** Compute cheap values again instead of keeping them (needs `sink`). The schedule's graph has the copies. */
  readonly recompute: boolean;
}

export function scheduleWith(graph: Graph, options: ScheduleOptions): Scheduling {
  const first = findLoops(wire(graph));
  if (first.kind === "unordered") return first;
  if (!options.sink) return { kind: "scheduled", schedule: scheduleOf(first.homes) };
  sink(first.homes);
  if (!options.recompute) return { kind: "scheduled", schedule: scheduleOf(first.homes) };
  const smaller = recompute(first.homes);
  if (smaller === graph) return { kind: "scheduled", schedule: scheduleOf(first.homes) };
  const second = findLoops(wire(smaller));
  if (second.kind === "unordered") return second;
  sink(second.homes);
  return { kind: "scheduled", schedule: scheduleOf(second.homes) };
}
