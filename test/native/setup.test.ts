// `frond setup native` with stubs for the programs that it runs: what is said and made, what each failure says, and
// that none of them changes anything.

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import { type Program, type Ran, type Run, runner } from "../../runtime/node/native/run.ts";
import { setUpNative } from "../../runtime/node/native/setup.ts";
import { takeLibrary, wheelFor } from "../../runtime/node/native/wheel.ts";
import { failed, type Machine, reasonIn } from "../../runtime/node/native/work.ts";
import { newFolder, put } from "./stubs.ts";

const page = (code: string): string =>
  readFileSync(join(import.meta.dirname, "..", "..", "spec", "errors", `${code}.md`), "utf8");

let root = "";
const folder = () => join(root, "cache", "frond", "native");
const machine = (more: Partial<Machine> = {}): Machine => ({
  env: { XDG_CACHE_HOME: join(root, "cache") },
  platform: "linux",
  arch: "x64",
  glibc: true,
  cwd: root,
  node: "node",
  home: () => root,
  ...more,
});

beforeEach(() => {
  root = newFolder();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const steps = ["look", "install", "rebuild", "pip", "c++", "download", "unpack", "compile", "check"] as const;
type Step = (typeof steps)[number];

const good: Ran = { ok: true, out: "", err: "", missing: false, signal: null };
const bad = (err: string, more: Partial<Ran> = {}): Ran => ({ ...good, ok: false, err, ...more });
const answer = (available: boolean): Ran => ({
  ...good,
  out: `${JSON.stringify(
    available
      ? { available, detail: "TensorFlow 2.13.1, tfjs-node 4.22.0", folder: "/there" }
      : { available, reason: "it is not installed", remedy: "run `frond setup native`" },
  )}\n`,
});

const stepOf = ({ file }: Program, args: readonly string[], isLook: boolean): Step => {
  if (file === "node" && args[0]?.endsWith("check.js")) return isLook ? "look" : "check";
  if (args.includes("--version")) return file.endsWith("++") ? "c++" : "pip";
  if (file === "c++") return "compile";
  return args[0] === "-c" ? "unpack" : (args.find(arg => /^(install|rebuild|download)$/.test(arg)) as Step);
};

const optionOf = (args: readonly string[], name: string): string =>
  args.find(arg => arg.startsWith(`--${name}=`))?.split("=")[1] ?? args[args.indexOf(`--${name}`) + 1]!;

/** What the real programs leave behind. */
const effects: { readonly [S in Step]?: (args: readonly string[]) => void } = {
  install: args => {
    const modules = join(optionOf(args, "prefix"), "node_modules");
    put(join(modules, "@tensorflow", "tfjs-node", "package.json"), "{}");
    put(join(modules, "@tensorflow", "tfjs-core", "dist", "tf-core.js.map"), "map");
    put(join(modules, "@tensorflow", "tfjs-core", "dist", "tf-core.js"), "text");
  },
  rebuild: args => {
    const own = join(optionOf(args, "prefix"), "node_modules", "@tensorflow", "tfjs-node");
    put(join(own, "deps", "half"), "");
  },
  download: args => put(join(optionOf(args, "dest"), "tensorflow.whl"), "wheel"),
  unpack: ([, , , deps]) => put(join(deps!, "lib", "libtensorflow_cc.so.2"), "library"),
  compile: args => writeFileSync(args.at(-1)!, "addon"),
};

/** Runs nothing; answers as given, else as where only tfjs-node's own download does not work. */
function world(given: { readonly [S in Step]?: Ran | (() => Ran) } = {}) {
  const ran: Step[] = [];
  const said: string[] = [];
  const usual: { readonly [S in Step]?: Ran } = {
    look: answer(false),
    rebuild: bad("Error: getaddrinfo ENOTFOUND files.example"),
    check: answer(true),
  };
  const run: Run = async (program, args) => {
    const step = stepOf(program, args, ran.length === 0);
    ran.push(step);
    effects[step]?.(args);
    const result = given[step] ?? usual[step] ?? good;
    return typeof result === "function" ? result() : result;
  };
  const say = (step: string, text: string) => said.push(`${step}: ${text.replaceAll(root, "ROOT")}`);
  return { ran, said, run, say };
}

async function failure(doing: Promise<unknown>): Promise<string> {
  try {
    await doing;
  } catch (error) {
    if (error instanceof FrondError) return render(error.diagnostics, { color: false });
    throw error;
  }
  throw new Error("it did not fail");
}

/** All that is in the folder for caches. */
const left = (): readonly string[] =>
  existsSync(dirname(folder())) ? readdirSync(dirname(folder())).sort() : [];

test("nothing is done where one loads", async () => {
  const { ran, said, run, say } = world({ look: answer(true) });
  await setUpNative({ machine: machine(), run, say });
  expect(ran).toEqual(["look"]);
  expect(said).toEqual(["there: TensorFlow 2.13.1, tfjs-node 4.22.0, in /there"]);
  expect(left()).toEqual([]);
});

test("tfjs-node's own download, where it works, needs neither Python nor a compiler", async () => {
  const { ran, run, say } = world({ rebuild: good });
  await setUpNative({ machine: machine({ platform: "win32" }), run, say });
  expect(ran).toEqual(["look", "install", "rebuild", "check"]);
});

test("else the library comes out of the wheel, and the folder is whole at the end", async () => {
  const { ran, said, run, say } = world();
  await setUpNative({ machine: machine(), run, say });
  expect(ran).toEqual([...steps]);
  expect(said).toEqual([
    "into: ROOT/cache/frond/native",
    "packages: @tensorflow/tfjs-node 4.22.0 with npm ...",
    "packages: 0 MB with all that it depends on",
    "library: trying tfjs-node's own download ...",
    "library: that does not work here (ENOTFOUND)",
    "library: tensorflow-cpu 2.13.1 with pip, 187 MB to download ...",
    "library: 0 MB unpacked",
    "binding: compiled with c++ in 0 s",
    "check: TensorFlow 2.13.1, tfjs-node 4.22.0 multiplies two matrices",
    "ready: in 0 s, 0 MB; to be rid of it, delete the folder",
  ]);
  const own = join(folder(), "node_modules", "@tensorflow", "tfjs-node");
  expect(readdirSync(own).sort()).toEqual(["deps", "lib", "package.json"]);
  expect(readdirSync(join(own, "deps"))).toEqual(["lib"]);
  expect(readlinkSync(join(own, "deps", "lib", "libtensorflow.so"))).toBe("libtensorflow_cc.so.2");
  expect(readFileSync(join(own, "lib", "napi-v8", "tfjs_binding.node"), "utf8")).toBe("addon");
  expect(readdirSync(join(own, "..", "tfjs-core", "dist"))).toEqual(["tf-core.js"]);
  expect(readdirSync(folder()).sort()).toEqual(["node_modules", "package.json"]);
  expect(left()).toEqual(["native"]);
});

test("a download that says it worked but does not load is not believed", async () => {
  let checks = 0;
  const check = () => answer(++checks > 1);
  const { said, run, say } = world({ rebuild: good, check });
  await setUpNative({ machine: machine(), run, say });
  expect(said).toContain("library: that does not work here (it is not installed)");
});

describe("a failure keeps what was there, and leaves nothing else", () => {
  const offline = "npm error code ENOTFOUND\nnpm error network request to x failed";
  const unmatched = "ERROR: No matching distribution found for tensorflow-cpu==2.13.1";
  test.each<[Step, Ran, string]>([
    ["install", bad(offline), "installing the packages failed, the network cannot be reached"],
    ["install", bad("", { missing: true }), "[F0911]: to set up `native`, npm is needed"],
    ["install", bad("npm error code ENOSPC"), "installing the packages failed, the disk is full"],
    ["pip", bad("", { missing: true }), "[F0911]: to set up `native`, Python 3 with pip is needed"],
    ["pip", bad("No module named pip"), "[F0911]: to set up `native`, pip is needed"],
    ["c++", bad("", { missing: true }), "[F0911]: to set up `native`, a C++ compiler is needed"],
    ["download", bad(`NewConnectionError\n${unmatched}`), "the network cannot be reached"],
    ["download", bad(unmatched), "the index that pip uses has no tensorflow-cpu 2.13.1"],
    [
      "unpack",
      bad("OSError: [Errno 28] No space left on device"),
      "unpacking the library failed, the disk is",
    ],
    ["compile", bad("x.cc:1: fatal error: no such file"), "help: x.cc:1: fatal error: no such file"],
    ["compile", bad("", { signal: "SIGKILL" }), "it was ended by SIGKILL or took too long"],
    ["check", bad("illegal", { signal: "SIGILL" }), "TensorFlow wants a processor with AVX"],
    ["check", answer(false), "multiplying two matrices failed, it is not installed"],
  ])("%s %#", async (step, result, says) => {
    put(join(folder(), "package.json"), '{ "name": "frond-native" }');
    put(join(folder(), "old"), "");
    const { ran, run, say } = world({ [step]: result });
    const said = await failure(setUpNative({ machine: machine(), run, say }));
    expect(said).toContain(says);
    expect(steps.slice(0, steps.indexOf(step) + 1)).toEqual([...new Set(ran)]);
    expect(readdirSync(folder()).sort()).toEqual(["old", "package.json"]);
    expect(left()).toEqual(["native"]);
  });

  test("an older one is replaced at the end only, and what was left by one that was killed is removed", async () => {
    put(join(folder(), "package.json"), '{ "name": "frond-native" }');
    put(join(folder(), "old"), "");
    mkdirSync(`${folder()}.1.tmp`);
    mkdirSync(`${folder()}.2.tmp`);
    utimesSync(`${folder()}.1.tmp`, 0, 0);
    const { run, say } = world({
      compile: () => {
        expect(existsSync(join(folder(), "old"))).toBe(true);
        return good;
      },
    });
    await setUpNative({ machine: machine(), run, say });
    expect(existsSync(join(folder(), "old"))).toBe(false);
    expect(left()).toEqual(["native", "native.2.tmp"]);
  });

  test("a folder that is somebody else's is refused, an empty one is not", async () => {
    const into = (given: string) =>
      setUpNative({ machine: machine({ env: { FROND_NATIVE: join(root, given) } }), ...world() });
    put(join(root, "thesis", "chapter"), "");
    expect(await failure(into("thesis"))).toContain("it holds something else");
    expect(await failure(into("thesis/chapter"))).toContain("it is a file");
    expect(await failure(into("thesis/chapter/native"))).toContain("cannot write");
    expect(readdirSync(join(root, "thesis"))).toEqual(["chapter"]);
    mkdirSync(join(root, "empty"));
    await into("empty");
    expect(readdirSync(join(root, "empty")).sort()).toEqual(["node_modules", "package.json"]);
  });

  test("a user without a home is told what to do", async () => {
    const home = () => {
      throw new Error("no home");
    };
    const { run, say } = world();
    expect(await failure(setUpNative({ machine: machine({ env: {}, home }), run, say }))).toContain(
      "help: FROND_NATIVE=FOLDER says where",
    );
  });
});

describe("machines", () => {
  test("the wheel is there for Linux with glibc", () => {
    const name = (more: Partial<Machine>) => wheelFor(machine(more))?.name ?? null;
    expect(name({})).toBe("tensorflow-cpu");
    expect(name({ arch: "arm64" })).toBe("tensorflow-cpu-aws");
    expect(name({ arch: "riscv64" })).toBeNull();
    expect(name({ glibc: false })).toBeNull();
    expect(name({ platform: "darwin", arch: "arm64" })).toBeNull();
  });

  test.each([
    ["win32-x64", { platform: "win32" }],
    ["linux-x64 with musl", { glibc: false }],
  ])("%s has tfjs-node's own download only", async (where, more) => {
    const { ran, run, say } = world();
    const said = await failure(setUpNative({ machine: machine(more), run, say }));
    expect(said).toContain(`[F0910]: \`native\` cannot be set up on ${where}: tfjs-node's own`);
    expect(ran).toEqual(["look", "install", "rebuild"]);
    expect(left()).toEqual([]);
  });
});

test.each<[string, Partial<Machine>, { readonly [S in Step]?: Ran }]>([
  ["F0910", { platform: "win32" }, {}],
  ["F0911", {}, { "c++": bad("", { missing: true }) }],
  ["F0912", {}, { install: bad("ENOTFOUND") }],
])("%s is reported as its page shows it", async (code, more, given) => {
  const { run, say } = world(given);
  const said = await failure(setUpNative({ machine: machine(more), run, say }));
  expect(page(code)).toContain(`## Frame\n\n\`\`\`text\n${said.trimEnd()}\n\`\`\`\n`);
});

test("reasons are found among what programs print", () => {
  expect(reasonIn("write: No space left on device, ECONNRESET")).toEqual(["the disk is full"]);
  expect(reasonIn("EDQUOT")).toEqual(["there is no more room for this user"]);
  expect(reasonIn("x\nError: EACCES: /x")[0]).toBe("something may not be written");
  expect(reasonIn("", "SIGTERM")).toEqual(["it was ended by SIGTERM or took too long"]);
  expect(reasonIn("one\ntwo: error 1\nthree")).toEqual(["and it said why", "two: error 1"]);
});

describe("programs", () => {
  const node = { file: process.execPath, first: ["-e"] };

  test("what they print, how they end, and that there is none", async () => {
    const run = runner(new AbortController().signal);
    const script = "console.log(process.env.MINE, process.argv[1]); console.error('e'); process.exitCode = 3";
    expect(await run(node, [script, "a b"], { env: { MINE: "x" } })).toEqual({
      ok: false,
      out: "x a b\n",
      err: "e\n",
      missing: false,
      signal: null,
    });
    expect(await run({ file: "frond-no-such-program", first: [] }, [])).toMatchObject({ missing: true });
    const late = await run(node, ["setTimeout(() => {}, 1e5)"], { minutes: 0.005 });
    expect(late).toMatchObject({ ok: false, signal: "SIGTERM" });
  });

  test("an interruption ends them, and is what is reported", async () => {
    const stop = new AbortController();
    const doing = runner(stop.signal)(node, ["setTimeout(() => {}, 1e5)"]);
    stop.abort(failed("the last step", "it was interrupted"));
    expect(await failure(doing)).toContain("the last step failed, it was interrupted");
    const after = runner(stop.signal)(node, ["setTimeout(() => {}, 1e5)"]);
    expect(await failure(after)).toContain("interrupted");
  });
});

const hasPython = (() => {
  try {
    return execFileSync("python3", ["--version"]).length > 0;
  } catch {
    return false;
  }
})();

test.skipIf(!hasPython)("libraries and headers are taken out of a wheel, nothing else", async () => {
  const file = new TextEncoder().encode("file");
  const names = [
    "tensorflow/libtensorflow_cc.so.2",
    "tensorflow/libtensorflow_framework.so.2",
    "tensorflow_cpu_aws.libs/libgomp-cc9055c7.so.1.0.0",
    "tensorflow/include/tensorflow/c/eager/c_api.h",
    "tensorflow/include/tensorflow/tsl/platform/ctstring.h",
    "tensorflow/include/tensorflow/core/framework/op.h",
    "tensorflow/include/external/eigen/Eigen.h",
    "tensorflow/python/_pywrap_tensorflow_internal.so",
    "tensorflow/python/lib/io.so",
  ];
  const wheel = zipSync(Object.fromEntries(names.map(name => [name, file])));
  const real = runner(new AbortController().signal);
  const run: Run = async (program, args) => {
    if (args[0] === "-c") return real(program, args);
    writeFileSync(join(optionOf(args, "dest"), "tensorflow.whl"), wheel);
    return good;
  };
  const python = { file: "python3", first: [] };
  await takeLibrary({ machine: machine(), run, say: () => {} }, root, wheelFor(machine())!, python);
  const deps = join(root, "node_modules", "@tensorflow", "tfjs-node", "deps");
  const found = readdirSync(deps, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  expect(found.map(({ name }) => name).sort()).toEqual([
    "c_api.h",
    "ctstring.h",
    "libgomp-cc9055c7.so.1.0.0",
    "libtensorflow_cc.so.2",
    "libtensorflow_framework.so.2",
  ]);
});
