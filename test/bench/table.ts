// How what was measured is printed: a block of lines for each case, and at the end what a floating-point operation of
// the unusual layers costs beside one of the lstm.

import { type Case, caseName, shapeName, unusual } from "./cases.ts";

/** A line of the result, as `--json` prints it. */
export interface Row {
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
const widths = [14, 7, 10, 8, 9, 10, 14] as const;

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
  const lines = measured.map(({ row, spread }) =>
    line([
      row.engine,
      String(row.threads),
      digits(row.ms),
      Number.isFinite(spread) ? `± ${percent(spread)}` : "",
      digits(row.gflops),
      percent(row.gflops / row.limit),
      fastest === null ? "" : `${digits(row.ms / fastest.ms)}x`,
    ]),
  );
  return [head, line(["engine", "threads", "ms", "", "GFLOP/s", "of limit", against]), ...lines, ""].join(
    "\n",
  );
}

const faster = (best: Row | null, { row }: Measured): Row => (best === null || row.ms < best.ms ? row : best);

/** GFLOP/s of each unusual layer over the lstm's of the same task, shape and engine; empty without any. */
export function comparison(rows: readonly Row[]): string {
  const lines: string[] = [];
  for (const row of rows.filter(({ layer }) => unusual.includes(layer))) {
    const lstm = rows.find(
      other =>
        other.layer === "lstm" &&
        other.task === row.task &&
        other.engine === row.engine &&
        other.threads === row.threads &&
        shapeName(other) === shapeName(row),
    );
    if (lstm === undefined) continue;
    const cells = [row.engine.padEnd(widths[0]), String(row.threads).padStart(widths[1])];
    const name = `${row.task}/${row.layer}/${shapeName(row)}`;
    lines.push(`  ${name.padEnd(34)} ${cells.join(" ")} ${percent(row.gflops / lstm.gflops).padStart(8)}`);
  }
  if (lines.length === 0) return "";
  return ["GFLOP/s, as a fraction of the lstm's", ...lines, ""].join("\n");
}
