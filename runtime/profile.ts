// Tells a profile by the lines of the user's own files: what a library's layer takes is counted to the line that uses
// it, and shown by the layer's lines inside of that.

import type { ProfileEntry } from "../backends/api.ts";
import type { Source, Span } from "../compiler/diagnostics/diagnostic.ts";
import { lineIndex } from "../compiler/diagnostics/lines.ts";
import { std } from "../compiler/generated/std.ts";
import type { LoweredModel } from "../compiler/lower/model.ts";

/** Milliseconds a run, without what packing takes. */
export interface Spent {
  readonly forward: number;
  /** Adjoints. */
  readonly backward: number;
}

/** An equation's line, by its first one. */
export interface LineTime extends Spent {
  readonly source: Source;
  /** From 1. */
  readonly line: number;
  /** Without the spaces around. */
  readonly text: string;
  /** Lines of the library that are in these times, in order of their files. */
  readonly inside: readonly LineTime[];
}

/** All in milliseconds a run; lines and the others add up to the total. */
export interface ProfileByLine {
  /** The model's own file. */
  readonly source: Source | null;
  /** In the source's order, those of the model's own file first. */
  readonly lines: readonly LineTime[];
  /** Matrices put in the order in which products read them. */
  readonly packing: number;
  /** What the optimiser adds, clipping included. */
  readonly update: number;
  /** What has no place in a source. */
  readonly other: number;
  /** The rest: what runs do around the program's own code. */
  readonly data: number;
  readonly total: number;
}

/** @param runs milliseconds of each run that the entries are of. */
export function profileByLine(
  lowered: LoweredModel,
  entries: readonly ProfileEntry[],
  runs: readonly number[],
): ProfileByLine {
  const places = new Places(lowered);
  const lines = new Lines();
  const total = runs.reduce((sum, time) => sum + time, 0) / runs.length;
  const apart = { packing: 0, update: 0, other: 0 };
  let covered = 0;
  for (const entry of entries) {
    const { part } = entry;
    const time = entry.milliseconds / runs.length;
    covered += time;
    if (part === "packing" || part === "update") {
      apart[part] += time;
      continue;
    }
    const place = places.of(entry);
    if (place === null) apart.other += time;
    else lines.add(place, part, time);
  }
  const source = [...lowered.equations].find(([name]) => !name.includes("."))?.[1].span.source ?? null;
  return { source, lines: lines.list(source), ...apart, data: total - covered, total };
}

/** Whether it is a file of the library, and nobody's own of the same name. */
const isLibrary = ({ name, text }: Source): boolean =>
  std.some(file => file.name === name && file.text === text);

interface Place {
  /** In a file of the user. */
  readonly own: Span;
  /** In the library. */
  readonly inside: Span | null;
}

/** Finds equations around what nodes say of themselves. */
class Places {
  readonly #lowered: LoweredModel;
  readonly #statements: readonly Span[];

  constructor(lowered: LoweredModel) {
    this.#lowered = lowered;
    const { equations, parameters } = lowered;
    this.#statements = [...equations.values(), ...parameters].flatMap(({ span }) => span ?? []);
  }

  /** Null where there is none. */
  of({ label, span }: ProfileEntry): Place | null {
    if (span === null) return null;
    if (!isLibrary(span.source)) return { own: this.#around(span), inside: null };
    const call = this.#callOf(label);
    return call === null ? null : { own: this.#around(call), inside: this.#around(span) };
  }

  /** The user's own call that leads to an equation of the library: of `d.lstm.o`, that of `d.lstm` or of `d`. */
  #callOf(label: string): Span | null {
    for (let at = label; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
      const [call] = this.#lowered.layers.get(at) ?? [];
      if (call !== undefined && !isLibrary(call.span.source)) return call.shareSpan ?? call.span;
    }
    return null;
  }

  /** The statement that a stretch of a source lies in, or the stretch itself. */
  #around(span: Span): Span {
    return (
      this.#statements.find(
        ({ source, start, end }) => isSame(source, span.source) && start <= span.start && span.end <= end,
      ) ?? span
    );
  }
}

const isSame = (a: Source, b: Source): boolean => a.name === b.name && a.text === b.text;

/** A line as it grows. */
interface Growing {
  readonly span: Span;
  readonly spent: { forward: number; backward: number };
  readonly inside: Lines;
}

class Lines {
  readonly #lines = new Map<string, Growing>();

  add({ own, inside }: Place, part: keyof Spent, time: number): void {
    const { source, start } = own;
    const key = `${lineIndex(source.text).lineOf(start)} ${source.name}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { span: own, spent: { forward: 0, backward: 0 }, inside: new Lines() };
      this.#lines.set(key, line);
    }
    line.spent[part] += time;
    if (inside !== null) line.inside.add({ own: inside, inside: null }, part, time);
  }

  list(first: Source | null): readonly LineTime[] {
    const rank = ({ name }: Source): string => (name === first?.name ? "" : name);
    return [...this.#lines.values()]
      .map(({ span: { source, start }, spent, inside }) => {
        const index = lineIndex(source.text);
        const line = index.lineOf(start);
        return { source, line: line + 1, text: index.text(line).trim(), ...spent, inside: inside.list(null) };
      })
      .toSorted((a, b) => rank(a.source).localeCompare(rank(b.source)) || a.line - b.line);
  }
}
