// The version of this package.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./root.ts";

export function version(): string {
  const content: { version: string } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8"));
  return content.version;
}
