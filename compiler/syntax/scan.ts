// The look at a text before it is parsed: reports what no grammar can mend (characters that mean nothing, strings
// without an end, numbers that are none, brackets nested too deeply for the parser's stack) and replaces each by
// something of the same length that parses, so that the rest of the text keeps its places and is parsed as usual.

import type { Diagnostic, Source } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import { type Token, type Tokens, tokenize } from "./tokens.ts";

/** Ohm takes about 40 stack frames for a level; 50 levels are far inside the smallest stack met in practice. */
const deepest = 50;

/** Beyond this a file is not text, and more of the same helps nobody. */
const mostCharacterReports = 20;

export interface Scan extends Tokens {
  /** As long as the source's text. */
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
}

interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function scan(source: Source): Scan {
  const tokens = tokenize(source.text);
  const diagnostics: Diagnostic[] = [];
  const replacements: Replacement[] = [];
  let characters = 0;
  for (const token of mergeCharacters(tokens.tokens.filter(({ kind }) => kind.startsWith("bad")))) {
    replacements.push({ start: token.start, end: token.end, text: standIn(token) });
    if (token.kind === "badCharacter" && ++characters > mostCharacterReports) continue;
    diagnostics.push(lexicalError(source, token));
  }
  for (const { open, end } of tooDeep(tokens.tokens, source.text)) {
    const span = { source, start: open.start, end: open.end };
    diagnostics.push(
      report("F0007", { levels: deepest }, span, { help: ["give the inner part a name of its own"] }),
    );
    replacements.push({ start: open.start, end, text: blank(source.text.slice(open.start, end), "0") });
  }
  return { ...tokens, text: replace(source.text, replacements), diagnostics };
}

/** Neighbouring characters that mean nothing are one mistake, not many. */
function mergeCharacters(tokens: readonly Token[]): readonly Token[] {
  const merged: Token[] = [];
  for (const token of tokens) {
    const last = merged.at(-1);
    const both = token.kind === "badCharacter" && last?.kind === "badCharacter" && last.end === token.start;
    if (both && !Object.hasOwn(lookalikes, token.text)) {
      merged[merged.length - 1] = { ...last, end: token.end, text: last.text + token.text };
    } else {
      merged.push(token);
    }
  }
  return merged;
}

/** What stands for a bad token while the rest is parsed. */
function standIn(token: Token): string {
  switch (token.kind) {
    case "badNumber":
      return blank(token.text, "0");
    case "badString":
      return token.text.length < 2 ? " " : `"${token.text.slice(1, -1)}"`;
    case "badComment":
      return blank(token.text, " ");
    default:
      return lookalikes[token.text]?.stand ?? blank(token.text, " ");
  }
}

function blank(text: string, first: string): string {
  return first + text.slice(1).replaceAll(/[^\n]/g, " ");
}

function replace(text: string, replacements: readonly Replacement[]): string {
  if (replacements.length === 0) return text;
  let at = 0;
  let replaced = "";
  for (const { start, end, text: stand } of replacements.toSorted(
    (a, b) => a.start - b.start || b.end - a.end,
  )) {
    if (start < at) continue; // inside one that is blanked already
    replaced += text.slice(at, start) + stand;
    at = end;
  }
  return replaced + text.slice(at);
}

function lexicalError(source: Source, token: Token): Diagnostic {
  const span = { source, start: token.start, end: token.end };
  switch (token.kind) {
    case "badNumber":
      return report("F0024", { number: token.text }, span, { help: numberHelp(token.text) });
    case "badComment":
      return report(
        "F0034",
        {},
        { source, start: token.start, end: token.start + (token.text[0] === "#" ? 1 : 2) },
        { help: [token.text[0] === "#" ? "write `// ..`" : "write `// ..` at the end of a line"] },
      );
    case "badString":
      if (token.text.startsWith('"'))
        return report("F0003", {}, span, {
          label: 'the line ends before the closing `"`',
          help: ["a string begins and ends on one line"],
        });
      return report(
        "F0002",
        { character: show(token.text) },
        { ...span, end: span.start + 1 },
        {
          help: ['strings stand in double quotes, `"`'],
        },
      );
    default:
      return report("F0002", { character: show(token.text) }, span, {
        help: [lookalikes[token.text]?.help ?? ""].filter(help => help !== ""),
      });
  }
}

function numberHelp(text: string): readonly string[] {
  const product = /^([0-9.]+)([\p{L}_].*)$/u.exec(text);
  if (/^[0-9][0-9_]*$/.test(text)) return [`write \`${text.replaceAll("_", "")}\``];
  if (/^0[xXbBoO][0-9a-fA-F]+$/.test(text)) return [`write \`${Number(text)}\``];
  if (/^[0-9]+\.$/.test(text)) return [`write \`${text}0\``];
  if (/^[0-9.]+(?:[eE][+-]?[0-9]+)?$/.test(text) && Number(text) === Infinity)
    return ["infinity is written `inf`"];
  if (product !== null && /^[^eE]|^[eE]./.test(product[2]!))
    return [`a product is written \`${product[1]} * ${product[2]}\``];
  return [];
}

/** How a character appears in a message: by its code where it cannot be seen. */
function show(text: string): string {
  const shown = text.length > 12 ? `${text.slice(0, 12)}…` : text;
  return shown.replaceAll(/[\p{C}\p{Z}\p{M}`]/gu, part => {
    return part === "`" ? "'" : `U+${(part.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

interface Lookalike {
  readonly help: string;
  /** Parsed in its place; as long as the character. */
  readonly stand?: string;
}

const lookalikes: { readonly [character: string]: Lookalike } = {
  ";": { help: "a statement ends where its line ends; no `;` is needed", stand: "\n" },
  "×": { help: "write `*` (elementwise) or `@` (matrix product)", stand: "*" },
  "∗": { help: "write `*` (elementwise) or `@` (matrix product)", stand: "*" },
  "÷": { help: "write `/`", stand: "/" },
  "∘": { help: "the elementwise product is `*` or `⊙`", stand: "*" },
  "–": { help: "this is a dash; minus is `-`", stand: "-" },
  "—": { help: "this is a dash; minus is `-`", stand: "-" },
  "²": { help: "write `^2`" },
  "³": { help: "write `^3`" },
  "∧": { help: "write `and`" },
  "∨": { help: "write `or`" },
  "¬": { help: "write `not`" },
  "∞": { help: "write `inf`" },
  "…": { help: "a range is written `0..n` and stands after `axis`" },
  "'": { help: 'names have no primes, and strings stand in double quotes, `"`' },
  "′": { help: "names have no primes; a digit or a subscript will do" },
  "«": { help: 'strings stand in double quotes, `"`' },
  $: { help: "names begin with a letter or `_`" },
  "\\": { help: "a line that begins with an operator continues the one above; no `\\` is needed" },
};

/**
 * The brackets that open one level too many, each with the end of what it holds. An equals sign closes all but the
 * outermost bracket of its block: it never stands inside a call, so what is still open there was never closed.
 */
function tooDeep(
  tokens: readonly Token[],
  text: string,
): readonly { readonly open: Token; readonly end: number }[] {
  const found: { readonly open: Token; readonly end: number }[] = [];
  const stack: Token[] = [];
  for (const token of tokens) {
    if (token.kind === "open") {
      stack.push(token);
    } else if (token.kind === "close") {
      const open = stack.pop();
      if (open !== undefined && stack.length === deepest) found.push({ open, end: token.end });
    } else if (token.text === "=") {
      const innermost = stack.at(-1);
      const unclosed = dropUnclosed(stack);
      if (unclosed !== null)
        found.push({ open: unclosed, end: lineEnd(text, innermost?.start ?? unclosed.start) });
    }
  }
  const unclosed = stack[deepest];
  if (unclosed !== undefined) found.push({ open: unclosed, end: text.length });
  return found;
}

/** Shortens the stack to one bracket past the innermost brace; returns the first that was too deep, if any. */
function dropUnclosed(stack: Token[]): Token | null {
  const brace = stack.findLastIndex(open => open.text === "{");
  const dropped = stack.splice(brace + 2);
  return brace + 2 + dropped.length > deepest ? (dropped[Math.max(0, deepest - brace - 2)] ?? null) : null;
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at;
}
