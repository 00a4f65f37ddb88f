// A page of engines: what they compute there is what they compute here, and their draws are counted. Where the peers are
// not installed, tfjs-layers is said to be missing.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build, inBrowserTests } from "../browser/harness.ts";
import { type Case, caseName, cases } from "./cases.ts";
import { difference } from "./contest.ts";
import { LocalHost } from "./engine.ts";
import { loadEngine } from "./engines/index.ts";
import { layersModule } from "./engines/peer.ts";
import { PageLine } from "./page-line.ts";
import { Family } from "./remote.ts";
import { inNode, makeWork, writeWork } from "./work.ts";

const named = (name: string): Case => cases.find(one => caseName(one) === name)!;
const small = named("train/lstm/1x1x10x128");

inBrowserTests(() => {
  const folder = mkdtempSync(join(tmpdir(), "frond-bench-test-"));
  const file = join(folder, "work.safetensors");
  const line = new PageLine({}, folder);
  const family = new Family(line);
  const frond = family.join("frond-webgl");
  const layers = family.join("tfjs-webgl");

  beforeAll(() => {
    build();
    const quick = ["--noCheck", "--declaration", "false", "--sourceMap", "false"];
    const args = ["node_modules/typescript/bin/tsc", "--outDir", folder, ...quick];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(stdout);
    writeWork(file, makeWork(small));
  });

  afterAll(() => {
    frond.end();
    layers.end();
    rmSync(folder, { recursive: true });
    expect(line.isOpen).toBe(false);
  });

  test("Frond computes there what it computes here, and is timed and counted", async () => {
    expect(await frond.probe()).toEqual({
      available: true,
      detail: expect.stringMatching(/^tfjs-backend-webgl .*, chromium \d/),
    });
    const here = new LocalHost(await loadEngine("frond-cpu", 1), inNode);
    const expected = await here.open(small, file);
    expect(difference(expected, await frond.open(small, file), "train")).toBeLessThan(1e-4);
    const [ms] = await frond.time(1);
    const cost = await frond.cost(50);
    expect(cost!.draws).toBeGreaterThan(5);
    expect(cost!.draws).toBeLessThan(100);
    expect(cost!.script).toBeGreaterThan(0);
    expect(cost!.script).toBeLessThan(50 * ms!);
    await frond.close();
    await expect(frond.time(1)).rejects.toThrow("nothing is open");
  });

  test("tfjs-layers runs beside it, on the same tfjs", async () => {
    const probe = await layers.probe();
    if (!existsSync(layersModule)) {
      expect(probe).toEqual({ available: false, reason: expect.stringContaining("not installed") });
      return;
    }
    expect(probe).toMatchObject({ available: true, detail: expect.stringContaining("tfjs-layers 4") });
    const expected = await frond.open(small, file);
    expect(difference(expected, await layers.open(small, file), "train")).toBeLessThan(1e-4);
    const [own, theirs] = [await frond.cost(0), await layers.cost(0)];
    expect(theirs!.draws).toBeGreaterThan(own!.draws);
    await frond.close();
    await layers.close();
  });

  test("an engine that no page has is an error of its own only", async () => {
    const other = family.join("ort-web");
    await expect(other.probe()).rejects.toThrow("no engine `ort-web` in a page");
    other.end();
    expect((await frond.probe()).available).toBe(true);
  });

  test("a page that cannot be loaded says why, and leaves no browser", async () => {
    const line = new PageLine({}, "no-such-folder");
    const reply = await line.ask({ engine: "frond-webgl", do: "probe" });
    expect(reply).toEqual({ error: expect.stringMatching(/dynamically imported module/) });
    expect(line.isOpen).toBe(false);
  });
});
