// Files are the old one or the new, never half of one; errors say what is wrong.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkWritable, readText, writeAtomically } from "../../runtime/node/files.ts";
import { readImportFile } from "../../runtime/node/imports.ts";
import { diagnosticsOf } from "./codes.ts";

const folder = mkdtempSync(join(tmpdir(), "frond-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inFolder = (name: string) => join(folder, name);

test("writing replaces the file and leaves nothing beside it", () => {
  const path = inFolder("w.bin");
  writeAtomically(path, "old");
  writeAtomically(path, Uint8Array.of(110, 101, 119));
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(folder)).toEqual(["w.bin"]);
});

test("writing to a place that does not exist says so, before and after", async () => {
  const path = join(folder, "nowhere", "w.bin");
  for (const action of [() => writeAtomically(path, "x"), () => checkWritable(path)]) {
    const found = await diagnosticsOf(action);
    expect(found.map(({ code, help }) => [code, ...help])).toEqual([
      ["F0821", `there is no folder \`${join(folder, "nowhere")}\`; make it first`],
    ]);
  }
});

test("a folder in the file's place is refused and nothing is left behind", async () => {
  mkdirSync(inFolder("taken"));
  const found = await diagnosticsOf(() => writeAtomically(inFolder("taken"), "x"));
  expect(found.map(({ code }) => code)).toEqual(["F0821"]);
  expect(readdirSync(folder).filter(name => name.endsWith(".tmp"))).toEqual([]);
});

test("a missing file names one that is spelt alike", async () => {
  writeFileSync(inFolder("tagger.frond"), "");
  const found = await diagnosticsOf(() => readText(inFolder("taggr.frond")));
  expect(found[0]!.help).toEqual([`there is no such file; did you mean \`${inFolder("tagger.frond")}\`?`]);
});

test("text is UTF-8, without a byte order mark, with \\n", async () => {
  writeFileSync(inFolder("a.frond"), "\uFEFFa\r\nb");
  expect(readText(inFolder("a.frond"))).toBe("a\nb");
  writeFileSync(inFolder("b.frond"), Uint8Array.of(0xff, 0xfe));
  expect((await diagnosticsOf(() => readText(inFolder("b.frond"))))[0]!.help).toEqual([
    "it is no text in UTF-8",
  ]);
});

test("imports are found relative to the file that imports", () => {
  writeFileSync(inFolder("part.frond"), "layer");
  expect(readImportFile("./part.frond", inFolder("main.frond"))).toEqual({
    name: inFolder("part.frond"),
    text: "layer",
  });
  expect(readImportFile("./none.frond", inFolder("main.frond"))).toBeNull();
});

test("what is there but cannot be imported is not called missing", async () => {
  writeFileSync(inFolder("binary.frond"), Uint8Array.of(0xff, 0xfe));
  const found = await diagnosticsOf(() => readImportFile("./binary.frond", inFolder("main.frond")));
  expect(found.map(({ code, help }) => [code, ...help])).toEqual([["F0820", "it is no text in UTF-8"]]);
});
