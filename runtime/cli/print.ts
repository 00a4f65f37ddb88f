// How commands print diagnostics, JSON and tables.

import type { Diagnostic, Span } from "../../compiler/diagnostics/diagnostic.ts";
import { lineIndex } from "../../compiler/diagnostics/lines.ts";
import type { Io, Output } from "./io.ts";

/** Prints diagnostics for a person, to standard error. */
export async function warn(diagnostics: readonly Diagnostic[], io: Io): Promise<void> {
  if (diagnostics.length === 0) return;
  const render = await io.load.renderer();
  io.err.write(`${render(diagnostics, io.err.color).trimEnd()}\n`);
}

/** One JSON document; numbers that JSON lacks become null. */
export function printJson(value: unknown, out: Output): void {
  out.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Diagnostics for a program: lines and columns count from 1, columns in UTF-16 code units. */
export function diagnosticJson({ code, severity, title, label, span, notes, help }: Diagnostic): unknown {
  return {
    code,
    severity,
    title,
    ...(span === null ? {} : { at: spanJson(span) }),
    ...(label === "" ? {} : { label }),
    notes: notes.map(note => ({ text: note.text, at: spanJson(note.span) })),
    help,
  };
}

function spanJson({ source, start, end }: Span): unknown {
  return { file: source.name, start: position(source.text, start), end: position(source.text, end) };
}

function position(text: string, offset: number): { line: number; column: number; offset: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1, offset };
}

/** Aligned columns; those at `right` are numbers. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]!.length))) ?? [];
  return rows
    .map(row =>
      row
        .map((cell, column) =>
          right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join("  ")
        .trimEnd(),
    )
    .map(line => `${line}\n`)
    .join("");
}

/** The columns that a line takes in a terminal. */
export const printedWidth = (line: string): number => lineIndex(line).row(0).columns.at(-1)!;

/** A line in exactly so many columns: filled up with spaces, or cut, which two dots show. */
export function toWidth(line: string, width: number): string {
  const { cells, columns } = lineIndex(line).row(0);
  const whole = columns.at(-1)! <= width;
  const room = whole ? width : width - 2;
  const kept = cells.filter((_, at) => columns[at + 1]! <= room);
  const text = kept.map(cell => cell.text).join("") + (whole ? "" : "..");
  return text + " ".repeat(Math.max(0, room - columns[kept.length]!));
}

/** `3 errors`, `1 error` */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
