// What happens to text that the grammar's recovery rules have skipped: it is cut into statements, each is tried again
// by itself, and what still does not parse is explained.

import type { MatchResult } from "ohm-js";
import type { Diagnostic, Source, Span } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import type { Statement } from "./ast.ts";
import { explain } from "./explain.ts";
import { grammar } from "./grammar.ts";
import type { Scan } from "./scan.ts";
import {
  endsValue,
  equalsIndex,
  firstFrom,
  isStatementWord,
  openBrackets,
  type Scene,
  tokensIn,
  wantsMore,
} from "./scene.ts";
import type { Token } from "./tokens.ts";

/** A stretch of text that no rule of the grammar could read. */
export interface Bad {
  readonly kind: "bad";
  readonly what: "statement" | "setting" | "header" | "item";
  readonly span: Span;
}

/** What happens to bad stretches: they are reported, and what is good in them is given back. */
export interface Recovery {
  /** A block's items in order, good and bad; all that is good in the end. */
  statements(items: readonly (Statement | Bad)[]): readonly Statement[];
  other(bad: Bad): void;
  /** A name that something unreadable would have brought. */
  lose(name: string): void;
  /** A block that lacks its `{` or `}`; `header` is what it belongs to, `at` where the brace should be. */
  missingBrace(brace: "{" | "}", header: Span, at: number): void;
  /** The `///` lines right above a definition. */
  docAbove(start: number): string;
}

export interface RecoveryResult extends Recovery {
  readonly diagnostics: readonly Diagnostic[];
  /** Names that the broken text seems to define. */
  readonly lost: ReadonlySet<string>;
}

/** `build` makes a statement of a match on a part of the text. */
export function createRecovery(
  source: Source,
  scanned: Scan,
  build: (match: MatchResult, offset: number) => Statement,
): RecoveryResult {
  const diagnostics: Diagnostic[] = [];
  const lost = new Set<string>();

  function statements(items: readonly (Statement | Bad)[]): readonly Statement[] {
    const body: Statement[] = [];
    for (const item of joinContinuations(items, scanned, source.text)) {
      if (item.kind !== "bad") {
        body.push(item);
        continue;
      }
      for (const tokens of splitStatements(tokensIn(scanned.tokens, item.span.start, item.span.end))) {
        const statement = retry(tokens);
        if (statement !== null) body.push(statement);
      }
    }
    return body;
  }

  function retry(tokens: readonly Token[]): Statement | null {
    const { match, offset } = matchTokens(tokens, "Statement");
    if (match.succeeded()) return build(match, offset);
    for (const name of definedNames(tokens)) lost.add(name);
    explainTokens("statement", tokens, match, offset);
    return null;
  }

  function other(bad: Bad): void {
    const tokens = tokensIn(scanned.tokens, bad.span.start, bad.span.end);
    if (tokens.length === 0) return;
    if (bad.what === "setting") setting(tokens);
    else headerOrItem(bad.what, tokens);
  }

  function headerOrItem(what: "statement" | "header" | "item", tokens: readonly Token[]): void {
    for (const name of what === "header" ? tokens.slice(1, 2) : topLevelNames(tokens)) lost.add(name.text);
    const { match, offset } = matchTokens(tokens, what === "header" ? "Header" : "Import");
    explainTokens(what, tokens, match, offset);
  }

  function setting(all: readonly Token[]): void {
    const tokens = all.length > 1 && all.at(-1)!.text === "," ? all.slice(0, -1) : all;
    const { match, offset } = matchTokens(tokens, "Setting");
    if (match.failed()) {
      explainTokens("setting", tokens, match, offset);
      return;
    }
    const last = tokens.at(-1)!;
    const span = { source, start: last.start, end: last.end };
    diagnostics.push(report("F0009", {}, span, { label: "a comma must follow" }));
  }

  function matchTokens(tokens: readonly Token[], rule: string): { match: MatchResult; offset: number } {
    const offset = tokens[0]!.start;
    return { match: grammar().match(scanned.text.slice(offset, tokens.at(-1)!.end), rule), offset };
  }

  /** Where the scan has found fault before the place, the parser's complaint is only its echo. */
  function explainTokens(
    what: Bad["what"],
    tokens: readonly Token[],
    match: MatchResult,
    offset: number,
  ): void {
    const place = match.failed() ? offset + match.getRightmostFailurePosition() : tokens.at(-1)!.end;
    if (scanned.diagnostics.some(({ span }) => span !== null && span.start >= offset && span.start <= place))
      return;
    diagnostics.push(explain(createScene(source, what, tokens, place, () => expectedText(match))));
  }

  return {
    diagnostics,
    lost,
    statements,
    other,
    lose: name => lost.add(name),
    missingBrace(brace, header, at) {
      const label = brace === "{" ? "`{` must follow" : "its block is never closed";
      const notes =
        at < source.text.length && brace === "}"
          ? [{ span: lineAt(source, at), text: "`}` is missing before this" }]
          : [];
      diagnostics.push(report("F0006", { brace }, header, { label, notes }));
    },
    docAbove(start) {
      const before = scanned.tokens[firstFrom(scanned.tokens, start) - 1]?.end ?? 0;
      const lines = scanned.docs.filter(line => line.start >= before && line.end <= start);
      return lines.map(line => line.text).join("\n");
    },
  };
}

/** The first token's word at a place, for a note. */
function lineAt(source: Source, at: number) {
  const length = /^\w+/.exec(source.text.slice(at, at + 80))?.[0].length ?? 1;
  return { source, start: at, end: Math.min(source.text.length, at + length) };
}

function createScene(
  source: Source,
  what: Bad["what"],
  tokens: readonly Token[],
  place: number,
  expected: () => string,
): Scene {
  const at = tokens.findIndex(token => token.end > place);
  const index = at < 0 ? tokens.length : at;
  return {
    source,
    what,
    tokens,
    index,
    found: tokens[index] ?? null,
    previous: tokens[index - 1] ?? null,
    next: tokens[index + 1] ?? null,
    open: openBrackets(tokens, index),
    expected,
  };
}

/** What Ohm expected, if it can be said in a few words. */
function expectedText(match: MatchResult): string {
  if (!match.failed()) return "";
  const text = match.getExpectedText().replaceAll('"', "`");
  if (text.includes("a number") && text.includes("a name")) return "an expression";
  return text.length > 60 ? "" : text;
}

/**
 * A line that looks like a statement may be the rest of the one above: where that leaves a bracket open and the line is
 * indented further (an argument written with `=`, say).
 */
function joinContinuations(
  items: readonly (Statement | Bad)[],
  scanned: Scan,
  text: string,
): readonly (Statement | Bad)[] {
  const joined: (Statement | Bad)[] = [];
  for (const item of items) {
    const last = joined.at(-1);
    const inside = (bad: Bad) =>
      /[)\]]/.test(text[item.span.start] ?? "") ||
      column(text, item.span.start) > column(text, bad.span.start);
    if (last?.kind === "bad" && isOpen(last, scanned) && inside(last))
      joined[joined.length - 1] = { ...last, span: { ...last.span, end: item.span.end } };
    else joined.push(item);
  }
  return joined;
}

function isOpen({ span }: Bad, scanned: Scan): boolean {
  const tokens = tokensIn(scanned.tokens, span.start, span.end);
  return openBrackets(tokens, tokens.length).length > 0;
}

function column(text: string, at: number): number {
  return at - (text.lastIndexOf("\n", at - 1) + 1);
}

/** Cuts before each line that continues nothing: no bracket is open, and no operator stands before or after. */
function splitStatements(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const pieces: Token[][] = [];
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    const before = tokens[i - 1];
    const starts = before === undefined || (token.lineBefore && depth === 0 && startsLine(before, token));
    if (starts) pieces.push([token]);
    else pieces.at(-1)!.push(token);
    if (token.kind === "open") depth += 1;
    if (token.kind === "close") depth = Math.max(0, depth - 1);
  }
  return pieces;
}

function startsLine(before: Token, token: Token): boolean {
  if (wantsMore(before) || !(endsValue(before) || before.kind.startsWith("bad"))) return false;
  return (
    (token.kind === "word" && !["and", "or", "from", "until"].includes(token.text)) || token.text === "("
  );
}

/** Names left of the first `=`, outside square brackets; types excepted. */
function definedNames(tokens: readonly Token[]): readonly string[] {
  const end = equalsIndex(tokens);
  const names: string[] = [];
  let depth = 0;
  for (const [i, token] of (end < 0 ? tokens : tokens.slice(0, end)).entries()) {
    if (token.text === "[") depth += 1;
    if (token.text === "]") depth -= 1;
    const isName = token.kind === "word" && !isStatementWord(token.text) && tokens[i - 1]?.text !== ":";
    if (isName && depth === 0) names.push(token.text.normalize("NFC"));
  }
  return names;
}

/** Names that imports or definitions in a broken stretch would bring. */
function topLevelNames(tokens: readonly Token[]): readonly Token[] {
  const words = tokens.filter(token => token.kind === "word");
  return tokens[0]!.text === "import"
    ? words
    : words.filter((_, i) => /^(layer|model)$/.test(words[i - 1]?.text ?? ""));
}
