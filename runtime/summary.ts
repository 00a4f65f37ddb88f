// What a model consists of and what it takes, as numbers: parts, parameters, operations. Nothing is run, and memory is
// the backends' to know; runtime/cli/summary.ts prints it.

import type { Axis, AxisId } from "../compiler/graph/graph.ts";
import { defaultTraining } from "../compiler/program/model.ts";
import type { Program } from "../compiler/program/program.ts";
import type { CompiledModel } from "./model.ts";
import { operationsOf, type Rate, timesOf } from "./operations.ts";
import { numbersIn, type Part, partAround, partsOf } from "./parts.ts";

export interface SummaryOptions {
  /** Examples. */
  readonly batch: number;
  /** Of every axis of unknown length. */
  readonly lengths: ReadonlyMap<AxisId, number>;
}

/** What one call of a program takes. */
export interface Work {
  readonly rates: readonly (Rate & { readonly flops: number })[];
  /** For the whole batch, by part; null is the optimiser. */
  readonly byPart: ReadonlyMap<string | null, number>;
  /** For the whole batch. */
  readonly total: number;
}

export interface Summary {
  readonly axes: readonly Axis[];
  readonly parts: readonly Part[];
  /** Numbers in all parameters, and in the optimiser's state. */
  readonly parameters: number;
  readonly state: number;
  /** All outputs; null where the model has none. */
  readonly inference: Work | null;
  /** A training step; null without a loss. */
  readonly training: Work | null;
  readonly optimizer: string | null;
}

export function summarize(model: CompiledModel, options: SummaryOptions): Summary {
  const lowered = model.lowered("train");
  const parts = partsOf(lowered);
  const step = model.hasLoss ? model.train() : null;
  return {
    axes: lowered.graph.axes,
    parts,
    parameters: numbersIn(lowered.graph, lowered.parameters),
    state: step === null ? 0 : numbersIn(step.graph, step.states),
    inference: lowered.outputs.length > 0 ? workOf(model.infer(), parts, options) : null,
    training: step === null ? null : workOf(step, parts, options),
    optimizer: step === null ? null : (model.trainConfig ?? defaultTraining).optimizer.kind,
  };
}

function workOf(program: Program, parts: readonly Part[], { batch, lengths }: SummaryOptions): Work {
  const names = new Set(parts.map(({ name }) => name));
  const rates = new Map<string, Rate & { readonly flops: number }>();
  const byPart = new Map<string | null, number>();
  let total = 0;
  for (const row of operationsOf(program)) {
    const { label, batched, axes } = row;
    const key = JSON.stringify([batched, axes]);
    rates.set(key, { batched, axes, flops: row.flops + (rates.get(key)?.flops ?? 0) });
    const part = label === null ? null : (partAround(names, label) ?? label);
    const flops = row.flops * timesOf(row, batch, lengths);
    byPart.set(part, flops + (byPart.get(part) ?? 0));
    total += flops;
  }
  return { rates: [...rates.values()].toSorted(byFrequency), byPart, total };
}

/** What one call of a program takes in all. */
export const flopsOf = (program: Program, { batch, lengths }: SummaryOptions): number =>
  operationsOf(program).reduce((total, row) => total + row.flops * timesOf(row, batch, lengths), 0);

/** The most often first. */
export const byFrequency = (a: Rate, b: Rate): number =>
  b.axes.length - a.axes.length ||
  Number(b.batched) - Number(a.batched) ||
  a.axes.join().localeCompare(b.axes.join());
