// frond bench: what it prints for made-up times, and that it measures what it says on the README's model.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Backend, CompileOptions } from "../../backends/api.ts";
import { mostThreads as mostOfBackends } from "../../backends/codegen/team.ts";
import { openBackend } from "../../backends/registry.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import * as compiler from "../../compiler/index.ts";
import { backendsWithProfiles } from "../../runtime/cli/bench.ts";
import { type Benched, benchText } from "../../runtime/cli/bench-text.ts";
import { mostThreads } from "../../runtime/cli/options.ts";
import { printedWidth, toWidth } from "../../runtime/cli/print.ts";
import type { LineTime, ProfileByLine } from "../../runtime/profile.ts";
import { float32Backends } from "../harness/backends.ts";
import { tagger as stub } from "../runtime/tagger.ts";
import { run } from "./harness.ts";

const root = join(import.meta.dirname, "..", "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const [, tagger = ""] = /^```frond\n([\s\S]*?)^```/m.exec(readme) ?? [];

const load = { compiler: async () => compiler };
/** Short, and of a small model. */
const bench = (text: string, ...options: readonly string[]) =>
  run(["bench", "-", "--seconds", "0.02", "--batch", "2", "--length", "7", ...options], {
    stdin: text,
    load,
  });

const plain = "model Plain(n: size = 4) {\n  input x: real[n]\n  output y = dense(x, 2)\n}\n";

const sumOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe("the text", () => {
  const file = (name: string) => ({ name, text: "" });
  const line = (
    name: string,
    at: number,
    text: string,
    [forward, backward]: readonly [number, number],
    inside: readonly LineTime[] = [],
  ): LineTime => ({ source: file(name), line: at, text, forward, backward, inside });
  const lstm = [
    line("std/lstm.frond", 7, "(i[t], f[t], g[t], o[t]) = split(x[t] @ W + h[t-1] @ U + b, 4)", [3, 4]),
    line("std/lstm.frond", 8, "c[t] = sigmoid(f[t]) * c[t-1] + sigmoid(i[t]) * tanh(g[t])", [0.5, 0.25]),
    line("std/lstm.frond", 9, "h[t] = sigmoid(o[t]) * tanh(c[t])", [0.005, 0]),
  ];
  const profile: ProfileByLine = {
    source: file("tagger.frond"),
    lines: [
      line("tagger.frond", 6, "h[t]      = lstm[t](x[t], units)", [3.505, 4.25], lstm),
      line(
        "tagger.frond",
        11,
        "logits[t] = dense(h[t], classes)",
        [0.25, 0.125],
        [line("std/dense.frond", 6, "y = activation(x @ W + b)", [0.25, 0.125])],
      ),
      line("tagger.frond", 100, "日本語[t] = softmax(logits[t])", [0.125, 0]),
      line("cells.frond", 3, "h[t] = (1 - f[t]) * h[t-1] + f[t] * n[t]", [0.5, 0.75]),
    ],
    packing: 0.06,
    update: 0.06,
    other: 0,
    data: 0.375,
    total: 10,
  };
  const found: Benched = {
    model: "Tagger",
    backend: "wasm",
    threads: 1,
    setting: {
      batch: 32,
      batchFrom: "train block",
      lengths: new Map([["t" as AxisId, 100]]),
      assumed: ["t" as AxisId],
    },
    timed: [
      {
        what: "inference",
        flops: 486_563_200,
        runs: [3, 1, 2, 50],
        profile: { ...profile, lines: [], packing: 0, update: 0, other: 4, data: 6 },
      },
      { what: "training", flops: 1_431_234_567, runs: [9.5], profile },
    ],
  };

  test.each([80, 100, 120])("in %d columns: it is pinned; FROND_UPDATE=1 rewrites it", columns => {
    const text = benchText(found, columns);
    const pinned = join(import.meta.dirname, "fixtures", `bench-${columns}.txt`);
    if (process.env.FROND_UPDATE === "1") writeFileSync(pinned, text);
    else expect(text).toBe(existsSync(pinned) ? readFileSync(pinned, "utf8").replaceAll("\r\n", "\n") : "");
    expect(Math.max(...text.split("\n").map(printedWidth))).toBeLessThanOrEqual(columns);
  });

  test("as many runs as a very short step has", () => {
    const runs = new Float64Array(300_000).fill(0.5);
    const text = benchText({ ...found, timed: [{ ...found.timed[1]!, runs: [...runs, 0.25] }] }, 80);
    expect(text).toMatch(/training step +0\.500 ms +0\.250 ms +300,001 /);
  });

  test("threads and a given batch", () => {
    const setting = {
      ...found.setting,
      batch: 1,
      batchFrom: "given",
      lengths: new Map(),
      assumed: [],
    } as const;
    expect(benchText({ ...found, threads: 4, setting }, 80)).toMatch(
      /^Tagger on wasm, up to 4 threads: 1 example\n/,
    );
  });

  test("is cut at a character's edge, wide ones too", () => {
    expect(toWidth("abc", 5)).toBe("abc  ");
    expect(toWidth("abcdef", 5)).toBe("abc..");
    expect(toWidth("日本語", 6)).toBe("日本語");
    expect(toWidth("日本語", 5)).toBe("日.. ");
  });
});

describe("the README's Tagger", () => {
  test("inference and a training step, with what they come to", async () => {
    const { code, out, err } = await bench(tagger);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^Tagger on wasm: 2 examples, t = 7\n\n +median/);
    expect(out).toMatch(/^inference( +[\d,.]+ ms){2} +[\d,]+ +[\d,.]+ +[\d.]+$/m);
    expect(out).toMatch(/^training step( +[\d,.]+ ms){2} +[\d,]+ +[\d,.]+ +[\d.]+$/m);
    expect(out.trimEnd().split("\n")).toHaveLength(5);
  });

  test("--profile names its lines", async () => {
    const { code, out, err } = await bench(tagger, "--profile");
    expect([code, err]).toEqual([0, ""]);
    const rows = out.split("\n").map(row => row.replace(/ {2,}[\d.]+%.*$/, "").trim());
    for (const row of ["6  h[t]      = lstm[t](x[t], units)", "7  logits[t] = dense(h[t], classes)"])
      expect(rows.filter(shown => shown === row)).toHaveLength(2);
    expect(rows).toContain("9  output p[t]     = softmax(logits[t])");
    expect(rows).toContain("10  loss            = mean[t](crossEntropy(logits[t], y[t]))");
    for (const row of ["packing matrices for products", "optimiser", "data in and out", "in all"])
      expect(rows).toContain(row);
    const shares = out
      .split("\n")
      .filter(row => /%/.test(row) && !/lstm:|in all/.test(row))
      .map(row => Number(/([\d.]+)%/.exec(row)![1]));
    expect(sumOf(shares)).toBeGreaterThan(199);
    expect(sumOf(shares)).toBeLessThan(201);
  });

  test("as JSON, where the times add up", async () => {
    const { out } = await bench(tagger, "--profile", "--json", "--threads", "2");
    const found = JSON.parse(out);
    expect(found).toMatchObject({
      model: "Tagger",
      backend: "wasm",
      threads: 2,
      batch: 2,
      lengths: { t: 7 },
      assumed: [],
    });
    for (const { milliseconds, runs, examplesPerSecond, flops, gflopsPerSecond, profile } of [
      found.inference,
      found.training,
    ]) {
      expect(milliseconds.least).toBeLessThanOrEqual(milliseconds.median);
      expect(runs).toBeGreaterThan(0);
      expect(examplesPerSecond).toBeCloseTo(2000 / milliseconds.median, 6);
      expect(gflopsPerSecond).toBeCloseTo(flops / milliseconds.median / 1e6, 6);
      const { lines, packing, update, other, data, total } = profile;
      const times = lines.map((line: LineTime) => line.forward + line.backward);
      expect(sumOf([...times, packing, update, other, data])).toBeCloseTo(total, 9);
      for (const part of [packing, update, other, data]) expect(part).toBeGreaterThanOrEqual(0);
      expect(other).toBe(0);
      const [h] = lines;
      expect(h).toMatchObject({ file: "<stdin>", line: 6, text: "h[t]      = lstm[t](x[t], units)" });
      const inside = h.inside.map((line: LineTime) => line.forward + line.backward);
      expect(sumOf(inside)).toBeCloseTo(times[0], 9);
    }
    expect(found.inference.flops).toBe(2 * 7 * 152_048);
  });
});

test("a model without a loss, and one without outputs", async () => {
  const { code, out } = await run(["bench", "-", "--seconds", "0.01", "--profile"], { stdin: plain, load });
  expect(code).toBe(0);
  expect(out).toMatch(/^Plain on wasm: 32 examples \(the default\)\n/);
  expect(out).toContain("inference");
  expect(out).not.toContain("training");
  const goal = "model Goal {\n  input x: real\n  param w: real = zeros()\n  loss = square(w - x)\n}\n";
  const trained = await run(["bench", "-", "--seconds", "0.01", "--json"], { stdin: goal, load });
  expect(JSON.parse(trained.out)).toMatchObject({ inference: null, training: { runs: expect.any(Number) } });
});

test("classes, truth values and static axes get data that fit", async () => {
  const text = `model M(n: size = 3) {
  axis t
  axis k = 1..n
  input x[t]: index(5)
  input b[t]: bool
  input w[k]: real
  e[t] = embedding(x[t], 5, 4)
  output p[t] = where(b[t], sum(e[t]), sum[k](w[k]))
}
`;
  expect(await bench(text)).toMatchObject({ code: 0, err: "" });
});

test.each([
  [["--length", "s=3"], 1, "F0812", "the axes are t"],
  [["--backend", "wsm"], 2, "F0901", "did you mean `wasm`?"],
  [["--size", "unit=3"], 1, "F0711", "units"],
  [["--profile", "--backend", "cpu"], 2, "F0928", "these do: `--backend wasm`"],
  [["--profile", "--backend", "reference"], 2, "F0928", "makes no profiles"],
] as const)("%s is refused", async (options, code, diagnostic, says) => {
  const found = await bench(tagger, ...options);
  expect(found).toMatchObject({ code, out: "" });
  expect(found.err).toContain(diagnostic);
  expect(found.err).toContain(says);
});

test("the backends that make profiles are those that are named", async () => {
  const having: string[] = [];
  for (const name of ["reference", ...float32Backends]) {
    const backend = await openBackend(name);
    const executable = await backend.compile(stub.infer(), { profile: true });
    if (executable.profile !== undefined) having.push(name);
    executable.dispose();
  }
  expect(having).toEqual(backendsWithProfiles);
});

test("the most threads are as many as backends have", () => expect(mostThreads).toBe(mostOfBackends));

test("--threads reaches the backend", async () => {
  const reference = await openBackend("reference");
  const asked: (number | undefined)[] = [];
  const spy: Backend = {
    ...reference,
    compile: (program, options: CompileOptions = {}) => {
      asked.push(options.threads);
      return reference.compile(program);
    },
  };
  const world = {
    stdin: plain,
    load: { ...load, backends: async () => ({ all: [spy], open: async () => spy }) },
  };
  await run(["bench", "-", "--seconds", "0.01", "--threads", "3"], world);
  expect(asked).toEqual([3]);
});
