// The kernels of matrix products, as WebAssembly, against sums in double precision; and that nothing is written where
// nothing may be.

import { expect, test } from "vitest";
import { blockedOffsets } from "../../backends/codegen/blocked.ts";
import type { Func, Target } from "../../backends/codegen/code.ts";
import { columnBlocks, gradientProduct } from "../../backends/codegen/gradient.ts";
import {
  packedBytes,
  packMatrix,
  packRows,
  packTransposed,
  panelBytes,
} from "../../backends/codegen/pack.ts";
import { rowProduct } from "../../backends/codegen/product.ts";
import type { Tile } from "../../backends/codegen/tile.ts";
import { encodeModule } from "../../backends/wasm/encode.ts";

const target: Target = { lanes: 4, registers: 16 };
const tiles: readonly Tile[] = [
  { rows: 4, vectors: 2 },
  { rows: 3, vectors: 2 },
  { rows: 5, vectors: 1 },
  { rows: 2, vectors: 4 },
  { rows: 6, vectors: 3 },
];

type Exports = Readonly<Record<string, (...args: readonly number[]) => void>>;

/** A memory of numbers in which regions are laid out one after the other, each behind a guard. */
class Machine {
  readonly #memory: WebAssembly.Memory;
  readonly words: Float32Array;
  #end = 256;

  /** With room for about this many bytes. */
  constructor(bytes: number) {
    this.#memory = new WebAssembly.Memory({ initial: 1 + Math.ceil(bytes / 65536) });
    this.words = new Float32Array(this.#memory.buffer);
    this.words.fill(guard);
  }

  /** Bytes; the address of a new region. */
  region(bytes: number): number {
    const at = this.#end;
    this.#end += Math.ceil((bytes + 256) / 4) * 4;
    expect(this.#end).toBeLessThan(this.#memory.buffer.byteLength);
    return at;
  }

  /** Writes random numbers. */
  randomise(at: number, count: number): void {
    for (let i = 0; i < count; i++) this.words[at / 4 + i] = random();
  }

  load(functions: readonly (readonly Func[])[]): Exports {
    const exports = functions.map((list, i) => ({ ...list.at(-1)!, name: `f${i}` }));
    const all = functions.flatMap((list, i) => [...list.slice(0, -1), exports[i]!]);
    const bytes = encodeModule({ functions: all, exports }, { shared: false, maximum: 65536 });
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      frond: { memory: this.#memory },
    });
    return instance.exports as Exports;
  }

  /** Expects that the words which `value` knows are those (about), and all others as they were. */
  check(before: Float32Array, value: (word: number) => number | undefined, what: string): void {
    for (let i = 0; i < this.#end / 4; i++) {
      const [is, expected] = [this.words[i]!, value(i)];
      if (
        expected === undefined ? is === before[i] : Math.abs(is - expected) <= 1e-5 * (1 + Math.abs(expected))
      )
        continue;
      throw new Error(`${what}: word ${i} is ${is} instead of ${expected ?? `${before[i]} as before`}`);
    }
  }
}

const guard = -12345;
let seed = 1;
/** Between -1 and 1, a multiple of 1/128: products of them are exact. */
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return (seed >>> 24) / 128 - 1;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const smallSizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 20];

function checkRowProduct(k: number, n: number, tile: Tile, layout: "rows" | "columns" | "loose"): void {
  const machine = new Machine(4 * (k + 2) * (n + 2) * 4 + 34 * 4 * (k + n + 8) + 2048);
  const [kStride, nStride] = { rows: [4 * n + 4, 4], columns: [4, 4 * k + 8], loose: [8, 8 * k + 4] }[
    layout
  ] as [number, number];
  const cStride = 4 * Math.ceil(n / 4) * 4 + (n % 3) * 4;
  const shape = { k, n, cStride };
  const { f0, f1, f2 } = machine.load([
    [packMatrix({ k, n, kStride, nStride }, target, tile)],
    rowProduct({ ...shape, accumulate: false }, target, tile),
    rowProduct({ ...shape, accumulate: true }, target, tile),
  ]);
  const source = machine.region(k * kStride + n * nStride);
  const packed = machine.region(packedBytes(k, n, target, tile));
  const rowsMost = 17;
  const a = machine.region(rowsMost * (4 * k + 12));
  const c = machine.region(rowsMost * cStride);
  machine.randomise(source, (k * kStride + n * nStride) / 4);
  machine.randomise(a, rowsMost * (k + 3));
  let before = machine.words.slice();
  f0!(source, packed);
  const inside = (at: number, bytes: number) => (word: number) => word >= at / 4 && word < (at + bytes) / 4;
  const inPacked = inside(packed, packedBytes(k, n, target, tile));
  const what = `${k}x${n}, tile ${tile.rows}x${tile.vectors}, ${layout}`;
  machine.check(before, word => (inPacked(word) ? machine.words[word]! : undefined), `pack ${what}`);
  for (const rows of k * n > 1000 ? [1, 2, 5, 17] : range(0, rowsMost + 1)) {
    for (const accumulate of [false, true]) {
      const aStride = [4 * k, 4 * k + 12, 0][rows % 3]!;
      machine.randomise(c, (rowsMost * cStride) / 4);
      before = machine.words.slice();
      (accumulate ? f2 : f1)!(a, aStride, packed, c, rows);
      const value = (word: number): number | undefined => {
        const row = Math.floor((word - c / 4) / (cStride / 4));
        const j = word - c / 4 - row * (cStride / 4);
        if (row < 0 || row >= rows || j >= Math.ceil(n / 4) * 4) return undefined;
        if (j >= n) return machine.words[word]!;
        let sum = accumulate ? before[word]! : 0;
        for (let i = 0; i < k; i++) {
          sum += before[(a + row * aStride) / 4 + i]! * before[(source + i * kStride + j * nStride) / 4]!;
        }
        return sum;
      };
      machine.check(before, value, `${what}, ${rows} rows, ${accumulate ? "+=" : "="}`);
    }
  }
}

test.each(tiles)("rows times a matrix, tile of $rows x $vectors", tile => {
  const layouts = ["rows", "columns", "loose"] as const;
  let turn = 0;
  for (const k of smallSizes) {
    for (const n of smallSizes) checkRowProduct(k, n, tile, layouts[turn++ % 3]!);
  }
  for (const [k, n] of [
    [33, 64],
    [64, 33],
    [130, 10],
    [5, 130],
    [130, 133],
  ] as const) {
    for (const layout of layouts) checkRowProduct(k, n, tile, layout);
  }
});

test.each(tiles)("a packed matrix, packed transposed, tile of $rows x $vectors", tile => {
  for (const k of [4, 8, 12, 16, 20, 44]) {
    for (const n of [...smallSizes, 71]) {
      const machine = new Machine(16 * (k + 16) * (n + 16) * 2);
      const { f0, f1 } = machine.load([
        [packTransposed({ k, n }, target, tile)],
        [packMatrix({ k, n, kStride: 4, nStride: 4 * k }, target, tile)],
      ]);
      const bytes = packedBytes(k, n, target, tile);
      const [plain, blocked, expected, out] = [n * k * 4, n * k * 4, bytes, bytes].map(size =>
        machine.region(size),
      ) as [number, number, number, number];
      machine.randomise(plain, n * k);
      blockedOffsets([n, k], target, tile).forEach((offset, i) => {
        machine.words[blocked / 4 + offset] = machine.words[plain / 4 + i]!;
      });
      f1!(plain, expected);
      const before = machine.words.slice();
      f0!(blocked, out);
      const value = (word: number): number | undefined =>
        word >= out / 4 && word < (out + bytes) / 4 ? before[word + (expected - out) / 4] : undefined;
      machine.check(before, value, `${k}x${n}`);
    }
  }
});

function checkGradient(m: number, n: number, tile: Tile, isBlocked = false): void {
  const capacity = 24;
  const machine = new Machine(capacity * 8 * (m + n + 32) + 4 * m * (n + 2) + 4096);
  const cStride = isBlocked ? 4 * n : 4 * n + 4 * (m % 3);
  const bColumns = tile.vectors * target.lanes;
  const { f0, f1, f2 } = machine.load([
    [packRows({ width: m, block: tile.rows, capacity }, target)],
    [packRows({ width: n, block: bColumns, capacity }, target)],
    gradientProduct({ m, n, cStride: isBlocked ? null : cStride, capacity }, target, tile),
  ]);
  const [aBytes, bBytes] = [panelBytes(m, tile.rows, capacity), panelBytes(n, bColumns, capacity)];
  const [aPacked, bPacked] = [machine.region(aBytes), machine.region(bBytes)];
  const c = machine.region(m * cStride);
  const what = `${m}x${n}, tile ${tile.rows}x${tile.vectors}${isBlocked ? ", blocked" : ""}`;
  /** Where the elements are, row by row, by their place. */
  const elements = new Map(
    [...(isBlocked ? blockedOffsets([m, n], target, tile) : [])].map((offset, i) => [offset, i]),
  );
  const [aStride, bStride] = [4 * m + 8, n % 2 === 0 ? 4 * n : 4 * n + 4];
  const a = machine.region(capacity * aStride);
  const b = machine.region(capacity * bStride);
  machine.randomise(a, (capacity * aStride) / 4);
  machine.randomise(b, (capacity * bStride) / 4);
  for (const rows of [0, 1, 2, 5, 17, 24]) {
    let before = machine.words.slice();
    // In two parts, the second with A's first row each time.
    const part = rows >> 1;
    f0!(a, aStride, aPacked, 0, part);
    f0!(a, 0, aPacked, part, rows - part);
    f1!(b, bStride, bPacked, 0, part);
    f1!(b + part * bStride, bStride, bPacked, part, rows - part);
    const packed = (word: number) =>
      word >= aPacked / 4 && (word < (aPacked + aBytes) / 4 || word >= bPacked / 4);
    const inPacked = (word: number) => packed(word) && word < (bPacked + bBytes) / 4;
    machine.check(before, word => (inPacked(word) ? machine.words[word]! : undefined), `pack ${what}`);
    for (const first of [1, 0]) {
      machine.randomise(c, (m * cStride) / 4);
      before = machine.words.slice();
      const blocks = columnBlocks(n, target, tile);
      const [from, to] =
        rows === 5 || (rows === 1 && first === 0)
          ? [blocks >> 1, blocks]
          : rows === 2
            ? [0, blocks >> 1]
            : [0, blocks];
      f2!(aPacked, bPacked, c, rows, first, from, to);
      const value = (word: number): number | undefined => {
        const element = isBlocked ? (elements.get(word - c / 4) ?? -1) : word - c / 4;
        const row = Math.floor(element / (cStride / 4));
        const j = element - row * (cStride / 4);
        if (row < 0 || row >= m || j >= Math.min(n, to * bColumns) || j < from * bColumns) return undefined;
        let sum = first === 1 ? 0 : before[word]!;
        for (let r = 0; r < rows; r++) {
          sum += before[(a + (r < part ? r * aStride : 0)) / 4 + row]! * before[(b + r * bStride) / 4 + j]!;
        }
        return sum;
      };
      machine.check(before, value, `${what}, ${rows} rows, ${first ? "=" : "+="}`);
    }
  }
}

test.each(tiles)("sums of outer products, tile of $rows x $vectors", tile => {
  for (const m of smallSizes) for (const n of smallSizes) checkGradient(m, n, tile);
  for (const m of [...smallSizes, 70])
    for (const n of [4, 8, 12, 16, 20, 132]) checkGradient(m, n, tile, true);
  for (const [m, n] of [
    [33, 64],
    [64, 33],
    [130, 10],
    [10, 130],
  ] as const)
    checkGradient(m, n, tile);
});
