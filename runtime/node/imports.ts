// Finds the files that a program imports: paths are relative to the importing file.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ReadImport } from "../model.ts";

/** Null where there is no such file: the compiler reports it at the import's place. */
export const readImportFile: ReadImport = (path, from) => {
  const name = join(dirname(from), path);
  try {
    return { name, text: readFileSync(name, "utf8").replaceAll("\r\n", "\n") };
  } catch {
    return null;
  }
};
