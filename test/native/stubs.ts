// Folders that look like an installed tfjs-node, down to an addon that is a module in disguise: `require` takes a
// folder named tfjs_binding.node for what its index.js says.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Surroundings } from "../../backends/native/places.ts";

export const newFolder = (): string => mkdtempSync(join(tmpdir(), "frond-native-"));

export function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

export interface Stub {
  readonly version?: string;
  /** What the addon's file holds; `module`: one that loads; null: there is none. */
  readonly binding?: "module" | string | null;
  /** The text of the package's own module. */
  readonly main?: string;
}

/** As tfjs-node does: its backend becomes the active one of whatever engine there is. */
const usualMain = `
const engine = (globalThis._tfengine ??= {});
engine.backendName = "tensorflow";
exports.setBackend = async name => { engine.backendName = name; return true; };
exports.getBackend = () => engine.backendName;
exports.place = __dirname;
`;

/** Puts the package below `folder` and returns its own folder. */
export function installStub(folder: string, stub: Stub = {}): string {
  const { version = "4.22.0", binding = "module", main = usualMain } = stub;
  const root = join(folder, "node_modules", "@tensorflow", "tfjs-node");
  const manifest = { name: "@tensorflow/tfjs-node", version, main: "index.js" };
  put(
    join(root, "package.json"),
    JSON.stringify({ ...manifest, binary: { napi_versions: [3, 4, 5, 6, 7, 8] } }),
  );
  put(join(root, "index.js"), main);
  const file = join(root, "lib", "napi-v8", "tfjs_binding.node");
  if (binding === "module") put(join(file, "index.js"), 'exports.TF_Version = "2.13.1";');
  else if (binding !== null) put(file, binding);
  return root;
}

/** A machine with a project, Frond and a user in folders of their own below `root`. */
export const surroundingsIn = (root: string, env: Surroundings["env"] = {}): Surroundings => ({
  env,
  platform: "linux",
  home: () => join(root, "home"),
  cwd: join(root, "project"),
  own: join(root, "frond", "backends", "native", "places.js"),
});
