// The folder that native is installed into: it is made beside its place and takes it when it is ready, so that there
// is always a whole one, the old or the new.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { FrondError } from "../../../compiler/diagnostics/error.ts";
import { report } from "../../../compiler/diagnostics/report.ts";
import { writeHelp } from "../files.ts";
import { failed, megabytes } from "./work.ts";

/** By the name in its package.json a folder is known to be one that we made. */
export const folderName = "frond-native";

/** Most of what is there at one time: the packages, the wheel, the library. */
const neededBytes = 1.1e9;

/** Fills a temporary folder and puts it in the place of `folder`. Whatever happens, nothing else is left behind. */
export async function replacing(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  refuseOthers(folder);
  const parent = dirname(folder);
  const temporary = `${folder}.${process.pid}.tmp`;
  try {
    makeFolder(parent);
    removeLeftOvers(folder);
    checkRoom(parent);
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary);
    await fill(temporary);
    exchange(folder, temporary);
  } catch (error) {
    throw error instanceof Error && "syscall" in error ? unwritable(folder, writeHelp(folder, error)) : error;
  } finally {
    remove(temporary);
  }
}

/** What cannot be removed is no reason to fail; the next set-up tries again. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
  } catch {}
}

const unwritable = (path: string, help: readonly string[]): FrondError =>
  new FrondError([report("F0821", { path }, null, { help })]);

/** FROND_NATIVE may name anything; only what is empty or ours is replaced. */
function refuseOthers(folder: string): void {
  if (!existsSync(folder) || isOurs(folder)) return;
  if (!statSync(folder).isDirectory())
    throw unwritable(folder, ["it is a file; FROND_NATIVE is to be a folder"]);
  if (readdirSync(folder).length === 0) return;
  throw unwritable(folder, [
    "it holds something else; FROND_NATIVE is to be a new folder, or one that `frond setup native` made",
  ]);
}

function isOurs(folder: string): boolean {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).name === folderName;
  } catch {
    return false;
  }
}

/** One by one: `recursive` never returns where a system has folders in which none can be made (/proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

function checkRoom(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= neededBytes) return;
  const help = [`${folder} has ${megabytes(free)} left; FROND_NATIVE=FOLDER installs somewhere else`];
  throw failed("looking for room", `${megabytes(neededBytes)} are needed while it installs`, help);
}

/** Of set-ups that were killed; one that is younger than an hour may be at work. */
function removeLeftOvers(folder: string): void {
  const hour = 3_600_000;
  for (const name of readdirSync(dirname(folder))) {
    if (!name.startsWith(`${basename(folder)}.`) || !/\.\d+\.(old\.)?tmp$/.test(name)) continue;
    const path = join(dirname(folder), name);
    if (Date.now() - statSync(path).mtimeMs > hour) remove(path);
  }
}

function exchange(folder: string, next: string): void {
  const old = `${folder}.${process.pid}.old.tmp`;
  const replaced = existsSync(folder);
  if (replaced) renameSync(folder, old);
  try {
    renameSync(next, folder);
  } catch (error) {
    if (replaced) renameSync(old, folder);
    throw error;
  }
  remove(old);
}

/** Of all files below a folder, links apart. */
export function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += sizeOf(path);
    else if (entry.isFile()) bytes += statSync(path).size;
  }
  return bytes;
}
