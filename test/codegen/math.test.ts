// The elementwise functions of generated code against float64 Math: errors in units in the last place over samples of
// all float32 numbers, and special values.

import { describe, expect, test } from "vitest";
import type { Operand } from "../../backends/codegen/builder.ts";
import { FunctionBuilder, load } from "../../backends/codegen/builder.ts";
import type { Expr } from "../../backends/codegen/code.ts";
import * as math from "../../backends/codegen/math.ts";
import { encodeModule } from "../../backends/wasm/encode.ts";

type Code = (f: FunctionBuilder, a: Operand, b: Operand) => Expr;
type Meaning = (a: number, b: number) => number;

const size = 1 << 18;
const memory = new WebAssembly.Memory({ initial: (3 * 4 * size) / 65536 });
const [left, right, result] = [0, 1, 2].map(i => new Float32Array(memory.buffer, i * 4 * size, size)) as [
  Float32Array,
  Float32Array,
  Float32Array,
];
const leftBits = new Int32Array(memory.buffer, 0, size);

/** A function that fills `result` from `left` and `right`, four numbers at a time. */
function compile(code: Code): () => void {
  const f = new FunctionBuilder("run");
  f.for(0, 4 * size, 16, at => {
    const a = f.let(load("f32x", at));
    f.store(at, code(f, a, f.let(load("f32x", at, 4 * size))), 8 * size);
  });
  const run = f.finish();
  const binary = encodeModule({ functions: [run], exports: [run] }, { shared: false, maximum: 1 << 16 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), { frond: { memory } });
  return instance.exports.run as () => void;
}

const smallest = 2 ** -126;
const step = (x: number) => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -126) - 23);

/** The error in units in the last place; infinite where anything but digits is wrong. */
function error(got: number, wanted: number): number {
  const rounded = Math.fround(wanted);
  if (Object.is(got, rounded)) return 0;
  // Denormal results may be flushed.
  if (Math.abs(rounded) < smallest && got === 0) return 0;
  if (Number.isNaN(got) || Number.isNaN(wanted) || !Number.isFinite(got) || !Number.isFinite(rounded)) {
    return Infinity;
  }
  return Math.abs(got - wanted) / step(wanted);
}

interface Worst {
  readonly ulps: number;
  readonly a: number;
  readonly b: number;
}

function worstOf(run: () => void, meaning: Meaning, so: Worst = { ulps: 0, a: 0, b: 0 }): Worst {
  run();
  let worst = so;
  for (let i = 0; i < size; i++) {
    const [a, b] = [left[i]!, right[i]!];
    const ulps = error(result[i]!, meaning(a, b));
    if (ulps > worst.ulps) worst = { ulps, a, b };
  }
  return worst;
}

/** The same in every run. */
let state = 1;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** Over all float32 numbers alike, NaN and denormal ones among them, and over those from -100 to 100. */
function worstOverall(code: Code, meaning: Meaning): Worst {
  const run = compile(code);
  let worst: Worst | undefined;
  for (let block = 0; block < 4; block++) {
    for (let i = 0; i < size; i++) leftBits[i] = (block * size + i) * 4096 + Math.floor(random() * 4096);
    worst = worstOf(run, meaning, worst);
  }
  for (let i = 0; i < size; i++) left[i] = (random() - 0.5) * 2 ** (7.6 - 8 * random());
  return worstOf(run, meaning, worst);
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

describe("errors in units in the last place", () => {
  const functions: readonly (readonly [name: string, code: Code, meaning: Meaning])[] = [
    ["exp", math.exp, Math.exp],
    ["log", math.log, Math.log],
    ["log1p", math.log1p, Math.log1p],
    ["tanh", math.tanh, Math.tanh],
    ["sigmoid", math.sigmoid, sigmoid],
    ["softplus", math.softplus, softplus],
  ];
  test.each(functions)("%s: at most 4", (_, code, meaning) => {
    expect(worstOverall(code, meaning).ulps).toBeLessThanOrEqual(4);
  });

  test("sign, exactly", () => {
    expect(worstOverall(math.sign, Math.sign).ulps).toBe(0);
  });

  test.each([
    ["sin", math.sin, Math.sin],
    ["cos", math.cos, Math.cos],
  ] as const)("%s: at most 4, or 1e-7 absolutely up to 1e4", (_, code, meaning) => {
    const run = compile(code);
    for (let i = 0; i < size; i++) left[i] = (random() - 0.5) * 2 ** (0.6 - 30 * random());
    expect(worstOf(run, meaning).ulps).toBeLessThanOrEqual(4);
    for (const [range, absolute] of [
      [10, 1e-7],
      [1e4, 1e-7],
      [1e6, 1e-4],
    ] as const) {
      for (let i = 0; i < size; i++) left[i] = (random() - 0.5) * 2 * range;
      run();
      const worst = result.reduce((most, y, i) => Math.max(most, Math.abs(y - meaning(left[i]!))), 0);
      expect(worst).toBeLessThanOrEqual(absolute);
    }
    for (let i = 0; i < size; i++) left[i] = (random() - 0.5) * 10 ** (38 * random());
    run();
    expect(result.every(y => Math.abs(y) <= 1)).toBe(true);
  });

  const bases: { readonly [kind: string]: () => number } = {
    "between 0 and 10": () => random() * 10,
    "of all sizes": () => 2 ** ((random() * 2 - 1) * 149),
    "near 1": () => 1 + (random() - 0.5) * 2 ** (-23 * random()),
  };
  test.each(Object.entries(bases))("pow of numbers %s: at most 16", (_, base) => {
    const run = compile(math.pow);
    for (let i = 0; i < size; i++) {
      left[i] = base();
      // Up to where the result overflows or vanishes.
      right[i] = ((random() * 2 - 1) * 127.9) / Math.log2(left[i]!);
    }
    expect(worstOf(run, (a, b) => a ** b).ulps).toBeLessThanOrEqual(16);
  });
});

/** Results for these pairs. */
function apply(code: Code, pairs: readonly (readonly [number, number])[]): readonly number[] {
  pairs.forEach(([a, b], i) => {
    left[i] = a;
    right[i] = b;
  });
  compile(code)();
  return [...result.subarray(0, pairs.length)];
}

const one = (code: Code, ...inputs: readonly number[]): readonly number[] =>
  apply(
    code,
    inputs.map(x => [x, 0]),
  );

describe("special values", () => {
  const infinity = Number.POSITIVE_INFINITY;

  test("exp", () => {
    expect(one(math.exp, 0, -0, -infinity, infinity, 89, 1e30, -1e30, NaN)).toEqual(
      [1, 1, 0, infinity, infinity, infinity, 0, NaN], // biome-ignore format: a table
    );
    const [most] = one(math.exp, 88.7228);
    expect(most! / Math.exp(Math.fround(88.7228))).toBeCloseTo(1, 6);
  });

  test("log and log1p", () => {
    expect(one(math.log, 1, 0, -0, -1, -infinity, infinity, NaN)).toEqual(
      [0, -infinity, -infinity, NaN, NaN, infinity, NaN], // biome-ignore format: a table
    );
    expect(one(math.log1p, 0, -0, -1, -2, -infinity, infinity, NaN, 1e-30)).toEqual(
      [0, -0, -infinity, NaN, NaN, infinity, NaN, Math.fround(1e-30)], // biome-ignore format: a table
    );
  });

  test("tanh and sigmoid", () => {
    expect(one(math.tanh, infinity, -infinity, 1e30, -20, 0, -0, NaN, 1e-20, -1e-40)).toEqual(
      [1, -1, 1, -1, 0, -0, NaN, Math.fround(1e-20), Math.fround(-1e-40)], // biome-ignore format: a table
    );
    expect(one(math.sigmoid, infinity, -infinity, 1e30, -1e30, 0, NaN)).toEqual([1, 0, 1, 0, 0.5, NaN]);
  });

  test("softplus", () => {
    expect(one(math.softplus, infinity, -infinity, 1e30, NaN)).toEqual([infinity, 0, Math.fround(1e30), NaN]);
  });

  test("sin and cos", () => {
    expect(one(math.sin, 0, -0, infinity, -infinity, NaN)).toEqual([0, -0, NaN, NaN, NaN]);
    expect(one(math.cos, 0, -0, infinity, -infinity, NaN)).toEqual([1, 1, NaN, NaN, NaN]);
  });

  const values = [
    0, 1, 0.5, 2, 3, 2.5, 127, 149, 1 / 3, 1e30, 1e-40, 16777215, 16777217, 1.0000001, 0.9999999, infinity,
  ]; // biome-ignore format: a table
  const numbers = [...values, ...values.map(x => -x), NaN].map(Math.fround);
  const pairs = numbers.flatMap(a => numbers.map(b => [a, b] as const));

  test("pow of all pairs is that of JavaScript", () => {
    const got = apply(math.pow, pairs);
    pairs.forEach(([a, b], i) => {
      expect(error(got[i]!, a ** b), `${a} ** ${b} is ${got[i]}, not ${a ** b}`).toBeLessThanOrEqual(16);
    });
  });

  test("max and min of all pairs are those of Math", () => {
    expect(apply(math.max, pairs)).toEqual(pairs.map(([a, b]) => Math.max(a, b)));
    expect(apply(math.min, pairs)).toEqual(pairs.map(([a, b]) => Math.min(a, b)));
  });

  test("expdiff is exp of the difference, and 0 from -infinity", () => {
    const got = apply(math.expdiff, pairs);
    pairs.forEach(([a, b], i) => {
      const wanted = a === -infinity ? 0 : Math.exp(Math.fround(a - b));
      expect(error(got[i]!, wanted), `expdiff(${a}, ${b}) is ${got[i]}`).toBeLessThanOrEqual(4);
    });
  });
});
