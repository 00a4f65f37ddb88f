// tfjs in Node: with its wasm and cpu backends from test/bench/peers, and on TensorFlow's library, which is the one that
// Frond's backend `native` loads.

import { join } from "node:path";
import { native } from "../../../backends/native/index.ts";
import { loadTfjsNode } from "../../../backends/native/load.ts";
import type { Engine } from "../engine.ts";
import { loadTfjs, packageFolder, probePackage } from "./peer.ts";
import { type Library, type Tf, tfjsEngine } from "./tfjs.ts";

const wasmPackage = "@tensorflow/tfjs-backend-wasm";

const libraries = {
  cpu: {
    probe: async () => probePackage("@tensorflow/tfjs"),
    load: async () => loadTfjs<Tf>("@tensorflow/tfjs"),
  },
  wasm: {
    probe: async () => probePackage("@tensorflow/tfjs"),
    async load() {
      const tf = loadTfjs<Tf>("@tensorflow/tfjs");
      const { setWasmPaths } = loadTfjs<{ setWasmPaths(folder: string): void }>(wasmPackage);
      setWasmPaths(join(packageFolder(wasmPackage), "dist", "/"));
      return tf;
    },
  },
  node: {
    async probe() {
      // Loads the library with as many threads as Frond's backend has.
      const found = await native.probe();
      return found.available ? found : { ...found, reason: `${found.reason}; ${found.remedy}` };
    },
    async load() {
      const found = await loadTfjsNode();
      if (!found.available) throw new Error(found.reason);
      return found.tf as unknown as Tf;
    },
  },
} satisfies Readonly<Record<string, Library>>;

/** As its packages call it, tfjs-node's backend is `tensorflow`. */
export const tfjsHere = (name: keyof typeof libraries): Engine =>
  tfjsEngine(name === "node" ? "tensorflow" : name, libraries[name]);
