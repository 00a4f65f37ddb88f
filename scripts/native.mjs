// Makes sure that the backend native can be opened, where it is asked for: runs `frond setup native`, which does nothing
// when it loads already. Needs dist/. Run directly, or by other scripts.
import { pathToFileURL } from "node:url";
import { node } from "./process.mjs";

const main = "dist/runtime/cli/main.js";

/** Says what it does, step by step; false where it failed, having said why. Needs the network the first time. */
export function ensureNative() {
  return node([main, "setup", "native"]).ok;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href && !ensureNative()) process.exitCode = 1;
