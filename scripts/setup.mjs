// Makes a fresh clone ready to run: installs the packages and builds, each only when needed.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { fail, npm, root } from "./process.mjs";

const needed = 20;
if (Number(process.versions.node.split(".")[0]) < needed) {
  fail(`needs Node ${needed} or newer; this is ${process.version}`);
}

install();
const started = Date.now();
if (build()) console.log(`frond: built in ${((Date.now() - started) / 1000).toFixed(1)} s`);

function install() {
  const lock = join(root, "package-lock.json");
  // npm writes this file at the end of an installation.
  const installed = join(root, "node_modules", ".package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  const count = Object.keys(JSON.parse(readFileSync(lock, "utf8")).packages).length - 1;
  console.log(`frond: installing up to ${count} packages (npm ci) ...`);
  const quietly = ["--no-audit", "--no-fund", "--loglevel=error"];
  let result = npm(["ci", ...quietly], { quiet: true });
  // `npm ci` refuses where a registry lacks a package of another platform, and gives up when one answer is lost;
  // `npm install` goes on. The lock file stays as it is.
  if (!result.ok) result = npm(["install", "--no-save", ...quietly], { quiet: true });
  if (!result.ok)
    fail("could not install the packages; is the network there? Then run it again", gist(result.output));
}

/** npm's errors hold stack traces, and end with pages of help. */
function gist(text) {
  const lines = text.split("\n").filter(line => !/^npm error( {4,}at | {3}\w+: |.* }$)/.test(line));
  return lines.slice(0, 10).join("\n");
}
