// Packs the operands of products: copies them into blocks of columns, [block][row][columns of the block], so that
// kernels read them one number after the other. Zeros stand behind the last column.
//
// Matrices (W of product.ts) have as many whole vectors in the last block as it needs; chunks of rows (gradient.ts)
// have whole blocks only.

import {
  add,
  compare,
  FunctionBuilder,
  f32,
  load,
  mul,
  type Operand,
  select,
  shuffle,
  splat,
  sub,
} from "./builder.ts";
import type { Expr, Func, Local, Target } from "./code.ts";
import { blockColumns, multiples, type Tile, vectorBytes, vectorsIn, WORD } from "./tile.ts";

/** A matrix whose element (k, n) stands at `k * kStride + n * nStride` bytes. */
export interface MatrixShape {
  readonly k: number;
  readonly n: number;
  readonly kStride: number;
  readonly nStride: number;
}

/** Bytes of the packed form of a k x n matrix. */
export const packedBytes = (k: number, n: number, target: Target, _tile: Tile): number =>
  k * vectorsIn(n, target) * vectorBytes(target);

/**
 * (from, to): packs a matrix. By vectors where the elements of a row lie side by side (nStride 4) or those of a column
 * do (kStride 4), else number by number.
 */
export function packMatrix(shape: MatrixShape, target: Target, tile: Tile): Func {
  const { k, n, kStride, nStride } = shape;
  const f = new FunctionBuilder(`pack ${k}x${n}`);
  const [from, to] = [f.param(), f.param()] as const;
  const columns = blockColumns(target, tile);
  const whole = Math.floor(n / columns);
  const block = k * columns * WORD;
  if (whole > 0 && nStride === WORD) {
    copyRows(f, { width: whole * columns, block: columns, capacity: k }, target, from, kStride, to, k);
  } else if (whole > 0) {
    f.for(0, whole, 1, i =>
      packBlock(f, shape, target, columns, add(from, mul(i, columns * nStride)), add(to, mul(i, block))),
    );
  }
  const rest = n - whole * columns;
  if (rest > 0) {
    packBlock(f, shape, target, rest, add(from, whole * columns * nStride), add(to, whole * block));
  }
  return f.finish();
}

/** (from, to): packs the transpose of an n x k matrix that is packed itself, its k columns whole vectors. */
export function packTransposed({ k, n }: Pick<MatrixShape, "k" | "n">, target: Target, tile: Tile): Func {
  const f = new FunctionBuilder(`pack ${k}x${n} transposed`);
  const [from, to] = [f.param(), f.param()] as const;
  const columns = blockColumns(target, tile);
  /** Of the result `width` columns from `j * columns` on, and there `height` rows from `i * columns` on. */
  const block = (i: Operand, height: number, j: Operand, width: number) => {
    const source = add(add(from, mul(i, n * columns * WORD)), mul(j, columns * height * WORD));
    const rowBytes = vectorsIn(width, target) * vectorBytes(target);
    const place = add(add(to, mul(j, k * columns * WORD)), mul(i, columns * rowBytes));
    packBlock(
      f,
      { k: height, n: width, kStride: WORD, nStride: height * WORD },
      target,
      width,
      source,
      place,
    );
  };
  const down = (j: Operand, width: number) => {
    const whole = Math.floor(k / columns);
    if (whole > 0) f.for(0, whole, 1, i => block(i, columns, j, width));
    if (k % columns > 0) block(whole, k % columns, j, width);
  };
  const whole = Math.floor(n / columns);
  if (whole > 0) f.for(0, whole, 1, j => down(j, columns));
  if (n % columns > 0) down(whole, n % columns);
  return f.finish();
}

/** Packs the `columns` columns of one block. */
function packBlock(
  f: FunctionBuilder,
  { k, kStride, nStride }: MatrixShape,
  target: Target,
  columns: number,
  from: Operand,
  to: Operand,
): void {
  const { lanes } = target;
  const bytes = vectorBytes(target);
  const vectors = vectorsIn(columns, target);
  const [x, y] = [f.let(from), f.let(to)];
  /** Packs `rounds` times `height` values of k; `pack` does so for vector v, `count` of whose columns exist. */
  const down = (rounds: number, height: number, pack: (v: number, count: number) => void) => {
    if (rounds === 0) return;
    f.for(0, rounds, 1, () => {
      for (let v = 0; v < vectors; v++) pack(v, Math.min(lanes, columns - v * lanes));
      f.set(x, add(x, height * kStride));
      f.set(y, add(y, height * vectors * bytes));
    });
  };
  /** One value of k, `row` of those at the pointers. */
  const one = (v: number, count: number, row = 0) => {
    for (let i = 0; i < lanes; i++) {
      const value = i < count ? load("f32", x, (v * lanes + i) * nStride + row * kStride) : f32(0);
      f.store(y, value, v * bytes + i * WORD + row * vectors * bytes);
    }
  };
  if (nStride === WORD) {
    down(k, 1, (v, count) => {
      if (count === lanes) f.store(y, load("f32x", x, v * bytes), v * bytes);
      else one(v, count);
    });
  } else if (kStride === WORD) {
    down(Math.floor(k / lanes), lanes, (v, count) => {
      if (count < lanes) {
        for (const row of multiples(lanes, 1)) one(v, count, row);
        return;
      }
      const rows = multiples(lanes, nStride).map(column => load("f32x", x, v * lanes * nStride + column));
      transpose(f, rows).forEach((row, i) => {
        f.store(y, row, (i * vectors + v) * bytes);
      });
    });
    down(k % lanes, 1, one);
  } else {
    down(k, 1, one);
  }
}

/** As many vectors as they have lanes, transposed: each round deals one half of them into the other, lane by lane. */
function transpose(f: FunctionBuilder, rows: readonly Expr[]): readonly Operand[] {
  const count = rows.length;
  const half = count / 2;
  const dealt = (first: number) => multiples(count, 1).map(i => first + (i >> 1) + (i & 1) * count);
  let vectors: readonly Operand[] = rows.map(row => f.let(row));
  for (let round = 1; round < count; round *= 2) {
    const now = vectors;
    vectors = multiples(count, 1).map(i =>
      f.let(shuffle(now[i >> 1]!, now[(i >> 1) + half]!, dealt((i & 1) * half))),
    );
  }
  return vectors;
}

export interface PanelShape {
  readonly width: number;
  /** Columns of a block. */
  readonly block: number;
  /** Rows of a chunk. */
  readonly capacity: number;
}

/** Bytes of a packed chunk of rows. */
export const panelBytes = (width: number, block: number, capacity: number): number =>
  Math.ceil(width / block) * block * capacity * WORD;

/**
 * (from, stride, to, at, rows): packs `rows` rows, `stride` bytes apart (perhaps 0), as rows `at` and following of the
 * chunk at `to`.
 */
export function packRows(shape: PanelShape, target: Target): Func {
  const f = new FunctionBuilder(`pack rows of ${shape.width}`);
  const [from, stride, to, at, rows] = [f.param(), f.param(), f.param(), f.param(), f.param()] as const;
  copyRows(f, shape, target, from, stride, add(to, mul(at, shape.block * WORD)), rows);
  return f.finish();
}

/**
 * Copies rows into blocks: as many blocks at once as fill a cache line of a row, of so few rows at a time that the
 * lines stay in the cache.
 */
function copyRows(
  f: FunctionBuilder,
  { width, block, capacity }: PanelShape,
  target: Target,
  from: Operand,
  stride: Operand,
  to: Operand,
  rows: Operand,
): void {
  const panel = block * capacity * WORD;
  const group = Math.max(1, Math.floor(CACHE_LINE / (block * WORD)));
  const columns = group * block;
  const whole = Math.floor(width / columns);
  const rest = width - whole * columns;
  f.for(0, rows, ROWS, done => {
    const left = f.let(sub(rows, done));
    const count = f.let(select(compare("lt", left, ROWS), left, ROWS));
    const source = f.let(add(from, mul(done, stride)));
    const first = f.let(add(to, mul(done, block * WORD)));
    /** Copies some blocks with `columns` columns in all. */
    const down = (columns: number, from: Operand, to: Operand) => {
      const [x, y] = [f.let(from), f.let(to)];
      f.for(0, count, 1, () => {
        for (let b = 0; b * block < columns; b++) {
          copyRow(f, target, Math.min(block, columns - b * block), block, x, b * block * WORD, y, b * panel);
        }
        f.set(x, add(x, stride));
        f.set(y, add(y, block * WORD));
      });
    };
    if (whole > 0) {
      f.for(0, whole, 1, i =>
        down(columns, add(source, mul(i, columns * WORD)), add(first, mul(i, group * panel))),
      );
    }
    if (rest > 0) down(rest, add(source, whole * columns * WORD), add(first, whole * group * panel));
  });
}

/** Bytes. */
const CACHE_LINE = 64;
/** Lines of rows a power of two apart share few places of the first-level cache. */
const ROWS = 16;

/** Copies `count` numbers and writes zeros behind them, `block` numbers in all. */
function copyRow(
  f: FunctionBuilder,
  { lanes }: Target,
  count: number,
  block: number,
  from: Local,
  fromOffset: number,
  to: Local,
  toOffset: number,
): void {
  for (let i = 0; i < block; ) {
    const vector = i + lanes <= count || (i >= count && i + lanes <= block);
    const type = vector ? "f32x" : "f32";
    const zero = vector ? splat(f32(0)) : f32(0);
    f.store(to, i < count ? load(type, from, fromOffset + i * WORD) : zero, toOffset + i * WORD);
    i += vector ? lanes : 1;
  }
}
