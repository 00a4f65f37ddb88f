// Measures tiles in the engine at hand: the kernels of a training step at one typical shape. What follows from the
// figures is decided in tuning.ts.
//
// Engines run a function in a quick translation first and put a better one in its place while it is called again and
// again; so each sample makes fresh calls, and the best of several counts. Tiles take turns, so that what else the
// machine does hits all of them.

import type { Func, Target } from "../codegen/code.ts";
import { columnBlocks, gradientProduct } from "../codegen/gradient.ts";
import { panelBytes } from "../codegen/pack.ts";
import { rowProduct } from "../codegen/product.ts";
import { blockColumns, type Tile, WORD } from "../codegen/tile.ts";
import { encodeModule } from "./encode.ts";

/** A batch of 32 through a matrix of gates. */
const product = { rows: 32, k: 128, n: 256 };
/** A chunk of rows, for part of such a matrix. */
const gradient = { rows: 256, m: 64, n: 256 };
/** So many products are twice the work of one gradient, as in a training step. */
const productCalls = (2 * gradient.rows * gradient.m * gradient.n) / (product.rows * product.k * product.n);

/** What a tile gets of a turn where the clock is fine, in milliseconds: some four samples. */
const share = 1.6;
/** A sample takes so many of the clock's steps, but no more than so many milliseconds. */
const [steps, longest] = [20, 5];

export interface Turn {
  /** Milliseconds by tile. */
  readonly times: readonly number[];
  /** By what part of them the clock may err: browsers round it to as much as 1 ms. */
  readonly doubt: number;
}

export interface TileCheck {
  /** Measures once: about 2 ms a tile, 5 ms where the clock is coarse. */
  turn(): Turn;
}

/** Runs the kernels of a tile: so many products, one gradient. */
type Run = (products: number) => void;

/** Makes the kernels and warms them up. */
export async function makeCheck(tiles: readonly Tile[], target: Target): Promise<TileCheck> {
  const lists = tiles.flatMap((tile, i) => kernelsOf(tile, i, target));
  const exports = lists.map(list => list.at(-1)!);
  const bytes = encodeModule({ functions: lists.flat(), exports }, { shared: false, maximum: 0 });
  const { a, b, c, end } = placesFor(tiles, target);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / (64 * 1024)) });
  new Float32Array(memory.buffer).fill(1);
  const { instance } = await WebAssembly.instantiate(bytes, { frond: { memory } });
  const callable = (name: string) => instance.exports[name] as (...args: readonly number[]) => void;
  const runs = tiles.map((tile, i): Run => {
    const [multiply, differentiate] = [callable(`product${i}`), callable(`gradient${i}`)];
    const blocks = columnBlocks(gradient.n, target, tile);
    return products => {
      for (let j = 0; j < products; j++) multiply(a, product.k * WORD, b, c, product.rows);
      differentiate(a, b, c, gradient.rows, 1, 0, blocks);
    };
  });
  for (let round = 0; round < 2; round++) for (const run of runs) run(2);
  const step = clockStep();
  return { turn: () => measure(runs, step) };
}

/** The functions of both kernels, by the names that the module exports. */
function kernelsOf(tile: Tile, i: number, target: Target): readonly (readonly Func[])[] {
  const { k, n } = product;
  const { rows: capacity, m } = gradient;
  const forWeights = { m, n: gradient.n, cStride: gradient.n * WORD, capacity };
  return [
    named(`product${i}`, rowProduct({ k, n, cStride: n * WORD, accumulate: false }, target, tile)),
    named(`gradient${i}`, gradientProduct(forWeights, target, tile)),
  ];
}

const named = (name: string, functions: readonly Func[]): readonly Func[] =>
  functions.with(-1, { ...functions.at(-1)!, name });

/** Room for the operands of either kernel with any of the tiles; what they hold does not matter. */
function placesFor(tiles: readonly Tile[], target: Target) {
  const most = (bytes: (tile: Tile) => number): number => Math.max(...tiles.map(bytes));
  const { rows, m, n } = gradient;
  const a = 0;
  const b =
    a +
    Math.max(
      product.rows * product.k * WORD,
      most(tile => panelBytes(m, tile.rows, rows)),
    );
  const c =
    b +
    Math.max(
      product.k * n * WORD,
      most(tile => panelBytes(n, blockColumns(target, tile), rows)),
    );
  return { a, b, c, end: c + Math.max(product.rows, m) * n * WORD };
}

function measure(runs: readonly Run[], step: number): Turn {
  const least = Math.min(steps * step, longest);
  const times = runs.map(() => Number.POSITIVE_INFINITY);
  for (const run of runs) run(1);
  let left = share;
  do {
    for (const [i, run] of runs.entries()) times[i] = Math.min(times[i]!, sample(run, least));
    left -= Math.max(least, Math.min(...times));
  } while (left > 0);
  return { times, doubt: (2 * step) / Math.max(least, ...times) };
}

/** Milliseconds that a run takes, of runs that take `least` together. */
function sample(run: Run, least: number): number {
  const started = performance.now();
  for (let count = 1; ; count++) {
    run(productCalls);
    const elapsed = performance.now() - started;
    if (elapsed >= least) return elapsed / count;
  }
}

/** The least difference, in milliseconds, that the clock shows. */
function clockStep(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const from = performance.now();
    let to = from;
    while (to === from) to = performance.now();
    least = Math.min(least, to - from);
  }
  return least;
}
