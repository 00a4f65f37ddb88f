// frond backends --explain, and that commands run on what it names. FROND_UPDATE=1 rewrites the pinned texts.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Backend } from "../../backends/api.ts";
import { backends, openBackend, type TuningStore } from "../../backends/registry.ts";
import * as compiler from "../../compiler/index.ts";
import type { Chooser } from "../../runtime/choice.ts";
import { writeNpz } from "../../runtime/data/npz.ts";
import { sampleDataset } from "../../runtime/data/sample.ts";
import { machine } from "../../runtime/node/machine.ts";
import { choicesFile } from "../../runtime/node/tuning-store.ts";
import { inputs, tagger } from "../runtime/tagger.ts";
import { run, type World } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "frond-explain-"));
const file = (name: string) => join(folder, name);

let all: readonly Backend[] = [];
let text: string | null = null;
const measured: string[] = [];

/** Milliseconds for inference and a training step. */
const times: Readonly<Record<string, readonly [number, number]>> = {
  wasm: [0.8125, 9.5],
  fast: [1.25, 4.75],
  cpu: [12, 120.25],
};

beforeAll(async () => {
  const reference = await openBackend("reference");
  const [wasm, cpu] = [await openBackend("wasm"), await openBackend("cpu")];
  all = [
    wasm,
    {
      ...reference,
      name: "fast",
      probe: async () => ({
        available: true,
        detail: "A card with a long name, driver 1.2.3.4, on a bus of its own",
      }),
    },
    cpu,
    {
      ...reference,
      name: "far",
      probe: async () => ({
        available: false,
        reason: "no cable to the moon is found here",
        remedy: "lay one: `moonlay --all`",
      }),
    },
    reference,
  ];
  const data = sampleDataset(inputs, tagger.infer().graph.axes, 1);
  const lengths = { dtype: "index", shape: [data.size], data: data.lengths.get("x")! } as const;
  writeFileSync(file("d.npz"), writeNpz(new Map([...data.arrays, ["x.length", lengths]])));
});
beforeEach(() => {
  text = null;
  measured.length = 0;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const store: TuningStore = {
  read: async () => text,
  write: async next => {
    text = next;
  },
};

const chooser = (): Chooser => ({
  backends: all,
  store,
  host: "here",
  today: () => "2026-01-10",
  measure: async ({ name }, { program }) => {
    measured.push(`${name} ${program.name}`);
    const [infer, train] = times[name]!;
    return { kind: "time", milliseconds: program.name.endsWith(".train") ? train : infer, runs: 2 };
  },
});

const load: World["load"] = {
  backends: async () => ({ all, open: name => openBackend(name, all), chooser }),
};

const frond = (...argv: readonly string[]) => run(argv, { stdin: "model Tagger {}", load });
const explain = (...options: readonly string[]) => frond("backends", "--explain", "-", ...options);

function pinned(name: string, shown: string): void {
  const path = join(import.meta.dirname, "fixtures", `explain-${name}.txt`);
  if (process.env.FROND_UPDATE === "1") writeFileSync(path, shown);
  else expect(shown).toBe(existsSync(path) ? readFileSync(path, "utf8").replaceAll("\r\n", "\n") : "");
}

describe("what it prints", () => {
  test("measured now, then remembered, then as it is told", async () => {
    const { code, out, err } = await explain("--batch", "8");
    expect([code, err]).toEqual([0, ""]);
    pinned("measured", out.replaceAll(/128-bit SIMD|tfjs-core \S+/g, "VERSION"));
    expect(measured).toEqual(
      ["infer", "train"].flatMap(use =>
        ["wasm", "fast", "cpu"].map(name => `${name} Tagger${use === "train" ? ".train" : ""}`),
      ),
    );
    measured.length = 0;
    const again = await explain("--batch", "8");
    expect(again.out).toContain(
      "training: fast, the fastest as measured on 2026-01-10 (--again measures anew)\n",
    );
    expect(again.out.split("\n").slice(0, 9)).toEqual(out.split("\n").slice(0, 9));
    const named = await explain("--batch", "8", "--backend", "cpu");
    expect(named.out).toContain(
      "training: cpu, as --backend says\nwithout --backend, the fastest is taken\n",
    );
    expect(measured).toEqual([]);
    await explain("--batch", "8", "--again");
    expect(measured).toHaveLength(6);
  });

  test("as JSON", async () => {
    const { out } = await explain("--json", "--length", "20");
    expect(JSON.parse(out)).toMatchObject({
      model: "Tagger",
      batch: 4,
      lengths: { t: 20 },
      assumed: [],
      choices: [
        { for: "inference", backend: "wasm", why: "measured", date: null },
        { for: "training", backend: "fast", why: "measured", date: null },
      ],
      backends: [
        { name: "wasm", available: true, milliseconds: { inference: 0.8125, training: 9.5 } },
        { name: "fast" },
        { name: "cpu" },
        { name: "far", available: false, milliseconds: { inference: null, training: null } },
        { name: "reference", available: true, milliseconds: { inference: null, training: null } },
      ],
    });
  });

  test("on the real backends, of a model without a loss", async () => {
    const stdin = "model Plain(n: size = 4) {\n  input x: real[n]\n  output y = dense(x, 2)\n}\n";
    const own = backends.filter(({ name }) => ["wasm", "cpu", "reference"].includes(name));
    const real = { compiler: async () => compiler, backends: async () => ({ all: own, open: openBackend }) };
    const { code, out } = await run(["backends", "--explain", "-"], { stdin, load: real });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Plain: 32 examples \(the default\)\n\n +inference\nwasm +[\d.]+ ms {2}128-bit SIMD\ncpu +[\d.]+ ms/,
    );
    expect(out).toMatch(/\ninference: (wasm|cpu), the fastest as measured now\nanother one: /);
  });

  test.each([
    [["backends", "--batch", "3"], "F0923", "wants --explain FILE with `--batch`"],
    [["backends", "--again"], "F0923", "with `--again`"],
    [["backends", "--explain", "-", "--backend", "fst"], "F0901", "did you mean `fast`?"],
    [["backends", "--explain", "-", "--length", "s=3"], "F0812", "the axes are t"],
  ] as const)("%j is refused", async (argv, code, says) => {
    const { out, err } = await frond(...argv);
    expect(out).toBe("");
    expect(err).toContain(`[${code}]`);
    expect(err).toContain(says);
  });
});

describe("commands", () => {
  const backendOf = async (...argv: readonly string[]) =>
    JSON.parse((await frond(...argv, "--json")).out).backend;
  const data = ["-", "--data", file("d.npz")];
  const weights = ["--weights", file("w.safetensors")];

  test("run on what is the fastest for what they do, and measure it once", async () => {
    expect(await backendOf("train", ...data, "--epochs", "1", "--save", file("w.safetensors"))).toBe("fast");
    expect(measured).toEqual(["wasm Tagger.train", "fast Tagger.train"]);
    expect(await backendOf("eval", ...data, ...weights)).toBe("wasm");
    expect(await backendOf("run", ...data, ...weights, "--out", file("p.json"))).toBe("wasm");
    const before = measured.length;
    expect(await backendOf("train", ...data, "--epochs", "2", "--rate", "0.1")).toBe("fast");
    expect(measured).toHaveLength(before);
  });

  test("bench, at its own sizes; summary measures nothing", async () => {
    expect(await backendOf("summary", "-")).toBe("wasm");
    expect(measured).toEqual([]);
    expect(await backendOf("bench", "-", "--seconds", "0.01", "--batch", "2", "--length", "3")).toBe("fast");
    expect(await backendOf("summary", "-", "--batch", "2", "--length", "3")).toBe("fast");
    expect(measured).toEqual(["wasm Tagger.train", "fast Tagger.train"]);
  });

  test("named ones are not measured", async () => {
    expect(await backendOf("train", ...data, "--epochs", "1", "--backend", "cpu")).toBe("cpu");
    expect(measured).toEqual([]);
  });
});

test("what is remembered: where, and of which machine", () => {
  const env = { XDG_CACHE_HOME: "/caches", LOCALAPPDATA: "C:\\caches" };
  expect(choicesFile(env)).toMatch(/frond.backends\.json$/);
  expect(machine()).toMatch(/^frond \d+\.\d+\.\d+, v8 [\d.]+\S*, \d+ x .*, \w+$/);
});
