// Text to syntax tree. Never throws for what a text says: whatever can be parsed is in the tree, and the rest is in
// the diagnostics.

import type { Diagnostic, Source } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import { grouped } from "../diagnostics/wording.ts";
import { InternalError } from "../unreachable.ts";
import type { SourceFile } from "./ast.ts";
import { createBuilder } from "./build.ts";
import { grammar } from "./grammar.ts";
import { createRecovery } from "./recover.ts";
import { scan } from "./scan.ts";
import { parseSegments } from "./segments.ts";

/** What a text that could not be read in full is known to lack. */
export interface Gaps {
  /** Whether there is anything that could not be read. */
  readonly any: boolean;
  /** Names that such text seems to define: that they are missing is no news. */
  readonly names: ReadonlySet<string>;
}

export const noGaps: Gaps = { any: false, names: new Set() };

export interface ParseResult {
  readonly file: SourceFile;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  readonly gaps: Gaps;
}

/** Limits of one file: what is longer would keep an editor waiting for more than a second. */
const mostCharacters = 2 ** 18;
const mostTokens = 60_000;

export function parse(source: Source): ParseResult {
  if (source.text.length > mostCharacters) {
    return refused(source, source.text.length, "characters", mostCharacters);
  }
  const scanned = scan(source);
  if (scanned.tokens.length > mostTokens) {
    return refused(source, scanned.tokens.length, "words and signs", mostTokens);
  }
  const grouping: Diagnostic[] = [];
  const recovery = createRecovery(source, scanned, (match, offset) => builder.statement(match, offset));
  const builder = createBuilder(source, grouping, recovery);
  const { text, statements } = parseSegments(scanned, builder.statement);
  const match = grammar().match(text, "File");
  if (match.failed())
    throw new InternalError("parse", `the grammar refuses a text: ${JSON.stringify(source.text)}`);
  const file = builder.file(match, statements);
  const diagnostics = [...scanned.diagnostics, ...recovery.diagnostics, ...grouping];
  const place = (diagnostic: Diagnostic) => diagnostic.span?.start ?? 0;
  const gaps = { any: diagnostics.length > 0, names: recovery.lost };
  return { file, diagnostics: diagnostics.toSorted((a, b) => place(a) - place(b)), gaps };
}

function refused(source: Source, count: number, unit: string, most: number): ParseResult {
  const help = ['take it apart: layers may stand in files of their own, `import { f } from "./f.frond"`'];
  const span = { source, start: 0, end: 0 };
  const values = { count: grouped(count), unit, most: grouped(most) };
  return {
    file: { source, imports: [], definitions: [] },
    diagnostics: [report("F0037", values, span, { help })],
    gaps: { any: true, names: new Set() },
  };
}
