// What a page of Frond's loads: the compiled sources in dist/, as they are, and the packages that they import, which an
// import map names. Nothing is bundled: the packages have builds that browsers take, all but one.

import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

interface Package {
  /** The module that stands for the package. */
  readonly entry: string;
  /** The package whose dependency it is, where it is not ours. */
  readonly of?: string;
  /** For a CommonJS module that imports nothing: what its `module.exports` is called when it is imported. */
  readonly commonjs?: string;
}

/** Those that are not installed are left out; backends say so when they are probed. */
const packages: Readonly<Record<string, Package>> = {
  devalue: { entry: "src/index.js" },
  "fastest-levenshtein": { entry: "esm/mod.js" },
  "@tensorflow/tfjs-core": { entry: "dist/tf-core.fesm.js" },
  "@tensorflow/tfjs-backend-cpu": { entry: "dist/tf-backend-cpu.fesm.js" },
  "@tensorflow/tfjs-backend-webgl": { entry: "dist/tf-backend-webgl.fesm.js" },
  "@tensorflow/tfjs-backend-webgpu": { entry: "dist/tf-backend-webgpu.fesm.js" },
  // The only function of it that tfjs-backend-cpu calls.
  seedrandom: { entry: "lib/alea.js", of: "@tensorflow/tfjs-backend-cpu", commonjs: "alea" },
};

export interface PageFiles {
  /** Each package's address, from the page. */
  readonly imports: Readonly<Record<string, string>>;
  /** A module by its address, or null; there is nothing else to be had. */
  read(address: string): Buffer | string | null;
}

/** Null where dist/ is not there. */
export function pageFiles(): PageFiles | null {
  const dist = join(packageRoot(), "dist");
  if (!existsSync(join(dist, "backends", "browser", "page.js"))) return null;
  const found = Object.keys(packages).flatMap(name => {
    const folder = folderOf(name);
    return folder === null ? [] : [[name, folder] as const];
  });
  const folders = new Map(found);
  const imports = found.map(([name]) => [name, `./packages/${name}/${packages[name]!.entry}`] as const);
  return {
    imports: Object.fromEntries(imports),
    read(address) {
      if (address.startsWith("dist/")) return moduleIn(dist, address.slice("dist/".length));
      const [, name, path] = /^packages\/((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(address) ?? [];
      const folder = folders.get(name ?? "");
      if (folder === undefined) return null;
      const text = moduleIn(folder, path!);
      const { entry, commonjs } = packages[name!]!;
      return text !== null && commonjs !== undefined && path === entry ? asModule(text, commonjs) : text;
    },
  };
}

/** The folder of the nearest package.json above this file, be it in dist/ or not. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

/** Where a package is installed, or null. Packages may hide their package.json from `require.resolve`. */
function folderOf(name: string): string | null {
  const { of } = packages[name]!;
  const above = of === undefined ? fileURLToPath(import.meta.url) : folderOf(of);
  if (above === null) return null;
  const places = createRequire(join(above, "package.json")).resolve.paths(name) ?? [];
  const place = places.find(folder => existsSync(join(folder, name, "package.json")));
  return place === undefined ? null : realpathSync(join(place, name));
}

function moduleIn(folder: string, path: string): Buffer | null {
  const file = resolve(folder, path);
  const inside = relative(folder, file);
  if (inside.startsWith("..") || resolve(folder, inside) !== file) return null;
  if (![".js", ".mjs"].includes(extname(file)) || !existsSync(file)) return null;
  return readFileSync(file);
}

const asModule = (text: Buffer, name: string): string =>
  `const module = { exports: {} };\n(function (exports) {\n${text}\n}).call(module.exports, module.exports);\nexport const ${name} = module.exports;\n`;
