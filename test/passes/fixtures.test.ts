// Passes, text in, text out: test/fixtures/passes/PASS-CASE.txt holds a graph, a line of dashes, and what the pass makes
// of it. FROND_UPDATE=1 writes the second half anew.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { printGraph } from "../../compiler/graph/text.ts";
import { readGraph } from "../../compiler/ops/read.ts";
import { runPasses } from "../../compiler/passes/pass.ts";
import { allPasses } from "../../compiler/passes/pipeline.ts";

const folder = fileURLToPath(new URL("../fixtures/passes", import.meta.url));
const dashes = "\n--------\n";
const files = readdirSync(folder).sort();

describe.each(files)("%s", file => {
  const path = join(folder, file);
  const [before = "", after = ""] = readFileSync(path, "utf8").split(dashes);
  const pass = allPasses.find(({ name }) => file.startsWith(`${name}-`));

  test("gives what stands below the dashes", () => {
    const parsed = readGraph(before);
    if (!parsed.ok) throw new Error(`${file}:${parsed.line}: ${parsed.problem}`);
    expect(pass).toBeDefined();
    const text = printGraph(runPasses(parsed.graph, [pass!], { verify: true }));
    if (process.env.FROND_UPDATE === "1") writeFileSync(path, `${before.trimEnd()}${dashes}${text}`);
    else expect(text).toBe(after);
  });
});

test("every pass has a fixture", () => {
  const without = allPasses.filter(({ name }) => !files.some(file => file.startsWith(`${name}-`)));
  expect(without).toEqual([]);
});
