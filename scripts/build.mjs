// Builds dist/ from the sources, when they changed: generated modules, tsc, then the library in its parsed form.
// Run directly or from setup.mjs. "Changed" goes by content, so that a fresh clone or a touched file costs nothing.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, node, root } from "./process.mjs";

/** What the build depends on; compiler/generated follows from spec/ and scripts/. */
const inputs = [
  "compiler",
  "runtime",
  "backends",
  "examples",
  "spec",
  "scripts",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
];
const wanted = /\.(ts|mjs|ohm|frond|md|json)$/;
const stamp = join(root, "dist", ".stamp");

/** Builds if needed; returns whether it did. Ends the process with a message when it fails. */
export function build() {
  const now = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now && generatedExists()) return false;
  step("generate the compiler's tables", ["scripts/generate.mjs"]);
  rmSync(join(root, "dist"), { recursive: true, force: true });
  step("compile", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"]);
  if (existsSync(join(root, "scripts", "std.mjs"))) step("parse the library", ["scripts/std.mjs"]);
  mkdirSync(join(root, "dist"), { recursive: true });
  writeFileSync(stamp, now);
  return true;
}

function step(what, args) {
  const { ok, output } = node(args, { quiet: true });
  if (!ok) fail(`could not ${what}`, output);
  if (output !== "") console.log(output);
}

function generatedExists() {
  return ["messages.ts", "grammar.ts", "std.ts"].every(name =>
    existsSync(join(root, "compiler", "generated", name)),
  );
}

function fingerprint() {
  const hash = createHash("sha256");
  for (const input of inputs) {
    for (const file of filesUnder(join(root, input)).sort()) {
      hash.update(relative(root, file)).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

function filesUnder(path) {
  if (wanted.test(path)) return existsSync(path) ? [path] : [];
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter(entry => entry.name !== "generated" && (entry.isDirectory() || wanted.test(entry.name)))
    .flatMap(entry => filesUnder(join(path, entry.name)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log(build() ? "frond: built" : "frond: up to date");
}
