// What the compiler says about a program: plain values, collected and never thrown.
// How they look in a terminal is in render.ts; what their codes mean is in spec/errors/.

import type { DiagnosticCode } from "../generated/messages.ts";

export type { DiagnosticCode };

/** A source text with the name under which it is shown. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** A stretch of a source: `start` inclusive, `end` exclusive, in UTF-16 code units. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** A second place that the message speaks of: where the other half of a conflict was declared. */
export interface Note {
  readonly span: Span;
  readonly text: string;
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: "error" | "warning";
  /** One line, no full stop. */
  readonly title: string;
  /** Null where no source text is concerned (a data file, a flag). */
  readonly span: Span | null;
  /** What is said under the underlined span; may be empty. */
  readonly label: string;
  readonly notes: readonly Note[];
  /** How to mend it, one line each; none when no fix is known. */
  readonly help: readonly string[];
}
