// How what was measured is printed: a block of lines for each case, and at the end what a floating-point operation of
// the unusual layers, and an operation of any on a graphics card, costs beside one of the lstm.

import { type Case, caseName, shapeName, unusual } from "./cases.ts";
import type { Cost } from "./meter.ts";

/** A line of the result, as `--json` prints it; rows of engines on a graphics card say what a step asks of it. */
export interface Row extends Partial<Cost> {
  readonly task: string;
  readonly layer: string;
  readonly batch: number;
  readonly steps: number;
  readonly inputs: number;
  readonly units: number;
  readonly engine: string;
  readonly threads: number;
  /** The median of a training step or an inference. */
  readonly ms: number;
  /** Of the program's products. */
  readonly gflops: number;
  /** GFLOP/s of 128-bit multiply and add on one core, measured in turn with the row. */
  readonly limit: number;
  /** Elementwise groups and products of a step, of Frond's rows that have draws. */
  readonly groups?: number;
}

/** A row and what its line says beside it. */
export interface Measured {
  readonly row: Row;
  /** Whether it is one of Frond's. */
  readonly own: boolean;
  /** Half of what lies between the quartiles, as a fraction of the median. */
  readonly spread: number;
}

/** Three digits that count; whole numbers from 100 on. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/e.*/, "");
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(fraction < 0.095 ? 1 : 0)} %`;

/** Columns of fixed widths, so that blocks that are printed one after the other line up. */
const widths = [14, 7, 10, 8, 9, 10, 14, 7, 7, 10] as const;

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[at]!)));
  return `  ${padded.join(" ")}`.trimEnd();
}

/** One case: the fastest of Frond's is what all others are held against. */
export function block(one: Case, flops: number, measured: readonly Measured[]): string {
  const fastest = measured.filter(({ own }) => own).reduce<Row | null>(faster, null);
  const limit = measured[0]?.row.limit ?? Number.NaN;
  const head = `${caseName(one)}   ${digits(flops / 1e6)} MFLOP, limit ${digits(limit)} GFLOP/s`;
  const against = fastest === null ? "" : `/ ${fastest.engine}`;
  const hasCosts = measured.some(({ row }) => row.draws !== undefined);
  const lines = measured.map(({ row, spread }) =>
    line([
      row.engine,
      String(row.threads),
      digits(row.ms),
      Number.isFinite(spread) ? `± ${percent(spread)}` : "",
      digits(row.gflops),
      percent(row.gflops / row.limit),
      fastest === null ? "" : `${digits(row.ms / fastest.ms)}x`,
      ...costs(row),
    ]),
  );
  const names = ["engine", "threads", "ms", "", "GFLOP/s", "of limit", against];
  return [head, line([...names, ...(hasCosts ? ["draws", "copies", "script ms"] : [])]), ...lines, ""].join(
    "\n",
  );
}

/** Cells of the columns that are there where a row has them. */
function costs({ draws, copies, script }: Partial<Cost>): readonly string[] {
  if (draws === undefined || copies === undefined || script === undefined) return [];
  return [String(draws), String(copies), digits(script)];
}

const faster = (best: Row | null, { row }: Measured): Row => (best === null || row.ms < best.ms ? row : best);

/** What layers cost beside the lstm of the same task, shape and engine; empty where there is nothing to compare. */
export function comparison(rows: readonly Row[]): string {
  const own = rows.filter(({ layer }) => unusual.includes(layer));
  return [
    ...table("GFLOP/s, as a fraction of the lstm's", rows, own, (row, lstm) =>
      percent(row.gflops / lstm.gflops),
    ),
    ...table("Draws for each elementwise group and product, beside the lstm's", rows, rows, drawsBeside),
  ].join("\n");
}

function drawsBeside(row: Row, lstm: Row): string | null {
  if (row.layer === "lstm" || !row.groups || !lstm.groups) return null;
  return `${digits(row.draws! / row.groups / (lstm.draws! / lstm.groups))}x`;
}

/** A line for each of `chosen` that has an lstm to be compared with, under a title. */
function table(
  title: string,
  rows: readonly Row[],
  chosen: readonly Row[],
  compare: (row: Row, lstm: Row) => string | null,
): readonly string[] {
  const lines: string[] = [];
  for (const row of chosen) {
    const lstm = rows.find(
      other =>
        other.layer === "lstm" &&
        other.task === row.task &&
        other.engine === row.engine &&
        other.threads === row.threads &&
        shapeName(other) === shapeName(row),
    );
    const found = lstm === undefined ? null : compare(row, lstm);
    if (found === null) continue;
    const cells = [row.engine.padEnd(widths[0]), String(row.threads).padStart(widths[1])];
    const name = `${row.task}/${row.layer}/${shapeName(row)}`;
    lines.push(`  ${name.padEnd(34)} ${cells.join(" ")} ${found.padStart(8)}`);
  }
  return lines.length === 0 ? [] : [title, ...lines, ""];
}
