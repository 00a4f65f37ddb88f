// A text through the parser and the checker, without files.

import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { checkFile } from "../../compiler/semantics/check.ts";
import type { TypedDefinition } from "../../compiler/semantics/typed.ts";
import { loadLibrary } from "../../compiler/syntax/library.ts";
import { parse } from "../../compiler/syntax/parse.ts";

export interface CheckedText {
  /** The text's last model; null where there are errors. */
  readonly model: TypedDefinition | null;
  readonly diagnostics: readonly Diagnostic[];
}

export function checkText(text: string): CheckedText {
  const parsed = parse({ name: "test.frond", text });
  const checked = checkFile(parsed.file, loadLibrary(), () => null);
  const diagnostics = [...parsed.diagnostics, ...checked.diagnostics];
  const wrong = diagnostics.some(({ severity }) => severity === "error");
  const model = checked.definitions.findLast(({ kind }) => kind === "model") ?? null;
  return { model: wrong ? null : model, diagnostics };
}
