// Which tile the wasm backend compiles with: what is decided from figures, what is remembered, when the check runs and
// what it costs; and that the results are the same with all tiles.

import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Executable, Feeds, State, Tensor } from "../../backends/api.ts";
import type { Tile } from "../../backends/codegen/tile.ts";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { makeCheck, type Turn } from "../../backends/wasm/check.ts";
import { target, wasmWith } from "../../backends/wasm/index.ts";
import {
  fixTile,
  formatTile,
  pageStore,
  readTile,
  rememberTiles,
  type TileSettings,
  type TuningStore,
  tileSettings,
} from "../../backends/wasm/settings.ts";
import {
  adviceFor,
  choose,
  type Engine,
  engineOf,
  noted,
  recall,
  Tuning,
} from "../../backends/wasm/tuning.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { setUpTiles } from "../../runtime/cli/tiles.ts";
import { tilesFile, tuningStore } from "../../runtime/node/tuning-store.ts";
import { outputsError } from "../harness/differences.ts";
import { compileNamed, compileText, environmentOf, modelNames } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { onBackend } from "../harness/training.ts";

const engine: Engine = { name: "v8 14.6 x64", v8: 14.6 };
const all = adviceFor(engine).candidates;
const [usual, other] = all as readonly [Tile, Tile, ...Tile[]];

/** A backend with this tile and no other. */
const withTile = (tile: Tile) => wasmWith(new Tuning(target, { settings: () => ({ store: null, tile }) }));

describe("the table", () => {
  test("names the usual tile first, for every engine", () => {
    for (const v8 of [null, 9, 11.3, 12.4, 13.6, 14.6, 20]) {
      const { usual, candidates } = adviceFor({ name: "", v8 });
      expect(candidates[0]).toEqual(usual);
      expect(new Set(candidates.map(formatTile)).size).toBe(candidates.length);
    }
  });

  test("leaves out what spills in older V8, and tries all on engines that are not known", () => {
    const names = (v8: number | null) => adviceFor({ name: "", v8 }).candidates.map(formatTile);
    expect(names(11.3)).toEqual(["4x2", "2x4"]);
    expect(names(14.6)).toEqual(["4x2", "2x4", "3x3", "5x2"]);
    expect(names(null)).toEqual(names(14.6));
  });

  test.each([
    [{ versions: { v8: "11.3.244.8-node.38" }, arch: "x64" }, "v8 11.3.244.8-node.38 x64", 11.3],
    [{ versions: { v8: "12.4.254.14", bun: "1.2.0" }, arch: "arm64" }, "bun 1.2.0 arm64", null],
    [{ userAgent: "Mozilla/5.0 (X11) Chrome/126.0.0.0 Safari/537.36" }, /Chrome/, 12.6],
    [{ userAgent: "Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0" }, /Firefox/, null],
    [{ userAgent: "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 CriOS/126.0 Safari/604.1" }, /CriOS/, null],
    [{}, "", null],
  ] as const)("knows the engine of %j", (host, name, v8) => {
    const found = engineOf(host);
    expect(found.v8).toBe(v8);
    if (typeof name === "string") expect(found.name).toBe(name);
    else expect(found.name).toMatch(name);
  });
});

describe("the choice", () => {
  const turn = (times: readonly number[], doubt = 0): Turn => ({ times, doubt });

  test.each([
    ["all alike", [turn([1, 1, 1, 1]), turn([1, 1, 1, 1])], 0],
    ["one a little faster", [turn([1, 0.97, 1, 1]), turn([1, 0.97, 1, 1])], 0],
    ["one clearly faster", [turn([1, 0.9, 1, 1]), turn([1, 0.9, 1, 1])], 1],
    ["the fastest of two", [turn([1, 0.9, 1, 0.8]), turn([1, 0.9, 1, 0.8])], 3],
    ["clearly faster in one turn only", [turn([1, 0.8, 1, 1]), turn([1, 0.99, 1, 1])], 0],
    ["faster, but the clock is coarse", [turn([1, 0.8, 1, 1], 0.2), turn([1, 0.8, 1, 1], 0.2)], 0],
    ["twice as fast by a coarse clock", [turn([1, 1, 0.5, 1], 0.2), turn([1, 1, 0.5, 1], 0.2)], 2],
  ] as const)("%s", (_, turns, best) => {
    expect(choose(all, turns)).toBe(all[best]);
  });
});

describe("what is remembered", () => {
  test("comes back, for its engine only", () => {
    const text = noted(null, engine, other);
    expect(recall(text, engine)).toEqual(other);
    expect(recall(text, { ...engine, name: "v8 14.7 x64" })).toBeNull();
  });

  test("keeps the newest engines", () => {
    let text: string | null = null;
    for (let i = 0; i < 12; i++) text = noted(text, { name: `engine ${i}`, v8: null }, usual);
    text = noted(text, { name: "engine 5", v8: null }, other);
    const names = Object.keys(JSON.parse(text).tiles);
    expect(names).toEqual([4, 6, 7, 8, 9, 10, 11, 5].map(i => `engine ${i}`));
  });

  test.each([
    null,
    "",
    "{",
    "null",
    "7",
    "[]",
    '{"format":1}',
    '{"format":1,"tiles":null}',
    '{"format":1,"tiles":7}',
    `{"format":0,"tiles":{"${engine.name}":"2x4"}}`,
    `{"format":1,"tiles":{"${engine.name}":7}}`,
    `{"format":1,"tiles":{"${engine.name}":"9x9"}}`,
    `{"format":1,"tiles":{"${engine.name}":"6x1"}}`,
    "\0\ufffd".repeat(100),
  ])("is nothing where the store holds %j", text => {
    expect(recall(text, engine)).toBeNull();
    expect(recall(noted(text, engine, other), engine)).toEqual(other);
  });

  test("tiles are written as they are read", () => {
    for (const tile of all) expect(readTile(formatTile(tile))).toEqual(tile);
    for (const text of ["", "4", "4x", "x2", "0x2", "4x0", "9x2", "4x5", "4x2 ", "44x2", "a"])
      expect(readTile(text), text).toBeNull();
  });
});

/** Milliseconds of a run. */
let runTime = 100;

/** A process with a clock of its own, in which a program that does nothing is compiled and run. */
class Process {
  clock = 0;
  checks = 0;
  readonly tuning: Tuning;

  constructor(settings: Partial<TileSettings>, turns: readonly Turn[] = [fast, fast]) {
    const left = [...turns];
    this.tuning = new Tuning(target, {
      engine,
      settings: () => ({ store: null, tile: null, ...settings }),
      now: () => this.clock,
      makeCheck: async tiles => {
        expect(tiles).toEqual(all);
        this.checks++;
        return { turn: () => left.shift()! };
      },
    });
  }

  async run(times: number): Promise<void> {
    const idle: Partial<Executable> = {
      run: async () => {
        this.clock += runTime;
        return { names: [], read: () => Promise.reject(), dispose: () => {} };
      },
    };
    const executable = this.tuning.watch(idle as Executable);
    for (let i = 0; i < times; i++) await executable.run({} as Feeds, {} as State);
  }
}

/** In which the second tile wins. */
const fast: Turn = { times: [1, 0.5, 1, 1], doubt: 0 };

class MemoryStore implements TuningStore {
  text: string | null;
  writes = 0;

  constructor(text: string | null = null) {
    this.text = text;
  }

  read = async () => this.text;

  async write(text: string): Promise<void> {
    this.text = text;
    this.writes++;
  }
}

const broken: TuningStore = {
  read: () => Promise.reject(new Error("no home")),
  write: () => Promise.reject(new Error("no home")),
};

describe("a process", () => {
  test("compiles with the table's tile first, measures after some runs, and remembers", async () => {
    const store = new MemoryStore();
    const first = new Process({ store });
    expect(await first.tuning.tile()).toEqual(usual);
    await first.run(3);
    expect(first.checks).toBe(0);
    await first.run(10);
    expect(first.checks).toBe(1);
    expect(await first.tuning.tile()).toEqual(other);
    expect(store.writes).toBe(1);

    const second = new Process({ store });
    expect(await second.tuning.tile()).toEqual(other);
    await second.run(20);
    expect(second.checks).toBe(0);
  });

  test("remembers the usual tile too, and does not measure again", async () => {
    const store = new MemoryStore();
    const even: Turn = { times: [1, 1, 1, 1], doubt: 0 };
    await new Process({ store }, [even, even]).run(20);
    const second = new Process({ store });
    expect(await second.tuning.tile()).toEqual(usual);
    await second.run(20);
    expect(second.checks).toBe(0);
  });

  test("measures one turn a run, with work between them", async () => {
    runTime = 5;
    try {
      const process = new Process({}, [fast, fast]);
      await process.run(80);
      expect(process.checks).toBe(1);
      expect(await process.tuning.tile()).toEqual(usual);
      await process.run(7);
      expect(await process.tuning.tile()).toEqual(usual);
      await process.run(1);
      expect(await process.tuning.tile()).toEqual(other);
    } finally {
      runTime = 100;
    }
  });

  test("takes the tile that it is given and measures nothing", async () => {
    const store = new MemoryStore(noted(null, engine, other));
    const tile = { rows: 6, vectors: 1 };
    const process = new Process({ store, tile });
    expect(await process.tuning.tile()).toEqual(tile);
    await process.run(20);
    expect(process.checks).toBe(0);
    expect(store.writes).toBe(0);
  });

  test("goes on where the store is broken or the check fails", async () => {
    const process = new Process({ store: broken });
    expect(await process.tuning.tile()).toEqual(usual);
    await process.run(20);
    expect(await process.tuning.tile()).toEqual(other);

    const failing = new Process({}, []);
    await failing.run(20);
    expect(await failing.tuning.tile()).toEqual(usual);
  });
});

describe("a page's store", () => {
  afterEach(() => void vi.unstubAllGlobals());

  test("is its localStorage", async () => {
    const items = new Map<string, string>();
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, text: string) => items.set(key, text),
    });
    expect(await pageStore.read()).toBeNull();
    await pageStore.write("one");
    expect(await pageStore.read()).toBe("one");
    expect([...items.keys()]).toEqual(["frond/tiles"]);
  });

  test("is done without where the page may not use it", async () => {
    vi.stubGlobal("localStorage", undefined);
    const process = new Process({ store: pageStore });
    await process.run(20);
    expect(await process.tuning.tile()).toEqual(other);
  });
});

describe("Node's store", () => {
  const folder = mkdtempSync(join(tmpdir(), "frond-tiles-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("makes its folder and keeps the text", async () => {
    const path = join(folder, "deep", "frond", "tiles.json");
    const store = tuningStore(() => path);
    expect(await store.read()).toBeNull();
    await store.write("one");
    await store.write("two");
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(await store.read()).toBe("two");
  });

  test("rejects where it cannot be, which a process does not mind", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "frond-tiles-")), "file");
    writeFileSync(file, "no folder");
    symlinkSync("loop", join(file, "..", "loop"));
    const inFile = tuningStore(() => join(file, "frond", "tiles.json"));
    await expect(inFile.write("x")).rejects.toThrow();
    const homeless = tuningStore(() => {
      throw new Error("no home");
    });
    await expect(homeless.read()).rejects.toThrow();
    for (const store of [inFile, homeless, tuningStore(() => join(file, "..", "loop"))]) {
      const process = new Process({ store });
      await process.run(20);
      expect(await process.tuning.tile()).toEqual(other);
    }
    rmSync(join(file, ".."), { recursive: true });
  });

  test.each([
    ["linux", {}, "/home/me/.cache/frond/tiles.json"],
    ["linux", { XDG_CACHE_HOME: "/caches" }, "/caches/frond/tiles.json"],
    ["linux", { XDG_CACHE_HOME: "relative" }, "/home/me/.cache/frond/tiles.json"],
    ["linux", { XDG_CACHE_HOME: "" }, "/home/me/.cache/frond/tiles.json"],
    ["darwin", { XDG_CACHE_HOME: "/caches" }, "/home/me/Library/Caches/frond/tiles.json"],
    ["win32", { LOCALAPPDATA: "D:\\Local" }, "D:\\Local\\frond\\tiles.json"],
    ["win32", {}, "\\home\\me\\AppData\\Local\\frond\\tiles.json"],
  ] as const)("%s %j", (platform, env, path) => {
    expect(tilesFile(env, platform, () => "/home/me")).toBe(path);
  });
});

describe("the command line", () => {
  afterEach(() => {
    rememberTiles(null);
    fixTile(null);
  });

  test("remembers in the user's folder", async () => {
    await setUpTiles({ XDG_CACHE_HOME: "/nowhere/at/all" });
    const { store, tile } = tileSettings();
    expect(tile).toBeNull();
    expect(await store!.read()).toBeNull();
  });

  test("takes a tile from FROND_TILE", async () => {
    await setUpTiles({ FROND_TILE: "3x3" });
    expect(tileSettings().tile).toEqual({ rows: 3, vectors: 3 });
    await setUpTiles({ FROND_TILE: "" });
    expect(tileSettings().tile).toBeNull();
  });

  test("refuses a FROND_TILE that is none", async () => {
    const error = await setUpTiles({ FROND_TILE: "big" }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(FrondError);
    expect((error as FrondError).diagnostics.map(({ code }) => code)).toEqual(["F0922"]);
  });
});

describe("the check itself", () => {
  test("finds one of the candidates within half a second", async () => {
    let turns: readonly Turn[] = [];
    const once = async (): Promise<number> => {
      const started = performance.now();
      const check = await makeCheck(all, target);
      turns = [check.turn(), check.turn()];
      return performance.now() - started;
    };
    // Neighbours on the machine do not count: the best of a few.
    expect(Math.min(await once(), await once(), await once())).toBeLessThan(500);
    expect(all).toContain(choose(all, turns));
    for (const { times, doubt } of turns) {
      expect(times.length).toBe(all.length);
      for (const time of times) expect(time).toBeGreaterThan(0);
      expect(doubt).toBeLessThan(0.1);
    }
  });

  test("ends, and doubts itself, where the clock shows whole milliseconds", async () => {
    const real = performance.now.bind(performance);
    const clock = vi.spyOn(performance, "now").mockImplementation(() => Math.floor(real()));
    try {
      const check = await makeCheck(all, target);
      const { times, doubt } = check.turn();
      for (const time of times) expect(time).toBeGreaterThan(0);
      expect(doubt).toBeGreaterThan(0.1);
    } finally {
      clock.mockRestore();
    }
  });
});

const bits = (results: ReadonlyMap<string, Tensor>): readonly unknown[] =>
  [...results].map(([name, { data }]) => [name, [...data]]);

describe("results", () => {
  test.each(modelNames)("of %s are right, and the same to the bit, with all tiles", async name => {
    const program = compileNamed(name).gradients();
    const environment = environmentOf(program, { batch: 7, extent: 5 });
    const expected = evaluateGraph(program.graph, environment, [...program.results]);
    const first = await onBackend(withTile(usual), program, environment);
    for (const tile of all) {
      const actual = await onBackend(withTile(tile), program, environment);
      expect(outputsError(actual, expected), formatTile(tile)).toBeLessThan(tolerances.float32);
      expect(bits(actual), formatTile(tile)).toEqual(bits(first));
    }
  });

  test("of a larger model too, with one thread and with two", async () => {
    const program = compileText("large.frond", large).gradients();
    const environment = environmentOf(program, { batch: 37, extent: 11, padding: "nan" });
    for (const threads of [1, 2]) {
      const first = bits(await onBackend(withTile(usual), program, environment, { threads }));
      for (const tile of all) {
        const actual = await onBackend(withTile(tile), program, environment, { threads });
        expect(bits(actual), `${formatTile(tile)}, ${threads}`).toEqual(first);
      }
    }
  });
});

/** Sizes that no tile divides. */
const large = `model Large(features: size = 23, units: size = 71, classes: size = 9) {
  axis t
  input  x[t]: real[features]
  target y[t]: index(classes)
  h[t]      = lstm[t](gru[t](x[t], units), units)
  logits[t] = dense(h[t], classes)
  output p[t] = softmax(logits[t])
  loss        = mean[t](crossEntropy(logits[t], y[t]))
}`;
