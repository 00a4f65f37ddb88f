// Reads the pages of spec/errors, runs their examples, and pins the frames that the bad ones are reported with.
// FROND_UPDATE=1 writes the frames anew.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Diagnostic, Source } from "../../compiler/diagnostics/diagnostic.ts";
import { checkSource, compileModel } from "../../compiler/index.ts";

/** Codes about source text; the pages of the others (data, weights, command line) are run in test/runtime. */
export const ranges: readonly RegExp[] = [/^F0[0-7]/];

/** What the examples may import. */
const importable: ReadonlyMap<string, string> = new Map([
  ["./layers.frond", "layer scale(x: real[n]) -> y {\n  param s: real[n] = ones()\n  y = s * x\n}\n"],
  [
    "./circle.frond",
    'import { mine } from "./example.frond"\n\nlayer other(x: real[n]) -> y {\n  y = mine(x)\n}\n',
  ],
]);

/** What `frond check` says of a page's example; for errors that only compiling shows (F07), what that says. */
export function checkText(name: string, text: string, compiled = false): readonly Diagnostic[] {
  const readImport = (path: string): Source | null => {
    const found = path === `./${name}` ? text : importable.get(path);
    return found === undefined ? null : { name: path.slice(2), text: found };
  };
  const source = { name, text };
  const found = checkSource(source, { readImport });
  return found.length > 0 || !compiled ? found : compileModel(source, { readImport }).diagnostics;
}

export interface ErrorPage {
  readonly code: string;
  readonly path: string;
  readonly bad: string;
  readonly good: string;
  readonly frame: string;
}

const folder = fileURLToPath(new URL("../../spec/errors/", import.meta.url));

/** The pages in the ranges that have a `## Bad` example in Frond. */
export function errorPages(): readonly ErrorPage[] {
  return readdirSync(folder)
    .filter(name => /^F\d{4}\.md$/.test(name) && ranges.some(range => range.test(name)))
    .sort()
    .flatMap(name => readPage(name) ?? []);
}

function readPage(name: string): ErrorPage | null {
  const path = folder + name;
  const text = readFileSync(path, "utf8");
  const bad = block(text, "Bad", "frond");
  const good = block(text, "Good", "frond");
  const frame = block(text, "Frame", "text");
  if (bad === null) return null;
  if (good === null || frame === null) throw new Error(`${name}: the sections Frame and Good are missing`);
  return { code: name.slice(0, 5), path, bad, good, frame };
}

function block(text: string, section: string, language: string): string | null {
  const from = text.indexOf(`\n## ${section}\n`);
  if (from < 0) return null;
  const opening = `\`\`\`${language}\n`;
  const start = text.indexOf(opening, from);
  const next = text.indexOf("\n## ", from + 1);
  if (start < 0 || (next >= 0 && start > next)) return null;
  const end = text.indexOf("```\n", start + opening.length);
  return text.slice(start + opening.length, end);
}

export function writeFrame(page: ErrorPage, frame: string): void {
  const text = readFileSync(page.path, "utf8");
  const old = `## Frame\n\n\`\`\`text\n${page.frame}\`\`\`\n`;
  writeFileSync(
    page.path,
    text.replace(old, () => `## Frame\n\n\`\`\`text\n${frame}\`\`\`\n`),
  );
}
