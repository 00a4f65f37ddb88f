// What has to be done to a process before tfjs-node is loaded into it: give back to Node what newer ones lack, keep
// TensorFlow quiet, and let tfjs-node use the tfjs-core that Frond uses.

import { readFileSync } from "node:fs";
import util from "node:util";

/**
 * tfjs-node 4.22 asks `util` for these on every op. Node 22 warns of them, Node 23 and later have none. The `util` that
 * `require` gives is the one object that all modules share.
 */
export function mendUtil(table: object = util, major = Number(process.versions.node.split(".")[0])): void {
  if (major < 22) return;
  const define = (name: string, value: (given: unknown) => boolean): void =>
    void Object.defineProperty(table, name, { value, configurable: true, writable: true, enumerable: true });
  define("isNullOrUndefined", given => given === null || given === undefined);
  define("isArray", Array.isArray);
}

/** TensorFlow reads this once, when its library is loaded: errors only, unless somebody asked for more. */
export function quietLibrary(env: NodeJS.ProcessEnv): void {
  if (!wantsNoise(env)) env.TF_CPP_MIN_LOG_LEVEL ??= "2";
}

/** Runs `load` without the lines in which a second tfjs says what of it is there already. */
export function quietly<T>(env: NodeJS.ProcessEnv, load: () => T): T {
  if (wantsNoise(env)) return load();
  const { warn } = console;
  console.warn = () => {};
  try {
    return load();
  } finally {
    console.warn = warn;
  }
}

const wantsNoise = (env: NodeJS.ProcessEnv): boolean => (env.FROND_DEBUG ?? "") === "1";

/** What Frond depends on itself. */
const shared = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"];

/**
 * Lets `theirs`, with which tfjs-node looks for its packages, find the modules that `own` finds, where both have the
 * same version. tfjs keeps its engine and its kernels in a global, so two copies would work; but the second one to be
 * loaded registers 170 kernels anew, with a warning for each. With other versions it stays at that.
 */
export function shareCore(theirs: NodeJS.Require, own: NodeJS.Require): void {
  for (const name of shared) {
    try {
      if (versionOf(name, theirs) !== versionOf(name, own)) continue;
      own(name);
      theirs.cache[theirs.resolve(name)] = own.cache[own.resolve(name)];
    } catch {
      // Frond's own are somewhere else, as in a bundle; tfjs-node has all that it needs.
    }
  }
}

function versionOf(name: string, from: NodeJS.Require): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(from.resolve(`${name}/package.json`), "utf8"),
  );
  return version;
}
