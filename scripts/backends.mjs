// Writes spec/backends.md, the table of ops by backend, with the built modules: build first (npm run build). That the
// page is up to date is a test.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const built = process.argv[2] ?? join(root, "dist");
const compiled = path => import(pathToFileURL(join(built, path)).href);
const { backends } = await compiled("backends/registry.js");
const { limitsPage } = await compiled("backends/limits.js");
const { ops } = await compiled("compiler/ops/table.js");

const path = join(root, "spec", "backends.md");
const page = limitsPage(
  backends.map(({ name }) => name),
  Object.keys(ops),
);
writeFileSync(path, page);
console.log(`spec/backends.md: ${readFileSync(path, "utf8").split("\n").length - 1} lines`);
