// Rows times a constant-sized matrix, C = A W or C += A W: W is packed once and used many times; the number of rows is
// known at run time only.
//
// The packed form is that of pack.ts. A block at a time stays in the first-level cache while all rows pass by.

import { add, binary, compare, FunctionBuilder, load, mul, type Operand, select, sub } from "./builder.ts";
import type { Func, Local, Target } from "./code.ts";
import {
  addProducts,
  blocksAtOnce,
  makeSums,
  multiples,
  type Stream,
  type Tile,
  vectorBytes,
  vectorsIn,
  WORD,
} from "./tile.ts";

export interface RowProductShape {
  readonly k: number;
  readonly n: number;
  /** Bytes from one row of C to the next. Each has room for n rounded up to whole vectors. */
  readonly cStride: number;
  /** C += A W instead of C = A W. */
  readonly accumulate: boolean;
}

/**
 * Functions for C[row][j] = (or +=) sum over k of A[row][k] W[k][j]; the last is for calling, with
 * (a, aStride, w, c, rows): rows of A are `aStride` bytes apart, perhaps 0; `w` is packed. Numbers of C between column
 * n and the next whole vector are overwritten.
 */
export function rowProduct(shape: RowProductShape, target: Target, tile: Tile): readonly Func[] {
  const { k, n, cStride } = shape;
  const callees: Func[] = [];
  const f = new FunctionBuilder(`product ${k}x${n}`);
  const [a, aStride, w, c, rows] = [f.param(), f.param(), f.param(), f.param(), f.param()] as const;
  f.if(compare("gt", rows, 0), () => {
    // Tiles differ by one row at most: 5 = 3 + 2, not 4 + 1. The higher ones come first.
    const tiles = f.let(binary("divU", add(rows, tile.rows - 1), tile.rows));
    const least = f.let(binary("divU", rows, tiles));
    const higher = f.let(sub(rows, mul(least, tiles)));
    for (let height = tile.rows; height > 0; height--) {
      const equal = [sub(tiles, higher), higher] as const;
      const count = f.let(
        select(compare("eq", least, height), equal[0], select(compare("eq", least, height - 1), equal[1], 0)),
      );
      const [kernels, func] = rowTiles(shape, target, tile, height);
      callees.push(...kernels, func);
      f.if(count, () => {
        f.call(func, [a, aStride, w, c, count]);
        f.set(a, add(a, mul(mul(count, height), aStride)));
        f.set(c, add(c, mul(count, height * cStride)));
      });
    }
  });
  return [...callees, f.finish()];
}

/** (a, aStride, w, c, tiles): so many tiles of `rows` rows, all columns. */
function rowTiles(
  shape: RowProductShape,
  target: Target,
  tile: Tile,
  rows: number,
): readonly [kernels: readonly Func[], func: Func] {
  const { k, n, cStride } = shape;
  const f = new FunctionBuilder(`product ${rows}x${k}x${n}`);
  const [a, aStride, w, c, tiles] = [f.param(), f.param(), f.param(), f.param(), f.param()] as const;
  const kernels: Func[] = [];
  /** Some vectors of columns, all rows. */
  const down = (vectors: number, w: Operand, c: Operand) => {
    const kernel = rowKernel(shape, target, tile, rows, vectors);
    kernels.push(kernel);
    const [x, z] = [f.let(a), f.let(c)];
    f.for(0, tiles, 1, () => {
      f.call(kernel, [x, aStride, w, z]);
      f.set(x, add(x, mul(aStride, rows)));
      f.set(z, add(z, rows * cStride));
    });
  };
  const width = blocksAtOnce(rows, target, tile) * tile.vectors;
  const bytes = width * vectorBytes(target);
  const vectors = vectorsIn(n, target);
  const whole = Math.floor(vectors / width);
  const rest = vectors - whole * width;
  if (whole > 0) {
    f.for(0, whole, 1, i => down(width, f.let(add(w, mul(i, k * bytes))), add(c, mul(i, bytes))));
  }
  if (rest > 0) down(rest, f.let(add(w, whole * k * bytes)), add(c, whole * bytes));
  return [kernels, f.finish()];
}

/** (a, aStride, w, c): one tile; its vectors are those of whole blocks and perhaps some of a narrower last one. */
function rowKernel(
  { k, cStride, accumulate }: RowProductShape,
  target: Target,
  tile: Tile,
  rows: number,
  vectors: number,
): Func {
  const f = new FunctionBuilder(`tile ${rows}x${vectors}`);
  const [a, aStride, w, c] = [f.param(), f.param(), f.param(), f.param()] as const;
  const bytes = vectorBytes(target);
  const left = pointers(f, a, aStride, rows).map(
    (pointer): Stream => ({ pointer, step: WORD, offsets: [0] }),
  );
  const right: Stream[] = [];
  const whole = Math.floor(vectors / tile.vectors);
  if (whole > 0) {
    const step = tile.vectors * bytes;
    const offsets = multiples(whole, k * step).flatMap(block =>
      multiples(tile.vectors, bytes).map(v => block + v),
    );
    right.push({ pointer: w, step, offsets });
  }
  const rest = vectors - whole * tile.vectors;
  if (rest > 0) {
    const pointer = whole === 0 ? w : f.let(add(w, whole * k * tile.vectors * bytes));
    right.push({ pointer, step: rest * bytes, offsets: multiples(rest, bytes) });
  }
  const place = (r: number, v: number) => r * cStride + v * bytes;
  const start = accumulate ? (r: number, v: number) => load("f32x", c, place(r, v)) : undefined;
  const sums = makeSums(f, rows, vectors, start);
  addProducts(f, sums, left, right, k);
  sums.forEach((row, r) => {
    row.forEach((sum, v) => {
      f.store(c, sum, place(r, v));
    });
  });
  return f.finish();
}

/** Of rows `stride` bytes apart; the first is `from` itself. */
function pointers(f: FunctionBuilder, from: Local, stride: Local, rows: number): Local[] {
  const made = [from];
  while (made.length < rows) made.push(f.let(add(made.at(-1)!, stride)));
  return made;
}
