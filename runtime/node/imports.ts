// Finds the files that a program imports: paths are relative to the importing file.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ReadImport } from "../../compiler/index.ts";
import { readText } from "./files.ts";

/** Null where there is no such file: the compiler reports it at the import's place. */
export const readImportFile: ReadImport = (path, from) => {
  const name = join(dirname(from), path);
  return existsSync(name) ? { name, text: readText(name) } : null;
};
