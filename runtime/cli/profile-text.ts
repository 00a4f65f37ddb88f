// A profile as a table of lines, with bars where there is room for them.

import { grouped } from "../../compiler/diagnostics/wording.ts";
import type { LineTime, ProfileByLine, Spent } from "../profile.ts";
import { printedWidth, toWidth } from "./print.ts";

interface Row {
  readonly line: string;
  readonly text: string;
  /** Null in a heading. */
  readonly time: number | null;
  /** Null where nobody asks in which direction. */
  readonly spent: Spent | null;
  /** Its time is in that of a row above. */
  readonly inside: boolean;
}

interface Layout {
  readonly line: number;
  readonly text: number;
  /** Of the longest bar; 0 where there are none. */
  readonly bar: number;
}

const usualBar = 12;
/** Bars are left out before the text is cut to less. */
const leastText = 56;
/** However little room there is. */
const shortestText = 8;
/** What takes a smaller part of all is not shown inside of a line. */
const leastInside = 0.001;
const gap = "  ";

/** @param columns that a line may take. */
export function profileText(profile: ProfileByLine, isTraining: boolean, columns: number): string {
  const { total } = profile;
  const lines = lineRows(profile);
  const rows = [...lines, ...otherRows(profile)];
  const numbers = numberColumns(rows, total, isTraining);
  const layout = layoutOf(rows, columns - numbers[0]!.length);
  const most = Math.max(...rows.slice(0, -1).map(({ time }) => time ?? 0));
  const show = (line: string, text: string, rest: string): string =>
    `${line.padStart(layout.line)}${gap}${toWidth(text, layout.text)}${rest}`.trimEnd();
  const bar = ({ time, inside }: Row, i: number): string =>
    inside || time === null || i === rows.length - 1
      ? ""
      : "=".repeat(Math.round((layout.bar * time) / most));
  const shown = rows.map((row, i) => show(row.line, row.text, `${numbers[i + 1]}${gap}${bar(row, i)}`));
  const rule = "-".repeat(Math.max(...shown.map(printedWidth)));
  return `${[
    `where the ${digits(total)} ms of ${isTraining ? "a training step" : "inference"} go, on one thread`,
    "",
    show("line", "equation", numbers[0]!),
    rule,
    ...shown.slice(0, lines.length),
    ...(lines.length === 0 ? [] : [rule]),
    ...shown.slice(lines.length),
  ].join("\n")}\n`;
}

/** What stands behind the text of the head and of each row. */
function numberColumns(rows: readonly Row[], total: number, isTraining: boolean): readonly string[] {
  const places = total >= 100 ? 1 : total >= 10 ? 2 : total >= 1 ? 3 : 4;
  const parts = isTraining ? (["forward", "backward"] as const) : [];
  const shown = (time: number): string => time.toFixed(places);
  const cells = rows.map(({ time, spent }) => [
    time === null ? "" : `${((100 * time) / total).toFixed(1)}%`,
    time === null ? "" : shown(time),
    ...parts.map(part => (spent === null || spent[part] === 0 ? "" : shown(spent[part]))),
  ]);
  const all = [["share", "ms", ...parts], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map(row => row[column]!.length)));
  return all.map(row => row.map((cell, column) => gap + cell.padStart(widths[column]!)).join(""));
}

/** @param columns for the line, the text and a bar. */
function layoutOf(rows: readonly Row[], columns: number): Layout {
  const line = Math.max("line".length, ...rows.map(row => row.line.length));
  const wanted = Math.max("equation".length, ...rows.map(({ text }) => printedWidth(text)));
  const room = columns - line - gap.length;
  const besideBar = room - gap.length - usualBar;
  const bar = besideBar >= Math.min(wanted, leastText) ? usualBar : 0;
  return { line, text: Math.max(shortestText, Math.min(wanted, bar > 0 ? besideBar : room)), bar };
}

function lineRows({ source: main, lines, total }: ProfileByLine): readonly Row[] {
  return lines.flatMap((line, i): readonly Row[] => {
    const isNext = line.source.name !== (lines[i - 1]?.source ?? main)?.name;
    return [
      ...(isNext ? [rowWithout(`${line.source.name}:`, null)] : []),
      { line: String(line.line), text: line.text, time: timeOf(line), spent: line, inside: false },
      ...insideRows(line.inside, total),
    ];
  });
}

/** The library's lines behind one of the user's; one alone says nothing new. */
function insideRows(inside: readonly LineTime[], total: number): readonly Row[] {
  const shown = inside.filter(line => timeOf(line) >= leastInside * total);
  if (shown.length < 2) return [];
  return shown.map(one => {
    const file = /([^/]+)\.frond$/.exec(one.source.name)?.[1] ?? one.source.name;
    const text = `${gap}${file}:${one.line}${gap}${one.text}`;
    return { line: "", text, time: timeOf(one), spent: one, inside: true };
  });
}

/** What belongs to no line, and all together. */
function otherRows({ lines, packing, update, other, data, total }: ProfileByLine): readonly Row[] {
  const sum = (part: keyof Spent): number => lines.reduce((all, line) => all + line[part], 0);
  return [
    ...(other > 0 ? [rowWithout("values of no line", other)] : []),
    ...(packing > 0 ? [rowWithout("packing matrices for products", packing)] : []),
    ...(update > 0 ? [rowWithout("optimiser", update)] : []),
    rowWithout("data in and out", data),
    { ...rowWithout("in all", total), spent: { forward: sum("forward"), backward: sum("backward") } },
  ];
}

const rowWithout = (text: string, time: number | null): Row => ({
  line: "",
  text,
  time,
  spent: null,
  inside: false,
});

const timeOf = ({ forward, backward }: Spent): number => forward + backward;

/** Three digits at least: `12,345`, `83.1`, `8.31`, `0.0123`. */
export function digits(value: number): string {
  if (value >= 100) return grouped(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : value >= 1 ? 2 : value >= 0.1 ? 3 : 4);
}
