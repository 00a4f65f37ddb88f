// Source text and counts as they stand in messages.

import type { Span } from "./diagnostic.ts";

/** What stands at a place, on one line. */
export const textOf = (span: Span): string =>
  span.source.text.slice(span.start, span.end).replaceAll(/\s+/g, " ");

export const shorten = (text: string): string => (text.length > 30 ? `${text.slice(0, 29)}…` : text);

/** Without the parentheses around all of it: `(x[t] > 0)` is quoted inside other brackets. */
export function withoutParentheses(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (const [at, letter] of [...text].entries()) {
    if (letter === "(") depth += 1;
    else if (letter === ")" && --depth === 0) return at === [...text].length - 1 ? text.slice(1, -1) : text;
  }
  return text;
}

/** "no axes", "1 axis", "2 axes". */
export const counted = (count: number, one: string, many: string): string =>
  `${count === 0 ? "no" : count} ${count === 1 ? one : many}`;

/** "`a`", "`a` and `b`", "`a`, `b` and `c`". */
export function listed(names: readonly string[]): string {
  const quoted = names.map(name => `\`${name}\``);
  const last = quoted.pop() ?? "a value";
  return quoted.length === 0 ? last : `${quoted.join(", ")} and ${last}`;
}

/** "65,536". */
export const grouped = (count: number): string => count.toLocaleString("en-US");
