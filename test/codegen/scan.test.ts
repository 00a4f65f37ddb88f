// Loops as scans: the same results as the reference, whatever the lengths, the sizes and the ways through the batch;
// and which loops run as scans, read off the functions that are generated.

import { describe, expect, test } from "vitest";
import { generate } from "../../backends/codegen/generate.ts";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import { target } from "../../backends/wasm/index.ts";
import type { Program } from "../../compiler/index.ts";
import { unrollBy } from "../../compiler/unroll/partial.ts";
import { outputsError } from "../harness/differences.ts";
import type { EnvironmentOptions } from "../harness/environment.ts";
import { compileNamed, compileText, environmentOf } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { onBackend } from "../harness/training.ts";

/** Recurrences by what is special about them. */
const cells = {
  "one state": "h[t] = sigmoid(a) * h[t-1] + x[t]",
  "not linear": "h[t] = tanh(x[t] + a * h[t-1] + b)",
  "two coupled states": `g[t] = 0.9 * a * g[t-1] - 0.5 * b * h[t-1] + x[t]
  h[t] = 0.5 * b * g[t-1] + 0.9 * a * h[t-1] - x[t]`,
  "from the end": "h[t] = a * h[t+1] + x[t]",
  "initial value": `h[t<0] = b
  h[t] = a * h[t-1] + x[t]`,
  "an initial value of each example": `h[t<0] = x[last]
  h[t] = a * h[t-1] + x[t]`,
  "initial value behind the end": `h[t>last] = b
  h[t] = sigmoid(a + x[t]) * h[t+1] + x[t]`,
  "a choice of branches": "h[t] = where(x[t] > 0, a * h[t-1], b) + x[t]",
  "a choice by the position": "h[t] = where(index(t) == 2, x[t], a * h[t-1] + x[t])",
  "one number beside many": `s[t] = 0.5 * s[t-1] + sum(x[t])
  h[t] = a * h[t-1] + x[t] * s[t]`,
  "what came before from outside": "h[t] = a * h[t-1] + x[t-1] * x[t] - b * x[t+1]",
  "sums of what is carried": `h[t] = a * h[t-1] + x[t]
  all = sum[t](h[t] * a)
  q[t] = h[t] + all`,
} as const;

const program = (cell: string, units: number): Program =>
  compileText(
    "scan.frond",
    `model Scan {
  axis t
  input  x[t]: real[${units}]
  target y[t]: real[${units}]
  param a: real[${units}] = uniform(-1, 1)
  param b: real[${units}] = uniform(-1, 1)
  ${cell}
  output p[t] = h[t]
  output end  = h[last]
  loss = mean[t](mse(h[t], y[t]))
}`,
  ).gradients();

async function expectSame(program: Program, options: EnvironmentOptions, threads = 1): Promise<void> {
  const environment = environmentOf(program, options);
  const expected = evaluateGraph(program.graph, environment, program.results);
  const actual = await onBackend(await openBackend("wasm"), program, environment, { threads });
  expect(outputsError(actual, expected), JSON.stringify(options)).toBeLessThan(tolerances.float32);
}

const scansOf = (program: Program): readonly string[] =>
  generate(program, target, { rows: 4, vectors: 2 })
    .module.functions.map(({ name }) => name)
    .filter(name => name.startsWith("scan "));

/** What decides the way through the batch: rows in groups and single, parts of time, lengths of 0. */
const batches: readonly EnvironmentOptions[] = [
  { batch: 1, extent: 1 },
  { batch: 1, extent: 6 },
  { batch: 3, extent: 4, shortest: 0 },
  { batch: 7, extent: 3, shortest: 3 },
  { batch: 9, extent: 3, shortest: 1 },
  { batch: 2, extent: 67, shortest: 30 },
  { batch: 5, extent: 33, shortest: 31 },
  { batch: 18, extent: 3, shortest: 1 },
];

describe.each(Object.entries(cells))("%s", (_, cell) => {
  // One number, less than a vector, one and a part, several and a part, more than are computed at once.
  test.each([1, 3, 6, 22, 40])("with %d units", async units => {
    const made = program(cell, units);
    expect(scansOf(made).length).toBeGreaterThanOrEqual(2);
    for (const options of batches) await expectSame(made, { padding: "nan", ...options });
  });

  test("with several threads", async () => {
    const made = program(cell, 5);
    for (const options of batches) await expectSame(made, { padding: "nan", ...options }, 2);
  });
});

const shapes = {
  "a matrix that outer products are added to": `S[t] = b * S[t-1] + outer(k[t], x[t])
  h[t] = S[t] @ x[t]`,
  "a matrix and a number": `S[t] = tanh(b) * S[t-1] + outer(k[t], x[t]) * n[t]
  n[t] = 0.5 * n[t-1] + sum(k[t])
  h[t] = S[t] @ x[t]`,
  "a value without examples": `w[t] = a * w[t-1] + (1 - a)
  h[t] = k[t] / w[t] + sum(x[t]) + sum(b)`,
} as const;

describe.each(Object.entries(shapes))("%s", (_, cell) => {
  test("gives the same", async () => {
    const made = compileText(
      "shapes.frond",
      `model Shapes {
  axis t
  input  x[t]: real[7]
  input  k[t]: real[5]
  target y[t]: real[5]
  param raw: real[5]  = uniform(-1, 1)
  param b: real[5, 7] = uniform(-1, 1)
  a = sigmoid(raw)
  ${cell}
  output p[t] = h[t]
  loss = mean[t](mse(h[t], y[t]))
}`,
    ).gradients();
    expect(scansOf(made)).not.toEqual([]);
    for (const options of batches) await expectSame(made, { padding: "nan", ...options });
  });
});

describe("which loops are scans", () => {
  test.each([
    ["exponential-average", ["forward m", "forward w", "backward m", "backward w"]],
    ["ind-rnn", ["forward h.h", "backward h.h"]],
    ["linear-attention", ["forward h.S", "forward h.z", "backward h.S", "backward h.z"]],
    ["lru", ["forward h.re", "backward h.re"]],
    ["min-gru", ["forward h.h", "backward h.h"]],
    ["qrnn", ["forward h.c", "backward h.c"]],
    ["sru", ["forward h.c", "backward h.forget"]],
    ["strongly-typed", ["forward h.h", "backward h.h"]],
    // Products and sums over features are in the way, and what is carried by two steps.
    ["lstm", []],
    ["layer-norm-lstm", []],
    ["lag-two", []],
  ])("%s", (name, expected) => {
    const scans = scansOf(compileNamed(name).gradients());
    expect(scans).toEqual(expected.map(scan => `scan ${scan}`));
  });

  test("none of those unrolled by a factor", () => {
    const made = compileNamed("min-gru").gradients();
    expect(scansOf({ ...made, schedule: unrollBy(made.schedule, 2) })).toEqual([]);
  });
});
