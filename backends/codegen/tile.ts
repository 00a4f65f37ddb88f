// A tile of a matrix product: sums [row][vector] in registers, to which each round adds the outer product of a column
// of numbers (left) and a row of vectors (right). What is read from where is the kernels' affair: see product.ts and
// gradient.ts.

import {
  add,
  binary,
  compare,
  type FunctionBuilder,
  f32,
  load,
  loadSplat,
  mul,
  type Operand,
  splat,
  sub,
} from "./builder.ts";
import type { Local, Target } from "./code.ts";

/** Sums of a full tile, `rows` times `vectors`: with {4, 2}, 16 registers have room for all operands too. */
export interface Tile {
  readonly rows: number;
  readonly vectors: number;
}

/** Bytes of a number. */
export const WORD = 4;

export const vectorBytes = (target: Target): number => WORD * target.lanes;

export const vectorsIn = (columns: number, target: Target): number => Math.ceil(columns / target.lanes);

/** Columns of a whole block. */
export const blockColumns = (target: Target, tile: Tile): number => tile.vectors * target.lanes;

/**
 * Column blocks that a tile of few rows takes at once, as each sum waits for the addition before it and few would not
 * keep the adders busy: as many as leave registers for all operands of a round, since V8 loads them all before it
 * multiplies. (One row by 8 vectors spills, and is half as fast as one by 6.)
 */
export function blocksAtOnce(rows: number, target: Target, tile: Tile): number {
  const vectors = Math.floor((target.registers - 1 - rows) / (rows + 1));
  return Math.max(1, Math.floor(vectors / tile.vectors));
}

/** What is read at a pointer in each round, by offset; the pointer moves on by `step` bytes. */
export interface Stream {
  readonly pointer: Local;
  readonly step: number;
  readonly offsets: readonly number[];
}

/** [row][vector] */
export type Sums = readonly (readonly Local[])[];

/** New sums, with the values that `start` gives, else zero. */
export function makeSums(
  f: FunctionBuilder,
  rows: number,
  vectors: number,
  start: (row: number, vector: number) => Operand = () => splat(f32(0)),
): Sums {
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: vectors }, (_, v) => f.let(start(r, v))),
  );
}

/**
 * Adds the products of `rounds` rounds, at least one.
 *
 * They go in pairs, which halves the loop's own work; of an odd number, a jump skips the last. The jump stands there
 * for an even number too: V8 loads all operands of straight code before it multiplies, and those of two rounds need
 * more registers than there are. The loop itself ends with a comparison for equality, so that addresses need no sign.
 */
export function addProducts(
  f: FunctionBuilder,
  sums: Sums,
  left: readonly Stream[],
  right: readonly Stream[],
  rounds: Operand,
): void {
  const { pointer: place, step } = right[0]!;
  const even = typeof rounds === "number" ? rounds + (rounds & 1) : binary("and", add(rounds, 1), -2);
  const last = f.let(add(place, mul(sub(rounds, 1), step)));
  const end = f.let(add(place, mul(even, step)));
  f.doWhile(() => {
    addRound(f, sums, left, right, 0);
    f.if(compare("ne", place, last), () => addRound(f, sums, left, right, 1));
    for (const { pointer, step } of [...left, ...right]) f.set(pointer, add(pointer, 2 * step));
    return compare("ne", place, end);
  });
}

/** Adds the products of the round that stands `ahead` rounds ahead of the pointers. */
function addRound(
  f: FunctionBuilder,
  sums: Sums,
  left: readonly Stream[],
  right: readonly Stream[],
  ahead: number,
): void {
  const places = (streams: readonly Stream[]) =>
    streams.flatMap(({ pointer, step, offsets }) =>
      offsets.map(offset => ({ pointer, offset: offset + ahead * step })),
    );
  const vectors = places(right).map(at => f.let(load("f32x", at.pointer, at.offset)));
  places(left).forEach((at, r) => {
    const x = f.let(loadSplat("f32x", at.pointer, at.offset));
    sums[r]!.forEach((sum, v) => {
      f.set(sum, add(sum, mul(x, vectors[v]!)));
    });
  });
}

/** 0, step, 2 * step ... */
export const multiples = (count: number, step: number): number[] =>
  Array.from({ length: count }, (_, i) => i * step);
