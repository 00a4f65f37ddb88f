// How diagnostics look in a terminal: title, place, source lines with the span underlined, notes in the same frame,
// help lines. Pure: the caller knows whether colours are wanted.

import type { Diagnostic, Source } from "./diagnostic.ts";
import { columnAt, firstFrom, type LineIndex, lineIndex, type PrintedLine } from "./lines.ts";

export interface RenderOptions {
  readonly color: boolean;
}

/** All diagnostics, a blank line after each; empty for none. */
export function render(diagnostics: readonly Diagnostic[], options: RenderOptions): string {
  const paint = options.color ? ansi : plain;
  const indices = new Map<Source, LineIndex>();
  const indexOf = (source: Source): LineIndex => {
    const index = indices.get(source) ?? lineIndex(source.text);
    indices.set(source, index);
    return index;
  };
  return diagnostics.map(diagnostic => `${renderOne(diagnostic, paint, indexOf)}\n\n`).join("");
}

type Style = "error" | "warning" | "note" | "frame" | "help" | "strong";
type Paint = (style: Style, text: string) => string;

const codes: { readonly [S in Style]: string } = {
  error: "1;31",
  warning: "1;33",
  note: "1;36",
  frame: "34",
  help: "1;32",
  strong: "1",
};

const plain: Paint = (_, text) => text;
const ansi: Paint = (style, text) => (text === "" ? "" : `\u001b[${codes[style]}m${text}\u001b[0m`);

/** Columns of source shown; longer lines are cut to a window around what is underlined. */
const windowWidth = 110;

interface Mark {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly style: "error" | "warning" | "note";
}

interface Row {
  readonly line: number;
  /** Columns underlined; `to` is exclusive and never equal to `from`. */
  readonly from: number;
  readonly to: number;
  /** Said after the underline: on the last row of a mark. */
  readonly text: string;
  readonly style: Mark["style"];
}

function renderOne(diagnostic: Diagnostic, paint: Paint, indexOf: (source: Source) => LineIndex): string {
  const { severity, code, title, span, label, help } = diagnostic;
  const lines = [paint(severity, `${severity}[${code}]`) + paint("strong", `: ${title}`)];
  const helpLines = help.map(line => `${paint("help", "help:")} ${line}`);
  if (span === null) return [...lines, ...helpLines].join("\n");

  const frames = framesOf(diagnostic, severity, label);
  const last = frames.flatMap(({ source, marks }) => marks.map(mark => indexOf(source).lineOf(mark.end) + 1));
  const gutter = String(Math.max(...last)).length;
  for (const [i, { source, marks }] of frames.entries()) {
    const index = indexOf(source);
    const { line, column } = index.place(marks[0]!.start);
    const arrow = `${" ".repeat(gutter)}${i === 0 ? "-->" : ":::"}`;
    lines.push(`${paint("frame", arrow)} ${source.name}:${line + 1}:${column + 1}`);
    lines.push(...frame(index, marks, gutter, paint));
  }
  if (helpLines.length > 0) lines.push(paint("frame", `${" ".repeat(gutter)} |`));
  return [...lines, ...helpLines].join("\n");
}

/** One frame for each source: the main one first. */
function framesOf(diagnostic: Diagnostic, style: "error" | "warning", label: string) {
  const span = diagnostic.span!;
  const frames: { readonly source: Source; readonly marks: Mark[] }[] = [
    { source: span.source, marks: [{ start: span.start, end: span.end, text: label, style }] },
  ];
  for (const { span, text } of diagnostic.notes) {
    const mark: Mark = { start: span.start, end: span.end, text, style: "note" };
    const frame = frames.find(({ source }) => source === span.source || source.name === span.source.name);
    if (frame === undefined) frames.push({ source: span.source, marks: [mark] });
    else frame.marks.push(mark);
  }
  return frames;
}

function frame(index: LineIndex, marks: readonly Mark[], gutter: number, paint: Paint): readonly string[] {
  const rows = marks.flatMap(mark => rowsOf(index, mark));
  const shown = [...new Set(rows.map(row => row.line))].sort((a, b) => a - b);
  const bar = paint("frame", "|");
  const lines = [`${" ".repeat(gutter)} ${bar}`];
  let previous = shown[0]! - 1;
  for (const line of shown) {
    if (line === previous + 2) lines.push(sourceLine(index, line - 1, gutter, paint, []));
    else if (line > previous + 2) lines.push(paint("frame", "...".slice(0, gutter + 2)));
    const own = rows.filter(row => row.line === line);
    lines.push(sourceLine(index, line, gutter, paint, own));
    const below = underlines(index.row(line), own, paint);
    lines.push(...below.map(text => `${" ".repeat(gutter)} ${bar} ${text}`.trimEnd()));
    previous = line;
  }
  return lines;
}

/** A mark over several lines underlines the first and the last. */
function rowsOf(index: LineIndex, mark: Mark): readonly Row[] {
  const first = index.place(mark.start);
  const last = index.place(Math.max(mark.start, mark.end - 1));
  const { style, text } = mark;
  const from = columnOf(index, first.line, first.unit);
  if (first.line === last.line) {
    const to = columnOf(index, first.line, first.unit + mark.end - mark.start);
    return [{ line: first.line, from, to: Math.max(to, from + 1), text, style }];
  }
  const firstEnd = columnOf(index, first.line, index.text(first.line).trimEnd().length);
  const lastText = index.text(last.line);
  const lastFrom = columnOf(index, last.line, lastText.length - lastText.trimStart().length);
  const lastTo = columnOf(index, last.line, last.unit + 1);
  return [
    { line: first.line, from, to: Math.max(firstEnd, from + 1), text: "", style },
    { line: last.line, from: Math.min(lastFrom, lastTo - 1), to: lastTo, text, style },
  ];
}

/** The terminal column at which the code unit `unit` of a line begins. */
function columnOf(index: LineIndex, line: number, unit: number): number {
  return columnAt(index.row(line), unit);
}

interface Window {
  readonly from: number;
  readonly to: number;
}

/** The columns of a line that are shown: all, or a window that holds what is underlined. */
function visible({ columns }: PrintedLine, rows: readonly Row[]): Window {
  const width = columns.at(-1)!;
  if (width <= windowWidth) return { from: 0, to: width };
  const start = Math.min(...rows.map(row => row.from));
  const from = Number.isFinite(start) ? Math.max(0, Math.min(start - 30, width - windowWidth)) : 0;
  return { from, to: Math.min(width, from + windowWidth) };
}

function sourceLine(
  index: LineIndex,
  line: number,
  gutter: number,
  paint: Paint,
  rows: readonly Row[],
): string {
  const row = index.row(line);
  const { from, to } = visible(row, rows);
  let text = from > 0 ? "…" : "";
  let at = firstFrom(row.columns, from + (from > 0 ? 1 : 0));
  while (at < row.cells.length && row.columns[at + 1]! <= to) text += row.cells[at++]!.text;
  const cut = at < row.cells.length;
  const number = paint("frame", `${String(line + 1).padStart(gutter)} |`);
  return `${number} ${text}${cut ? "…" : ""}`.trimEnd();
}

/**
 * What stands under a line. Marks that do not overlap share one row; the text of the rightmost follows its underline,
 * those of the others hang below.
 */
function underlines(line: PrintedLine, rows: readonly Row[], paint: Paint): readonly string[] {
  const window = visible(line, rows);
  const spots = rows
    .map(row => ({
      ...row,
      from: clip(row.from, window),
      to: Math.max(clip(row.from, window) + 1, clip(row.to, window)),
    }))
    .sort((a, b) => a.from - b.from);
  if (spots.some((spot, i) => i > 0 && spot.from < spots[i - 1]!.to)) {
    return spots.map(spot => " ".repeat(spot.from) + signs(spot, paint) + said(spot, paint));
  }
  let first = "";
  let column = 0;
  for (const spot of spots) {
    first += " ".repeat(spot.from - column) + signs(spot, paint);
    column = spot.to;
  }
  const hanging = spots.slice(0, -1).filter(spot => spot.text !== "");
  const below = hanging.toReversed().flatMap((spot, i) => {
    const earlier = hanging.slice(0, hanging.length - i);
    const beside = bars(earlier.slice(0, -1), paint);
    return [bars(earlier, paint).text, hang(beside, spot, paint)];
  });
  return [first + said(spots.at(-1)!, paint), ...below];
}

type Spot = Row;

function clip(column: number, { from, to }: Window): number {
  return Math.min(Math.max(column, from), to) - from;
}

function signs(spot: Spot, paint: Paint): string {
  return paint(spot.style, (spot.style === "note" ? "-" : "^").repeat(spot.to - spot.from));
}

function said(spot: Spot, paint: Paint): string {
  return spot.text === "" ? "" : paint(spot.style, ` ${spot.text}`);
}

/** A `|` under each of the spots whose text comes further down. */
function bars(spots: readonly Spot[], paint: Paint): { readonly text: string; readonly width: number } {
  let text = "";
  let width = 0;
  for (const spot of spots) {
    text += " ".repeat(spot.from - width) + paint(spot.style, "|");
    width = spot.from + 1;
  }
  return { text, width };
}

function hang(beside: { readonly text: string; readonly width: number }, spot: Spot, paint: Paint): string {
  return beside.text + " ".repeat(spot.from - beside.width) + paint(spot.style, spot.text);
}
