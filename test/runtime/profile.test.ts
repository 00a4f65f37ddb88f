// Profiles by line: what time is counted to where, for made-up times.

import { describe, expect, test } from "vitest";
import type { ProfileEntry } from "../../backends/api.ts";
import { type CompiledModel, compile } from "../../compiler/index.ts";
import { type LineTime, type ProfileByLine, profileByLine } from "../../runtime/profile.ts";

const files: Readonly<Record<string, string>> = {
  "cells.frond": `layer leaky[t](x[t]: real[d], n: size) -> h[t] {
  h[t] = h[t-1] + dense(x[t], n)
}
`,
  "std/mine.frond": `layer mine(x: real[d]) -> y {
  y = tanh(x)
}
`,
};

const readImport = (path: string) => (path in files ? { name: path, text: files[path]! } : null);

const compiled = (text: string): CompiledModel => compile({ name: "m.frond", text }, { readImport });

/** A profile in which each place of the training step's graph took 1 ms in each of two runs of 1000 ms. */
function profileOf(model: CompiledModel): ProfileByLine {
  const places = new Map<string, ProfileEntry>();
  for (const { label, span, op } of model.train().graph.nodes.values()) {
    const isUpdate = span === null;
    if (op === "input" || op === "parameter") continue;
    const key = isUpdate ? "update" : `${label} ${span.source.name} ${span.start} ${span.end}`;
    places.set(key, { label, span, part: isUpdate ? "update" : "forward", milliseconds: 2 });
  }
  return profileByLine(model.lowered("train"), [...places.values()], [1000, 1000]);
}

const shown = (lines: readonly LineTime[]): readonly string[] =>
  lines.map(({ source, line, text }) => `${source.name}:${line} ${text}`);

const sumOf = (lines: readonly LineTime[]): number =>
  lines.reduce((sum, { forward, backward }) => sum + forward + backward, 0);

test("a library's layer is counted to the line that calls it, and its lines are inside", () => {
  const { lines, total, update, data, packing, other } = profileOf(
    compiled(`model M {
  axis t
  input x[t]: real[3]
  h[t] = lstm[t](
    x[t], 4)
  loss = mean[t](mean(square(h[t])))
}
`),
  );
  expect(shown(lines)).toEqual(["m.frond:4 h[t] = lstm[t](", "m.frond:6 loss = mean[t](mean(square(h[t])))"]);
  const [h, loss] = lines;
  expect(shown(h!.inside)).toEqual([
    "std/lstm.frond:7 (i[t], f[t], g[t], o[t]) = split(x[t] @ W + h[t-1] @ U + b, 4)",
    "std/lstm.frond:8 c[t] = sigmoid(f[t]) * c[t-1] + sigmoid(i[t]) * tanh(g[t])",
    "std/lstm.frond:9 h[t] = sigmoid(o[t]) * tanh(c[t])",
  ]);
  expect(sumOf(h!.inside)).toBe(sumOf([h!]));
  expect(loss!.inside).toEqual([]);
  expect({ total, update, packing, other }).toEqual({ total: 1000, update: 1, packing: 0, other: 0 });
  expect(sumOf(lines) + update + data).toBe(total);
});

test("layers of one's own are lines of one's own, imported ones by their file's name", () => {
  const { lines } = profileOf(
    compiled(`import { leaky } from "cells.frond"

layer twice(x: real[d]) -> y {
  y = dense(tanh(x), d)
}

model M {
  axis t
  input x[t]: real[3]
  h[t] = leaky[t](x[t], 4)
  g[t] = twice(h[t])
  loss = mean[t](sum(g[t]))
}
`),
  );
  expect(shown(lines)).toEqual([
    "m.frond:4 y = dense(tanh(x), d)",
    "m.frond:12 loss = mean[t](sum(g[t]))",
    "cells.frond:2 h[t] = h[t-1] + dense(x[t], n)",
  ]);
  expect(shown(lines[2]!.inside)).toEqual(["std/dense.frond:6 y = activation(x @ W + b)"]);
});

test("a shared layer of the library is counted to its `share`", () => {
  const { lines } = profileOf(
    compiled(`model M {
  axis t
  input x[t]: real[3]
  share f = gru(4)
  a[t] = f[t](x[t])
  b[t] = f[-t](x[t])
  loss = mean[t](sum(a[t] * b[t]))
}
`),
  );
  expect(shown(lines)).toEqual(["m.frond:4 share f = gru(4)", "m.frond:7 loss = mean[t](sum(a[t] * b[t]))"]);
});

test("a file that is only named like one of the library's is the user's", () => {
  const { lines } = profileOf(
    compiled(`import { mine } from "std/mine.frond"
model M {
  input x: real[3]
  loss = sum(mine(x) * self())
}
layer self() -> y {
  param w: real = zeros()
  y = w
}
`),
  );
  expect(shown(lines)).toContain("std/mine.frond:2 y = tanh(x)");
});

describe("what belongs to no line", () => {
  const model = compiled("model M {\n  input x: real\n  param w: real = zeros()\n  loss = x * w\n}\n");
  const [node] = [...model.train().graph.nodes.values()].filter(({ op }) => op === "mul");
  const entry = (part: ProfileEntry["part"], milliseconds: number): ProfileEntry => ({
    label: "loss",
    span: node!.span,
    part,
    milliseconds,
  });

  test("is packing, the optimiser, values without a place, and the rest", () => {
    const entries = [
      entry("forward", 4),
      entry("backward", 6),
      entry("packing", 8),
      { ...entry("update", 2), span: null, label: "adam" },
      { ...entry("forward", 1), span: null, label: "" },
    ];
    const { lines, ...apart } = profileByLine(model.lowered("train"), entries, [20, 30]);
    expect(lines).toMatchObject([{ line: 4, text: "loss = x * w", forward: 2, backward: 3, inside: [] }]);
    expect(apart).toMatchObject({ packing: 4, update: 1, other: 0.5, data: 14.5, total: 25 });
  });

  test("is all there is of an empty profile", () => {
    expect(profileByLine(model.lowered("train"), [], [3])).toMatchObject({ lines: [], data: 3, total: 3 });
  });
});
