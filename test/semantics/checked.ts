// Checks a text against the library that is shipped; imports find a few small files.

import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import { type Checked, checkFile } from "../../compiler/semantics/check.ts";
import { loadLibrary } from "../../compiler/syntax/library.ts";
import { parse } from "../../compiler/syntax/parse.ts";

const files: ReadonlyMap<string, string> = new Map([
  ["./layers.frond", "layer scale(x: real[n]) -> y {\n  param s: real[n] = ones()\n  y = s * x\n}\n"],
]);

export function check(text: string, name = "test.frond"): Checked {
  const { file, diagnostics, gaps } = parse({ name, text });
  const read = (path: string) => {
    const found = files.get(path);
    return found === undefined ? null : { name: path.slice(2), text: found };
  };
  const checked = checkFile(file, loadLibrary(), read, gaps);
  return { ...checked, diagnostics: [...diagnostics, ...checked.diagnostics] };
}

export const shown = (diagnostics: readonly Diagnostic[]): string => render(diagnostics, { color: false });

export const codesOf = (text: string): readonly string[] => check(text).diagnostics.map(({ code }) => code);
