// Whole files with many errors: fixtures/NAME.frond is reported as fixtures/NAME.txt. FROND_UPDATE=1 rewrites.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { check, shown } from "./checked.ts";

const folder = fileURLToPath(new URL("./fixtures/", import.meta.url));
const names = readdirSync(folder)
  .filter(name => name.endsWith(".frond"))
  .map(name => name.slice(0, -".frond".length));

test.each(names)("%s", name => {
  const text = readFileSync(`${folder}${name}.frond`, "utf8").replaceAll("\r\n", "\n");
  const report = shown(check(text, `${name}.frond`).diagnostics);
  const pinned = `${folder}${name}.txt`;
  if (process.env.FROND_UPDATE === "1") writeFileSync(pinned, report);
  else expect(report).toBe(existsSync(pinned) ? readFileSync(pinned, "utf8").replaceAll("\r\n", "\n") : "");
});
