// Files: read with errors that say what is wrong and how to mend it, written so that a reader never sees half a file.

import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { nearest } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";

/** A file's bytes, or a FrondError. */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new FrondError([report("F0820", { path }, null, { help: readHelp(path, error) })]);
  }
}

/** A file's text in UTF-8, or a FrondError. A byte order mark is left out, line ends become \n. */
export function readText(path: string): string {
  return decodeText(readBytes(path), path);
}

/** Text in UTF-8, or a FrondError; `path` is its name in messages. */
export function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replaceAll("\r\n", "\n");
  } catch {
    throw new FrondError([report("F0820", { path }, null, { help: ["it is no text in UTF-8"] })]);
  }
}

/** Writes beside the file first, makes sure it is on the disk, then renames: the file is the old one or the new. */
export function writeAtomically(path: string, content: Uint8Array | string): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  withTarget(path, (target, temporary) => {
    if (temporary === null) writeFileSync(target, bytes);
    else {
      writeDurably(temporary, bytes);
      renameSync(temporary, target);
    }
  });
}

/** Refuses now what would fail later: a training's result must have a place before it starts. */
export function checkWritable(path: string): void {
  if (path === "-") throw unwritable(path, ["it does not go to standard output; name a file"]);
  withTarget(path, (target, temporary) => {
    if (temporary === null) accessSync(target, constants.W_OK);
    else closeSync(openSync(temporary, "w"));
  });
}

/**
 * Hands over the file behind links and where to write first, null for what cannot be replaced (a pipe, /dev/null).
 * Whatever happens, the temporary file is gone afterwards.
 */
function withTarget(path: string, write: (target: string, temporary: string | null) => void): void {
  let temporary: string | null = null;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw unwritable(path, ["it is a folder"]);
    const target = found === undefined ? path : realpathSync(path);
    if (found === undefined || found.isFile())
      temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    write(target, temporary);
  } catch (error) {
    throw error instanceof FrondError ? error : unwritable(path, writeHelp(path, error));
  } finally {
    if (temporary !== null) discard(temporary);
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Where it could not be written it cannot be removed; that was said already.
  }
}

const unwritable = (path: string, help: readonly string[]): FrondError =>
  new FrondError([report("F0821", { path }, null, { help })]);

function writeDurably(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "w");
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Why a file could not be read, for a person. */
export function readHelp(path: string, error: unknown): readonly string[] {
  switch (errorCode(error)) {
    case "ENOENT": {
      const near = neighbour(path);
      return near === null ? ["there is no such file"] : [`there is no such file; did you mean \`${near}\`?`];
    }
    case "EISDIR":
      return ["it is a folder"];
    case "EACCES":
    case "EPERM":
      return ["you may not read it"];
    default:
      return [plain(error)];
  }
}

/** Why a file could not be written, for a person. */
export function writeHelp(path: string, error: unknown): readonly string[] {
  switch (errorCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return [`there is no folder \`${dirname(path)}\`; make it first`];
    case "EISDIR":
      return ["it is a folder"];
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return ["you may not write there"];
    case "ENOSPC":
      return ["the disk is full"];
    default:
      return [plain(error)];
  }
}

/** A file in the same folder that is spelt alike. */
function neighbour(path: string): string | null {
  try {
    const near = nearest(basename(path), readdirSync(dirname(path)));
    return near === null ? null : join(dirname(path), near);
  } catch {
    return null;
  }
}

const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

const plain = (error: unknown): string => (error instanceof Error ? error.message : String(error));
