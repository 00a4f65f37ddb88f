// The one error that leaves Frond's public functions: it carries diagnostics, which say what, where and how to mend.

import type { Diagnostic } from "./diagnostic.ts";

/** The input is wrong. `message` is the first diagnostic's title; show `diagnostics` with render.ts. */
export class FrondError extends Error {
  override readonly name = "FrondError";
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    const [first] = diagnostics;
    super(first === undefined ? "no diagnostics" : `${first.code}: ${first.title}`);
    this.diagnostics = diagnostics;
  }
}
