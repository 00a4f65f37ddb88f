// Writes what the compiler takes from spec/: compiler/generated/messages.ts (titles of the diagnostics, from
// spec/errors/*.md), grammar.ts (the recipe of spec/frond.ohm) and, where there is none yet, a stub of std.ts:
// scripts/std.mjs writes the real one with the compiled parser.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ohm from "ohm-js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const generated = join(root, "compiler", "generated");
mkdirSync(generated, { recursive: true });

writeMessages(join(root, "spec", "errors"), join(generated, "messages.ts"));
writeGrammar(join(root, "spec", "frond.ohm"), join(generated, "grammar.ts"));
if (!existsSync(join(generated, "std.ts"))) writeStub(join(generated, "std.ts"));

function writeMessages(folder, path) {
  const entries = readdirSync(folder)
    .filter(name => /^F\d{4}\.md$/.test(name))
    .sort()
    .map(name => {
      const text = readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n");
      const head = /^# (F\d{4}): (.+)\nseverity: (error|warning)\n/.exec(text);
      if (head === null || head[1] !== name.slice(0, 5)) {
        const wanted = `"# ${name.slice(0, 5)}: TITLE" and "severity: error"`;
        throw new Error(`spec/errors/${name}: the first lines must be ${wanted}`);
      }
      return `  ${head[1]}: { severity: ${JSON.stringify(head[3])}, title: ${JSON.stringify(head[2])} },`;
    });
  write(
    path,
    `// Made by scripts/generate.mjs from spec/errors/*.md. Do not edit.
export const messages = {
${entries.join("\n")}
} as const;
export type DiagnosticCode = keyof typeof messages;
`,
  );
}

/** Ohm's recipe is JSON: an engine reads a string by JSON.parse faster than the same text as an expression. */
function writeGrammar(from, path) {
  const recipe = ohm.grammar(readFileSync(from, "utf8")).toRecipe();
  write(
    path,
    `// Made by scripts/generate.mjs from spec/frond.ohm. Do not edit.
export const recipe: readonly unknown[] = JSON.parse(${JSON.stringify(JSON.stringify(JSON.parse(recipe)))});
`,
  );
}

function writeStub(path) {
  write(
    path,
    `// Stub made by scripts/generate.mjs; scripts/std.mjs writes the library here. Do not edit.
import type { PackedFile } from "../syntax/pack.ts";
export const std: readonly PackedFile[] = [];
`,
  );
}

function write(path, content) {
  if (existsSync(path) && readFileSync(path, "utf8") === content) return;
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
