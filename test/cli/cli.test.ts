// The command line: help, exit codes, messages for misuse, and each command on a stub model.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../backends/api.ts";
import { DeviceLost } from "../../backends/losses.ts";
import { openBackend } from "../../backends/registry.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { wantsColor } from "../../runtime/cli/io.ts";
import { readDataset } from "../../runtime/data/dataset.ts";
import { writeNpz } from "../../runtime/data/npz.ts";
import { sampleDataset } from "../../runtime/data/sample.ts";
import { inputs, tagger } from "../runtime/tagger.ts";
import { run } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "frond-cli-"));
const file = (name: string) => join(folder, name);
const commands = [
  "check",
  "summary",
  "bench",
  "dump",
  "gradcheck",
  "diff",
  "train",
  "eval",
  "run",
  "backends",
];

beforeAll(() => {
  writeFileSync(file("m.frond"), "model Tagger {}\n");
  writeFileSync(file("bad.frond"), "model Tagger {\n  output y = wrong\n}\n");
  const data = sampleDataset(inputs, tagger.infer().graph.axes, 1);
  const lengths = { dtype: "index", shape: [data.size], data: data.lengths.get("x")! } as const;
  writeFileSync(file("d.npz"), writeNpz(new Map([...data.arrays, ["x.length", lengths]])));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("help", () => {
  test("frond alone is misuse and shows the commands; --help is not", async () => {
    const alone = await run([]);
    const help = await run(["--help"]);
    expect([alone.code, help.code]).toEqual([2, 0]);
    expect(alone.err).toBe(help.out);
    for (const name of commands) expect(help.out).toContain(`  ${name} `);
  });

  test.each(commands)("%s --help shows usage, options and examples", async name => {
    const { code, out, err } = await run([name, "--help"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(`usage: frond ${name} `);
    expect(out).toContain("--help");
    expect(out).toMatch(/examples:\n {2}(cat \S+ \| )?frond/);
    expect(Math.max(...out.split("\n").map(line => line.length))).toBeLessThanOrEqual(110);
    expect((await run(["help", name])).out).toBe(out);
  });

  test("--version is package.json's", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(await run(["--version"])).toEqual({ code: 0, out: `frond ${version}\n`, err: "" });
  });
});

describe("misuse ends with 2", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["chek x.frond", "F0920", "did you mean `frond check`?"],
    ["--hlep", "F0920", "did you mean `frond --help`?"],
    ["train m.frond --epoch 3", "F0921", "did you mean `--epochs`?"],
    ["train m.frond -epochs 3", "F0921", "no option `-epochs`\nhelp: did you mean `--epochs`?"],
    ["train m.frond --data d.npz --weights=", "F0922", "a value: FILE"],
    ["train m.frond --data d.npz --seed 4294967296", "F0922", "0 to 4294967295"],
    ["train m.frond --data d.npz --size =3", "F0922", "as in `units=64`"],
    ["train m.frond --data d.npz --size deep=yes", "F0922", "`true` or `false`"],
    ["dump unrolled m.frond --length t=x", "F0922", "as in `t=8`"],
    ["dump unrolled m.frond --length t=10001", "F0922", "up to 10000"],
    ["dump graph m.frond --length t=3", "F0928", "the stage `graph`"],
    ["dump graph m.frond --unroll 3", "F0928", "the stage `graph`"],
    ["train m.frond --data d.npz --epochs many", "F0922", "a whole number, 1 or more"],
    ["train m.frond --data d.npz --epochs 0", "F0922", "a whole number, 1 or more"],
    ["train m.frond --data d.npz --rate -1", "F0922", "a positive number"],
    ["train m.frond --data --quiet", "F0922", "a value: FILE"],
    ["train m.frond --data d.npz --memory 64", "F0922", "a size with its unit, as in `64MB`: B, kB, MB"],
    ["summary m.frond --memory 64Mb/s", "F0922", "as in `64MB`"],
    ["eval m.frond --data d.npz --weights w --memory 0B", "F0922", "as in `64MB`"],
    ["train m.frond --quiet=yes --data d.npz", "F0922", "no value"],
    ["train m.frond --data d.npz --size units", "F0922", "as in `units=64`"],
    ["train m.frond", "F0923", "wants --data"],
    ["eval - --data d.npz", "F0923", "wants --weights"],
    ["run - --data d.npz", "F0923", "wants --weights"],
    ["run m.frond --weights w", "F0923", "wants --data or --generate"],
    ["run m.frond --generate 3 --data d.npz --count 2 --weights w", "F0928", "`--data`"],
    ["run m.frond --data d.npz --count 2 --weights w", "F0928", "without `--generate`"],
    ["train m.frond --data d.npz --weights w --resume w", "F0928", "`--resume`"],
    ["eval m.frond --data d.npz --unroll fulll", "F0922", "`full` or a whole number, 1 to 1024"],
    ["eval m.frond --data d.npz --unroll 0", "F0922", "`full` or a whole number"],
    ["train m.frond --data d.npz --threads 33", "F0922", "a whole number, 1 to 32"],
    ["eval m.frond --data d.npz --threads 0", "F0922", "a whole number, 1 to 32"],
    ["run m.frond --data d.npz --threads two", "F0922", "a whole number, 1 to 32"],
    ["bench m.frond --threads 1.5", "F0922", "a whole number, 1 to 32"],
    ["bench m.frond --seconds 0", "F0922", "a positive number"],
    ["check", "F0923", "wants FILE..."],
    ["dump graph", "F0923", "wants FILE"],
    ["train m.frond d.npz", "F0924", "does not take the argument `d.npz`"],
    ["dump grph m.frond", "F0926", "did you mean `graph`?"],
    ["run m.frond --data d.npz --weights w --out p.csv", "F0927", "p.csv"],
    ["gradcheck - --data -", "F0925", "once only"],
    ["eval m.frond --data - --weights -", "F0925", "once only"],
  ];
  test.each(cases)("frond %s", async (argv, code, says) => {
    const found = await run(argv.split(" "), { stdin: "model Tagger {}" });
    expect(found.code).toBe(2);
    expect(found.out).toBe("");
    expect(found.err).toContain(code);
    expect(found.err).toContain(says);
    expect(found.err.split(`[${code}]`)).toHaveLength(2);
  });

  test("all unknown options are reported at once, as JSON if asked for", async () => {
    const { code, out } = await run(["train", "m.frond", "--foo", "--bar", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(out).diagnostics.map((one: { title: string }) => one.title)).toEqual([
      "`frond train` has no option `--foo`",
      "`frond train` has no option `--bar`",
    ]);
  });
});

describe("our own bugs", () => {
  const load = {
    checker: async () => ({
      checkSource: () => {
        throw new InternalError("pass", "broke");
      },
    }),
  };
  test("end with 3, say that it is not the user's fault and show no stack", async () => {
    const { code, err } = await run(["check", file("m.frond")], { load });
    expect(code).toBe(3);
    expect(err).toContain("internal error: pass: broke");
    expect(err).toContain("bug in Frond, not in your program");
    expect(err).not.toMatch(/^\s+at /m);
  });
  test("are told in JSON too", async () => {
    const { code, out } = await run(["check", file("m.frond"), "--json"], { load });
    expect([code, JSON.parse(out)]).toEqual([3, { bug: "pass: broke" }]);
  });
  test("show the stack with FROND_DEBUG=1", async () => {
    expect((await run(["check", file("m.frond")], { load, env: { FROND_DEBUG: "1" } })).err).toMatch(
      /^\s+at /m,
    );
  });
});

describe("check", () => {
  test("a sound file", async () => {
    expect(await run(["check", file("m.frond")])).toEqual({ code: 0, out: "", err: "1 file checked: ok\n" });
  });
  test("all files are checked, a missing one too", async () => {
    const { code, err } = await run(["check", file("none.frond"), file("bad.frond"), file("m.frond")]);
    expect(code).toBe(1);
    expect(err).toContain("F0820");
    expect(err).toContain("F0101");
    expect(err.trim().split("\n").at(-1)).toBe("3 files checked: 2 errors");
  });
  test("standard input, as JSON, with places", async () => {
    const { code, out, err } = await run(["check", "-", "--json"], { stdin: "a\nb wrong" });
    expect([code, err]).toEqual([1, ""]);
    expect(JSON.parse(out).diagnostics[0].at).toEqual({
      file: "<stdin>",
      start: { line: 2, column: 3, offset: 4 },
      end: { line: 2, column: 8, offset: 9 },
    });
  });
});

describe("commands on a model", () => {
  test("a model with errors ends with 1", async () => {
    const { code, err } = await run(["dump", "graph", file("bad.frond")]);
    expect(code).toBe(1);
    expect(err).toContain("did you mean `right`?");
  });

  test("dump hands its options on", async () => {
    const { out } = await run([
      "dump",
      "unrolled",
      file("m.frond"),
      "--length",
      "t=4",
      "--unroll",
      "2",
      "--mode",
      "train",
    ]);
    expect(out).toBe('unrolled of Tagger {"mode":"train","lengths":{"t":4},"unroll":2}\n');
  });

  test("dump refuses lengths of axes that are not there", async () => {
    const { code, err } = await run(["dump", "unrolled", file("m.frond"), "--length", "s=3"]);
    expect([code, err]).toEqual([
      1,
      "error[F0812]: lengths are given for `s`, which is no axis whose length is open\nhelp: the axes are t\n",
    ]);
  });

  test("dump as JSON", async () => {
    const { out } = await run(["dump", "graph", file("m.frond"), "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      model: "Tagger",
      stage: "graph",
      text: expect.stringMatching(/^graph of Tagger/),
    });
  });

  test("gradcheck: a line a parameter, all of them right", async () => {
    const { code, out } = await run(["gradcheck", file("m.frond"), "--samples", "4"]);
    expect(code).toBe(0);
    expect(out.trim().split("\n")).toHaveLength(7);
    expect(out).toContain("all 5 parameters agree to 1e-6");
    const strict = await run(["gradcheck", file("m.frond"), "--tolerance", "1e-300", "--json"]);
    expect(strict.code).toBe(1);
    expect(JSON.parse(strict.out).parameters[0].name).toBe("h.W");
  });

  test("train, eval and run work together, in files and through pipes", async () => {
    const weights = file("w.safetensors");
    const model = [file("m.frond"), "--data", file("d.npz"), "--backend", "reference"];
    const trained = await run([
      "train",
      ...model,
      "--valid",
      file("d.npz"),
      "--epochs",
      "2",
      "--save",
      weights,
    ]);
    expect(trained.code).toBe(0);
    expect(trained.err.trim().split("\n")).toHaveLength(2);
    expect(trained.out).toMatch(/^Tagger: trained 2 epochs on reference in .*loss .*accuracy .*\nsaved /);

    const resumed = await run(["train", ...model, "--epochs", "3", "--resume", weights, "--json"]);
    const result = JSON.parse(resumed.out);
    expect(resumed.err).toBe("");
    expect(result.epochs.map((one: { epoch: number }) => one.epoch)).toEqual([3]);

    const scored = await run(["eval", ...model, "--weights", weights, "--json"]);
    expect(Object.keys(JSON.parse(scored.out))).toEqual(["model", "backend", "examples", "loss", "accuracy"]);

    const piped = await run(["run", ...model, "--weights", weights]);
    const rows: number[][][] = JSON.parse(piped.out).p;
    expect(rows.map(row => row.length)).toEqual([3, 5, 2]);
    for (const step of rows.flat()) expect(step.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);

    const out = file("p.npz");
    expect((await run(["run", ...model, "--weights", weights, "--out", out])).out).toBe("");
    const read = readDataset(readFileSync(out), "p.npz");
    expect([...read.lengths.get("p")!]).toEqual([3, 5, 2]);

    const quiet = await run(["train", ...model, "--epochs", "1", "--quiet"]);
    expect(quiet.err).toBe("");
  });

  test("a bound on memory is kept, and told of", async () => {
    const argv = ["train", file("m.frond"), "--data", file("d.npz"), "--backend", "reference"];
    const bound = await run([...argv, "--memory", "1MB"]);
    expect(bound.code).toBe(0);
    expect(bound.out).toMatch(/\nbuilt fast: took [\d.]+ KiB of memory at the most, 976.6 KiB allowed\n$/);
    const asJson = JSON.parse((await run([...argv, "--memory", "1MB", "--json"])).out);
    expect(asJson.memory).toEqual({ level: "fast", bytes: expect.any(Number), allowed: 1e6 });
    expect(JSON.parse((await run([...argv, "--json"])).out)).not.toHaveProperty("memory");
    const refused = await run([...argv, "--memory", "1kB", "--save", file("never.safetensors")]);
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain("error[F0906]: `Tagger.train` cannot keep within 1000 B of memory");
    expect(existsSync(file("never.safetensors"))).toBe(false);
    const scored = await run([
      "eval",
      ...argv.slice(1),
      "--weights",
      file("w.safetensors"),
      "--memory",
      "1kB",
    ]);
    expect(scored.err).toContain("error[F0906]: `Tagger.evaluate`");
  });

  test("what cannot be written is refused before the training", async () => {
    const argv = ["train", file("m.frond"), "--data", file("d.npz"), "--save"];
    for (const [path, says] of [
      [folder, "it is a folder"],
      ["-", "it does not go to standard output"],
      [file("nowhere/w"), "there is no folder"],
    ] as const) {
      const { code, out, err } = await run([...argv, path]);
      expect([code, out]).toEqual([1, ""]);
      expect(err).toContain(`cannot write \`${path}\`\nhelp: ${says}`);
    }
  });

  test("a training with nothing left to do says so", async () => {
    const argv = ["train", file("m.frond"), "--data", file("d.npz"), "--backend", "reference"];
    await run([...argv, "--epochs", "2", "--save", file("two.safetensors")]);
    const { code, out } = await run([...argv, "--epochs", "1", "--resume", file("two.safetensors")]);
    expect([code, out]).toEqual([
      0,
      "Tagger: nothing to do: 2 of 1 epochs are done already (`--epochs N` goes on)\n",
    ]);
  });

  test("where the backend fails in the middle, what was saved is said", async () => {
    const reference = await openBackend("reference");
    let runs = 0;
    const failing: Backend = {
      ...reference,
      compile: async (program, options) => {
        const executable = await reference.compile(program, options);
        const run = executable.run.bind(executable);
        executable.run = async (feeds, state) => {
          runs += 1;
          if (runs === 3) throw new DeviceLost("reference");
          return run(feeds, state);
        };
        return executable;
      },
    };
    const load = { backends: async () => ({ all: [failing], open: async () => failing }) };
    const saved = file("lost.safetensors");
    const argv = ["train", file("m.frond"), "--data", file("d.npz"), "--quiet", "--save", saved];
    const lost = await run(argv, { load });
    expect([lost.code, lost.out]).toEqual([2, ""]);
    expect(lost.err).toContain(`\nhelp: \`--resume ${saved}\` goes on after epoch 2\n`);
    const { code, out } = await run([...argv, "--resume", saved], { load });
    expect([code, out]).toEqual([0, expect.stringContaining("Tagger: trained 1 epoch")]);
  });

  test("values that are no numbers are warned of, in the padding not", async () => {
    const argv = ["train", file("m.frond"), "--data", "-", "--backend", "reference", "--json"];
    const nan = await run(argv, { stdin: '{"x": [[[1, 2]], [[3, null]]], "y": [[1], [1]]}' });
    expect(nan.err).toContain("warning[F0845]: `x` is NaN at example 1, t = 0, feature [1] of `<stdin>`");
    expect(JSON.parse(nan.out).diagnostics[0].code).toBe("F0850");
    const padded = '{"x": [[[1, 2]], [[3, null]]], "y": [[1], [1]], "x.length": [1, 0]}';
    expect(await run(argv, { stdin: padded })).toMatchObject({ code: 0, err: "" });
  });

  test("data from standard input; what is wrong with them names it", async () => {
    const argv = ["train", file("m.frond"), "--data", "-", "--backend", "reference"];
    const { code, err } = await run(argv, { stdin: '{"x": [[[1, 2]]], "y": [[7]]}' });
    expect(code).toBe(1);
    expect(err).toContain("`y` is 7 at example 0, t = 0 of `<stdin>`, outside of 0 to 2");
  });

  test("on a terminal training draws a live line and leaves it clean", async () => {
    const argv = ["train", file("m.frond"), "--data", file("d.npz"), "--backend", "reference"];
    const { err } = await run(argv, { terminal: true });
    expect(err).toContain("\r\u001b[2K");
    expect(err).toMatch(/\n$/);
  });
});

test("--threads reaches the backend of train, eval and run", async () => {
  const reference = await openBackend("reference");
  const asked: (number | undefined)[] = [];
  const spy: Backend = {
    ...reference,
    compile: (program, options = {}) => {
      asked.push(options.threads);
      return reference.compile(program, options);
    },
  };
  const load = { backends: async () => ({ all: [spy], open: async () => spy }) };
  const data = ["--data", file("d.npz")];
  const weights = file("threads.safetensors");
  const of = (command: string, ...more: readonly string[]) =>
    run([command, file("m.frond"), ...data, "--quiet", ...more], { load });
  await of("train", "--epochs", "1", "--save", weights, "--threads", "2");
  await of("eval", "--weights", weights, "--threads=3");
  await of("run", "--weights", weights, "--out", file("threads.npz"), "--threads", "32");
  await of("eval", "--weights", weights);
  expect(asked).toEqual([2, 3, 32, undefined]);
});

describe("backends", () => {
  test("lists them with what is missing", async () => {
    const { code, out } = await run(["backends"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^cpu +available/m);
    expect(out).toMatch(/^reference +available/m);
    const listed = JSON.parse((await run(["backends", "--json"])).out);
    expect(listed[0]).toMatchObject({ name: "wasm", available: true });
  });
  test("an unknown one is misuse", async () => {
    const argv = ["train", file("m.frond"), "--data", file("d.npz"), "--backend", "cpuu"];
    const { code, err } = await run(argv);
    expect(code).toBe(2);
    expect(err).toContain("cpu");
  });
});

test("colours: NO_COLOR, then FORCE_COLOR, then the terminal", () => {
  expect(wantsColor({}, true)).toBe(true);
  expect(wantsColor({}, false)).toBe(false);
  expect(wantsColor({ TERM: "dumb" }, true)).toBe(false);
  expect(wantsColor({ NO_COLOR: "1", FORCE_COLOR: "1" }, true)).toBe(false);
  expect(wantsColor({ NO_COLOR: "" }, true)).toBe(true);
  expect(wantsColor({ FORCE_COLOR: "1" }, false)).toBe(true);
  expect(wantsColor({ FORCE_COLOR: "0" }, true)).toBe(false);
});
