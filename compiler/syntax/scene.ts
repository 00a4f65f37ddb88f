// A stretch of text that does not parse, seen as tokens around the place where the parser gave up: what the rules of
// explain.ts look at.

import type { Source, Span } from "../diagnostics/diagnostic.ts";
import type { Token } from "./tokens.ts";

export interface Scene {
  readonly source: Source;
  readonly what: "statement" | "setting" | "header" | "item";
  /** At least one. */
  readonly tokens: readonly Token[];
  /** Of the token at which the parser gave up; the number of tokens where that was the end. */
  readonly index: number;
  /** Null at the end. */
  readonly found: Token | null;
  readonly previous: Token | null;
  readonly next: Token | null;
  /** Brackets open before `found`, innermost last. */
  readonly open: readonly Token[];
  /** What the grammar would take here, in words; empty where that is too much to say. */
  expected(): string;
}

/** Words that begin a statement where a name follows. */
export const statementWords = [
  "axis",
  "input",
  "target",
  "param",
  "share",
  "generate",
  "output",
  "metric",
  "train",
] as const;

export const reservedWords: ReadonlySet<string> = new Set(["and", "or", "not", "true", "false"]);
const operatorWords: ReadonlySet<string> = new Set(["and", "or", "not"]);

export const closing: { readonly [open: string]: string } = { "(": ")", "[": "]", "{": "}" };

export function isStatementWord(text: string): boolean {
  return statementWords.some(word => word === text);
}

export function spanOf(source: Source, first: Token, last: Token = first): Span {
  return { source, start: first.start, end: last.end };
}

/** How a token is named in a message. */
export function describe(token: Token | null): string {
  if (token === null) return "end of the line";
  return token.text.length > 40 ? `\`${token.text.slice(0, 40)}…\`` : `\`${token.text}\``;
}

/** Can a value end with this token? */
export function endsValue(token: Token): boolean {
  if (token.kind === "word") return !operatorWords.has(token.text);
  return token.kind === "number" || token.kind === "string" || token.kind === "close";
}

/** Can a value begin with this token, and not with a sign? */
export function beginsValue(token: Token): boolean {
  if (token.kind === "word") return !operatorWords.has(token.text);
  return token.kind === "number" || token.kind === "string" || token.kind === "open";
}

/** Must something follow this token? */
export function wantsMore(token: Token): boolean {
  if (token.kind === "word") return operatorWords.has(token.text);
  return token.kind === "operator" || (token.kind === "punctuation" && token.text !== ".");
}

/** Brackets open after the first `count` tokens, innermost last. A wrong kind of bracket closes nothing. */
export function openBrackets(tokens: readonly Token[], count: number): readonly Token[] {
  const open: Token[] = [];
  for (const token of tokens.slice(0, count)) {
    if (token.kind === "open") open.push(token);
    else if (token.kind === "close" && closing[open.at(-1)?.text ?? ""] === token.text) open.pop();
  }
  return open;
}

/** The index of the first `=` outside brackets, or -1. */
export function equalsIndex(tokens: readonly Token[]): number {
  let depth = 0;
  return tokens.findIndex(token => {
    if (token.kind === "open") depth += 1;
    if (token.kind === "close") depth -= 1;
    return depth === 0 && token.text === "=";
  });
}

/** Does an equation or declaration begin at this token: `name =`, `name[..] =`, `output name`? */
export function beginsStatement(tokens: readonly Token[], index: number): boolean {
  const first = tokens[index];
  const second = tokens[index + 1];
  if (first?.kind !== "word" || second === undefined) return false;
  if (isStatementWord(first.text) && (second.kind === "word" || first.text === "train")) return true;
  if (second.text !== "[") return second.text === "=";
  let close = index + 2;
  while (close < tokens.length && tokens[close]!.text !== "]") close += 1;
  return tokens[close + 1]?.text === "=";
}

/** The tokens that lie inside `[start, end)`; `tokens` are in order. */
export function tokensIn(tokens: readonly Token[], start: number, end: number): readonly Token[] {
  return tokens.slice(firstFrom(tokens, start), firstFrom(tokens, end));
}

/** The index of the first token at or after `place`. */
export function firstFrom(tokens: readonly Token[], place: number): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle]!.start < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
