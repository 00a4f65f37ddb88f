// Runs all checks: types, lint, then the tests. Arguments are passed to vitest (`node scripts/test.mjs test/cli`)
// and then types and lint are left out. The last line printed is always `N passed, N failed`.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBrowser } from "./browser.mjs";
import { ensureNative } from "./native.mjs";
import { fail, node } from "./process.mjs";

const filters = process.argv.slice(2);
const setUps = { webgl: ensureBrowser, webgpu: ensureBrowser, native: ensureNative };
const total = { passed: 0, failed: 0, skipped: 0 };

// What a required backend needs is installed where it is missing; that the backend opens then is a test.
const required = (process.env.FROND_REQUIRE ?? "").split(",");
for (const setUp of new Set(required.map(name => setUps[name]))) await setUp?.();
if (filters.length === 0) {
  check("types", ["node_modules/typescript/bin/tsc", "--noEmit"]);
  check("lint and format", ["node_modules/@biomejs/biome/bin/biome", "check", "--colors=off", "."]);
}
tests();
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;

function check(name, args) {
  const started = Date.now();
  const { ok, output } = node(args, { quiet: true });
  total[ok ? "passed" : "failed"] += 1;
  console.log(`${ok ? "ok  " : "FAIL"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(output);
}

function tests() {
  const folder = mkdtempSync(join(tmpdir(), "frond-test-"));
  const counts = join(folder, "counts.json");
  const { ok } = node(["node_modules/vitest/vitest.mjs", "run", ...filters], {
    env: { FROND_TEST_COUNTS: counts },
  });
  try {
    const found = JSON.parse(readFileSync(counts, "utf8"));
    for (const key of Object.keys(total)) total[key] += found[key];
    // Vitest may fail although no test did: an error outside of a test.
    if (!ok && found.failed === 0) total.failed += 1;
  } catch {
    fail("vitest ended without results");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
