// frond diff: two backends that agree, a broken one that is found out, and what is said of each. FROND_UPDATE=1
// rewrites the pinned texts.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, Tensor } from "../../backends/api.ts";
import { backends, openBackend } from "../../backends/registry.ts";
import * as compiler from "../../compiler/index.ts";
import { writeSafetensors } from "../../runtime/checkpoints/safetensors.ts";
import { writeNpz } from "../../runtime/data/npz.ts";
import { Session } from "../../runtime/session.ts";
import { broken } from "../harness/broken.ts";
import { run } from "./harness.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "frond-diff-"));
const file = (name: string) => join(folder, name);
const [, tagger = ""] =
  /^```frond\n([\s\S]*?)^```/m.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];

/** The smallest program with a loop, and a result of each dtype. */
const echo = `model Echo {
  axis t
  input x[t]: real[2]
  h[t] = tanh(x[t] + 0.5 * h[t-1])
  output y[t] = h[t]
  output k[t] = argmax(h[t])
}
`;

let all: readonly Backend[] = backends;

beforeAll(async () => {
  const [reference, cpu] = [await openBackend("reference"), await openBackend("cpu")];
  all = [
    ...backends,
    broken(reference, ({ op, label }) => op === "sigmoid" && label === "h.h", "softplus"),
    broken(cpu, ({ op, label }) => op === "mul" && label === "h.c", "add", "adding"),
    broken(reference, ({ op }) => op === "tanh", "sin", "sinful"),
    // Right as long as more than what was asked for can be seen.
    broken(
      reference,
      ({ op }, { results }) => op === "tanh" && results.every(name => !name.startsWith("node.")),
      "sin",
      "shy",
    ),
    // Right as long as everything can be seen.
    broken(
      reference,
      ({ op }, { results }) => op === "tanh" && results.filter(name => name.startsWith("node.")).length < 4,
      "sin",
      "coy",
    ),
    {
      ...reference,
      name: "nan",
      compile: async (program, options) =>
        broken(reference, ({ op }) => op === "tanh", "log").compile(program, options),
    },
  ];
  writeFileSync(file("tagger.frond"), tagger);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const diff = (text: string, names: string, ...options: readonly string[]) =>
  run(["diff", "-", "--backends", names, ...options], {
    stdin: text,
    load: {
      compiler: async () => compiler,
      backends: async () => ({ all, open: name => openBackend(name, all) }),
    },
  });

/** The text, compared with what is pinned. */
function pinned(name: string, text: string): void {
  const path = join(import.meta.dirname, "fixtures", `diff-${name}.txt`);
  if (process.env.FROND_UPDATE === "1") writeFileSync(path, text);
  else expect(text).toBe(existsSync(path) ? readFileSync(path, "utf8").replaceAll("\r\n", "\n") : "");
  expect(Math.max(...text.split("\n").map(line => line.length))).toBeLessThanOrEqual(100);
}

describe("two that agree", () => {
  test.each([
    ["wasm,reference", [], "gradients"],
    ["cpu,wasm", ["--batch", "4", "--length", "t=9"], "gradients"],
    ["wasm,cpu", ["--what", "infer", "--unroll", "2"], "infer"],
    ["wasm,reference", ["--what", "train", "--seed", "3"], "train"],
    ["wasm,wasm", ["--what", "infer", "--threads", "2"], "infer"],
  ] as const)("%s %j", async (names, options, what) => {
    const { code, out, err } = await diff(tagger, names, ...options);
    expect([code, err]).toEqual([0, ""]);
    const [a, b] = names.split(",");
    const said = new RegExp(
      `^Tagger.${what}: ${a} and ${b} agree (to \\S+e-\\d+ \\(at .*; \\d+ values\\)|exactly .*)\\n$`,
    );
    expect(out).toMatch(said);
  });

  test("as they come: the best one there is, and the reference", async () => {
    const { out } = await run(["diff", "-"], { stdin: echo, load: { compiler: async () => compiler } });
    expect(out).toMatch(/^Echo.infer: wasm and reference agree to /);
  });

  test("on the first examples of a file, with weights", async () => {
    const model = compiler.compile({ name: "tagger.frond", text: tagger });
    const session = new Session({ model, backend: await openBackend("reference"), seed: 5 });
    writeFileSync(file("w.safetensors"), writeSafetensors(session.checkpoint()));
    const data = Float32Array.from({ length: 180 }, (_, i) => i % 7);
    const arrays: readonly (readonly [string, Tensor])[] = [
      ["x", { dtype: "real", shape: [6, 3, 10], data }],
      ["y", { dtype: "index", shape: [6, 3], data: new Int32Array(18) }],
    ];
    writeFileSync(file("d.npz"), writeNpz(new Map(arrays)));
    const files = ["--data", file("d.npz"), "--weights", file("w.safetensors")];
    const options = ["--batch", "2", "--what", "infer", "--json"];
    const { code, out } = await diff(tagger, "wasm,broken", ...files, ...options);
    expect(code).toBe(1);
    expect(JSON.parse(out).results[0].shape).toEqual([2, 3, 10]);
  });
});

describe("a broken one", () => {
  test("parts where it is broken: the page shows it", async () => {
    const { code, out, err } = await diff(tagger, "broken,reference");
    expect([code, err]).toEqual([1, ""]);
    pinned("broken", out);
    const path = join(root, "spec", "errors", "F0930.md");
    const page = readFileSync(path, "utf8");
    const frame = out.slice(0, out.indexOf("\n\n") + 1).replace("<stdin>", "tagger.frond");
    const shown = /(## Frame\n\n```text\n)([\s\S]*?)(```)/;
    if (process.env.FROND_UPDATE === "1")
      writeFileSync(
        path,
        page.replace(shown, (_, head, __, tail) => head + frame + tail),
      );
    else expect(frame).toBe(shown.exec(page)?.[2]);
  });

  test("of float32, in the middle of a loop", async () => {
    const { out } = await diff(tagger, "adding,wasm", "--what", "infer");
    expect(out).toMatch(
      /^error\[F0930\]: `adding` and `wasm` part at `h.c`: mul, real\[128\] @ t batched\n --> std\/lstm/,
    );
    expect(out).toMatch(/\ndiffers at +example \d, t = 0, feature/);
  });

  test("in an adjoint, in an update, in a place without a source", async () => {
    const { out } = await diff(tagger, "adding,wasm", "--what", "gradients");
    expect(out).toContain("part at `h.c`: mul,");
    const reference = await openBackend("reference");
    const adjoint = broken(
      reference,
      ({ op, id }, { graph }) => op === "neg" && id === lastOf(graph, "neg"),
      "abs",
      "late",
    );
    const rate = broken(reference, ({ op, label }) => op === "mul" && label === "update h.b", "add", "fast");
    all = [...all, adjoint, rate];
    expect((await diff(tagger, "late,reference")).out).toMatch(/part at `\S+`: neg of its adjoint, real/);
    const { out: updating } = await diff(tagger, "fast,reference", "--what", "train");
    expect(updating).toMatch(/part at `update h.b`: mul, real/);
    expect(updating).toMatch(/^adam.m.h.b afterwards .* OFF$/m);
    expect(updating).toMatch(/^h.W afterwards .* ok$/m);
  });

  test("gives no numbers", async () => {
    const { out } = await diff(echo, "nan,wasm");
    expect(out).toMatch(
      /on nan +NaN\non wasm +-?[\d.]+\nrelative error +infinite, where 1e-4 is tolerated\n/,
    );
    expect(out).toMatch(/^1 of 2 results differ|^2 of 2 results differ/m);
  });

  test("as JSON", async () => {
    const { code, out } = await diff(echo, "sinful,reference", "--json", "--tolerance", "1e-3");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      program: "Echo.infer",
      backends: ["sinful", "reference"],
      tolerance: 1e-3,
      agree: false,
      parting: {
        label: "h",
        op: "tanh",
        type: "real[2] @ t batched",
        positions: { t: 0 },
        seen: "all",
        diagnostic: { code: "F0930", at: { file: "<stdin>", start: { line: 4 } } },
      },
      results: [{ name: "output.y" }, { name: "output.k" }],
    });
  });
});

describe("a difference that goes away when all values are looked at", () => {
  test("is found with some of them", async () => {
    const { code, out } = await diff(echo, "coy,reference");
    expect(code).toBe(1);
    pinned("coy", out);
  });

  test("or is told as it is", async () => {
    const { code, out } = await diff(echo, "shy,reference");
    expect(code).toBe(1);
    pinned("shy", out);
  });
});

const lastOf = (
  graph: { readonly nodes: ReadonlyMap<number, { readonly op: string; readonly id: number }> },
  op: string,
) => [...graph.nodes.values()].filter(node => node.op === op).at(-1)?.id;

test.each([
  [["--backends", "wasm"], "F0922", "two names with a comma between"],
  [["--backends", "wasm,cpu,reference"], "F0922", "two names with a comma between"],
  [["--backends", "wasm,cpuu"], "F0901", "did you mean `cpu`?"],
  [["--what", "training"], "F0922", "`infer` or `gradients` or `train`"],
  [["--length", "s=3"], "F0812", "the axes are t"],
  [["--data", "d.npz", "--length", "3"], "F0820", "d.npz"],
  [["--what", "gradients"], "F0730", "Echo"],
] as const)("%j is refused", async (options, code, says) => {
  const { out, err } = await diff(echo, "wasm,reference", ...options);
  expect(out).toBe("");
  expect(err).toContain(`[${code}]`);
  expect(err).toContain(says);
});
