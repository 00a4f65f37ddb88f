// The part of native that comes from npm: tfjs-node with all that it depends on, and its own way to get TensorFlow's
// library, a download from a file host that many networks do not let through.

import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderName } from "./folder.ts";
import { npm, npmMissing } from "./tools.ts";
import { programFailed, reasonIn, type Work } from "./work.ts";

export const tfjsNode = { name: "@tensorflow/tfjs-node", version: "4.22.0" };

/** Node's interface for addons as headers: they are not beside every Node, and node-gyp would download them. */
const headers = { name: "node-api-headers", version: "1.1.0" };

/** Without waiting a minute before npm asks a network again that is not there. */
const flags = [
  "--ignore-scripts",
  "--prefer-offline",
  "--fetch-retry-mintimeout=1000",
  "--fetch-retry-maxtimeout=5000",
  "--no-audit",
  "--no-fund",
  "--loglevel=error",
];

/** Where tfjs-node lies in the folder that is filled. */
export const packageIn = (folder: string): string => join(folder, "node_modules", tfjsNode.name);

export const headersIn = (folder: string): string => join(folder, "node_modules", headers.name, "include");

/** Without running any package's scripts. */
export async function installPackages({ run, machine }: Work, folder: string): Promise<void> {
  const dependencies = Object.fromEntries([tfjsNode, headers].map(({ name, version }) => [name, version]));
  const manifest = { name: folderName, private: true, dependencies };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const ran = await run(npm(machine), ["install", "--prefix", folder, ...flags], { cwd: folder });
  if (ran.missing) throw npmMissing();
  if (!ran.ok) throw programFailed("installing the packages", ran);
  removeMaps(folder);
}

/** Source maps are two thirds of the packages' bytes, and nothing reads them. */
function removeMaps(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeMaps(path);
    else if (entry.name.endsWith(".js.map")) rmSync(path);
  }
}

/** tfjs-node's own installation; null where it says that it worked, else why not, in a few words. */
export async function ownInstallation({ run, machine }: Work, folder: string): Promise<string | null> {
  const args = ["rebuild", tfjsNode.name, "--prefix", folder, "--foreground-scripts", "--loglevel=error"];
  const { ok, out, err, signal } = await run(npm(machine), args, { cwd: folder, minutes: 10 });
  if (ok) return null;
  const [code] = /\b(ENOTFOUND|EAI_AGAIN|ECONN[A-Z]+|ETIMEDOUT|CERT_[A-Z_]+)\b/.exec(`${out}\n${err}`) ?? [];
  return code ?? reasonIn(`${err}\n${out}`, signal).at(-1)!;
}

/** What its own installation has left behind. */
export function cleanPackage(folder: string): void {
  for (const name of ["deps", "lib", "build"])
    rmSync(join(packageIn(folder), name), { recursive: true, force: true });
}
