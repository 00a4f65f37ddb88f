// Every function of a device's prelude, for one number and for four, as the device computes it against JavaScript's Math;
// the random numbers against compiler/ops/random.ts.

import { describe, expect, test } from "vitest";
import type { Dialect } from "../../backends/gpu/device.ts";
import { type Draw, drawNormal, drawUniform } from "../../compiler/ops/random.ts";
import { tolerances } from "../harness/tolerances.ts";

// biome-ignore format: a grid
const special: readonly number[] = [
  0, -0, NaN, Infinity, -Infinity, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1.2e-38, -1.2e-38, 3e38, -3e38, 3.4028234e38,
  1e-30, -1e-30, 1e30, -1e30, 88.7228, 88.7229, -87.3, -87.4, 2 ** 24, 2 ** 24 - 1, 2 ** 23 - 0.5, -0.29, 0.41,
  0.99999994, -0.99999994, 1.0000001,
];
const steps = (from: number, to: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / count);
const sizes = steps(-37, 38, 600).map(power => 10 ** power);
const numbers = [
  ...special,
  ...sizes,
  ...sizes.map(x => -x),
  ...steps(-20, 20, 1500),
  ...steps(-104, 104, 700),
];

// biome-ignore format: a grid
const few = [
  ...special, 0.1, -0.1, 1.5, -1.5, 7, 10, -33, 127, 128, -126, 1e5, -1e-5, 2.5, 1e20, 0.999, 1.01, -4,
];
const pairs = few.flatMap(a => few.map(b => [a, b] as const));
const spread = steps(-10, 10, 41).flatMap(power =>
  steps(-19, 20, 37).map(b => [Math.exp(power), b] as const),
);

/** Of float32 numbers. `within`: below this size of the operand only; `absolute`: errors are not relative. */
interface Case {
  readonly operands: 1 | 2 | 3;
  readonly expected: (a: number, b: number, c: number) => number;
  readonly error?: number;
  readonly within?: number;
  readonly absolute?: boolean;
}

const truth = (holds: boolean): number => (holds ? 1 : 0);
const exact = 0;
/** What is asked of backends/gpu/prelude.ts. */
const close = 1e-6;

const cases: Readonly<Record<string, Case>> = {
  exp: { operands: 1, expected: Math.exp },
  log: { operands: 1, expected: Math.log },
  log1p: { operands: 1, expected: Math.log1p },
  sqrt: { operands: 1, expected: Math.sqrt },
  sin: { operands: 1, expected: Math.sin, within: 1e4, absolute: true },
  cos: { operands: 1, expected: Math.cos, within: 1e4, absolute: true },
  tanh: { operands: 1, expected: Math.tanh },
  sigmoid: { operands: 1, expected: x => 1 / (1 + Math.exp(-x)) },
  softplus: { operands: 1, expected: x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) },
  abs: { operands: 1, expected: Math.abs, error: exact },
  sign: { operands: 1, expected: Math.sign, error: exact },
  floor: { operands: 1, expected: Math.floor, error: exact },
  trunc: { operands: 1, expected: Math.trunc, error: exact },
  div: { operands: 2, expected: (a, b) => a / b },
  pow: { operands: 2, expected: (a, b) => a ** b },
  maximum: { operands: 2, expected: (a, b) => Math.max(a, b), error: exact },
  minimum: { operands: 2, expected: (a, b) => Math.min(a, b), error: exact },
  expdiff: { operands: 2, expected: (a, b) => (a === -Infinity ? 0 : Math.exp(Math.fround(a - b))) },
  equal: { operands: 2, expected: (a, b) => truth(a === b), error: exact },
  notEqual: { operands: 2, expected: (a, b) => truth(a !== b), error: exact },
  less: { operands: 2, expected: (a, b) => truth(a < b), error: exact },
  lessEqual: { operands: 2, expected: (a, b) => truth(a <= b), error: exact },
  greater: { operands: 2, expected: (a, b) => truth(a > b), error: exact },
  greaterEqual: { operands: 2, expected: (a, b) => truth(a >= b), error: exact },
  where: { operands: 3, expected: (c, a, b) => (c !== 0 ? a : b), error: exact },
};

/** Devices may take numbers that are not normal for 0; some steps of the functions halve what they are given. */
const TINY = 2 ** -125;

/** How far a result is from the right one; infinite where one is special only, or zeros have other signs. */
function errorOf(got: number, right: number, absolute: boolean): number {
  const wanted = Math.fround(right);
  if (Object.is(got, wanted) || (got === wanted && wanted !== 0)) return 0;
  if (!Number.isFinite(got) || !Number.isFinite(wanted)) return Infinity;
  if (wanted === 0 && got === 0) return Infinity;
  if (Math.abs(wanted) < TINY && Math.abs(got) < TINY) return 0;
  return Math.abs(got - right) / (absolute ? 1 : Math.abs(right));
}

const parameters = [
  ["i32", "row"],
  ["i32", "column"],
] as const;
/** The operands in texels, those that are too few padded by 1. */
function texelsOf(columns: readonly (readonly number[])[]): number[][] {
  const size = 4 * Math.ceil(columns[0]!.length / 4);
  return columns.map(column => Array.from({ length: size }, (_, i) => column[i] ?? 1));
}

/** What a body computes, `count` numbers in rows of one texel, from inputs of rows like them. */
export type Compute = (
  body: string,
  inputs: readonly (readonly number[])[],
  count: number,
) => Promise<number[]>;

export function testPrelude(dialect: Dialect, compute: Compute): void {
  const bodyOf = (result: string): string =>
    `${dialect.head("texel", parameters, "vec4f")} return ${result}; }`;

  describe.each(Object.entries(cases))("%s", (name, wanted) => {
    const { operands, expected, error = close, within = Infinity, absolute = false } = wanted;
    const points: readonly (readonly number[])[] =
      operands === 1
        ? numbers.map(x => [x])
        : operands === 2
          ? [...pairs, ...spread]
          : few.flatMap(c => special.map(a => [c, a, -2]));
    const columns = texelsOf(
      Array.from({ length: operands }, (_, k) => points.map(point => Math.fround(point[k]!))),
    );
    const inputs = columns.map((_, k) => `read${k}(row, column)`);
    const each = ["x", "y", "z", "w"].map(
      part => `${name}1(${inputs.map(input => `${input}.${part}`).join(", ")})`,
    );

    test.each([
      ["one", `vec4f(${each.join(", ")})`],
      ["four", `${name}4(${inputs.join(", ")})`],
    ])("of %s", async (_, result) => {
      const got = await compute(bodyOf(result), columns, columns[0]!.length);
      const worst = got
        .map((value, i) => {
          const [a, b, c] = columns.map(column => column[i]!) as [number, number, number];
          const right = expected(a, b, c);
          const far = Math.abs(a) > within && Number.isFinite(a);
          return { a, b, c, value, right, error: far ? 0 : errorOf(value, right, absolute) };
        })
        .reduce((x, y) => (y.error > x.error ? y : x));
      if (worst.error > error) expect(worst).toEqual({ ...worst, error: `at most ${error}` });
    });
  });

  test("literals are what they say, and parts and choices those that were asked for", async () => {
    const values = [0.1, -1.5, 3, 1e-30, 2 ** 31, 1 / 3, Math.PI, -1e38, Infinity, -Infinity, NaN, -0];
    const rows = [0, 4, 8].map(
      k => `vec4f(${[0, 1, 2, 3].map(i => dialect.number(values[k + i]!)).join(", ")})`,
    );
    const pick = `select4(select4(${rows[2]}, ${rows[1]}, row == 1), ${rows[0]}, row == 0)`;
    expect(await compute(bodyOf(pick), [], 12)).toEqual(values.map(Math.fround));
    const chosen =
      "select4(vec4f(1.0), vec4f(part(v, 3), part(v, 0), part(v, row + 1), part(v, 2)), row == 1)";
    const parts = `${dialect.head("texel", parameters, "vec4f")} ${dialect.define("vec4f", "v", "read0(row, column)")}
      return ${chosen} + select1(0.0, 10.0, row == 0); }`;
    expect(await compute(parts, [[1, 2, 3, 4, 5, 6, 7, 8]], 8)).toEqual([11, 11, 11, 11, 8, 5, 7, 7]);
  });

  describe("random numbers", () => {
    const draws = Array.from({ length: 400 }, (_, row): Draw => {
      const place = { example: row % 7, position: row * 0x01000193, feature: row, site: row >> 3 };
      return { ...place, seed: 0xdeadbeef - row, step: row * 3 };
    });
    const call = (name: string): string =>
      bodyOf(`vec4f(${name}(row % 7, row * 0x01000193, row, row >> 3, (${0xdeadbeef | 0}) - row, row * 3))`);
    const drawn = async (name: string): Promise<number[]> =>
      (await compute(call(name), [], 4 * draws.length)).filter((_, i) => i % 4 === 0);

    test("are the same to the bit where they are uniform", async () => {
      expect(await drawn("uniform1")).toEqual(draws.map(drawUniform));
    });

    test("are the same up to rounding where they are normal", async () => {
      const got = await drawn("normal1");
      const errors = draws.map((draw, i) => Math.abs(got[i]! - drawNormal(draw)));
      expect(Math.max(...errors)).toBeLessThan(tolerances.float32Rounding);
    });
  });
}
