// Finds tfjs-node and loads it, once in a process, or says why not and what would help. Nothing of it is loaded before
// its addon has been, so that one which does not load leaves no half of itself in tfjs's registries.

import { createRequire, Module } from "node:module";
import { constants } from "node:os";
import { join } from "node:path";
import type { Availability } from "../api.ts";
import { explain, inspect } from "./inspect.ts";
import { packageName, places, type Surroundings, surroundings } from "./places.ts";
import { mendUtil, quietLibrary, quietly, shareCore } from "./prepare.ts";
import type { Binding, TfjsNode } from "./tfjs-node.ts";

type Missing = Extract<Availability, { available: false }>;

export interface Native {
  readonly available: true;
  readonly detail: string;
  /** Of the package. */
  readonly folder: string;
  /**
   * Its backend is `tensorflow`: `findBackend("tensorflow")`. Where another one was active before, it still is.
   * Its tfjs-core is Frond's own where both have the same version.
   */
  readonly tf: TfjsNode;
  readonly binding: Binding;
}

let loading: Promise<Native | Missing> | null = null;

/** Tried again as long as it fails: it may be installed meanwhile. */
export async function loadTfjsNode(): Promise<Native | Missing> {
  loading ??= loadFrom(surroundings());
  const native = await loading;
  if (!native.available) loading = null;
  return native;
}

/** The first place where it can be loaded; else what is wrong at the first place that has it. */
export async function loadFrom(around: Surroundings): Promise<Native | Missing> {
  let problem: string | null = null;
  for (const folder of places(around)) {
    const native = await open(folder, around.own);
    if (typeof native !== "string") return native;
    problem ??= `${native} (${folder})`;
  }
  const given = around.env.FROND_NATIVE ?? "";
  const where = given === "" ? "" : ` in FROND_NATIVE, which is ${given}`;
  return {
    available: false,
    reason: problem === null ? `${packageName} is not installed${where}` : `${packageName}: ${problem}`,
    remedy: "run `frond setup native`",
  };
}

/** A text is why not. */
async function open(folder: string, from: string): Promise<Native | string> {
  const found = inspect(folder);
  if (typeof found === "string") return found;
  const theirs = createRequire(join(folder, "package.json"));
  quietLibrary(process.env);
  try {
    const binding = loadBinding(theirs, found.binding);
    mendUtil();
    shareCore(theirs, createRequire(from));
    const active = activeBackend();
    const tf: TfjsNode = quietly(process.env, () => theirs(folder));
    if (active !== "") await tf.setBackend(active);
    const detail = `TensorFlow ${binding.TF_Version}, tfjs-node ${found.version}`;
    return { available: true, detail, folder, tf, binding };
  } catch (error) {
    return explain(error);
  }
}

/**
 * Loads the addon with all functions that it needs of the library at once: one that is missing would end the process
 * when it is called, but refuses to load here. What tfjs-node loads afterwards is the same module.
 */
function loadBinding(theirs: NodeJS.Require, path: string): Binding {
  const file = theirs.resolve(path);
  const { RTLD_NOW: atOnce }: { RTLD_NOW?: number } = constants.dlopen;
  if (theirs.cache[file] === undefined && file.endsWith(".node") && atOnce !== undefined) {
    const module = new Module(file);
    process.dlopen(module, file, atOnce);
    module.loaded = true;
    theirs.cache[file] = module;
  }
  return theirs(path);
}

/** Of whichever tfjs is loaded: its engine is a global. Loading tfjs-node makes its own backend the active one. */
function activeBackend(): string {
  const { _tfengine: engine }: { _tfengine?: { readonly backendName?: string } } = globalThis as object;
  return engine?.backendName ?? "";
}
