// Installations that have been broken, made of the real one: each is refused in one line that says what is wrong, and
// none takes the process with it.

import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inspect } from "../../backends/native/inspect.ts";
import { loadFrom } from "../../backends/native/load.ts";
import { places, surroundings } from "../../backends/native/places.ts";
import { newFolder, surroundingsIn } from "./stubs.ts";

// It must not be loaded here: of a library that is in memory the system asks for no other file.
const [own] = places(surroundings()).filter(folder => typeof inspect(folder) !== "string");
const required = (process.env.FROND_REQUIRE ?? "").split(",").includes("native");

let root = "";
beforeEach(() => {
  root = newFolder();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const libraries = join("deps", "lib");
const addon = join("lib", "napi-v8", "tfjs_binding.node");

/** A copy whose libraries are links to the real ones, but for those named. */
function copy({
  manifest = (text: string) => text,
  links = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"],
} = {}): string {
  if (own === undefined) throw new Error("tfjs-node is not installed");
  const folder = join(root, "node_modules", "@tensorflow", "tfjs-node");
  for (const part of [libraries, join(addon, "..")]) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, "package.json"), manifest(readFileSync(join(own, "package.json"), "utf8")));
  copyFileSync(join(own, addon), join(folder, addon));
  for (const name of links) symlinkSync(join(own, libraries, name), join(folder, libraries, name));
  return folder;
}

const load = () => loadFrom(surroundingsIn(root, { FROND_NATIVE: root }));

const refused = (folder: string, reason: string) => ({
  available: false,
  reason: `@tensorflow/tfjs-node: ${reason} (${folder})`,
  remedy: "run `frond setup native`",
});

// Where libraries lie, and what is said of them, is the system's.
describe.runIf((required || own !== undefined) && process.platform === "linux")("an installation", () => {
  test("of another version", async () => {
    const folder = copy({ manifest: text => text.replace(/"version": "[^"]*"/, '"version": "4.17.0"') });
    expect(await load()).toEqual(refused(folder, "it is version 4.17.0, and 4.22 or a later 4 is wanted"));
  });

  test("without its library", async () => {
    const folder = copy({ links: ["libtensorflow_framework.so.2"] });
    expect(await load()).toEqual(refused(folder, "TensorFlow's library libtensorflow_cc.so.2 is missing"));
  });

  test("whose library was cut off", async () => {
    const folder = copy({ links: ["libtensorflow_framework.so.2"] });
    writeFileSync(join(folder, libraries, "libtensorflow_cc.so.2"), "ELF");
    expect(await load()).toEqual(refused(folder, "its file libtensorflow_cc.so.2 is not whole"));
  });

  test("whose library lacks a function that is called late", async () => {
    const folder = copy();
    // The addon asks for one that no library has.
    const [name, other] = ["TF_LoadSessionFromSavedModel", "TF_LoadSessionFromSavedXodel"] as const;
    const file = readFileSync(join(folder, addon), "latin1");
    expect(file).toContain(name);
    writeFileSync(join(folder, addon), file.replaceAll(name, other), "latin1");
    expect(await load()).toEqual(refused(folder, "its binding and TensorFlow's library do not fit together"));
  });
});
