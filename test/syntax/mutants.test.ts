// Valid texts with characters and tokens deleted, doubled, swapped and inserted: parsing never throws, never takes
// long, and is never silent about a text that lost something.

import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { render } from "../../compiler/diagnostics/render.ts";
import { format } from "../../compiler/syntax/format.ts";
import { parse } from "../../compiler/syntax/parse.ts";
import { tokenize } from "../../compiler/syntax/tokens.ts";
import { bare } from "./trees.ts";

const models = new URL("../models/", import.meta.url);
const texts = readdirSync(models)
  .filter(name => name.endsWith(".frond"))
  .map(name => readFileSync(new URL(name, models), "utf8"));

const inserted = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  "=",
  ":",
  ",",
  '"',
  "@",
  "*",
  "..",
  "->",
  "\n",
  "\0",
  "é",
  "train {",
  "layer ",
];

interface Edit {
  readonly what: "delete" | "double" | "swap" | "insert" | "deleteCharacter" | "doubleCharacter";
  /** Where, as a part of the text or the list of tokens. */
  readonly at: number;
  readonly text: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  what: fc.constantFrom("delete", "double", "swap", "insert", "deleteCharacter", "doubleCharacter"),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  text: fc.constantFrom(...inserted),
});

function apply(text: string, { what, at, text: insertion }: Edit): string {
  const { tokens } = tokenize(text);
  const i = Math.floor(at * tokens.length);
  const [first, second] = [tokens[i], tokens[i + 1]];
  const place = Math.floor(at * text.length);
  if (what === "deleteCharacter") return text.slice(0, place) + text.slice(place + 1);
  if (what === "doubleCharacter")
    return text.slice(0, place) + text.slice(place, place + 1) + text.slice(place);
  if (first === undefined) return text + insertion;
  const [before, after] = [text.slice(0, first.start), text.slice(first.end)];
  if (what === "delete") return before + after;
  if (what === "double") return `${before}${first.text} ${first.text}${after}`;
  if (what === "insert" || second === undefined) return before + insertion + text.slice(first.start);
  const between = text.slice(first.end, second.start);
  return before + second.text + between + first.text + text.slice(second.end);
}

test("mutants of valid models", () => {
  let silent = 0;
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 3 }), (valid, edits) => {
      const text = edits.reduce(apply, valid);
      const start = performance.now();
      const { file, diagnostics } = parse({ name: "mutant.frond", text });
      expect(performance.now() - start).toBeLessThan(1000);
      for (const { span } of diagnostics) {
        expect(span).not.toBeNull();
        expect(span!.start).toBeGreaterThanOrEqual(0);
        expect(span!.end).toBeGreaterThanOrEqual(span!.start);
        expect(span!.end).toBeLessThanOrEqual(text.length);
      }
      render(diagnostics, { color: false });
      // Nothing said means that nothing was left out: the tree holds every word of the text.
      if (diagnostics.length > 0) return;
      silent += 1;
      expect(words(format(file))).toEqual(words(text));
      expect(bare(parse({ name: "again.frond", text: format(file) }).file)).toEqual(bare(file));
    }),
    { seed: 500, numRuns: 500 },
  );
  // Some mutants are valid (an operator doubled, a blank deleted), most are not.
  expect(silent).toBeGreaterThan(0);
  expect(silent).toBeLessThan(250);
});

/** The words and numbers of a text, in order. */
function words(text: string): readonly string[] {
  return tokenize(text).tokens.flatMap(token => {
    if (token.kind === "number") return [String(Number(token.text))];
    return token.kind === "word" ? [token.text.normalize("NFC")] : [];
  });
}

test("any text at all", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), text => {
      const { file, diagnostics } = parse({ name: "noise.frond", text });
      render(diagnostics, { color: true });
      if (diagnostics.length === 0) expect(words(format(file))).toEqual(words(text));
    }),
    { seed: 501, numRuns: 200 },
  );
});
