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
/** Backends that must open, and those that must where they can be set up. */
const [required, tried] = ["FROND_REQUIRE", "FROND_TRY"].map(listOf);
const total = { passed: 0, failed: 0, skipped: 0 };

const ready = await available();
if (ready.length > 0) process.env.FROND_REQUIRE = ready.join(",");
if (filters.length === 0) {
  check("types", ["node_modules/typescript/bin/tsc", "--noEmit"]);
  check("lint and format", ["node_modules/@biomejs/biome/bin/biome", "check", "--colors=off", "."]);
}
tests();
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;

function listOf(variable) {
  return (process.env[variable] ?? "").split(",").filter(name => name !== "");
}

/** Sets up what is needed for the backends asked for; those that tests have to find. */
async function available() {
  const names = [...new Set([...required, ...tried])];
  const there = [];
  for (const name of names) {
    const isReady = setUps[name] === undefined || (await setUps[name]());
    if (isReady || required.includes(name)) there.push(name);
    else console.log(`frond: tests of ${name} are left out`);
  }
  return there;
}

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
