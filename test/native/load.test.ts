// How tfjs-node is found and loaded, with stubs in its place: the order of the places, what is wrong with one that
// cannot be loaded, and what is done to the process.

import { mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cacheFolder, nativeFolder } from "../../backends/cache-folder.ts";
import { explain, inspect } from "../../backends/native/inspect.ts";
import { loadFrom } from "../../backends/native/load.ts";
import { places } from "../../backends/native/places.ts";
import { mendUtil, quietLibrary, quietly, shareCore } from "../../backends/native/prepare.ts";
import { installStub, newFolder, put, surroundingsIn } from "./stubs.ts";

const engine: { _tfengine?: { backendName?: string } } = globalThis as object;
let root = "";
const project = () => join(root, "project");
const besideFrond = () => join(root, "frond");
const cache = () => join(root, "home", ".cache", "frond", "native");

beforeEach(() => {
  root = newFolder();
  for (const folder of [project(), besideFrond(), cache()]) mkdirSync(folder, { recursive: true });
  vi.stubEnv("TF_CPP_MIN_LOG_LEVEL", undefined);
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
  vi.unstubAllEnvs();
  delete engine._tfengine;
});

describe("the folder", () => {
  test.each([
    ["linux", {}, "/home/me/.cache/frond/native"],
    ["linux", { XDG_CACHE_HOME: "/caches" }, "/caches/frond/native"],
    ["darwin", {}, "/home/me/Library/Caches/frond/native"],
    ["win32", { LOCALAPPDATA: "D:\\Local" }, "D:\\Local\\frond\\native"],
    ["win32", { LOCALAPPDATA: "\\\\server\\me" }, "\\\\server\\me\\frond\\native"],
    ["linux", { FROND_NATIVE: "here", XDG_CACHE_HOME: "/caches" }, "here"],
  ] as const)("%s %j", (platform, env, path) => {
    expect(nativeFolder({ env, platform, home: () => "/home/me" })).toBe(path);
  });

  test("the home is asked for only where it is needed", () => {
    const home = () => {
      throw new Error("no home");
    };
    expect(cacheFolder({ env: { XDG_CACHE_HOME: "/caches" }, platform: "linux", home })).toBe(
      "/caches/frond",
    );
    expect(places({ ...surroundingsIn(root), home })).toEqual([]);
  });
});

describe("places", () => {
  test("the project first, then beside Frond, then Frond's own folder", () => {
    const around = surroundingsIn(root);
    expect(places(around)).toEqual([]);
    const own = installStub(cache());
    expect(places(around)).toEqual([own]);
    const beside = installStub(besideFrond());
    const projects = installStub(project());
    expect(places(around)).toEqual([projects, beside, own]);
  });

  test("a project's is found from a folder inside, and named once where Frond is inside too", () => {
    const projects = installStub(project());
    const cwd = join(project(), "src", "deep");
    const own = join(project(), "node_modules", "frond", "dist", "places.js");
    mkdirSync(cwd, { recursive: true });
    expect(places({ ...surroundingsIn(root), cwd, own })).toEqual([projects]);
  });

  test("FROND_NATIVE is the only place, and relative to the folder one is in", () => {
    installStub(project());
    installStub(cache());
    const mine = installStub(join(project(), "mine"));
    expect(places(surroundingsIn(root, { FROND_NATIVE: "mine" }))).toEqual([mine]);
    expect(places(surroundingsIn(root, { FROND_NATIVE: join(project(), "src") }))).toEqual([]);
  });
});

describe("loading", () => {
  test("nothing there", async () => {
    expect(await loadFrom(surroundingsIn(root))).toEqual({
      available: false,
      reason: "@tensorflow/tfjs-node is not installed",
      remedy: "run `frond setup native`",
    });
    expect(await loadFrom(surroundingsIn(root, { FROND_NATIVE: "x" }))).toMatchObject({
      reason: "@tensorflow/tfjs-node is not installed in FROND_NATIVE, which is x",
    });
  });

  test("the first that loads is taken", async () => {
    installStub(project(), { binding: null });
    const folder = installStub(besideFrond());
    installStub(cache());
    const native = await loadFrom(surroundingsIn(root));
    const detail = "TensorFlow 2.13.1, tfjs-node 4.22.0";
    expect(native).toMatchObject({ available: true, folder, detail, tf: { place: folder } });
  });

  test("of several that do not load, the first is told, in one line", async () => {
    const folder = installStub(project(), { version: "3.21.1" });
    installStub(cache(), { binding: null });
    const native = await loadFrom(surroundingsIn(root));
    expect(native).toEqual({
      available: false,
      reason: `@tensorflow/tfjs-node: it is version 3.21.1, and 4.22 or a later 4 is wanted (${folder})`,
      remedy: "run `frond setup native`",
    });
  });

  test("an addon that is none, and a module that throws, are reasons, not exceptions", async () => {
    const [first, second] = ["a", "b"].map(name => join(root, name));
    installStub(first!, { binding: "no addon, though long enough to be looked at".repeat(9) });
    installStub(second!, { main: 'throw new Error("broken\\n  at somewhere")' });
    for (const [folder, reason] of [
      [first, "its binding is not for this kind of machine"],
      [second, "it cannot be loaded: broken ("],
    ])
      expect(await loadFrom(surroundingsIn(root, { FROND_NATIVE: folder }))).toMatchObject({
        available: false,
        reason: expect.stringContaining(reason!),
      });
  });

  test("the backend that was active stays active", async () => {
    installStub(cache());
    engine._tfengine = { backendName: "cpu" };
    await loadFrom(surroundingsIn(root));
    expect(engine._tfengine.backendName).toBe("cpu");
    delete engine._tfengine;
    await loadFrom(surroundingsIn(root));
  });

  test("an addon that does not load leaves tfjs alone", async () => {
    installStub(cache(), { binding: "none", main: "globalThis._tfengine = {}" });
    await loadFrom(surroundingsIn(root));
    expect(engine._tfengine).toBeUndefined();
  });
});

describe("what is wrong with an installation", () => {
  test("seen from its files", () => {
    const sound = installStub(project());
    const binding = join(sound, "lib", "napi-v8", "tfjs_binding.node");
    expect(inspect(sound)).toEqual({ version: "4.22.0", binding });
    expect(inspect(installStub(project(), { version: "4.30.1" }), 10)).toMatchObject({ version: "4.30.1" });
    for (const version of ["4.21.0", "5.0.0", "x"])
      expect(inspect(installStub(project(), { version }))).toContain(`it is version ${version}`);
    expect(inspect(sound.slice(0, -1))).toBe("its package.json cannot be read");
    const unbuilt = installStub(join(root, "unbuilt"), { binding: null });
    expect(inspect(unbuilt)).toBe("its binding is missing, so its installation failed");
    expect(inspect(unbuilt, 2)).toBe("its binding is missing, so its installation failed");
  });

  test.each([
    [
      "libtensorflow_cc.so.2: cannot open shared object file: No such file or directory",
      "TensorFlow's library libtensorflow_cc.so.2 is missing",
    ],
    [
      "dlopen(/x.node, 0x1): Library not loaded: @rpath/libtensorflow.2.dylib\n  Referenced from: /x.node",
      "TensorFlow's library libtensorflow.2.dylib is missing",
    ],
    [
      "libstdc++.so.6: cannot open shared object file: No such file or directory",
      "the system's library libstdc++.so.6 is missing",
    ],
    [
      "The module '/x.node' was compiled against a different Node.js version using NODE_MODULE_VERSION 64.",
      "its binding was built for another Node",
    ],
    [
      "/there/lib/napi-v8/tfjs_binding.node: cannot open shared object file: No such file or directory",
      "its binding is not for this kind of machine",
    ],
    ["/there/libtensorflow_cc.so.2: file too short", "its file libtensorflow_cc.so.2 is not whole"],
    ["/x.node: invalid ELF header", "its binding is not for this kind of machine"],
    [
      "/lib/libm.so.6: version `GLIBC_2.29' not found (required by libtensorflow.so.2)",
      "this system is too old for it: it wants GLIBC_2.29",
    ],
    [
      "/there/libtensorflow_cc.so.2: version `tensorflow' not found (required by /x.node)",
      "its binding and TensorFlow's library do not fit together",
    ],
    ["/x.node: undefined symbol: TFE_NewOp", "its binding and TensorFlow's library do not fit together"],
    ["something else\n    at a line", "it cannot be loaded: something else"],
  ])("%s", (message, says) => {
    expect(explain(new Error(message))).toBe(says);
  });
});

describe("the process", () => {
  test("`util` gets back what Node 23 lacks, and what Node 22 warns of is replaced", () => {
    for (const major of [22, 26]) {
      const table: Record<string, unknown> = {};
      mendUtil(table, major);
      const { isNullOrUndefined, isArray } = table as Record<string, (given: unknown) => boolean>;
      expect([null, undefined, 0, ""].map(isNullOrUndefined!)).toEqual([true, true, false, false]);
      expect([[], "x"].map(isArray!)).toEqual([true, false]);
    }
    const table = {};
    mendUtil(table, 20);
    expect(table).toEqual({});
  });

  test("TensorFlow is quiet, unless somebody wants to hear it", () => {
    const level = (env: NodeJS.ProcessEnv) => {
      quietLibrary(env);
      return env.TF_CPP_MIN_LOG_LEVEL;
    };
    expect(level({})).toBe("2");
    expect(level({ TF_CPP_MIN_LOG_LEVEL: "0" })).toBe("0");
    expect(level({ FROND_DEBUG: "1" })).toBeUndefined();
  });

  test("warnings while loading are kept back, not those after it", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const say = () => console.warn("kernel registered");
    expect(() =>
      quietly({}, () => {
        say();
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(warn).not.toHaveBeenCalled();
    quietly({ FROND_DEBUG: "1" }, say);
    say();
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });

  test("tfjs-core is shared where the versions are the same, and only there", () => {
    const core = (folder: string, version: string, text: string) => {
      const own = join(folder, "node_modules", "@tensorflow", "tfjs-core");
      put(join(own, "package.json"), JSON.stringify({ version, main: "index.js" }));
      put(join(own, "index.js"), `module.exports = ${JSON.stringify(text)}`);
      return createRequire(join(folder, "package.json"));
    };
    const own = core(join(root, "own"), "4.22.0", "own");
    const same = core(join(root, "same"), "4.22.0", "theirs");
    const other = core(join(root, "other"), "4.30.0", "theirs");
    shareCore(same, own);
    shareCore(other, own);
    shareCore(createRequire(join(root, "none", "package.json")), own);
    expect([same, other].map(from => from("@tensorflow/tfjs-core"))).toEqual(["own", "theirs"]);
  });
});
