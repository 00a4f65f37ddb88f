// The package as npm would publish it: what is in it, and that its entries can be imported by their names.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";

const windows = process.platform === "win32";

beforeAll(() => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
});

test("holds what its users need and nothing else", () => {
  const argv = ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=silent"];
  const { stdout } = spawnSync("npm", argv, { encoding: "utf8", shell: windows });
  const files: readonly string[] = JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path);
  for (const needed of [
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "dist/runtime/index.js",
    "dist/runtime/index.d.ts",
    "dist/runtime/cli/main.js",
    "dist/compiler/index.d.ts",
    "dist/compiler/generated/std.js",
    "dist/backends/registry.d.ts",
    "dist/backends/tfjs/cpu.js",
    "spec/frond.ohm",
    "spec/language.md",
    "spec/std/lstm.frond",
    "spec/errors/F0101.md",
  ])
    expect(files).toContain(needed);
  const strange = files.filter(
    path =>
      !/^(README|LICENSE|CHANGELOG|package)[.a-z]*$|^dist\/(compiler|runtime|backends)\/.*\.(js|d\.ts)$|^spec\//.test(
        path,
      ),
  );
  expect(strange).toEqual([]);
});

test("its entries can be imported by their names", () => {
  const program = `
    import { compile, openBackend, Session } from "frond";
    import { checkSource } from "frond/compiler";
    import { backends } from "frond/backends";
    const text = "model M {\\n  axis t\\n  input x[t]: real[2]\\n  output y[t] = dense(x[t], 3)\\n}\\n";
    const session = new Session({ model: compile({ name: "m", text }), backend: await openBackend("auto") });
    console.log(checkSource({ name: "m", text }).length, backends[0].name, [...session.weights().keys()].join());
  `;
  const argv = ["--input-type=module", "--eval", program];
  const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
  expect([stderr, stdout]).toEqual(["", "0 wasm y.W,y.b\n"]);
});

/** A package and what it needs itself, all of which npm has put side by side. */
function closure(names: readonly string[], found: Set<string> = new Set()): ReadonlySet<string> {
  for (const name of names) {
    if (found.has(name)) continue;
    found.add(name);
    const { dependencies = {} } = JSON.parse(
      readFileSync(join("node_modules", name, "package.json"), "utf8"),
    );
    closure(Object.keys(dependencies), found);
  }
  return found;
}

const bytesOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map(path => statSync(join(folder, path)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);

test("what is installed with it is small, and the backends' packages are optional", () => {
  const { dependencies, peerDependenciesMeta } = JSON.parse(readFileSync("package.json", "utf8"));
  const packages = [...closure(Object.keys(dependencies))];
  const bytes = packages.reduce((sum, name) => sum + bytesOf(join("node_modules", name)), 0);
  // Each of tfjs's packages alone has more.
  expect(bytes).toBeLessThan(5e6);
  for (const name of [
    "tfjs-core",
    "tfjs-backend-cpu",
    "tfjs-backend-webgl",
    "tfjs-backend-webgpu",
    "tfjs-node",
  ])
    expect(peerDependenciesMeta[`@tensorflow/${name}`]).toEqual({ optional: true });
});
