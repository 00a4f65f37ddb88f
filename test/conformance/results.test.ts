// What programs and examples compute, and their gradients, on every backend.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { programFolder } from "../harness/models.ts";
import { programCases } from "./cases.ts";
import { conformance } from "./suite.ts";

const textsOf = (folder: string): string =>
  readdirSync(folder)
    .filter(file => file.endsWith(".frond"))
    .map(file => readFileSync(join(folder, file), "utf8"))
    .join("\n");

test("every layer of the library is in a program", () => {
  const library = [...textsOf(join(programFolder, "..", "..", "std")).matchAll(/^layer (\w+)/gm)];
  const programs = textsOf(programFolder);
  const missing = library
    .map(([, name]) => name!)
    .filter(name => !new RegExp(`\\b${name}[[(]`).test(programs));
  expect(library.length).toBeGreaterThan(5);
  expect(missing).toEqual([]);
});

conformance(programCases, ["values", "gradients"]);
