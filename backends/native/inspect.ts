// Whether an installed tfjs-node can be loaded, and why not: in one line each, whatever the system's linker says.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Sound {
  readonly version: string;
  /** The addon's file. */
  readonly binding: string;
}

interface Manifest {
  readonly version?: string;
  readonly binary?: { readonly napi_versions?: readonly number[] };
}

/** Looks at the files only; a text is what is wrong with them. */
export function inspect(folder: string, napi = Number(process.versions.napi)): Sound | string {
  const manifest = readManifest(folder);
  const version = manifest?.version;
  if (manifest === null || version === undefined) return "its package.json cannot be read";
  if (!fits(version)) return `it is version ${version}, and 4.22 or a later 4 is wanted`;
  // node-pre-gyp's rule: the newest interface that both the package and this Node know.
  const known = (manifest.binary?.napi_versions ?? []).filter(one => one <= napi);
  const binding = join(folder, "lib", `napi-v${Math.max(...known)}`, "tfjs_binding.node");
  return existsSync(binding) ? { version, binding } : "its binding is missing, so its installation failed";
}

function readManifest(folder: string): Manifest | null {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return typeof manifest === "object" ? manifest : null;
  } catch {
    return null;
  }
}

/** As the peer dependency in package.json says: kernels and engine must be those of Frond's own tfjs-core. */
function fits(version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  return Number(major) === 4 && Number(minor) >= 22;
}

const causes: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [
    /(libtensorflow\w*[\w.]*): cannot open|Library not loaded: \S*?(libtensorflow[\w.]*)/,
    match => `TensorFlow's library ${match[1] ?? match[2]} is missing`,
  ],
  [/([\w.+-]+): file too short/, match => `its file ${match[1]} is not whole`],
  [/(lib[\w+-]+\.so[\w.]*): cannot open/, match => `the system's library ${match[1]} is missing`],
  [/NODE_MODULE_VERSION|different Node\.js version/, () => "its binding was built for another Node"],
  [
    // The linker cannot open the file that is there: it is for another processor.
    /invalid ELF header|wrong ELF class|tfjs_binding\.node: cannot open|mach-o|incompatible arch|not a valid Win32/i,
    () => "its binding is not for this kind of machine",
  ],
  [
    /version `(GLIBC(?:XX)?_[\d.]+)' not found/,
    match => `this system is too old for it: it wants ${match[1]}`,
  ],
  [
    /undefined symbol|symbol not found|version `tensorflow' not found/i,
    () => "its binding and TensorFlow's library do not fit together",
  ],
];

/** What an error that was thrown while loading means. */
export function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  for (const [pattern, say] of causes) {
    const match = pattern.exec(message);
    if (match !== null) return say(match);
  }
  return `it cannot be loaded: ${message.split("\n")[0]}`;
}
