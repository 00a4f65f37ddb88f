// The hand-written cells against PyTorch's numbers, and where PyTorch has no such cell, against properties.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LayerGolden } from "../golden/golden.ts";
import { cube, layerGoldens, matrix } from "../golden/golden.ts";
import { tolerances } from "../harness/tolerances.ts";
import { handwrittenCases } from "./cases.ts";
import type { GruWeights, LstmWeights, Start } from "./cells.ts";
import { attentionForward, gruBeforeForward, gruForward, lstmForward } from "./cells.ts";

/** [batch][step][unit] of the hand-written cell `prefix` ("f", "b", "a", "h") over x. */
function forward(golden: LayerGolden, prefix: string, x: number[][][], start: Start = {}): number[][][] {
  const { parameters, lengths } = golden;
  const W = matrix(parameters[`${prefix}.W`]!);
  const U = matrix(parameters[`${prefix}.U`]!);
  const b = parameters[`${prefix}.b`]!.data;
  const bu = parameters[`${prefix}.bu`]?.data;
  return bu === undefined
    ? lstmForward(x, lengths.t!, { W, U, b }, start)
    : gruForward(x, lengths.t!, { W, U, b, bu }, start);
}

/** What the golden's program computes, from hand-written cells. */
function compute(golden: LayerGolden): number[][][] {
  const { name, inputs } = golden;
  const x = cube(inputs.x!);
  if (name.includes("bidirectional")) {
    const f = forward(golden, "f", x);
    const b = forward(golden, "b", x, { reverse: true });
    return f.map((steps, e) => steps.map((h, t) => [...h, ...b[e]![t]!]));
  }
  if (name.includes("stacked")) return forward(golden, "h", forward(golden, "a", x));
  const { h0, c0 } = inputs;
  return forward(golden, "h", x, {
    ...(h0 === undefined ? {} : { h0: matrix(h0) }),
    ...(c0 === undefined ? {} : { c0: matrix(c0) }),
  });
}

function expectClose(actual: number[][][], expected: number[][][]): void {
  const [a, b] = [actual.flat(2), expected.flat(2)];
  expect(a.length).toBe(b.length);
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(tolerances.handwritten);
}

describe("hand-written cells agree with PyTorch", () => {
  const cases = layerGoldens.filter(({ name }) => !name.startsWith("elman"));
  test.each(cases.map(golden => [golden.name, golden] as const))("%s", (_, golden) => {
    expectClose(compute(golden), cube(golden.outputs.y!));
  });
});

/** A random matrix of rows x columns in -1..1. */
const matrices = (rows: number, columns: number) => {
  const value = fc.double({ min: -1, max: 1, noNaN: true });
  const row = fc.array(value, { minLength: columns, maxLength: columns });
  return fc.array(row, { minLength: rows, maxLength: rows });
};

describe("reset before the product", () => {
  test("equals reset after where the state's product for n is elementwise", () => {
    const steps = fc.tuple(matrices(4, 2), matrices(2, 9), matrices(3, 6), matrices(2, 9));
    fc.assert(
      fc.property(steps, ([x, W, U, [b, diagonal]]) => {
        const Un = [0, 1, 2].map(i => [0, 1, 2].map(j => (i === j ? diagonal![i]! : 0)));
        const before = gruBeforeForward([x], [4], { W, U, Un, b: b! });
        const joined = U.map((row, i) => [...row, ...Un[i]!]);
        const after = gruForward([x], [4], { W, U: joined, b: b!, bu: new Array(9).fill(0) });
        expectClose(before, after);
      }),
      { seed: 2, numRuns: 50 },
    );
  });

  test("differs from reset after otherwise", () => {
    const W = [[0.5, -0.4, 0.3, 0.2, 0.1, -0.6]];
    const U = [
      [0.5, -0.5, 0.3, 0.2],
      [0.1, 0.2, -0.7, 0.4],
    ];
    const Un = [
      [0.1, 0.9],
      [-0.8, 0.2],
    ];
    const b = [0.1, -2, 0, 0, 0, 0];
    const before = gruBeforeForward([[[1], [1], [1]]], [3], { W, U, Un, b });
    const joined: GruWeights = { W, U: U.map((row, i) => [...row, ...Un[i]!]), b, bu: [0, 0, 0, 0, 0, 0] };
    const after = gruForward([[[1], [1], [1]]], [3], joined);
    expect(Math.abs(before[0]![2]![0]! - after[0]![2]![0]!)).toBeGreaterThan(1e-3);
  });
});

describe("the attention decoder", () => {
  const gru = (d: number) => fc.tuple(matrices(d, 6), matrices(2, 6), matrices(2, 6));

  test("with one source position is a GRU fed with that position", () => {
    const parts = fc.tuple(gru(5), matrices(3, 2), matrices(1, 3), matrices(1, 4), matrices(3, 4));
    fc.assert(
      fc.property(parts, ([[W, U, [b, bu]], x, encoded, keys, [d0, q, v]]) => {
        const weights = { W, U, b: b!, bu: bu! };
        const Wq = [q!, q!];
        const start = [d0!.slice(0, 2)];
        const attend = { Wq, v: v!, gru: weights };
        // A second position, in the padding.
        const padded = [[...encoded, [1e30, 1e30, 1e30]]];
        const decoded = attentionForward([x], [3], padded, [[...keys, [9, 9, 9, 9]]], [1], start, attend);
        const plain = gruForward([x.map(row => [...row, ...encoded[0]!])], [3], weights, { h0: start });
        expectClose(decoded, plain);
      }),
      { seed: 3, numRuns: 30 },
    );
  });

  test("does not depend on the order of the source", () => {
    const parts = fc.tuple(gru(5), matrices(3, 2), matrices(4, 3), matrices(4, 4), matrices(3, 4));
    fc.assert(
      fc.property(parts, ([[W, U, [b, bu]], x, encoded, keys, [d0, q, v]]) => {
        const attend = { Wq: [q!, v!], v: v!, gru: { W, U, b: b!, bu: bu! } };
        const start = [d0!.slice(0, 2)];
        const run = (e: number[][], k: number[][]) =>
          attentionForward([x], [3], [e], [k], [4], start, attend);
        expectClose(run(encoded, keys), run(encoded.toReversed(), keys.toReversed()));
      }),
      { seed: 4, numRuns: 30 },
    );
  });
});

test("an LSTM whose forget gate is open and input gate closed keeps its cell", () => {
  const weights: LstmWeights = { W: [[0, 0, 0, 0]], U: [[0, 0, 0, 0]], b: [-1e3, 1e3, 0, 1e3] };
  const h = lstmForward([[[1], [2], [3]]], [2], weights, { c0: [[0.5]] });
  expect(h).toEqual([[[Math.tanh(0.5)], [Math.tanh(0.5)], [0]]]);
});

test("the cases for the compiler are finite and have zeros in the padding", () => {
  for (const { outputs, lengths } of handwrittenCases) {
    cube(outputs.y!).forEach((steps, example) => {
      steps.forEach((y, t) => {
        const inside = t < lengths.t![example]!;
        expect(y.every(value => (inside ? value !== 0 && Math.abs(value) < 2 : value === 0))).toBe(true);
      });
    });
  }
});
