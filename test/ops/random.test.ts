import { expect, test } from "vitest";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { drawNormal, drawUniform, philox, positionOf } from "../../compiler/ops/random.ts";

/** Known answers of Random123 (examples/kat_vectors, philox4x32 10): counter, key, result. */
const known: readonly (readonly [readonly number[], readonly [number, number], readonly number[]])[] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test.each(known)("philox 4x32-10 of %j under %j", (counter, [key0, key1], result) => {
  const words = Uint32Array.from(counter);
  philox(words, key0, key1);
  expect([...words]).toEqual(result);
});

const place = { seed: 5, step: 2, site: 1, example: 0, position: 3 };
const sample = (draw: typeof drawUniform): number[] =>
  Array.from({ length: 20000 }, (_, feature) => draw({ ...place, feature }));

const moments = (xs: readonly number[]): readonly [number, number] => {
  const mean = xs.reduce((sum, x) => sum + x, 0) / xs.length;
  return [mean, xs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / xs.length];
};

test("uniform draws lie in (0, 1) and have its mean and variance", () => {
  const xs = sample(drawUniform);
  expect(xs.every(x => x > 0 && x < 1)).toBe(true);
  const [mean, variance] = moments(xs);
  expect(mean).toBeCloseTo(1 / 2, 2);
  expect(variance).toBeCloseTo(1 / 12, 2);
});

test("normal draws have mean 0 and variance 1", () => {
  const [mean, variance] = moments(sample(drawNormal));
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(variance - 1)).toBeLessThan(0.03);
});

test("a normal draw is Box and Muller's of the first two words", () => {
  const words = Uint32Array.of(4, 3, 2, 1);
  philox(words, 5, 6);
  const [u, v] = [...words].map(word => ((word >>> 9) + 0.5) * 2 ** -23) as [number, number];
  const draw = drawNormal({ example: 4, position: 3, feature: 2, site: 1, seed: 5, step: 6 });
  expect(draw).toBe(Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v));
});

test("every part of the place and the key changes the draw", () => {
  const base = { ...place, feature: 0 };
  const draws = [base, ...Object.keys(base).map(key => ({ ...base, [key]: 9 }))].map(drawUniform);
  expect(new Set(draws).size).toBe(draws.length);
});

test("a single axis's index is the position; several differ in their order", () => {
  const [t, s] = ["t" as AxisId, "s" as AxisId];
  expect(positionOf([t], () => 17)).toBe(17);
  expect(positionOf([], () => 17)).toBe(0);
  const at = (i: number, j: number): number => positionOf([t, s], axis => (axis === t ? i : j));
  expect(at(1, 2)).not.toBe(at(2, 1));
});
