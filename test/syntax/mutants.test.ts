// Valid texts with characters and tokens deleted, doubled, swapped and inserted: parsing never throws, never takes
// long, and is never silent about a text that lost something.

import fc from "fast-check";
import { expect, test } from "vitest";
import { render } from "../../compiler/diagnostics/render.ts";
import { format } from "../../compiler/syntax/format.ts";
import { parse } from "../../compiler/syntax/parse.ts";
import { tokenize } from "../../compiler/syntax/tokens.ts";
import { mutants } from "../harness/mutants.ts";
import { bare, timed } from "./trees.ts";

test("mutants of valid models", () => {
  let silent = 0;
  fc.assert(
    fc.property(mutants, text => {
      let result = parse({ name: "empty.frond", text: "" });
      const milliseconds = timed(() => {
        result = parse({ name: "mutant.frond", text });
      });
      expect(milliseconds).toBeLessThan(1000);
      const { file, diagnostics } = result;
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
