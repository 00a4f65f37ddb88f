// Sums of outer products, C[m][n] (+)= sum over rows of A[row][m] B[row][n]: gradients of weights. Rows come in chunks
// that pack.ts has packed: A in blocks of `tile.rows` columns, B in blocks of `tile.vectors` vectors.

import {
  add,
  compare,
  FunctionBuilder,
  lane,
  load,
  loadSplat,
  mul,
  type Operand,
  select,
  sub,
} from "./builder.ts";
import type { Func, Local, Target } from "./code.ts";
import {
  addProducts,
  blockColumns,
  blocksAtOnce,
  makeSums,
  multiples,
  type Stream,
  type Sums,
  type Tile,
  vectorBytes,
  vectorsIn,
  WORD,
} from "./tile.ts";

export interface GradientShape {
  readonly m: number;
  readonly n: number;
  /**
   * Bytes from one row of C to the next; null where C lies in blocks of columns, as pack.ts packs matrices. Nothing but
   * its m x n numbers is written.
   */
  readonly cStride: number | null;
  /** Rows of a chunk. */
  readonly capacity: number;
}

/** Blocks of columns that threads may share out. */
export const columnBlocks = (n: number, target: Target, tile: Tile): number =>
  Math.ceil(n / blockColumns(target, tile));

/**
 * Functions for C = (`first` 1) or += (0) the product of a chunk; the last is for calling, with
 * (a, b, c, rows, first, from, to): of C, column blocks `from` to `to` (excluded).
 */
export function gradientProduct(shape: GradientShape, target: Target, tile: Tile): readonly Func[] {
  const { m, n, capacity } = shape;
  const callees: Func[] = [];
  const f = new FunctionBuilder(`gradient ${m}x${n}`);
  const [a, b, c, rows, first] = [f.param(), f.param(), f.param(), f.param(), f.param()] as const;
  const [from, to] = [f.param(), f.param()] as const;
  const columns = blockColumns(target, tile);
  const { stride, block: cBlock } = layoutOf(shape, target, tile);
  const [aPanel, bPanel] = [tile.rows * capacity * WORD, columns * capacity * WORD];
  const [high, low] = [Math.floor(m / tile.rows), m % tile.rows];
  const [wide, narrow] = [Math.floor(n / columns), n % columns];

  /** Rows of C that make full tiles, a column block of `width` columns. */
  const full = (width: number): ((block: Operand) => void) => {
    const kernel = gradientKernel(shape, target, tile, tile.rows, width);
    callees.push(kernel);
    return block => {
      const [x, z] = [f.let(a), f.let(add(c, mul(block, cBlock)))];
      const y = f.let(add(b, mul(block, bPanel)));
      f.for(0, high, 1, () => {
        f.call(kernel, [x, y, z, rows, first]);
        f.set(x, add(x, aPanel));
        f.set(z, add(z, tile.rows * stride(width)));
      });
    };
  };
  /** The rows left over, column blocks with `width` columns in all. */
  const rest = (width: number): ((block: Operand) => void) => {
    const kernel = gradientKernel(shape, target, tile, low, width);
    callees.push(kernel);
    return block => {
      const z = add(add(c, mul(block, cBlock)), high * tile.rows * stride(width));
      f.call(kernel, [add(a, high * aPanel), add(b, mul(block, bPanel)), z, rows, first]);
    };
  };

  if (wide > 0) {
    const end = f.let(select(compare("lt", to, wide), to, wide));
    if (high > 0) {
      const block = f.let(from);
      const group = Math.floor((target.registers - 4) / tile.vectors);
      if (wide >= group) {
        const kernel = oneRowKernel(shape, target, tile, group);
        callees.push(kernel);
        f.if(compare("eq", rows, 1), () =>
          f.for(from, sub(end, group - 1), group, i => {
            f.call(kernel, [a, add(b, mul(i, bPanel)), add(c, mul(i, cBlock)), first]);
            f.set(block, add(i, group));
          }),
        );
      }
      f.for(block, end, 1, full(columns));
    }
    if (low > 0) {
      const group = blocksAtOnce(low, target, tile);
      const block = f.let(from);
      if (group > 1 && wide >= group) {
        const several = rest(group * columns);
        f.for(from, sub(end, group - 1), group, i => {
          several(i);
          f.set(block, add(i, group));
        });
      }
      f.for(block, end, 1, rest(columns));
    }
  }
  if (narrow > 0) {
    f.if(compare("gt", to, wide), () => {
      if (high > 0) full(narrow)(wide);
      if (low > 0) rest(narrow)(wide);
    });
  }
  return [...callees, f.finish()];
}

/** Where C's numbers are. */
interface GradientLayout {
  /** Bytes from one row to the next in the column blocks of a kernel with `width` columns. */
  readonly stride: (width: number) => number;
  /** Bytes from one column block to the next. */
  readonly block: number;
}

function layoutOf({ m, cStride }: GradientShape, target: Target, tile: Tile): GradientLayout {
  const columns = blockColumns(target, tile);
  if (cStride !== null) return { stride: () => cStride, block: columns * WORD };
  return { stride: width => Math.min(columns, width) * WORD, block: m * columns * WORD };
}

/** Where vector v of a row stands, in blocks that are `blockBytes` apart. */
const vectorPlace = (v: number, blockBytes: number, target: Target, tile: Tile): number =>
  Math.floor(v / tile.vectors) * blockBytes + (v % tile.vectors) * vectorBytes(target);

/** (a, b, c, rows, first): a tile of `height` rows; several column blocks where `width` is more than that of one. */
function gradientKernel(
  shape: GradientShape,
  target: Target,
  tile: Tile,
  height: number,
  width: number,
): Func {
  const f = new FunctionBuilder(`outer ${height}x${width}`);
  const [a, b, c, rows, first] = [f.param(), f.param(), f.param(), f.param(), f.param()] as const;
  const columns = blockColumns(target, tile);
  const vectors = vectorsIn(width, target);
  const { stride, block } = layoutOf(shape, target, tile);
  const panel = columns * shape.capacity * WORD;
  const left: Stream = { pointer: a, step: tile.rows * WORD, offsets: multiples(height, WORD) };
  const right: Stream = {
    pointer: b,
    step: columns * WORD,
    offsets: multiples(vectors, 1).map(v => vectorPlace(v, panel, target, tile)),
  };
  const sums = makeSums(f, height, vectors);
  f.if(compare("gt", rows, 0), () => {
    addProducts(f, sums, [left], [right], rows);
  });
  const offset = (row: number, v: number) => row * stride(width) + vectorPlace(v, block, target, tile);
  f.if(
    first,
    () => write(f, sums, target, offset, width, c, sum => sum),
    () => write(f, sums, target, offset, width, c, (sum, old) => add(old, sum)),
  );
  return f.finish();
}

/**
 * (a, b, c, first): a chunk of one row, `group` column blocks, all full tiles of rows. Nothing is summed up, so that
 * registers hold the row of B, and C is written by whole cache lines: with few columns at a time, each line would be
 * fetched again for each of them where rows of C alias.
 */
function oneRowKernel(shape: GradientShape, target: Target, tile: Tile, group: number): Func {
  const { m, capacity } = shape;
  const f = new FunctionBuilder(`outer ${m}x1`);
  const [a, b, c, first] = [f.param(), f.param(), f.param(), f.param()] as const;
  const vectors = group * tile.vectors;
  const panel = tile.vectors * capacity * vectorBytes(target);
  const { stride, block } = layoutOf(shape, target, tile);
  const cStride = stride(group * tile.vectors * target.lanes);
  const row = multiples(vectors, 1).map(v => f.let(load("f32x", b, vectorPlace(v, panel, target, tile))));
  /** One tile of rows. */
  const down = (value: (product: Operand, old: Operand) => Operand) => {
    f.for(0, Math.floor(m / tile.rows), 1, () => {
      for (let r = 0; r < tile.rows; r++) {
        const x = f.let(loadSplat("f32x", a, r * WORD));
        row.forEach((y, v) => {
          const offset = r * cStride + vectorPlace(v, block, target, tile);
          f.store(c, value(mul(x, y), load("f32x", c, offset)), offset);
        });
      }
      f.set(a, add(a, tile.rows * capacity * WORD));
      f.set(c, add(c, tile.rows * cStride));
    });
  };
  f.if(
    first,
    () => down(product => product),
    () => down((product, old) => add(old, product)),
  );
  return f.finish();
}

/** Writes a tile, of the last vector only what belongs to C. */
function write(
  f: FunctionBuilder,
  sums: Sums,
  { lanes }: Target,
  place: (row: number, vector: number) => number,
  width: number,
  c: Local,
  value: (sum: Operand, old: Operand) => Operand,
): void {
  sums.forEach((row, r) => {
    row.forEach((sum, v) => {
      const offset = place(r, v);
      const count = Math.min(lanes, width - v * lanes);
      if (count === lanes) {
        f.store(c, value(sum, load("f32x", c, offset)), offset);
        return;
      }
      for (let i = 0; i < count; i++) {
        const at = offset + i * WORD;
        f.store(c, value(lane(sum, i), load("f32", c, at)), at);
      }
    });
  });
}
