// Finds the packages that Frond is compared with. They are no dependencies of Frond: scripts/bench.mjs installs them
// into test/bench/peers, and what is not there is said to be missing.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { shareCore } from "../../../backends/native/prepare.ts";
import { packageRoot } from "../../../runtime/node/root.ts";
import type { Probe } from "../engine.ts";
import { benchFolder } from "../work.ts";

const folder = join(benchFolder, "peers");
const require = createRequire(join(folder, "package.json"));

/** A package, as the caller knows it to be. */
export const load = <T>(name: string): T => require(name) as T;

/** One of tfjs's, on the tfjs-core that Frond's backends have in the same process. */
export function loadTfjs<T>(name: string): T {
  shareCore(require, createRequire(join(packageRoot(), "package.json")));
  return load<T>(name);
}

export const packageFolder = (name: string): string => join(folder, "node_modules", name);

/** tfjs-layers as one module for pages, which imports tfjs-core and nothing else; a path where there may be nothing. */
export const layersModule = join(packageFolder("@tensorflow/tfjs-layers"), "dist", "tf-layers.fesm.js");

/** Whether a package is there, and its version. */
export function probePackage(name: string): Probe {
  const path = join(packageFolder(name), "package.json");
  if (!existsSync(path)) return { available: false, reason: `not installed (npm ci in test/bench/peers)` };
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
  return { available: true, detail: `${name} ${version}` };
}
