// Unrolls innermost loops by a factor: each pass through the body computes that many steps of the axis, so that a
// backend has more to order and to fuse, and fewer turns to take. The graph stays as it is.

import { FrondError } from "../diagnostics/error.ts";
import { report } from "../diagnostics/report.ts";
import type { Loop, Schedule, Step } from "../schedule/schedule.ts";

/**
 * `factor` at least 1, else a FrondError: it is the user's. Loops that hold loops stay as they are, since a step's
 * offset is of its innermost loop.
 */
export function unrollBy(schedule: Schedule, factor: number): Schedule {
  if (!Number.isInteger(factor) || factor < 1) {
    throw new FrondError([report("F0903", { found: factor }, null)]);
  }
  return { ...schedule, steps: schedule.steps.map(step => unrollStep(step, factor)) };
}

function unrollStep(step: Step, factor: number): Step {
  if (step.kind !== "loop") return step;
  if (step.body.some(({ kind }) => kind === "loop")) {
    return { ...step, body: step.body.map(inner => unrollStep(inner, factor)) };
  }
  return { ...step, factor, body: repeated(once(step), factor) };
}

/** The body's steps for one index of the axis, whatever the loop's factor is already. */
const once = ({ body }: Loop): readonly Step[] =>
  body.filter(step => step.kind === "loop" || step.offset === 0);

const repeated = (body: readonly Step[], factor: number): readonly Step[] =>
  Array.from({ length: factor }, (_, offset) =>
    body.map(step => (step.kind === "loop" ? step : { ...step, offset })),
  ).flat();
