// From a whole graph (model, adjoints and updates in one) to a program: simplified, scheduled, merged. What every stage
// made is kept, so that it can be shown (`frond dump STAGE`).

import type { AxisId, Graph } from "../graph/graph.ts";
import { printGraph } from "../graph/text.ts";
import { type Pass, runPasses } from "../passes/pass.ts";
import { afterAdjoint, beforeAdjoint } from "../passes/pipeline.ts";
import type { CycleProblem } from "../schedule/build.ts";
import { type ScheduleOptions, scheduleWith } from "../schedule/merge.ts";
import { printSchedule } from "../schedule/text.ts";
import { unreachable } from "../unreachable.ts";
import { unroll } from "../unroll/unroll.ts";
import { schedulingAt } from "./levels.ts";
import type { Program } from "./program.ts";
import { printProgram, printStatic } from "./text.ts";

/**
 * What a program is made of. `graph` is all that is to be computed, as lowering and autodiff leave it: the model
 * itself, or with its adjoints and updates.
 */
export interface ProgramParts extends Omit<Program, "schedule"> {
  /** The model alone. */
  readonly model: Graph;
}

export interface BuildOptions extends ScheduleOptions {
  /** Check every pass's result. */
  readonly verify: boolean;
  readonly observe?: (pass: Pass, graph: Graph) => void;
}

const defaultOptions: BuildOptions = { ...schedulingAt.fast, verify: false };

/** In the order in which they come about. */
export const stages = ["graph", "adjoint", "schedule", "unrolled", "program"] as const;

export type Stage = (typeof stages)[number];

export interface BuiltProgram {
  readonly kind: "built";
  readonly program: Program;
  /** The text of a stage; for `unrolled`, with the extents of the axes of unknown length. */
  readonly dump: (stage: Stage, extents: ReadonlyMap<AxisId, number>) => string;
}

export type Building =
  | BuiltProgram
  | { readonly kind: "unordered"; readonly problems: readonly CycleProblem[] };

/** A model made ready for differentiation: what is simplified here need not be in every adjoint. */
export function prepareModel(graph: Graph, options: Partial<BuildOptions> = {}): Graph {
  return runPasses(graph, beforeAdjoint, { ...defaultOptions, ...options });
}

export function buildProgram(parts: ProgramParts, options: Partial<BuildOptions> = {}): Building {
  const { model, graph, ...rest } = parts;
  const chosen = { ...defaultOptions, ...options };
  const simplified = runPasses(graph, afterAdjoint, chosen);
  const scheduling = scheduleWith(simplified, chosen);
  if (scheduling.kind === "unordered") return scheduling;
  const { schedule } = scheduling;
  const program: Program = { ...rest, graph: schedule.graph, schedule };
  const dump = (stage: Stage, extents: ReadonlyMap<AxisId, number>): string => {
    switch (stage) {
      case "graph":
        return printGraph(model);
      case "adjoint":
        return printGraph(simplified);
      case "schedule":
        return printSchedule(schedule);
      case "unrolled":
        return printStatic(unroll(schedule, extents), extents);
      case "program":
        return printProgram(program);
      default:
        return unreachable(stage);
    }
  };
  return { kind: "built", program, dump };
}
