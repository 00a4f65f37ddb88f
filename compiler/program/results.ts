// A program that gives more than it was built to give: values between its operations as results, so that two backends
// can be compared value by value. It computes the same; but what is a result is stored, so loops and fused groups may
// be others than before.

import type { Graph, NodeId } from "../graph/graph.ts";
import { type ScheduleOptions, scheduleWith } from "../schedule/merge.ts";
import { liveNodes } from "../schedule/wiring.ts";
import { InternalError } from "../unreachable.ts";
import { schedulingAt } from "./levels.ts";
import type { Program } from "./program.ts";

export interface Observed {
  readonly program: Program;
  /** The results that were added, by node. */
  readonly names: ReadonlyMap<NodeId, string>;
}

/** The program with these nodes of its graph as results too, scheduled as programs are. */
export function withResults(
  program: Program,
  nodes: Iterable<NodeId>,
  options: ScheduleOptions = schedulingAt.fast,
): Observed {
  const names = new Map([...nodes].map(id => [id, `node.${id}`] as const));
  const added = [...names].map(([id, name]) => [name, id] as const);
  const graph: Graph = { ...program.graph, outputs: new Map([...program.graph.outputs, ...added]) };
  const scheduling = scheduleWith(graph, options);
  // More outputs close no cycle.
  if (scheduling.kind === "unordered") throw new InternalError("withResults", `${program.name} has no order`);
  const { schedule } = scheduling;
  const results = [...program.results, ...names.values()];
  return { program: { ...program, graph: schedule.graph, schedule, results }, names };
}

/** The program with all that it computes as results. */
export const withAllResults = (program: Program): Observed => withResults(program, liveNodes(program.graph));
