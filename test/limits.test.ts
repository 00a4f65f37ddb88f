// What backends cannot run: the page shows it, and `auto` heeds it.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { limited, limitsPage } from "../backends/limits.ts";
import { backends } from "../backends/registry.ts";
import type { OpName } from "../compiler/graph/graph.ts";
import { isOpName, ops } from "../compiler/ops/table.ts";

const names = backends.map(({ name }) => name);
const opNames = Object.keys(ops).filter(isOpName);

test("spec/backends.md is up to date; `node scripts/backends.mjs`, or FROND_UPDATE=1, writes it anew", () => {
  const path = join(import.meta.dirname, "..", "spec", "backends.md");
  const page = limitsPage(names, opNames);
  if (process.env.FROND_UPDATE === "1") writeFileSync(path, page);
  else expect(readFileSync(path, "utf8").replaceAll("\r\n", "\n")).toBe(page);
});

test("limits are those of backends that there are", () => {
  for (const name of limited()) expect(names).toContain(name);
});

test("reasons stand below the table, each once", () => {
  const own: readonly OpName[] = ["exp", "log", "sin"];
  const page = limitsPage(["a", "b"], own, name =>
    name === "b" ? { log: "no logarithms", sin: "no circles" } : {},
  );
  expect(page).toContain("| `exp` | yes | yes |\n| `log` | yes | no (1) |\n| `sin` | yes | no (2) |\n");
  expect(page).toMatch(/\n1\. no logarithms\n2\. no circles\n$/);
});
