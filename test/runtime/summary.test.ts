// What a model is said to consist of and to take, against counts by hand.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AxisId } from "../../compiler/graph/graph.ts";
import type { CompiledModel } from "../../compiler/index.ts";
import { type Summary, summarize, type Work } from "../../runtime/summary.ts";
import { compileNamed, compileText, modelNames } from "../harness/models.ts";

const readme = readFileSync(join(import.meta.dirname, "..", "..", "README.md"), "utf8");
const [, tagger = ""] = /^```frond\n([\s\S]*?)^```/m.exec(readme) ?? [];

/** Every axis of unknown length that is not given has this length. */
const length = 100;

function summaryOf(model: CompiledModel, batch: number, given: Readonly<Record<string, number>> = {}) {
  const open = model.infer().graph.axes.filter(axis => axis.length === null);
  const lengths = new Map(open.map(({ id }): [AxisId, number] => [id, given[id] ?? length]));
  return summarize(model, { batch, lengths });
}

/** `part`: parameters. */
const parametersOf = ({ parts }: Summary) =>
  Object.fromEntries(parts.flatMap(({ name, parameters }) => (parameters > 0 ? [[name, parameters]] : [])));

/** `example,t`: operations. */
const ratesOf = (work: Work | null) =>
  Object.fromEntries(
    work!.rates.map(({ batched, axes, flops }) => [[...(batched ? ["example"] : []), ...axes].join(), flops]),
  );

describe("the README's Tagger", () => {
  const found = summaryOf(compileText("tagger.frond", tagger), 32);

  test("its parts", () => {
    expect(found.parts.map(({ name, made }) => `${name}: ${made.join(", ")}`)).toEqual([
      "x: input",
      "y: target",
      "h: lstm[t]",
      "logits: dense",
      "p: softmax, output",
      "loss: mean[t], loss",
      "accuracy: mean[t], metric",
    ]);
    expect(found.parts.find(({ name }) => name === "h")!.value).toEqual({
      dtype: "real",
      classes: null,
      shape: [128],
      axes: ["t"],
    });
    expect(found.parts.find(({ name }) => name === "y")!.value).toMatchObject({
      dtype: "index",
      classes: 10,
    });
  });

  test("its parameters, and Adam's two moments of each and two weights", () => {
    expect(parametersOf(found)).toEqual({ h: 4 * 128 * (10 + 128 + 1), logits: 10 * (128 + 1) });
    expect(found.parameters).toBe(72_458);
    expect(found.state).toBe(2 * 72_458 + 2);
    expect(found.optimizer).toBe("adam");
  });

  const product = (rows: number, columns: number): number => 2 * rows * columns;

  test("the operations of inference", () => {
    // Two products, two sums of all gates; of each unit 3 sigmoids, 2 tanhs, 3 products and a sum.
    const h = product(10, 512) + product(128, 512) + 2 * 512 + 128 * (5 * 10 + 4);
    const logits = product(128, 10) + 10;
    // logsumexp takes 12 of each number, expdiff 11.
    const p = 10 * 12 + 10 * 11;
    expect(ratesOf(found.inference)).toEqual({ "example,t": h + logits + p });
    expect([h, logits, p].map(flops => 32 * length * flops)).toEqual(
      ["h", "logits", "p"].map(name => found.inference!.byPart.get(name)),
    );
    expect(found.inference!.total).toBe(32 * length * (h + logits + p));
  });

  test("the operations of a training step", () => {
    const rates = ratesOf(found.training);
    // Backwards, weights take as much as forwards, and so do values, but for x, whose gradient nobody wants.
    const products = 2 * product(10, 512) + 3 * product(128, 512) + 3 * product(128, 10);
    expect(rates["example,t"]).toBeGreaterThan(products);
    expect(rates["example,t"]).toBeLessThan(1.05 * products);
    // Clipping takes 3 of each parameter, Adam some twenty.
    expect(found.training!.byPart.get(null)! / 72_458).toBeGreaterThan(15);
    expect(found.training!.byPart.get(null)! / 72_458).toBeLessThan(35);
    expect(found.training!.total).toBe(32 * (length * rates["example,t"]! + rates.example!) + rates[""]!);
  });
});

test("several axes, static ones and a mean over the batch", () => {
  const model = compileText(
    "pairs.frond",
    `model Pairs(n: size = 3) {
  axis s, t
  axis k = 0..4
  input a[s]: real[n]
  input b[t]: real[n]
  param W[k]: real[n] = zeros()
  score[s,t,k] = sum(a[s] * b[t] * W[k])
  output best[t] = sum[s](sum[k](score[s,t,k]))
}
`,
  );
  const found = summaryOf(model, 7, { s: 20, t: 30 });
  expect(found.training).toBe(null);
  expect(parametersOf(found)).toEqual({ W: 5 * 3 });
  expect(Object.keys(ratesOf(found.inference))[0]).toBe("example,s,t");
  const { total, rates } = found.inference!;
  const times: Readonly<Record<string, number>> = { "s,t": 600, s: 20, t: 30, "": 1 };
  const sums = rates.map(({ axes, batched, flops }) => flops * times[axes.join()]! * (batched ? 7 : 1));
  expect(total).toBe(sums.reduce((a, b) => a + b, 0));
  // Of each of 5 k at least: a product of 3 numbers, their sum, the sum over k.
  expect(ratesOf(found.inference)["example,s,t"]).toBeGreaterThanOrEqual(5 * (3 + 3 + 1));
});

test("layers inside of equations, in boundaries, shared ones, and reversed ones", () => {
  const lines = (name: string) =>
    summaryOf(compileNamed(name), 1).parts.map(
      ({ depth, name: part, made, parameters }) =>
        `${"  ".repeat(depth)}${part} ${made.join()} ${parameters}`,
    );
  expect(lines("attention")).toEqual(
    expect.arrayContaining([
      "f gru[s] 36",
      "b gru[-s] 36",
      "d gru[t] 60",
      "  d.start.dense dense 6",
      "  d.embedding embedding 6",
    ]),
  );
  expect(lines("shared-layer")).toEqual(
    expect.arrayContaining(["enc lstm,shared 84", "p enc[s] 0", "q enc[t] 0"]),
  );
  expect(lines("layer-norm-lstm")).toContain("  h.i.layerNorm2 layerNorm 24");
});

test.each(modelNames)("nothing of %s is counted twice or left out", name => {
  const model = compileNamed(name);
  const { parts, parameters, inference, training } = summaryOf(model, 3);
  const names = parts.map(part => part.name);
  expect(new Set(names).size).toBe(names.length);
  expect(parts.reduce((total, part) => total + part.parameters, 0)).toBe(parameters);
  for (const work of [inference, training]) {
    if (work === null) continue;
    const known = [...names, null];
    expect([...work.byPart.keys()].filter(part => !known.includes(part))).toEqual([]);
    expect([...work.byPart.values()].reduce((a, b) => a + b, 0)).toBe(work.total);
    expect(work.total).toBeGreaterThanOrEqual(0);
  }
});
