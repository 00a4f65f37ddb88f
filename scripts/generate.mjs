// Writes compiler/generated/messages.ts: the titles of all diagnostics, read from spec/errors/*.md.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const errors = join(root, "spec", "errors");
const generated = join(root, "compiler", "generated");
mkdirSync(generated, { recursive: true });

const entries = readdirSync(errors)
  .filter(name => /^F\d{4}\.md$/.test(name))
  .sort()
  .map(name => {
    const text = readFileSync(join(errors, name), "utf8").replaceAll("\r\n", "\n");
    const head = /^# (F\d{4}): (.+)\nseverity: (error|warning)\n/.exec(text);
    if (head === null || head[1] !== name.slice(0, 5)) {
      throw new Error(
        `spec/errors/${name}: the first lines must be "# ${name.slice(0, 5)}: TITLE" and "severity: error"`,
      );
    }
    return `  ${head[1]}: { severity: ${JSON.stringify(head[3])}, title: ${JSON.stringify(head[2])} },`;
  });

const text = `// Made by scripts/generate.mjs from spec/errors/*.md. Do not edit.
export const messages = {
${entries.join("\n")}
} as const;
export type DiagnosticCode = keyof typeof messages;
`;
write(join(generated, "messages.ts"), text);

function write(path, content) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
