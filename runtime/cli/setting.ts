// What a model is summed up or timed for: how many examples, and how long they are; and where those numbers come from.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { grouped } from "../../compiler/diagnostics/wording.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { defaultTraining } from "../../compiler/program/model.ts";
import type { CompiledModel } from "../model.ts";
import type { SummaryOptions } from "../summary.ts";
import { checkAxes, openAxes } from "./axes.ts";
import { count, type GivenLengths, lengthsOrOne } from "./options.ts";

export interface Setting extends SummaryOptions {
  readonly batchFrom: "given" | "train block" | "default";
  /** Axes whose length is a guess. */
  readonly assumed: readonly AxisId[];
}

/** Of axes whose length is given by nobody. */
const assumedLength = 100;

export const settingOptions = {
  batch: count("N", "examples a batch (default: as the model's `train` block says)"),
  length: lengthsOrOne(`steps along all axes, or by name, \`s=20,t=100\` (default ${assumedLength})`),
};

export interface SettingValues {
  readonly batch: number | null;
  readonly length: GivenLengths;
}

export function settingOf(model: CompiledModel, { batch, length: given }: SettingValues): Setting {
  checkAxes(model, Object.keys(given.byName));
  const axes = openAxes(model);
  if (given.all !== null && axes.length === 0) {
    const other = `\`${model.name}\`, which has no axis of unknown length`;
    throw new FrondError([report("F0928", { option: "--length", other }, null, { help: ["leave it out"] })]);
  }
  const lengths = axes.map((axis): [AxisId, number] => [
    axis,
    given.byName[axis] ?? given.all ?? assumedLength,
  ]);
  const assumed = given.all === null ? axes.filter(axis => given.byName[axis] === undefined) : [];
  return {
    batch: batch ?? (model.trainConfig ?? defaultTraining).batch,
    batchFrom: batch !== null ? "given" : model.trainConfig !== null ? "train block" : "default",
    lengths: new Map(lengths),
    assumed,
  };
}

const batchNotes = { given: "", "train block": " (its train block)", default: " (the default)" } as const;

/** `32 examples (its train block), t = 100 (assumed)` */
export function settingText({ batch, batchFrom, lengths, assumed }: Setting): string {
  const steps = [...lengths].map(
    ([axis, length]) => `, ${axis} = ${grouped(length)}${assumed.includes(axis) ? " (assumed)" : ""}`,
  );
  return `${examplesText(batch)}${batchNotes[batchFrom]}${steps.join("")}`;
}

export const examplesText = (batch: number): string => `${grouped(batch)} example${batch === 1 ? "" : "s"}`;
