// Random numbers that depend only on (seed, step) and the place where they are used, never on the order in which they
// are drawn: Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
// The counter is (example, position, feature, site), the key (seed, step). Every backend draws these numbers.

import type { AxisId } from "../graph/graph.ts";

export interface Draw {
  readonly seed: number;
  readonly step: number;
  readonly site: number;
  readonly example: number;
  /** Along the node's axes: `positionOf`. */
  readonly position: number;
  /** The feature's row-major index. */
  readonly feature: number;
}

const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
/** Weyl constants: the golden ratio and sqrt(3) - 1, as 32-bit fractions. */
const weyl = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;

/** The upper half of the 64-bit product of two unsigned 32-bit numbers, in 16-bit pieces. */
function multiplyHigh(a: number, b: number): number {
  const [a0, a1] = [a & 0xffff, a >>> 16];
  const [b0, b1] = [b & 0xffff, b >>> 16];
  const low = a0 * b0;
  const middle = a1 * b0 + (low >>> 16);
  const other = a0 * b1 + (middle % 0x10000);
  return (a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)) >>> 0;
}

/** Replaces the four words of `counter` by their encryption under the key. */
export function philox(counter: Uint32Array, key0: number, key1: number): void {
  let [k0, k1] = [key0 >>> 0, key1 >>> 0];
  for (let round = 0; round < rounds; round++) {
    const [c0, c1, c2, c3] = [counter[0]!, counter[1]!, counter[2]!, counter[3]!];
    counter[0] = multiplyHigh(multipliers[1], c2) ^ c1 ^ k0;
    counter[1] = Math.imul(multipliers[1], c2);
    counter[2] = multiplyHigh(multipliers[0], c0) ^ c3 ^ k1;
    counter[3] = Math.imul(multipliers[0], c0);
    k0 = (k0 + weyl[0]) >>> 0;
    k1 = (k1 + weyl[1]) >>> 0;
  }
}

/** A word as a number strictly between 0 and 1, of 24 bits: a 32-bit float holds it exactly. */
const unitInterval = (word: number): number => ((word >>> 9) + 0.5) * 2 ** -23;

const words = new Uint32Array(4);

function encrypt({ seed, step, site, example, position, feature }: Draw): Uint32Array {
  words[0] = example;
  words[1] = position;
  words[2] = feature;
  words[3] = site;
  philox(words, seed, step);
  return words;
}

/** Uniform on (0, 1). */
export const drawUniform = (draw: Draw): number => unitInterval(encrypt(draw)[0]!);

/** Standard normal, by Box & Muller (1958) from the first two words. */
export function drawNormal(draw: Draw): number {
  const drawn = encrypt(draw);
  const [u, v] = [unitInterval(drawn[0]!), unitInterval(drawn[1]!)];
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
}

export const drawNumber = (distribution: "uniform" | "normal", draw: Draw): number =>
  distribution === "uniform" ? drawUniform(draw) : drawNormal(draw);

/** One number for a point: the index along a single axis; several, in the graph's order, are folded. */
export function positionOf(axes: readonly AxisId[], index: (axis: AxisId) => number): number {
  let position = 0;
  for (const axis of axes) position = (Math.imul(position, 0x9e3779b1) + index(axis)) >>> 0;
  return position;
}
