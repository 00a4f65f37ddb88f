// Builds dist/ from the sources, when they changed: generated modules, tsc, then the library in its parsed form.
// Run directly or from setup.mjs. "Changed" goes by content, so that a fresh clone or a touched file costs nothing.
// All is made in a folder beside dist/ that then takes its place: a build that is interrupted or fails leaves the old
// one, and a program that starts meanwhile finds one of the two.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
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
const dist = join(root, "dist");
const stampName = ".stamp";

/** Builds if needed; returns whether it did. Ends the process with a message when it fails. */
export function build() {
  const now = fingerprint();
  const stamp = join(dist, stampName);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now && generatedExists()) return false;
  removeLeftOvers();
  const next = `${dist}.${process.pid}.tmp`;
  process.once("exit", () => rmSync(next, { recursive: true, force: true }));
  step("generate the compiler's tables", ["scripts/generate.mjs"]);
  step("compile", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--outDir", next]);
  step("parse the library", ["scripts/std.mjs", next]);
  writeFileSync(join(next, stampName), now);
  replaceFolder(dist, next);
  return true;
}

/** Puts `next` in the place of `folder`. */
function replaceFolder(folder, next) {
  const old = `${folder}.${process.pid}.old.tmp`;
  try {
    if (existsSync(folder)) renameSync(folder, old);
    renameSync(next, folder);
  } catch (error) {
    // Another build of the same sources may have been faster.
    if (!existsSync(folder)) throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

/** What builds that were killed have left behind; younger ones may be at work. */
function removeLeftOvers() {
  const hour = 3_600_000;
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    if (/^dist\.\d+\.(old\.)?tmp$/.test(name) && Date.now() - statSync(path).mtimeMs > hour)
      rmSync(path, { recursive: true, force: true });
  }
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
