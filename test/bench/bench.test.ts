// Which rows there are, what they run, and a real run of the smallest of them.

import { describe, expect, test } from "vitest";
import { bench, plan } from "./bench.ts";
import { caseName, cases } from "./cases.ts";
import { difference } from "./contest.ts";
import { LocalHost, picked } from "./engine.ts";
import { type Entrant, engineNames, entrants, loadEngine, rowName } from "./engines/index.ts";
import { inNode, makeWork, modelOf, productFlops, programOf } from "./work.ts";

const named = (name: string) => cases.find(one => caseName(one) === name)!;

describe("cases", () => {
  test("have names of their own", () => {
    expect(new Set(cases.map(caseName)).size).toBe(cases.length);
  });

  test("have models with the parts that engines ask for", () => {
    for (const one of new Map(cases.map(each => [`${each.layer} ${each.model}`, each])).values()) {
      const model = modelOf(one);
      expect(model.hasLoss, caseName(one)).toBe(true);
      expect(model.infer().results, caseName(one)).toEqual(["output.p"]);
    }
  });

  test("the lstm's operations are those of its products", () => {
    const [batch, steps, inputs, units, classes] = [32, 50, 10, 128, 10];
    const gates = 2 * batch * steps * 4 * units;
    const dense = 2 * batch * steps * units * classes;
    const flops = (task: string) => {
      const one = named(`${task}/lstm/32x50x10x128`);
      return productFlops(programOf(one), one);
    };
    expect(flops("infer")).toBe(gates * (inputs + units) + dense);
    // The weights' gradients cost as much; the inputs need none, the states do.
    expect(flops("train")).toBe(gates * (2 * (inputs + units) + units) + 3 * dense);
  });

  test("data are the same at every making", () => {
    const one = named("train/lstm/1x1x10x128");
    const { tensors } = makeWork(one);
    expect(makeWork(one).tensors).toEqual(tensors);
    expect([...tensors.keys()].toSorted()).toEqual(["h.U", "h.W", "h.b", "x"]);
  });
});

describe("plan", () => {
  const all = entrants([1, 2]);
  const names = (only: RegExp) =>
    [...plan(all, only)].flatMap(([one, own]) => own.map(entrant => rowName(one, entrant)));

  test("without a filter all that is supported", () => {
    expect([...plan(all, null).keys()]).toEqual(cases);
    expect(names(/^train\/.*ort-/)).toEqual([]);
    expect(names(/tidal.*tfjs-/)).toEqual([]);
  });

  test("a filter is matched with the whole name", () => {
    expect(names(/^infer\/gru\/.*\/(frond-cpu|ort-node)$/)).toEqual([
      "infer/gru/32x50x10x128/frond-cpu",
      "infer/gru/32x50x10x128/ort-node",
      "infer/gru/32x50x10x128/ort-node",
    ]);
    expect(names(/nothing/)).toEqual([]);
  });

  test("TensorFlow has one thread, unless others are asked for", () => {
    const counts = (asked: readonly number[] | null, name: string) =>
      entrants(asked).flatMap(entrant => (entrant.name === name ? [entrant.threads] : []));
    for (const name of ["frond-native", "tfjs-node"]) {
      expect(counts(null, name)).toEqual([1]);
      expect(counts([1, 4], name)).toEqual([1, 4]);
    }
    expect(counts(null, "frond-wasm")).toEqual([1, 2]);
    expect(counts([4], "tfjs-webgl")).toEqual([1]);
  });

  test("every backend on tfjs stands beside tfjs-layers on the same", () => {
    for (const name of ["cpu", "webgl", "webgpu"]) {
      expect(engineNames).toContain(`frond-${name}`);
      expect(engineNames).toContain(`tfjs-${name}`);
    }
    expect(engineNames).toContain("tfjs-node");
  });

  test("every backend but the reference takes part", () => {
    expect(engineNames).toContain("frond-cpu");
    expect(engineNames).not.toContain("frond-reference");
  });
});

test("results are picked from all over", () => {
  expect(picked([1, 2, 3])).toEqual([1, 2, 3]);
  const many = picked(Array.from({ length: 640 }, (_, i) => i));
  expect([many.length, many[1], many[63]]).toEqual([64, 10, 630]);
});

test("differences of losses are relative", () => {
  expect(difference([100], [101], "train")).toBeCloseTo(0.01);
  expect(difference([100], [101], "infer")).toBe(1);
  expect(difference([1], [1, 2], "infer")).toBeNaN();
  expect(difference([1], [Number.NaN], "infer")).toBeNaN();
});

describe("a run", async () => {
  const engine = await loadEngine("frond-cpu", 1);
  const here = entrants([1])
    .filter(({ name }) => name === "frond-cpu")
    .map((entrant): Entrant => ({ ...entrant, start: () => new LocalHost(engine, inNode) }));

  async function run(all: readonly Entrant[], only: RegExp) {
    const [printed, faults]: [string[], string[]] = [[], []];
    const print = (text: string) => printed.push(text);
    const log = { block: print, note: print, fault: (text: string) => faults.push(text) };
    return { rows: await bench(plan(all, only), 0.02, log), printed, faults };
  }

  test("gives rows that are numbers throughout", async () => {
    const { rows, printed, faults } = await run(here, /lstm\/1x1x10x128\/frond-cpu/);
    expect(JSON.parse(JSON.stringify(rows))).toEqual(
      ["train", "infer"].map(task => ({
        ...{ task, layer: "lstm", batch: 1, steps: 1, inputs: 10, units: 128 },
        ...{ engine: "frond-cpu", threads: 1 },
        ms: expect.any(Number),
        gflops: expect.any(Number),
        limit: expect.any(Number),
      })),
    );
    expect(rows.every(({ ms, gflops, limit }) => ms > 0 && gflops > 0 && limit > 0)).toBe(true);
    expect(faults).toEqual([]);
    expect(printed[0]).toMatch(/^frond-cpu: .*Node/);
    expect(printed[1]).toMatch(/^train\/lstm\/1x1x10x128 /);
  });

  test("tells what is missing, computes something else or fails", async () => {
    const wrong: Entrant = {
      ...here[0]!,
      name: "wrong",
      own: false,
      start: () => {
        const host = new LocalHost(engine, inNode);
        const open = host.open.bind(host);
        return Object.assign(host, {
          open: async (...args: Parameters<typeof open>) => (await open(...args)).map(value => 1.01 * value),
        });
      },
    };
    const missing: Entrant = {
      ...wrong,
      name: "missing",
      start: () =>
        Object.assign(new LocalHost(engine, inNode), {
          probe: async () => ({ available: false as const, reason: "not installed" }),
        }),
    };
    const broken: Entrant = {
      ...here[0]!,
      name: "broken",
      start: () =>
        Object.assign(new LocalHost(engine, inNode), {
          time: () => Promise.reject(new Error("out of order")),
        }),
    };
    const { rows, printed, faults } = await run(
      [...here, wrong, missing, broken],
      /train\/lstm\/1x1x10x128\//,
    );
    expect(rows.map(row => row.engine)).toEqual(["frond-cpu", "wrong"]);
    expect(printed).toContain("missing: not installed");
    expect(faults).toEqual([
      "train/lstm/1x1x10x128/wrong: its results differ from frond-cpu's by 1.0e-2",
      "train/lstm/1x1x10x128/broken: out of order",
    ]);
  });
});
