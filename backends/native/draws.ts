// Random numbers for a run, computed here and fed: TensorFlow's own generators number their draws in another way. They
// are those of compiler/ops/random.ts to the bit, with all that is the same for many drawn once, which is six times as fast.

import type { AxisId, NodeOf } from "../../compiler/graph/graph.ts";
import { positionOf } from "../../compiler/ops/random.ts";
import { sizeOf } from "../../compiler/ops/shapes.ts";
import type { Tensor } from "../api.ts";
import type { NormalFeeds } from "../feeds.ts";

/** `[batch, ...axes, ...shape]` */
export function drawn(node: NodeOf<"random">, { batch, extents, seed, step }: NormalFeeds): Tensor {
  const { site, distribution, shape } = node.attrs;
  const { axes } = node.type;
  const sizes = axes.map(axis => extents.get(axis)!);
  const features = sizeOf(shape);
  const positions = positionsOf(axes, sizes);
  const data = new Float32Array(batch * positions.length * features);
  const philox = new Philox(seed, step);
  const isUniform = distribution === "uniform";
  let at = 0;
  for (let example = 0; example < batch; example++) {
    for (const position of positions) {
      for (let feature = 0; feature < features; feature++) {
        philox.encrypt(example, position, feature, site);
        data[at++] = isUniform ? unitInterval(philox.first) : normal(philox.first, philox.second);
      }
    }
  }
  return { dtype: "real", shape: [batch, ...sizes, ...shape], data };
}

const unitInterval = (word: number): number => ((word >>> 9) + 0.5) * 2 ** -23;

const normal = (first: number, second: number): number =>
  Math.sqrt(-2 * Math.log(unitInterval(first))) * Math.cos(2 * Math.PI * unitInterval(second));

const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
const weyl = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;

class Philox {
  /** Two words of the last encryption. */
  first = 0;
  second = 0;
  readonly #keys0: Int32Array;
  readonly #keys1: Int32Array;

  constructor(seed: number, step: number) {
    this.#keys0 = Int32Array.from({ length: rounds }, (_, round) => (seed + Math.imul(round, weyl[0])) | 0);
    this.#keys1 = Int32Array.from({ length: rounds }, (_, round) => (step + Math.imul(round, weyl[1])) | 0);
  }

  encrypt(example: number, position: number, feature: number, site: number): void {
    const [m0, m1] = multipliers;
    let [c0, c1, c2, c3] = [example | 0, position | 0, feature | 0, site | 0];
    for (let round = 0; round < rounds; round++) {
      const first = upperHalf(c2, m1 & 0xffff, m1 >>> 16) ^ c1 ^ this.#keys0[round]!;
      const third = upperHalf(c0, m0 & 0xffff, m0 >>> 16) ^ c3 ^ this.#keys1[round]!;
      c1 = Math.imul(c2, m1);
      c3 = Math.imul(c0, m0);
      c0 = first;
      c2 = third;
    }
    this.first = c0;
    this.second = c1;
  }
}

/** Of the 64 bits of a product of 32 bits by 32, the latter in halves. No sum of halves' products overflows. */
function upperHalf(a: number, low: number, high: number): number {
  const [a0, a1] = [a & 0xffff, a >>> 16];
  const middle = (Math.imul(a1, low) + (Math.imul(a0, low) >>> 16)) | 0;
  const other = (Math.imul(a0, high) + (middle & 0xffff)) | 0;
  return (Math.imul(a1, high) + (middle >>> 16) + (other >>> 16)) | 0;
}

/** The numbers of all points of the axes, the last axis fastest. */
function positionsOf(axes: readonly AxisId[], sizes: readonly number[]): Uint32Array {
  const positions = new Uint32Array(sizeOf(sizes));
  const point = new Map(axes.map(axis => [axis, 0]));
  for (let i = 0; i < positions.length; i++) {
    let rest = i;
    for (let d = axes.length - 1; d >= 0; d--) {
      point.set(axes[d]!, rest % sizes[d]!);
      rest = Math.floor(rest / sizes[d]!);
    }
    positions[i] = positionOf(axes, axis => point.get(axis)!);
  }
  return positions;
}
