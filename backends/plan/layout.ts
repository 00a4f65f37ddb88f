// Where values lie: strides into flat buffers, and the loop nests that walk them. Pure arithmetic on sizes; knows
// neither tfjs nor the graph's ops.

import type { AxisId } from "../../compiler/graph/graph.ts";

/** How a value is spread along one axis: position p lies at `(wrap > 0 ? p % wrap : p) * step`. */
export interface Along {
  readonly step: number;
  /** Slots of a ring; 0 where every position has its own place. */
  readonly wrap: number;
}

/** Where a node's value lies. An axis, batch or feature dimension that it does not vary along has stride 0. */
export interface Place {
  /** The buffer, by number: `slots` of bind.ts, then parameters and states, then constants. */
  readonly slot: number;
  readonly offset: number;
  readonly axes: ReadonlyMap<AxisId, Along>;
  readonly batch: number;
  readonly shape: readonly number[];
  /** The stride of each feature dimension. */
  readonly dims: readonly number[];
}

/** The features of a place, seen through a view op: the same elements under another shape. */
export interface Features {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly dims: readonly number[];
}

export const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1);

/** Row-major strides of a dense block. */
export function denseStrides(sizes: readonly number[]): number[] {
  const strides = new Array<number>(sizes.length);
  let stride = 1;
  for (let d = sizes.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= sizes[d] ?? 1;
  }
  return strides;
}

/** Feature strides under NumPy's broadcast to `shape`: missing and widened dimensions get 0. */
export function broadcastDims(
  from: { readonly shape: readonly number[]; readonly dims: readonly number[] },
  shape: readonly number[],
): number[] {
  const missing = shape.length - from.shape.length;
  return shape.map((size, d) => {
    const own = d - missing;
    return own < 0 || (from.shape[own] === 1 && size !== 1) ? 0 : (from.dims[own] ?? 0);
  });
}

/** Strides of the same elements in the same order under another shape, or null where no strides can say it. */
export function reshapeDims(from: Features, shape: readonly number[]): number[] | null {
  // Groups of old dimensions whose product equals that of a group of new ones must be dense within themselves.
  const old = from.shape
    .map((size, d) => ({ size, stride: from.dims[d] ?? 0 }))
    .filter(({ size }) => size !== 1);
  const strides = new Array<number>(shape.length).fill(0);
  if (product(shape) === 0) return strides;
  let d = shape.length - 1;
  let o = old.length - 1;
  while (o >= 0) {
    let inner = old[o]!;
    let size = inner.size;
    let taken = 1;
    let stride = inner.stride;
    // Fill this group: take new dimensions until they cover `size`, widening by old dimensions as needed.
    while (true) {
      while (d >= 0 && taken < size) {
        const next = shape[d] ?? 1;
        if (next !== 1) strides[d] = stride;
        stride *= next;
        taken *= next;
        d--;
      }
      if (taken === size) break;
      o--;
      const outer = old[o];
      if (outer === undefined || outer.stride !== inner.stride * inner.size) return null;
      inner = { size: inner.size * outer.size, stride: inner.stride };
      size = inner.size;
    }
    o--;
  }
  return strides;
}

/** A loop nest: sizes, and for each operand its strides. */
export interface Nest {
  readonly sizes: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** Drops dimensions of size 1 and joins neighbours that every operand walks evenly. */
export function collapse({ sizes, strides }: Nest): Nest {
  const outSizes: number[] = [];
  const outStrides: number[][] = strides.map(() => []);
  for (let d = 0; d < sizes.length; d++) {
    const size = sizes[d] ?? 1;
    if (size === 1) continue;
    const last = outSizes.length - 1;
    const joins =
      last >= 0 && strides.every((operand, k) => outStrides[k]![last] === (operand[d] ?? 0) * size);
    if (joins) outSizes[last] = outSizes[last]! * size;
    else outSizes.push(size);
    strides.forEach((operand, k) => {
      if (joins) outStrides[k]![last] = operand[d] ?? 0;
      else outStrides[k]!.push(operand[d] ?? 0);
    });
  }
  return { sizes: outSizes, strides: outStrides };
}

/** The offset of every element of a nest for one operand, row-major. */
export function offsetTable(sizes: readonly number[], strides: readonly number[]): Int32Array {
  let table: Int32Array = new Int32Array(1);
  for (let d = 0; d < sizes.length; d++) {
    const size = sizes[d] ?? 1;
    const stride = strides[d] ?? 0;
    const next = new Int32Array(table.length * size);
    let at = 0;
    for (let i = 0; i < table.length; i++) {
      for (let j = 0; j < size; j++) next[at++] = table[i]! + j * stride;
    }
    table = next;
  }
  return table;
}

/** Whether a table counts 0, 1, 2, .. */
export function isDense(table: Int32Array): boolean {
  for (let i = 0; i < table.length; i++) if (table[i] !== i) return false;
  return true;
}
