// Text to syntax tree. Never throws for what a text says: whatever can be parsed is in the tree, and the rest is in
// the diagnostics.

import type { Diagnostic, Source } from "../diagnostics/diagnostic.ts";
import { InternalError } from "../unreachable.ts";
import type { SourceFile } from "./ast.ts";
import { createBuilder } from "./build.ts";
import { grammar } from "./grammar.ts";
import { createRecovery } from "./recover.ts";
import { scan } from "./scan.ts";
import { parseSegments } from "./segments.ts";

export interface ParseResult {
  readonly file: SourceFile;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  /** Names that text which did not parse seems to define: that they are missing is no news. */
  readonly lost: ReadonlySet<string>;
}

export function parse(source: Source): ParseResult {
  const scanned = scan(source);
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
  return { file, diagnostics: diagnostics.toSorted((a, b) => place(a) - place(b)), lost: recovery.lost };
}
