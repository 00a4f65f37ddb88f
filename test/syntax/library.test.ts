// The library as it ships is what its files say.

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadLibrary } from "../../compiler/syntax/library.ts";
import { parse } from "../../compiler/syntax/parse.ts";

const folder = new URL("../../spec/std/", import.meta.url);

test("every file is there, parsed, with its text and spans", () => {
  const names = readdirSync(folder).filter(name => name.endsWith(".frond"));
  const parsed = names.sort().map(name => {
    return parse({ name: `std/${name}`, text: readFileSync(new URL(name, folder), "utf8") }).file;
  });
  expect(loadLibrary()).toEqual(parsed);
  expect(loadLibrary()).toBe(loadLibrary());
});
