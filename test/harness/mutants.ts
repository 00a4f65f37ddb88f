// Mutants of valid programs: characters and tokens deleted, doubled, swapped and inserted.

import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { tokenize } from "../../compiler/syntax/tokens.ts";

const models = new URL("../../spec/conformance/programs/", import.meta.url);
/** The programs of spec/conformance/programs. */
export const validTexts = readdirSync(models)
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

/** Valid programs after one to three edits. */
export const mutants: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...validTexts), fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(([valid, edits]) => edits.reduce(apply, valid));
