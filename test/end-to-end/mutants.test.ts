// 2,000 mutants of valid programs through the whole front: each ends in a compiled model or in diagnostics that can be
// shown; never in an exception, never in silence, never after more than a second.

import fc from "fast-check";
import { expect, test } from "vitest";
import { checkSource, compileModel, render } from "../../compiler/index.ts";
import { mutants } from "../harness/mutants.ts";
import { timed } from "../syntax/trees.ts";

test.each([1, 2, 3, 4])(
  "mutants of valid programs, part %d of 4",
  part => {
    const counts = { compiled: 0, refused: 0 };
    const property = fc.property(mutants, text => {
      const source = { name: "mutant.frond", text };
      let compilation = compileModel({ name: "none.frond", text: "" });
      const milliseconds = timed(() => {
        compilation = compileModel(source);
      });
      expect(milliseconds).toBeLessThan(1000);
      const { model, diagnostics } = compilation;
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      if (model === null) {
        counts.refused++;
        expect(errors.length).toBeGreaterThan(0);
      } else {
        counts.compiled++;
        expect(errors).toEqual([]);
        if (model.hasLoss) model.train();
        else model.infer();
      }
      for (const { span } of diagnostics) {
        if (span === null || span.source !== source) continue;
        expect(span.start).toBeGreaterThanOrEqual(0);
        expect(span.end).toBeLessThanOrEqual(text.length);
      }
      expect(render(diagnostics, { color: false })).not.toMatch(/undefined|\[object|NaN:|\{\w+\}:/);
      // Checking alone says the same of the text as compiling.
      if (model !== null)
        expect(checkSource(source).some(({ severity }) => severity === "error")).toBe(false);
    });
    fc.assert(property, { seed: part, numRuns: 500 });
    expect(counts.compiled).toBeGreaterThan(20);
    expect(counts.refused).toBeGreaterThan(250);
  },
  120_000,
);
