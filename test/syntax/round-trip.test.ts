// parse(format(tree)) is the tree, for random trees and for the models of spec/conformance/programs; spans lie where they should.

import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Span } from "../../compiler/diagnostics/diagnostic.ts";
import type { Expression, SourceFile } from "../../compiler/syntax/ast.ts";
import { format, formatExpression } from "../../compiler/syntax/format.ts";
import { pack, unpack } from "../../compiler/syntax/pack.ts";
import { parse } from "../../compiler/syntax/parse.ts";
import { bare, expression, file } from "./trees.ts";

const models = new URL("../../spec/conformance/programs/", import.meta.url);
const std = new URL("../../spec/std/", import.meta.url);
const texts = [models, std].flatMap(folder =>
  readdirSync(folder)
    .filter(name => name.endsWith(".frond"))
    .map(name => ({ name, text: readFileSync(new URL(name, folder), "utf8") })),
);

test("random trees", () => {
  fc.assert(
    fc.property(file, tree => {
      const text = format(tree);
      const { file: parsed, diagnostics } = parse({ name: "random.frond", text });
      expect(diagnostics.map(diagnostic => diagnostic.title)).toEqual([]);
      expect(bare(parsed)).toEqual(bare(tree));
    }),
    { seed: 20260, numRuns: 300 },
  );
});

test("the canonical text of an expression has no needless parentheses", () => {
  fc.assert(
    fc.property(expression, tree => {
      const text = formatExpression(tree);
      for (const shorter of withoutOnePair(text)) {
        const { file, diagnostics } = parse({
          name: "random.frond",
          text: `model M {\n  a = ${shorter}\n}\n`,
        });
        const [statement] = file.definitions[0]?.body ?? [];
        const same = statement?.kind === "equation" && diagnostics.length === 0;
        if (same) expect(bare(statement.value)).not.toEqual(bare(tree));
      }
    }),
    { seed: 20261, numRuns: 100 },
  );
});

/** The text without each pair of parentheses that encloses an operand. */
function withoutOnePair(text: string): readonly string[] {
  const found: string[] = [];
  for (const { index } of text.matchAll(/(?<![\p{L}\p{M}\p{N}_\]])\(/gu)) {
    let depth = 0;
    for (let at = index; at < text.length; at++) {
      if (text[at] === "(") depth += 1;
      if (text[at] !== ")") continue;
      depth -= 1;
      if (depth > 0) continue;
      found.push(`${text.slice(0, index)} ${text.slice(index + 1, at)} ${text.slice(at + 1)}`);
      break;
    }
  }
  return found;
}

test.each(texts)("$name parses, prints and packs", ({ name, text }) => {
  const { file, diagnostics } = parse({ name, text });
  expect(diagnostics).toEqual([]);
  expect(bare(parse({ name, text: format(file) }).file)).toEqual(bare(file));
  expect(unpack(pack(file))).toEqual(file);
  for (const span of spansOf(file)) {
    const spanned = text.slice(span.start, span.end);
    expect(span.source).toBe(file.source);
    expect(spanned).toBe(spanned.trim());
    expect(spanned).not.toBe("");
    expect(opens(spanned, "(")).toBe(opens(spanned, ")"));
  }
});

test.each(texts)("the spans of $name hold the text of their expressions", ({ name, text }) => {
  const { file } = parse({ name, text });
  for (const tree of expressionsOf(file)) {
    const spanned = text.slice(tree.span.start, tree.span.end);
    const again = parse({ name, text: `model M {\n  a = ${spanned}\n}\n` }).file.definitions[0]?.body[0];
    expect(again?.kind === "equation" ? bare(again.value) : null).toEqual(bare(tree));
  }
});

function opens(text: string, bracket: string): number {
  return text.split(bracket).length;
}

function spansOf(value: unknown): Span[] {
  return objectsOf(value).flatMap(part => ("span" in part ? [part.span as Span] : []));
}

function expressionsOf(file: SourceFile): Expression[] {
  const kinds = new Set(["name", "call", "unary", "binary"]);
  return objectsOf(file).filter((part): part is Expression => "kind" in part && kinds.has(String(part.kind)));
}

/** All objects of a tree but the insides of spans. */
function objectsOf(value: unknown): object[] {
  if (typeof value !== "object" || value === null || "start" in value) return [];
  return [...(Array.isArray(value) ? [] : [value]), ...Object.values(value).flatMap(objectsOf)];
}
