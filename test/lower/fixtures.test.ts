// Lowered programs as text: fixtures/NAME.frond gives fixtures/NAME.graph. FROND_UPDATE=1 writes what is expected.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseGraph, printGraph } from "../../compiler/graph/text.ts";
import { lowerText } from "./harness.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "fixtures");
const names = readdirSync(folder)
  .filter(file => file.endsWith(".frond"))
  .map(file => file.slice(0, -".frond".length));

test.each(names)("%s", name => {
  const source = readFileSync(join(folder, `${name}.frond`), "utf8").replaceAll("\r\n", "\n");
  const printed = printGraph(lowerText(source).graph);
  const parsed = parseGraph(printed);
  if (!parsed.ok) throw new Error(`line ${parsed.line}: ${parsed.problem}`);
  expect(printGraph(parsed.graph)).toBe(printed);
  const path = join(folder, `${name}.graph`);
  if (process.env.FROND_UPDATE === "1") writeFileSync(path, printed);
  else expect(printed).toBe(existsSync(path) ? readFileSync(path, "utf8").replaceAll("\r\n", "\n") : "");
});
