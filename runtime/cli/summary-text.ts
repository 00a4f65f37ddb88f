// The summary of a model as aligned text, and as JSON.

import { grouped } from "../../compiler/diagnostics/wording.ts";
import type { Axis, DType } from "../../compiler/graph/graph.ts";
import type { Level } from "../../compiler/program/levels.ts";
import { formatBytes } from "../bytes.ts";
import type { Rate } from "../operations.ts";
import type { Part, PartValue } from "../parts.ts";
import { byFrequency, type Summary, type Work } from "../summary.ts";
import { formatShape } from "../tensor.ts";
import { table } from "./print.ts";
import { examplesText, type Setting, settingText } from "./setting.ts";

/** What programs take at each level, the fastest first; nothing where the model lacks the program. */
export interface Memory {
  readonly backend: string;
  /** Null where nobody asked; of the levels, only the fastest is there then. */
  readonly allowed: number | null;
  readonly inference: readonly LevelRow[];
  readonly training: readonly LevelRow[];
}

export interface LevelRow {
  readonly level: Level;
  readonly flops: number;
  /** Beside parameters and states; null where the backend does not know. */
  readonly bytes: number | null;
}

/** All parameters and states are real. */
const realBytes = 4;

export function summaryText(model: string, found: Summary, memory: Memory, setting: Setting): string {
  return [
    `${model}: ${settingText(setting)}\n`,
    ruled(partRows(found), partColumns),
    ...(found.inference === null && found.training === null ? [] : [table(rateRows(found, setting), [1, 2])]),
    table(memoryRows(found, memory), [1]),
    ...(memory.allowed === null ? [] : [table(levelRows(memory, memory.allowed), [2, 3])]),
  ].join("\n");
}

/** A line under the head and above the last row. */
function ruled(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const lines = table(rows, right).trimEnd().split("\n");
  const rule = "-".repeat(Math.max(...lines.map(line => line.length)));
  return `${[lines[0], rule, ...lines.slice(1, -1), rule, lines.at(-1)].join("\n")}\n`;
}

/** Those with numbers. */
const partColumns = [4, 5, 6];

function partRows(found: Summary): readonly (readonly string[])[] {
  const { parts, axes, inference, training, optimizer } = found;
  const works: readonly (readonly [string, Work])[] = [
    ...(inference === null ? [] : [["inference FLOP", inference] as const]),
    ...(training === null ? [] : [["training FLOP", training] as const]),
  ];
  const flops = (part: string | null): readonly string[] =>
    works.map(([, { byPart }]) => rounded(byPart.get(part) ?? 0));
  const row = (part: Part): readonly string[] => [
    "  ".repeat(part.depth) + part.name,
    part.made.join(", "),
    part.value === null ? "" : featureText(part.value),
    part.value === null ? "" : axesText(part.value, axes),
    part.parameters === 0 ? "" : grouped(part.parameters),
    ...flops(part.name),
  ];
  return [
    ["name", "made by", "value", "axes", "parameters", ...works.map(([head]) => head)],
    ...parts.map(row),
    ...(optimizer === null ? [] : [["update", optimizer, "", "", "", ...flops(null)]]),
    ["in all", "", "", "", grouped(found.parameters), ...works.map(([, { total }]) => rounded(total))],
  ];
}

/** `real[128]`, `index(10)` */
function featureText({ dtype, classes, shape }: PartValue): string {
  const head: DType | string = classes === null ? dtype : `${dtype}(${classes})`;
  return shape.length === 0 ? head : head + formatShape(shape);
}

/** `s, t, n=2` */
const axesText = (value: PartValue, axes: readonly Axis[]): string =>
  value.axes
    .map(id => {
      const length = axes.find(axis => axis.id === id)?.length ?? null;
      return length === null ? id : `${id}=${length}`;
    })
    .join(", ");

/** What is computed at each rate, and in all. */
function rateRows({ inference, training }: Summary, setting: Setting): readonly (readonly string[])[] {
  const works = [
    { head: "inference", work: inference },
    { head: "training step", work: training },
  ].flatMap(({ head, work }) => (work === null ? [] : [{ head, work }]));
  const rates = works.flatMap(({ work }) => work.rates).toSorted(byFrequency);
  const at = (text: string, { rates: own }: Work): string =>
    exact(own.find(rate => rateText(rate) === text)?.flops ?? 0);
  return [
    ["FLOP", ...works.map(({ head }) => head)],
    ...[...new Set(rates.map(rateText))].map(text => [text, ...works.map(({ work }) => at(text, work))]),
    [`in all, ${lengthsText(setting)}`, ...works.map(({ work }) => exact(work.total))],
  ];
}

const lengthsText = ({ batch, lengths }: Setting): string =>
  [examplesText(batch), ...[...lengths].map(([axis, length]) => `${axis} = ${grouped(length)}`)].join(", ");

function rateText({ batched, axes }: Rate): string {
  const each = [...(batched ? ["example"] : []), ...axes];
  const last = each.pop() ?? "batch";
  return `each ${each.length === 0 ? last : `${each.join(", ")} and ${last}`}`;
}

function memoryRows(
  found: Summary,
  { backend, inference, training }: Memory,
): readonly (readonly string[])[] {
  const row = (name: string, size: number | null): readonly string[] => [name, bytesText(size)];
  return [
    ["memory", ""],
    row("parameters", found.parameters * realBytes),
    ...(found.training === null ? [] : [row("optimiser's state", found.state * realBytes)]),
    ...(found.inference === null ? [] : [row(`and for inference on ${backend}`, bytesAt(inference))]),
    ...(found.training === null ? [] : [row(`and for a training step on ${backend}`, bytesAt(training))]),
  ];
}

const bytesText = (size: number | null): string => (size === null ? "not known" : formatBytes(size));

/** At the fastest level. */
const bytesAt = (rows: readonly LevelRow[]): number | null => rows[0]?.bytes ?? null;

/** Each level of each program; the fastest that fits is the one that a session takes. */
function levelRows(
  { backend, inference, training }: Memory,
  allowed: number,
): readonly (readonly string[])[] {
  const rows = (name: string, list: readonly LevelRow[]): readonly (readonly string[])[] => {
    const taken = takenOf(list, allowed);
    const note = (row: LevelRow): string =>
      row === taken ? "taken" : taken === null && row === list.at(-1) ? "too much" : "";
    return list.map((row, i) => [
      i === 0 ? name : "",
      row.level,
      rounded(row.flops),
      bytesText(row.bytes),
      note(row),
    ]);
  };
  return [
    [`within ${formatBytes(allowed)} on ${backend}`, "level", "FLOP", "memory", ""],
    ...rows("inference", inference),
    ...rows("training step", training),
  ];
}

const takenOf = (rows: readonly LevelRow[], allowed: number): LevelRow | null =>
  rows.find(({ bytes }) => bytes !== null && bytes <= allowed) ?? null;

/** `486.6 M`: four digits; nothing for nothing. */
function rounded(count: number): string {
  if (count === 0) return "";
  const power = Math.min(decimal.length - 1, Math.floor(Math.log10(count) / 3));
  return count < 1e4 ? exact(count) : `${(count / 1000 ** power).toPrecision(4)} ${decimal[power]}`;
}

const exact = (count: number): string => (count === 0 ? "" : grouped(count));

const decimal = ["", "k", "M", "G", "T", "P", "E"];

export function summaryJson(model: string, found: Summary, memory: Memory, setting: Setting): unknown {
  const { inference, training } = found;
  const work = (one: Work | null) => one && { rates: one.rates, total: one.total };
  return {
    model,
    backend: memory.backend,
    batch: setting.batch,
    lengths: Object.fromEntries(setting.lengths),
    assumed: setting.assumed,
    parts: found.parts.map(part => ({
      ...part,
      flops: {
        inference: inference && (inference.byPart.get(part.name) ?? 0),
        training: training && (training.byPart.get(part.name) ?? 0),
      },
    })),
    parameters: found.parameters,
    state: found.state,
    flops: {
      inference: work(inference),
      training: work(training),
      update: training && (training.byPart.get(null) ?? 0),
    },
    bytes: {
      parameters: found.parameters * realBytes,
      state: found.state * realBytes,
      inference: bytesAt(memory.inference),
      training: bytesAt(memory.training),
    },
    ...(memory.allowed === null ? {} : { levels: levelsJson(memory, memory.allowed) }),
  };
}

const levelsJson = ({ inference, training }: Memory, allowed: number): unknown => ({
  allowed,
  inference: { rows: inference, taken: takenOf(inference, allowed)?.level ?? null },
  training: { rows: training, taken: takenOf(training, allowed)?.level ?? null },
});
