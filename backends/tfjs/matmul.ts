// FrondMatMul: products of strided operands, out[h, m, n] (+)= sum over k of left[h, m, k] * right[h, k, n], each
// letter standing for any number of dimensions given by offset tables. tfjs's own cpu product walks its operands
// unpacked; this one copies them into panels and keeps a 4x3 tile of sums in registers:
// with its operands, all that 16 registers hold.

import { collapse, offsetTable } from "../plan/layout.ts";
import type { FrondKernel, Values } from "./device.ts";

/** Rows and columns of a tile. */
const tileRows = 4;
const tileColumns = 3;
/** Summands a panel holds: two panels fit the first-level cache, a block of the right operand the second. */
const depth = 256;
/** Columns of such a block: whole panels. */
const width = 510;

export interface MatMulSpec {
  readonly heads: readonly [left: Int32Array, right: Int32Array, out: Int32Array];
  /** Offsets of row m in the left operand and in the result, and so on. */
  readonly leftM: Int32Array;
  readonly outM: Int32Array;
  readonly leftK: Int32Array;
  readonly rightK: Int32Array;
  readonly rightN: Int32Array;
  readonly outN: Int32Array;
  /** Adds to what is there. */
  readonly accumulate: boolean;
  readonly form: "tiles" | "rows" | "dots";
  /** The right operand in panels, kept from call to call while `fresh` is true; null: packed each time. */
  readonly kept: KeptPanels | null;
}

/** A right operand in panels; there is room for all of it. */
export interface KeptPanels {
  panels: Float32Array;
  fresh: boolean;
}

/** One of the four kinds of dimension of a product, with its strides in left, right and out. */
export interface ProductDims {
  readonly sizes: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly out: readonly number[];
}

/**
 * Prepares a product. `keep`, for a right operand that stays the same over several calls: gives room for its panels.
 * The offset tables are made with the spec.
 */
export function matMulSpec(
  dims: Readonly<Record<"h" | "m" | "n" | "k", ProductDims>>,
  accumulate: boolean,
  keep: ((size: number) => KeptPanels) | null,
): { readonly specOf: () => MatMulSpec; readonly swapped: boolean } {
  const count = (which: ProductDims): number => which.sizes.reduce((a, b) => a * b, 1);
  // Few columns and more rows: the other way round, since columns are what the inner loops run along.
  const swapped = keep === null && count(dims.n) < tileRows && count(dims.m) > count(dims.n);
  const side = (which: ProductDims): ProductDims =>
    swapped ? { ...which, left: which.right, right: which.left } : which;
  const [m, n, k, h] = [
    side(swapped ? dims.n : dims.m),
    side(swapped ? dims.m : dims.n),
    side(dims.k),
    side(dims.h),
  ];
  const rows = count(m);
  const kept = rows >= tileRows ? (keep?.(roundUp(count(n), tileColumns) * count(k)) ?? null) : null;
  const specOf = (): MatMulSpec => ({
    heads: [offsetTable(h.sizes, h.left), offsetTable(h.sizes, h.right), offsetTable(h.sizes, h.out)],
    leftM: offsetTable(m.sizes, m.left),
    outM: offsetTable(m.sizes, m.out),
    leftK: offsetTable(k.sizes, k.left),
    rightK: offsetTable(k.sizes, k.right),
    rightN: offsetTable(n.sizes, n.right),
    outN: offsetTable(n.sizes, n.out),
    accumulate,
    form: rows >= tileRows ? "tiles" : innerStride(n) <= innerStride(k) ? "rows" : "dots",
    kept,
  });
  return { specOf, swapped };
}

/** How far apart neighbours lie in the right operand; where there are none, as far as can be. */
function innerStride({ sizes, right }: ProductDims): number {
  const { strides } = collapse({ sizes, strides: [right] });
  return strides[0]?.at(-1) ?? Number.MAX_SAFE_INTEGER;
}

export const matMulKernel: FrondKernel<MatMulSpec> = ([left, right, out], offsets, spec) => {
  const [headsL, headsR, headsO] = spec.heads;
  const run = forms[spec.form];
  for (let h = 0; h < headsL.length; h++) {
    const at = [offsets[0]! + headsL[h]!, offsets[1]! + headsR[h]!, offsets[2]! + headsO[h]!] as const;
    if (!spec.accumulate) clear(out!, at[2], spec.outM, spec.outN);
    run(left!, right!, out!, at, spec);
  }
};

function clear(out: Values, at: number, rows: Int32Array, columns: Int32Array): void {
  for (let m = 0; m < rows.length; m++) {
    const row = at + rows[m]!;
    for (let n = 0; n < columns.length; n++) out[row + columns[n]!] = 0;
  }
}

type Form = (
  left: Values,
  right: Values,
  out: Values,
  at: readonly [left: number, right: number, out: number],
  spec: MatMulSpec,
) => void;

/** Sums of one row of the result; grows as needed. Double precision, rounded once when stored. */
let sums = new Float64Array(0);

/** For few rows and neighbouring columns: adds multiples of the right operand's rows. */
const byRows: Form = (left, right, out, [atL, atR, atO], spec) => {
  const { leftM, outM, leftK, rightK, rightN, outN } = spec;
  const count = rightN.length;
  if (sums.length < count) sums = new Float64Array(count);
  const total = sums;
  const dense = evenStep(rightN) === 1;
  for (let m = 0; m < leftM.length; m++) {
    total.fill(0, 0, count);
    for (let k = 0; k < leftK.length; k++) {
      const a = left[atL + leftM[m]! + leftK[k]!]!;
      const from = atR + rightK[k]!;
      if (dense) for (let n = 0; n < count; n++) total[n]! += a * right[from + n]!;
      else for (let n = 0; n < count; n++) total[n]! += a * right[from + rightN[n]!]!;
    }
    const to = atO + outM[m]!;
    for (let n = 0; n < count; n++) out[to + outN[n]!]! += total[n]!;
  }
};

/** For few rows and neighbouring summands: dot products. */
const byDots: Form = (left, right, out, [atL, atR, atO], spec) => {
  const { leftM, outM, leftK, rightK, rightN, outN } = spec;
  const count = leftK.length;
  for (let m = 0; m < leftM.length; m++) {
    const fromL = atL + leftM[m]!;
    for (let n = 0; n < rightN.length; n++) {
      const fromR = atR + rightN[n]!;
      let total = 0;
      for (let k = 0; k < count; k++) total += left[fromL + leftK[k]!]! * right[fromR + rightK[k]!]!;
      out[atO + outM[m]! + outN[n]!]! += total;
    }
  }
};

/** The stride of a table that counts evenly, else 0. */
function evenStep(table: Int32Array): number {
  if (table.length < 2) return 1;
  const step = table[1]! - table[0]!;
  for (let i = 2; i < table.length; i++) if (table[i]! - table[i - 1]! !== step) return 0;
  return step;
}

const roundUp = (count: number, tile: number): number => Math.ceil(count / tile) * tile;

let leftPanels = new Float32Array(0);
let rightPanels = new Float32Array(0);

/** For the rest: blocks of `depth` summands by `width` columns, packed, then tiles. */
const byTiles: Form = (left, right, out, [atL, atR, atO], spec) => {
  const { leftM, outM, leftK, rightK, rightN, outN, kept } = spec;
  const [rows, columns, summands] = [leftM.length, rightN.length, leftK.length];
  const panelRows = roundUp(rows, tileRows);
  const fresh = kept?.fresh ?? false;
  if (leftPanels.length < panelRows * depth) leftPanels = new Float32Array(panelRows * depth);
  if (kept === null && rightPanels.length === 0) rightPanels = new Float32Array(depth * width);
  const panels = kept?.panels ?? rightPanels;
  let keptAt = 0;
  for (let k0 = 0; k0 < summands; k0 += depth) {
    const k1 = Math.min(k0 + depth, summands);
    pack(left, atL, leftM, 0, rows, tileRows, leftK, k0, k1, leftPanels, 0);
    for (let n0 = 0; n0 < columns; n0 += width) {
      const n1 = Math.min(n0 + width, columns);
      const at = kept === null ? 0 : keptAt;
      if (!fresh) pack(right, atR, rightN, n0, n1, tileColumns, rightK, k0, k1, panels, at);
      multiply(leftPanels, panels, at, k1 - k0, out, atO, outM, outN, n0, n1);
      keptAt += roundUp(n1 - n0, tileColumns) * (k1 - k0);
    }
  }
  // Several heads have several right operands: only one of them could be kept.
  if (kept !== null) kept.fresh = spec.heads[0].length === 1;
};

const forms: Readonly<Record<MatMulSpec["form"], Form>> = { tiles: byTiles, rows: byRows, dots: byDots };

/** Lines i0..i1 (rows of left, columns of right), `tile` to a panel, summand by summand; the last one is filled up with zeros. */
function pack(
  from: Values,
  at: number,
  lines: Int32Array,
  i0: number,
  i1: number,
  tile: number,
  summands: Int32Array,
  k0: number,
  k1: number,
  to: Float32Array,
  start: number,
): void {
  const length = (k1 - k0) * tile;
  for (let i = i0, panel = start; i < i1; i += tile, panel += length) {
    for (let j = 0; j < tile; j++) {
      let q = panel + j;
      if (i + j >= i1) {
        for (let k = k0; k < k1; k++, q += tile) to[q] = 0;
        continue;
      }
      const line = at + lines[i + j]!;
      for (let k = k0; k < k1; k++, q += tile) to[q] = from[line + summands[k]!]!;
    }
  }
}

/** Adds the product of packed blocks to columns n0..n1 of the result. */
function multiply(
  a: Float32Array,
  b: Float32Array,
  startB: number,
  summands: number,
  out: Values,
  atO: number,
  outM: Int32Array,
  outN: Int32Array,
  n0: number,
  n1: number,
): void {
  const rows = outM.length;
  const [lengthA, lengthB] = [summands * tileRows, summands * tileColumns];
  for (let n = n0, panelB = startB; n < n1; n += tileColumns, panelB += lengthB) {
    for (let m = 0, panelA = 0; m < rows; m += tileRows, panelA += lengthA) {
      let c00 = 0, c01 = 0, c02 = 0; // biome-ignore format: a tile
      let c10 = 0, c11 = 0, c12 = 0; // biome-ignore format: a tile
      let c20 = 0, c21 = 0, c22 = 0; // biome-ignore format: a tile
      let c30 = 0, c31 = 0, c32 = 0; // biome-ignore format: a tile
      for (let p = panelA, q = panelB, end = panelA + lengthA; p < end; p += tileRows, q += tileColumns) {
        const b0 = b[q]!;
        const b1 = b[q + 1]!;
        const b2 = b[q + 2]!;
        const a0 = a[p]!;
        c00 += a0 * b0;
        c01 += a0 * b1;
        c02 += a0 * b2;
        const a1 = a[p + 1]!;
        c10 += a1 * b0;
        c11 += a1 * b1;
        c12 += a1 * b2;
        const a2 = a[p + 2]!;
        c20 += a2 * b0;
        c21 += a2 * b1;
        c22 += a2 * b2;
        const a3 = a[p + 3]!;
        c30 += a3 * b0;
        c31 += a3 * b1;
        c32 += a3 * b2;
      }
      addRow(out, atO + outM[m]!, outN, n, n1, c00, c01, c02);
      if (m + 1 < rows) addRow(out, atO + outM[m + 1]!, outN, n, n1, c10, c11, c12);
      if (m + 2 < rows) addRow(out, atO + outM[m + 2]!, outN, n, n1, c20, c21, c22);
      if (m + 3 < rows) addRow(out, atO + outM[m + 3]!, outN, n, n1, c30, c31, c32);
    }
  }
}

function addRow(
  out: Values,
  at: number,
  columns: Int32Array,
  n: number,
  end: number,
  c0: number,
  c1: number,
  c2: number,
): void {
  out[at + columns[n]!]! += c0;
  if (n + 1 < end) out[at + columns[n + 1]!]! += c1;
  if (n + 2 < end) out[at + columns[n + 2]!]! += c2;
}
