// Runs the benchmark (test/bench): sets Frond up, compiles the benchmark into .bench/, installs what Frond is compared
// with into test/bench/peers, and starts. A peer that cannot be installed is left out.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fail, node, npm, root } from "./process.mjs";

const compiled = name => import(pathToFileURL(join(root, ".bench", "test", "bench", name)).href);

// Nothing but results goes to standard output.
console.error("frond: compiling the benchmark ...");
step("set up", ["scripts/setup.mjs"]);
// Types are `npm run check`'s affair.
const quick = ["--noCheck", "--declaration", "false", "--sourceMap", "false"];
step("compile the benchmark", ["node_modules/typescript/bin/tsc", "--outDir", ".bench", ...quick]);
const { help, readOptions } = await compiled("arguments.js");
const options = readOptions(process.argv.slice(2));
if (options === null) process.stdout.write(help);
else if (typeof options === "string") {
  console.error(options);
  process.exitCode = 2;
} else {
  const { main, wantsPackages } = await compiled("main.js");
  if (wantsPackages(options)) installPeers();
  process.exitCode = await main(options);
}

function step(what, args) {
  const { ok, output } = node(args, { quiet: true });
  if (!ok) fail(`could not ${what}`, output);
}

/** Their install scripts are not run: onnxruntime-node's would download a graphics card's libraries. */
function installPeers() {
  const folder = join(root, "test", "bench", "peers");
  const installed = join(folder, "node_modules", ".package-lock.json");
  const lock = join(folder, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error(
    "frond: installing the peers into test/bench/peers, some 700 MB (--no-peers goes without) ...",
  );
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { ok, output } = npm(["ci", "--prefix", folder, ...flags], { quiet: true });
  if (!ok)
    console.error(`frond: could not install the peers, going on without them\n${output.slice(0, 500)}`);
}
