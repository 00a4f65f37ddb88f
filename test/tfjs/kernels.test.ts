// The parts of the cpu backend by themselves: products against plain loops, strides, memory, generated nests.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layOut } from "../../backends/plan/arena.ts";
import { collapse, denseStrides, offsetTable, product, reshapeDims } from "../../backends/plan/layout.ts";
import { cpu } from "../../backends/tfjs/cpu.ts";
import { elementwiseKernel, elementwiseSpec } from "../../backends/tfjs/elementwise.ts";
import { matMulKernel, matMulSpec } from "../../backends/tfjs/matmul.ts";
import { reduceKernel, reduceSpec } from "../../backends/tfjs/reduce.ts";
import { unrollBy } from "../../compiler/unroll/partial.ts";
import { programOf } from "../backends/run.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { bidirectional, lags, lstm, withGradients } from "../harness/graphs.ts";
import { tolerances } from "../harness/tolerances.ts";
import { onBackend } from "../harness/training.ts";

const seed = 20261123;

const numbers = (count: number, phase: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(phase + 1.7 * i)));

describe("products", () => {
  const size = fc.integer({ min: 0, max: 9 });
  // At and around the ends of blocks: of summands, and of columns.
  const long = fc.oneof(size, fc.constantFrom(255, 256, 257, 600));
  const wide = fc.oneof({ arbitrary: size, weight: 2 }, fc.constantFrom(509, 510, 511, 513, 1021));
  const order = fc.shuffledSubarray([0, 1, 2], { minLength: 3, maxLength: 3 });

  test("agree with plain loops, whatever the sizes and the order of the dimensions", () => {
    const property = fc.property(
      fc.tuple(fc.integer({ min: 1, max: 3 }), size, wide, long),
      fc.tuple(order, order, order),
      fc.boolean(),
      fc.boolean(),
      ([h, m, n, k], orders, accumulate, keep) => {
        const layout = (sizes: readonly number[], by: readonly number[]): number[] => {
          const strides = denseStrides(by.map(d => sizes[d]!));
          return sizes.map((_, d) => strides[by.indexOf(d)]!);
        };
        const l = layout([h, m, k], orders[0]);
        const r = layout([h, k, n], orders[1]);
        const o = layout([h, m, n], orders[2]);
        const dims = {
          h: { sizes: [h], left: [l[0]!], right: [r[0]!], out: [o[0]!] },
          m: { sizes: [m], left: [l[1]!], right: [0], out: [o[1]!] },
          n: { sizes: [n], left: [0], right: [r[2]!], out: [o[2]!] },
          k: { sizes: [k], left: [l[2]!], right: [r[1]!], out: [0] },
        };
        const [left, right] = [numbers(h * m * k, 1), numbers(h * k * n, 2)];
        const out = numbers(h * m * n, 3);
        const expected = Float64Array.from(out, value => (accumulate ? value : 0));
        for (let a = 0; a < h; a++)
          for (let i = 0; i < m; i++)
            for (let j = 0; j < n; j++)
              for (let s = 0; s < k; s++)
                expected[a * o[0]! + i * o[1]! + j * o[2]!]! +=
                  left[a * l[0]! + i * l[1]! + s * l[2]!]! * right[a * r[0]! + s * r[1]! + j * r[2]!]!;
        const kept = (size: number) => ({ panels: new Float32Array(size), fresh: false });
        const { specOf, swapped } = matMulSpec(dims, accumulate, keep ? kept : null);
        const spec = specOf();
        const start = Float32Array.from(out);
        // Kept panels serve the second call.
        for (let call = 0; call < 2; call++) {
          out.set(start);
          matMulKernel(swapped ? [right, left, out] : [left, right, out], Int32Array.of(0, 0, 0), spec);
        }
        for (const [i, value] of out.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-4);
      },
    );
    fc.assert(property, { seed, numRuns: 150 });
  });
});

test("sums and maxima agree with plain loops over any kept and reduced dimensions", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });
  const property = fc.property(
    sizes,
    fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    (shape, choice) => {
      const strides = denseStrides(shape);
      const part = (reduced: boolean) => {
        const dims = shape.map((_, d) => d).filter(d => choice[d] === reduced);
        return { sizes: dims.map(d => shape[d]!), strides: [dims.map(d => strides[d]!)] };
      };
      const [kept, reduced] = [part(false), part(true)];
      const x = numbers(product(shape), 4);
      const rows = offsetTable(kept.sizes, kept.strides[0]!);
      const elements = offsetTable(reduced.sizes, reduced.strides[0]!);
      const row = (r: number): number[] => [...elements].map(e => x[rows[r]! + e]!);
      const out = new Float32Array(rows.length);
      reduceKernel([x, out], Int32Array.of(0, 0), reduceSpec("sum", kept, reduced, false));
      for (const r of rows.keys())
        expect(out[r]).toBeCloseTo(
          row(r).reduce((a, b) => a + b, 0),
          4,
        );
      reduceKernel([x, out], Int32Array.of(0, 0), reduceSpec("max", kept, reduced, false));
      for (const r of rows.keys()) expect(out[r]).toBe(Math.max(...row(r)));
      reduceKernel([x, out], Int32Array.of(0, 0), reduceSpec("logsumexp", kept, reduced, false));
      for (const r of rows.keys()) {
        expect(out[r]).toBeCloseTo(Math.log(row(r).reduce((a, b) => a + Math.exp(b), 0)), 4);
      }
    },
  );
  fc.assert(property, { seed, numRuns: 150 });
});

test("rows that lie side by side have infinite largest values and sums of their exponentials", () => {
  const [rows, elements] = [8, 3];
  const column = [-Infinity, Infinity, Number.NaN, 1, 0, -Infinity, 2, -3];
  const x = Float32Array.from({ length: rows * elements }, (_, i) => column[i % rows]!);
  const nests = [{ sizes: [rows], strides: [[1]] }, { sizes: [elements], strides: [[rows]] }] as const; // biome-ignore format: two
  const out = new Float32Array(rows);
  reduceKernel([x, out], Int32Array.of(0, 0), reduceSpec("logsumexp", ...nests, false));
  const finite = (value: number): number => Math.fround(value + Math.log(elements));
  expect([...out].map(Math.fround)).toEqual(column.map(value => (Number.isFinite(value) ? finite(value) : value))); // biome-ignore format: one call
  reduceKernel([x, out], Int32Array.of(0, 0), reduceSpec("max", ...nests, false));
  expect([...out]).toEqual(column);
});

test("collapsing a nest keeps every operand's elements in order", () => {
  const dim = fc.record({ size: fc.integer({ min: 1, max: 4 }), a: fc.integer({ min: 0, max: 12 }), b: fc.integer({ min: 0, max: 12 }) }); // biome-ignore format: a record
  const property = fc.property(fc.array(dim, { maxLength: 4 }), dims => {
    const sizes = dims.map(({ size }) => size);
    const strides = [dims.map(({ a }) => a), dims.map(({ b }) => b)];
    const nest = collapse({ sizes, strides });
    for (const k of [0, 1]) {
      expect([...offsetTable(nest.sizes, nest.strides[k]!)]).toEqual([...offsetTable(sizes, strides[k]!)]);
    }
  });
  fc.assert(property, { seed, numRuns: 300 });
});

test("a reshape by strides shows the same elements in the same order, or says that it cannot", () => {
  const shapes = fc.constantFrom([12], [3, 4], [2, 6], [2, 3, 2], [1, 12], [4, 1, 3], [2, 2, 3, 1]);
  const strides = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 4, maxLength: 4 });
  const property = fc.property(shapes, shapes, fc.boolean(), strides, (from, to, dense, any) => {
    const dims = dense ? denseStrides(from) : from.map((_, d) => any[d]!);
    const seen = reshapeDims({ offset: 0, shape: from, dims }, to);
    if (dense) expect(seen).not.toBeNull();
    if (seen !== null) expect([...offsetTable(to, seen)]).toEqual([...offsetTable(from, dims)]);
  });
  fc.assert(property, { seed, numRuns: 500 });
});

test("values that live at the same time never share memory", () => {
  const claim = fc
    .tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 6 }))
    .map(([size, from, length]) => ({ size, from, to: from + length }));
  const property = fc.property(fc.array(claim, { maxLength: 40 }), claims => {
    const { offsets, total } = layOut(claims);
    for (const [i, a] of claims.entries()) {
      expect(offsets[i]! + a.size).toBeLessThanOrEqual(total);
      for (const [j, c] of claims.entries()) {
        const together = i !== j && a.from <= c.to && c.from <= a.to && a.size > 0 && c.size > 0;
        if (together)
          expect(offsets[i]! + a.size <= offsets[j]! || offsets[j]! + c.size <= offsets[i]!).toBe(true);
      }
    }
  });
  fc.assert(property, { seed, numRuns: 300 });
});

test("memory is used again", () => {
  const chain = Array.from({ length: 50 }, (_, i) => ({ size: 160, from: i, to: i + 1 }));
  expect(layOut(chain).total).toBe(320);
});

test("a generated nest walks strided operands and writes several results", () => {
  const body = { loads: 2, statements: ["const v0 = l0 + l1;"], stores: ["v0", "v0 * 2"] };
  const nest = { sizes: [2, 3], strides: [[1, 2], [0, 1], [3, 1], [1, 2]] }; // biome-ignore format: strides
  const [a, b] = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(10, 20, 30)];
  const [sum, double] = [new Float32Array(6), new Float32Array(6)];
  elementwiseKernel([a, b, sum, double], Int32Array.of(0, 0, 0, 0), elementwiseSpec(body, nest));
  expect([...sum]).toEqual([11, 23, 35, 12, 24, 36]);
  expect([...double]).toEqual([22, 24, 46, 48, 70, 72]);
});

test.each([2, 3, 8])("loops unrolled by %i give the same numbers", async factor => {
  for (const make of [lstm, lags, bidirectional]) {
    const program = programOf(withGradients(make()));
    const unrolled = { ...program, schedule: unrollBy(program.schedule, factor) };
    const environment = randomEnvironment(program.graph, { batch: 3, extent: 7 });
    const error = outputsError(
      await onBackend(cpu, unrolled, environment),
      await onBackend(cpu, program, environment),
    );
    expect(error).toBeLessThan(tolerances.float32);
  }
});
