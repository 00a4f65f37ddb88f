// Parses spec/std/*.frond with the compiled parser and writes the trees to compiler/generated/std.ts (for the tests,
// which run the sources) and to compiler/generated/std.js of the build's folder, its argument. Runs after tsc.
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const built = process.argv[2] ?? join(root, "dist");
const compiled = path => import(pathToFileURL(join(built, "compiler", path)).href);
const { parse } = await compiled("syntax/parse.js");
const { pack } = await compiled("syntax/pack.js");
const { render } = await compiled("diagnostics/render.js");

const folder = join(root, "spec", "std");
const names = readdirSync(folder).filter(name => name.endsWith(".frond"));
const parsed = names.sort().map(name => {
  const text = readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n");
  return parse({ name: `std/${name}`, text });
});

const diagnostics = parsed.flatMap(file => file.diagnostics);
if (diagnostics.length > 0) {
  process.stderr.write(render(diagnostics, { color: process.stderr.isTTY === true }));
  process.exit(1);
}

const list = JSON.stringify(
  parsed.map(({ file }) => pack(file)),
  null,
  1,
);
const head = "// Made by scripts/std.mjs from spec/std/*.frond. Do not edit.\n";
write(
  join(root, "compiler", "generated", "std.ts"),
  `${head}import type { PackedFile } from "../syntax/pack.ts";\nexport const std: readonly PackedFile[] = ${list};\n`,
);
write(join(built, "compiler", "generated", "std.js"), `${head}export const std = ${list};\n`);

function write(path, content) {
  if (existsSync(path) && readFileSync(path, "utf8") === content) return;
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
