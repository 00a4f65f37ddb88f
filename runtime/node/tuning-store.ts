// Where Node keeps what it has measured, the tiles that suit its engine and the fastest backends: files in the user's
// folder for caches. They may be deleted at any time. Both ends of a store reject where there is no such folder or it
// is closed to us; whoever uses it goes on without.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, posix, win32 } from "node:path";
import { cacheFolder, type Environment } from "../../backends/cache-folder.ts";
import type { TuningStore } from "../../backends/registry.ts";
import { writeAtomically } from "./files.ts";

/**
 * `path` is looked up when it is needed: there may be no home at all. Of its folders two are made, ours and the one
 * for caches; `recursive` would make all, and never returns where a system has folders in which none can be made (/proc).
 */
export const tuningStore = (path: () => string): TuningStore => ({
  read: async () => (existsSync(path()) ? readFileSync(path(), "utf8") : null),
  write: async text => {
    const folder = dirname(path());
    for (const missing of [dirname(folder), folder]) if (!existsSync(missing)) mkdirSync(missing);
    writeAtomically(path(), text);
  },
});

/** `frond/tiles.json` where the platform keeps caches. */
export function tilesFile(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
  home: () => string = homedir,
): string {
  return inCaches("tiles.json", env, platform, home);
}

/** `frond/backends.json` there: which backend is the fastest for which program. */
export const choicesFile = (env: Environment): string =>
  inCaches("backends.json", env, process.platform, homedir);

function inCaches(name: string, env: Environment, platform: NodeJS.Platform, home: () => string): string {
  const { join } = platform === "win32" ? win32 : posix;
  return join(cacheFolder({ env, platform, home }), name);
}
