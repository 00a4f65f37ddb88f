// Where tfjs-node may be: in the user's project, beside Frond, in the folder that `frond setup native` fills. Says
// where the package lies; whether it is of any use is inspect.ts's to find out.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { nativeFolder, type User } from "../cache-folder.ts";

export const packageName = "@tensorflow/tfjs-node";

export interface Surroundings extends User {
  readonly cwd: string;
  /** A file of Frond's own: where Node starts to look for what is installed beside it. */
  readonly own: string;
}

export const surroundings = (): Surroundings => ({
  env: process.env,
  platform: process.platform,
  home: homedir,
  cwd: process.cwd(),
  own: import.meta.url,
});

/**
 * The package's folder at each place that has it, in the order in which they are to be tried. Where FROND_NATIVE is
 * set there is no other place.
 */
export function places(around: Surroundings): readonly string[] {
  const setUp = inFolder(around);
  if ((around.env.FROND_NATIVE ?? "") !== "") return setUp;
  const found = [...resolved(join(around.cwd, "package.json")), ...resolved(around.own), ...setUp];
  return [...new Set(found)];
}

/** As Node would find it from that file. */
function resolved(from: string): readonly string[] {
  try {
    return [dirname(createRequire(from).resolve(`${packageName}/package.json`))];
  } catch {
    return [];
  }
}

/** Parents are not looked at: what lies above a folder for caches is none of ours. */
function inFolder(around: Surroundings): readonly string[] {
  try {
    const folder = join(resolve(around.cwd, nativeFolder(around)), "node_modules", packageName);
    return existsSync(folder) ? [folder] : [];
  } catch {
    // There is no home.
    return [];
  }
}
