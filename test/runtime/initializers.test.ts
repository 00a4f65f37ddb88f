// Initial weights: their statistics, orthonormality, and that each depends on the seed and its own name only.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AxisId } from "../../compiler/graph/graph.ts";
import type { Initializer, ParameterSpec } from "../../compiler/lower/model.ts";
import { initialize } from "../../runtime/initializers.ts";
import { orthonormal } from "../../runtime/orthonormal.ts";
import { tolerances } from "../harness/tolerances.ts";

const spec = (
  init: Initializer,
  shape: readonly number[],
  name = "h.W",
  axes: AxisId[] = [],
): ParameterSpec => ({
  name,
  shape,
  axes,
  init,
  span: null,
});
const values = (init: Initializer, shape: readonly number[], seed = 1) =>
  initialize(spec(init, shape), [], seed).data;

function moments(data: Iterable<number>): { mean: number; deviation: number; least: number; most: number } {
  const all = [...data];
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
  return { mean, deviation: Math.sqrt(variance), least: Math.min(...all), most: Math.max(...all) };
}

describe("statistics of 200 x 300 values", () => {
  const shape = [200, 300];
  const glorot = Math.sqrt(2 / 500);
  const cases: readonly [Initializer, { mean: number; deviation: number; bound?: number }][] = [
    [
      { kind: "uniform", low: -1, high: 3 },
      { mean: 1, deviation: 4 / Math.sqrt(12), bound: 2 },
    ],
    [
      { kind: "normal", mean: 2, deviation: 0.5 },
      { mean: 2, deviation: 0.5 },
    ],
    [{ kind: "glorotUniform" }, { mean: 0, deviation: glorot, bound: Math.sqrt(6 / 500) }],
    [{ kind: "glorotNormal" }, { mean: 0, deviation: glorot }],
    [{ kind: "heUniform" }, { mean: 0, deviation: Math.sqrt(2 / 200), bound: Math.sqrt(6 / 200) }],
    [{ kind: "heNormal" }, { mean: 0, deviation: Math.sqrt(2 / 200) }],
    [{ kind: "lecunNormal" }, { mean: 0, deviation: Math.sqrt(1 / 200) }],
  ];
  test.each(cases)("%o", (init, expected) => {
    const found = moments(values(init, shape));
    // 60,000 values: the mean's own deviation is a 245th of theirs, five of them are allowed.
    expect(Math.abs(found.mean - expected.mean)).toBeLessThan((5 / 245) * expected.deviation);
    expect(Math.abs(found.deviation / expected.deviation - 1)).toBeLessThan(0.02);
    if (expected.bound !== undefined) {
      expect(found.most - expected.mean).toBeLessThanOrEqual(expected.bound);
      expect(expected.mean - found.least).toBeLessThanOrEqual(expected.bound);
      expect(found.most - expected.mean).toBeGreaterThan(0.99 * expected.bound);
    }
  });
});

test("a window of a convolution counts in both fans", () => {
  const found = moments(values({ kind: "glorotUniform" }, [3, 3, 20, 40]));
  const bound = Math.sqrt(6 / (9 * 20 + 9 * 40));
  expect(found.most).toBeLessThanOrEqual(bound);
  expect(found.most).toBeGreaterThan(0.98 * bound);
});

test("fill, identity and concat", () => {
  expect([...values({ kind: "fill", value: 1.5 }, [3])]).toEqual([1.5, 1.5, 1.5]);
  expect([...values({ kind: "identity", gain: 2 }, [2, 3])]).toEqual([2, 0, 0, 0, 2, 0]);
  const parts: Initializer = {
    kind: "concat",
    parts: [
      { size: 1, init: { kind: "fill", value: 0 } },
      { size: 2, init: { kind: "fill", value: 1 } },
      { size: 1, init: { kind: "fill", value: 2 } },
    ],
  };
  expect([...values(parts, [4])]).toEqual([0, 1, 1, 2]);
  expect([...values(parts, [2, 4])]).toEqual([0, 1, 1, 2, 0, 1, 1, 2]);
});

test("a parameter along a static axis starts anew at each index", () => {
  const k = "k" as AxisId;
  const made = initialize(
    spec({ kind: "orthogonal", gain: 1 }, [4, 4], "c.W", [k]),
    [{ id: k, length: 3 }],
    1,
  );
  expect(made.shape).toEqual([3, 4, 4]);
  const copies = [0, 1, 2].map(i => made.data.slice(16 * i, 16 * i + 16));
  for (const copy of copies)
    expect(worstGram(Float64Array.from(copy), 4, 4)).toBeLessThan(tolerances.float32Rounding);
  expect(copies[0]).not.toEqual(copies[1]);
});

test("orthonormal rows or columns of any rectangular matrix", () => {
  const size = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(size, size, fc.integer(), (rows, columns, seed) => {
      const matrix = Float64Array.from(
        initialize(spec({ kind: "normal", mean: 0, deviation: 1 }, [rows, columns]), [], seed).data,
      );
      expect(worstGram(orthonormal(matrix, rows, columns), rows, columns)).toBeLessThan(
        tolerances.float64Rounding,
      );
    }),
    { seed: 1, numRuns: 200 },
  );
});

test("the orthonormal factor is the matrix's own: its triangle has a positive diagonal", () => {
  const matrix = Float64Array.of(-3, 1, 4, 1, -5, 9);
  const q = orthonormal(matrix, 3, 2);
  const r = (i: number, j: number) =>
    [0, 1, 2].reduce((sum, k) => sum + q[2 * k + i]! * matrix[2 * k + j]!, 0);
  expect(r(0, 0)).toBeGreaterThan(0);
  expect(r(1, 1)).toBeGreaterThan(0);
  expect(Math.abs(r(1, 0))).toBeLessThan(tolerances.float64Rounding);
});

test("gain scales an orthogonal matrix", () => {
  const once = values({ kind: "orthogonal", gain: 1 }, [3, 5]);
  const twice = values({ kind: "orthogonal", gain: 2 }, [3, 5]);
  expect([...twice]).toEqual([...once].map(value => 2 * value));
});

test("values depend on seed and name, and on nothing else", () => {
  const init: Initializer = { kind: "glorotUniform" };
  const make = (name: string, seed: number) => [...initialize(spec(init, [3, 4], name), [], seed).data];
  const before = make("h.W", 7);
  make("h.U", 7);
  expect(make("h.W", 7)).toEqual(before);
  expect(make("h.U", 7)).not.toEqual(before);
  expect(make("h.W", 8)).not.toEqual(before);
});

/** The largest difference of the Gram matrix of the shorter side from the identity. */
function worstGram(matrix: Float64Array, rows: number, columns: number): number {
  const tall = rows >= columns;
  const size = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  const at = (vector: number, i: number) => matrix[tall ? i * columns + vector : vector * columns + i]!;
  let worst = 0;
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) {
      let dot = 0;
      for (let i = 0; i < length; i++) dot += at(a, i) * at(b, i);
      worst = Math.max(worst, Math.abs(dot - (a === b ? 1 : 0)));
    }
  }
  return worst;
}
