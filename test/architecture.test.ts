// Checks who may import whom (CONTRIBUTING.md shows the same tables). Reads the sources' import lines; runs nothing.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Folders (and index.ts) of compiler/; each may import itself and what stands before it. */
const compilerOrder = [
  "diagnostics",
  "syntax",
  "semantics",
  "graph",
  "ops",
  "lower",
  "autodiff",
  "schedule",
  "unroll",
  "passes",
  "program",
  "emit",
  "index.ts",
];

/** Types that an earlier stage may name, by `import type`: the words of the graph and of a program's states. */
const vocabulary = ["compiler/graph/graph.ts", "compiler/program/program.ts"];

/** Stand outside of the order: anything in compiler/ may import them. */
const compilerFree = ["generated", "unreachable.ts"];

/** What of the compiler a backend may know: the compiled program, never the language. */
const backendsKnow = [
  "diagnostics",
  "graph",
  "ops",
  "lower",
  "schedule",
  "unroll",
  "passes",
  "program",
  ...compilerFree,
];

/** Backends' folders that others build upon: webgl and webgpu share gpu; wasm and cc share codegen; all, plan. */
const sharedByBackends: Readonly<Record<string, readonly string[]>> = {
  plan: ["tfjs", "codegen", "wasm", "cc", "gpu", "native"],
  codegen: ["wasm", "cc"],
  gpu: ["webgl", "webgpu"],
};

/** Where `node:` modules may be imported. */
const nodeFolders = [
  "runtime/node",
  "runtime/cli",
  "runtime/server",
  "backends/native",
  "backends/cc",
  "backends/wasm/team.ts",
  // The half of it that starts the browser and serves its page.
  "backends/browser/find.ts",
  "backends/browser/files.ts",
  "backends/browser/process.ts",
  "backends/browser/server.ts",
  "examples",
];

/** Heavy packages and the only folders that may import each. */
const packageFolders: Readonly<Record<string, readonly string[]>> = {
  "@tensorflow/tfjs-core": ["backends/tfjs", "backends/webgl", "backends/webgpu", "backends/native"],
  "@tensorflow/tfjs-backend-cpu": ["backends/tfjs"],
  "@tensorflow/tfjs-backend-webgl": ["backends/webgl"],
  "@tensorflow/tfjs-backend-webgpu": ["backends/webgpu"],
  "ohm-js": ["compiler/syntax"],
  fflate: ["runtime/data"],
  "playwright-core": ["backends/browser"],
  ws: ["backends/browser"],
  devalue: ["backends/browser"],
};

/** What a page loads of the browser's folder: the other files there are Node's. */
const pageSide = ["page.ts", "protocol.ts", "codec.ts"].map(name => `backends/browser/${name}`);

interface Import {
  readonly file: string;
  /** A path from the root for our own files, else the package's name. */
  readonly target: string;
  readonly typeOnly: boolean;
}

const sources = ["compiler", "runtime", "backends", "examples"].flatMap(folder =>
  filesUnder(join(root, folder)),
);
const imports = sources.flatMap(importsOf);

test("the sources are found and their imports read", () => {
  expect(imports.length).toBeGreaterThan(10);
});

test("a folder of the compiler imports only what stands before it", () => {
  expect(broken(from("compiler"), compilerRule)).toEqual([]);
});

test("backends/api.ts imports types only", () => {
  expect(broken(from("backends/api.ts"), entry => entry.typeOnly)).toEqual([]);
});

test("a backend knows the compiled program, not the language, nor the runtime", () => {
  expect(broken(from("backends"), backendRule)).toEqual([]);
});

test("no file outside a backend's folder knows a backend, save the registry", () => {
  expect(broken(imports, unknownBackendRule)).toEqual([]);
});

test("the runtime stays free of the platform outside runtime/node and runtime/cli", () => {
  const platform = ["runtime/node", "runtime/cli", "runtime/server"];
  const pure = from("runtime").filter(entry => !platform.some(folder => inside(entry.file, folder)));
  expect(broken(pure, entry => !platform.some(folder => inside(entry.target, folder)))).toEqual([]);
});

test("`node:` modules are imported only where the platform is dealt with", () => {
  const node = imports.filter(entry => entry.target.startsWith("node:"));
  expect(broken(node, entry => nodeFolders.some(folder => inside(entry.file, folder)))).toEqual([]);
});

test("a heavy package is imported by one folder only", () => {
  const rule = ({ target, file }: Import) => {
    const folders = packageFolders[target];
    return folders === undefined || folders.some(folder => inside(file, folder));
  };
  expect(broken(imports, rule)).toEqual([]);
});

test("the page's half of backends/browser does without Node's", () => {
  const page = imports.filter(({ file, typeOnly }) => pageSide.includes(file) && !typeOnly);
  const rule = ({ target }: Import) => !inside(target, "backends/browser") || pageSide.includes(target);
  expect(broken(page, rule)).toEqual([]);
});

function compilerRule({ file, target, typeOnly }: Import): boolean {
  if (target === "backends/api.ts") return typeOnly;
  if (!inside(target, "compiler")) return !isOurs(target) && !target.startsWith("node:");
  const here = compilerPart(file);
  const there = compilerPart(target);
  if (compilerFree.includes(there) || here === there) return true;
  if (typeOnly && vocabulary.includes(target)) return true;
  // Generated modules hold data, typed by whatever the data is.
  if (compilerFree.includes(here)) return typeOnly;
  const [a, b] = [compilerOrder.indexOf(here), compilerOrder.indexOf(there)];
  return a >= 0 && b >= 0 && b < a;
}

function backendRule({ target }: Import): boolean {
  if (inside(target, "runtime") || inside(target, "examples")) return false;
  if (inside(target, "compiler")) return backendsKnow.includes(compilerPart(target));
  return true;
}

function unknownBackendRule({ file, target }: Import): boolean {
  const backend = backendFolder(target);
  if (backend === null || file === "backends/registry.ts") return true;
  const here = backendFolder(file);
  return here !== null && (here === backend || (sharedByBackends[backend] ?? []).includes(here));
}

/** `compiler/ops/table.ts` -> `ops`; `compiler/index.ts` -> `index.ts`. */
const compilerPart = (path: string): string => path.split("/")[1] ?? "";

/** `backends/tfjs/backend.ts` -> `tfjs`; null for files that belong to no backend. */
function backendFolder(path: string): string | null {
  const [top, folder, ...rest] = path.split("/");
  return top === "backends" && rest.length > 0 ? (folder ?? null) : null;
}

const isOurs = (target: string): boolean =>
  /^(compiler|runtime|backends|examples|test|scripts)\//.test(target);
const inside = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
const from = (folder: string): readonly Import[] => imports.filter(entry => inside(entry.file, folder));

/** The imports that a rule refuses, as readable lines. */
function broken(entries: readonly Import[], allowed: (entry: Import) => boolean): readonly string[] {
  return entries.filter(entry => !allowed(entry)).map(({ file, target }) => `${file} imports ${target}`);
}

function filesUnder(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap(entry => {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) return filesUnder(inner);
    return entry.name.endsWith(".ts") ? [inner] : [];
  });
}

/** Static imports, re-exports and `import("..")`, with `import type` told apart. */
function importsOf(path: string): readonly Import[] {
  const text = readFileSync(path, "utf8");
  const file = relative(root, path).replaceAll("\\", "/");
  const statement = /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
  const call = /\bimport\(\s*"([^"]+)"\s*\)/g;
  const resolve = (target: string) =>
    target.startsWith(".") ? relative(root, join(dirname(path), target)).replaceAll("\\", "/") : target;
  return [
    ...[...text.matchAll(statement)].map(match => ({
      file,
      target: resolve(match[2]!),
      typeOnly: match[1] !== undefined,
    })),
    ...[...text.matchAll(call)].map(match => ({ file, target: resolve(match[1]!), typeOnly: false })),
  ];
}
