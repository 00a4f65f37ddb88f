// Generation, with models whose weights are set by hand, so that every generated value is known.

import { describe, expect, test } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { backends } from "../../backends/registry.ts";
import { compile } from "../../compiler/index.ts";
import { type Dataset, makeDataset } from "../../runtime/data/dataset.ts";
import { toNested } from "../../runtime/data/json.ts";
import { type GenerateOptions, Session } from "../../runtime/session.ts";
import { float32Backends } from "../harness/backends.ts";
import { codesOf, diagnosticsOf } from "./codes.ts";

interface Setting {
  readonly model: string;
  readonly weights?: Readonly<Record<string, Tensor>>;
  readonly data?: Dataset;
  readonly options: GenerateOptions;
}

const model = (text: string) => compile({ name: "m.frond", text });
const reals = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: "real",
  shape,
  data: Float32Array.from(values),
});
const indices = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: "index",
  shape,
  data: Int32Array.from(values),
});
const dataset = (arrays: Readonly<Record<string, Tensor>>) =>
  makeDataset("data", new Map(Object.entries(arrays)));

/** Each example's own values, by input. */
async function generated(
  backend: string,
  { model: text, weights = {}, data, options }: Setting,
): Promise<Readonly<Record<string, unknown>>> {
  const session = new Session({ model: model(text), backend: backends.find(one => one.name === backend)! });
  const checkpoint = session.checkpoint();
  session.load({ ...checkpoint, tensors: new Map([...checkpoint.tensors, ...Object.entries(weights)]) }, "w");
  try {
    const outputs = await session.generate(data ?? null, options);
    return Object.fromEntries(
      [...outputs].map(([name, { tensor, type, lengths }]) => [
        name,
        toNested(tensor, example => type.axes.map(id => lengths.get(id)![example]!)),
      ]),
    );
  } finally {
    session.dispose();
  }
}

/** The next value is drawn by the row of a table that the one before names. */
const walk = (next: string) => `model Walk(n: size = 6) {
  axis t
  input out[t]: index(n)
  param W: real[n, n]
  p[t] = softmax(oneHot(out[t], n) @ W)
  output q[t] = p[t]
  generate out[t+1] = ${next} from 2 until out[t+1] == 0
}`;

/** Large where one value must follow another. */
const follow = (pairs: readonly (readonly [number, number])[]) => {
  const table = new Float32Array(36);
  for (const [from, to] of pairs) table[6 * from + to] = 50;
  return { W: reals([6, 6], [...table]) };
};

/** Each value is the sum of the two before: needs the whole prefix, not only the last step. */
const fibonacci = `model Fibonacci {
  axis t
  input limit: real
  input out[t]: real
  output p[t] = out[t]
  generate out[t+1] = out[t] + out[t-1] from 1 until out[t+1] > limit
}`;

/** Says the source, then 0. */
const copy = `model Copy(n: size = 9) {
  axis s, t
  input src[s]: index(n)
  input out[t]: index(n)
  said[t] = argmax(sum[s](where(index(s) == index(t), oneHot(src[s], n), 0)))
  output p[t] = said[t]
  generate out[t+1] = said[t] + 0 * out[t] until out[t+1] == 0
}`;

describe.each(["reference", ...float32Backends])("on %s", backend => {
  test("a walk through a table, to its end, and cut off", async () => {
    const setting = {
      model: walk("argmax(p[t])"),
      weights: follow([
        [2, 4],
        [4, 1],
        [1, 5],
        [5, 0],
      ]),
    };
    expect(await generated(backend, { ...setting, options: { steps: 20 } })).toEqual({ out: [[4, 1, 5, 0]] });
    const cut = await generated(backend, { ...setting, options: { steps: 2, count: 2 } });
    expect(cut).toEqual({
      out: [
        [4, 1],
        [4, 1],
      ],
    });
  });

  test("examples end by themselves, whatever the batches", async () => {
    const data = dataset({ limit: reals([4], [4, 20, 0.5, 1e9]) });
    const out = [[1, 2, 3, 5], [1, 2, 3, 5, 8, 13, 21], [1], [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]];
    for (const batch of [64, 3, 1])
      expect(await generated(backend, { model: fibonacci, data, options: { steps: 10, batch } })).toEqual({
        out,
      });
  });

  test("other inputs have lengths of their own, 0 among them", async () => {
    const src = indices([3, 3], [3, 1, 8, 2, 5, 4, 7, 7, 7]);
    const data = dataset({ src, "src.length": indices([3], [2, 3, 0]) });
    const out = [[3, 1, 0], [2, 5, 4, 0], [0]];
    expect(await generated(backend, { model: copy, data, options: { steps: 8 } })).toEqual({ out });
  });

  test("an input along the same axis ends an example", async () => {
    const text = `model Follow {
      axis t
      input x[t]: real
      input out[t]: real[2]
      output p[t] = out[t]
      generate out[t+1] = 2 * out[t] + x[t] from 0
    }`;
    const data = dataset({
      x: reals([3, 3], [1, 2, Number.NaN, Number.NaN, 9, 9, 1, 1, 1]),
      "x.length": indices([3], [2, 0, 3]),
    });
    const twice = (values: readonly number[]) => values.map(value => [value, value]);
    const out = [twice([1, 4]), [], twice([1, 3, 7])];
    expect(await generated(backend, { model: text, data, options: { steps: 8 } })).toEqual({ out });
  });

  test("two inputs at once see each other", async () => {
    const text = `model Two {
      axis t
      input a[t]: real
      input odd[t]: bool
      output p[t] = a[t]
      generate a[t+1] = where(odd[t], a[t] + 10, a[t] + 1) until a[t+1] > 30
      generate odd[t+1] = not odd[t]
    }`;
    const found = await generated(backend, { model: text, options: { steps: 99 } });
    expect(found).toEqual({
      a: [[1, 11, 12, 22, 23, 33]],
      odd: [[true, false, true, false, true, false]],
    });
  });

  test("draws depend on the seed, the example and the round", async () => {
    const setting = { model: walk("sample(p[t])") };
    const draw = (options: GenerateOptions) => generated(backend, { ...setting, options });
    const first = await draw({ steps: 40, count: 8, seed: 1 });
    expect(await draw({ steps: 40, count: 8, seed: 1 })).toEqual(first);
    expect(await draw({ steps: 40, count: 8, seed: 2 })).not.toEqual(first);
    const rows = first.out as number[][];
    expect(new Set(rows.map(row => row.join())).size).toBeGreaterThan(6);
    // Only the last value of an example can be 0.
    for (const row of rows) expect([-1, row.length - 1]).toContain(row.indexOf(0));
    // Fewer steps and fewer examples are a part of the same.
    expect(await draw({ steps: 3, count: 2, seed: 1 })).toEqual({
      out: rows.slice(0, 2).map(row => row.slice(0, 3)),
    });
    // Examples of different batches are different ones.
    const apart = (await draw({ steps: 40, count: 8, batch: 1, seed: 1 })).out as number[][];
    expect(apart[0]).toEqual(rows[0]);
    expect(new Set(apart.map(row => row.join())).size).toBeGreaterThan(6);
  });
});

test.each(float32Backends)("%s draws what the reference does", async name => {
  const setting = { model: walk("sample(p[t])"), options: { steps: 60, count: 20, seed: 5 } };
  expect(await generated(name, setting)).toEqual(await generated("reference", setting));
});

test("a drawn value has its probability", async () => {
  // From 2 the logits of 0 to 5 are 0 but for log 4 at 3: 3 has the probability 4/9.
  const table = new Float32Array(36);
  table[6 * 2 + 3] = Math.log(4);
  const setting = { model: walk("sample(p[t])"), weights: { W: reals([6, 6], [...table]) } };
  const count = 3000;
  const { out } = await generated("cpu", { ...setting, options: { steps: 1, count, batch: count } });
  const threes = (out as number[][]).filter(row => row[0] === 3).length;
  // Four deviations.
  expect(Math.abs(threes - (count * 4) / 9)).toBeLessThan(4 * Math.sqrt((count * 20) / 81));
});

describe("what cannot be", () => {
  test("a model without a statement, and one without its data", async () => {
    const plain = "model M {\n  axis t\n  input x[t]: real\n  output y[t] = x[t]\n}";
    const options = { steps: 3 };
    expect(await codesOf(generated("reference", { model: plain, options }))).toEqual(["F0843"]);
    expect(await codesOf(generated("reference", { model: copy, options }))).toEqual(["F0844"]);
    const wrong = dataset({ srcs: indices([1, 1], [1]) });
    const [found] = await diagnosticsOf(generated("reference", { model: copy, data: wrong, options }));
    expect([found?.code, ...found!.help]).toEqual(["F0833", "did you mean `srcs`?"]);
  });

  test("a start that the input does not have", async () => {
    for (const from of ["6", "-1", "1.5"])
      expect(await codesOf(() => model(walk("argmax(p[t])").replace("from 2", `from ${from}`)))).toEqual([
        "F0720",
      ]);
    expect(await codesOf(() => model(walk("argmax(p[t])").replace("from 2", "from n - 1")))).toEqual([]);
  });
});
