// Parses most statements one by one, ahead of the file. Ohm remembers what every rule gave at every place of the text
// it is given, and a file's worth of that costs more to keep and collect than to compute; a statement's worth dies
// young. What is found here stands in the file's text as a short equation at the same place, so that the file's
// grammar still sees where each statement is, and only bad ones in full.

import type { MatchResult } from "ohm-js";
import type { Statement } from "./ast.ts";
import { grammar } from "./grammar.ts";
import type { Scan } from "./scan.ts";
import { beginsStatement } from "./scene.ts";
import type { Token } from "./tokens.ts";

export interface Segments {
  /** As long as the scanned text. */
  readonly text: string;
  /** By the place where each begins. */
  readonly statements: ReadonlyMap<number, Statement>;
}

const placeholder = "_=0";

export function parseSegments(
  scanned: Scan,
  build: (match: MatchResult, offset: number) => Statement,
): Segments {
  const statements = new Map<number, Statement>();
  let text = "";
  let at = 0;
  for (const [start, end] of segmentsOf(scanned)) {
    if (end - start < placeholder.length) continue;
    const match = grammar().match(scanned.text.slice(start, end), "Statement");
    if (match.failed()) continue;
    statements.set(start, build(match, start));
    text += scanned.text.slice(at, start) + placeholder;
    text += scanned.text.slice(start + placeholder.length, end).replaceAll(/[^\n]/g, " ");
    at = end;
  }
  return { text: text + scanned.text.slice(at), statements };
}

/**
 * Stretches that begin where a line of a block begins a statement and end before the next such line. Inside an open
 * bracket only a line no deeper than the block's first begins one: the bracket was never closed.
 */
function segmentsOf({ tokens, text }: Scan): readonly (readonly [number, number])[] {
  const segments: (readonly [number, number])[] = [];
  const open: Token[] = [];
  let start = -1;
  let margin = 0;
  for (const [i, token] of tokens.entries()) {
    const inBlock = open[0]?.text === "{";
    const column = () => token.start - (text.lastIndexOf("\n", token.start - 1) + 1);
    if (inBlock && token.lineBefore && (open.length === 1 || column() <= margin) && begins(tokens, i)) {
      if (start >= 0) segments.push([start, tokens[i - 1]!.end]);
      open.length = 1;
      if (start < 0) margin = column();
      start = token.start;
    }
    if (token.kind === "open") open.push(token);
    if (token.kind !== "close") continue;
    open.pop();
    if (open.length > 0 || start < 0) continue;
    segments.push([start, tokens[i - 1]!.end]);
    start = -1;
  }
  return segments;
}

/** An equation, a declaration, or a line in parentheses: a tuple, if it is anything. */
function begins(tokens: readonly Token[], i: number): boolean {
  return tokens[i]!.text === "(" || beginsStatement(tokens, i);
}
