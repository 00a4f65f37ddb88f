// How a program may be built: fast, or with less memory for more time. Which level fits is for those to find out who
// know backend, batch and lengths (runtime/executables.ts).

import type { ScheduleOptions } from "../schedule/merge.ts";

/**
 * The fastest first; each needs no more memory than those before it.
 * `fast`: products over all steps at once; loops keep for others what cannot be computed again cheaply.
 * `lean`: products inside the loops that need them, weight gradients added up step by step: no more operations than
 * fast, but small products where that has large ones.
 * `least`: backward loops compute products again too, so forward loops keep what delays carry and nothing else.
 */
export const levels = ["fast", "lean", "least"] as const;

export type Level = (typeof levels)[number];

export const schedulingAt: { readonly [L in Level]: ScheduleOptions } = {
  fast: { sink: "cheap", recompute: "cheap" },
  lean: { sink: "products", recompute: "cheap" },
  least: { sink: "products", recompute: "products" },
};
