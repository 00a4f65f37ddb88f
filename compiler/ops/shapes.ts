// Arithmetic on shapes and types that the ops' records share. Shapes are lists of sizes, row-major.

import type { AxisId, DType, NodeType } from "../graph/graph.ts";
import { InternalError } from "../unreachable.ts";

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1);

export const showShape = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** Elements to step over for one step of each dimension. */
export function stridesOf(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1]! * shape[d + 1]!;
  return strides;
}

/** As in NumPy: aligned at the last dimension, sizes equal or 1; null where they do not fit. */
function broadcastShapes(a: readonly number[], b: readonly number[]): readonly number[] | null {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let d = 0; d < rank; d++) {
    const m = a[d - rank + a.length] ?? 1;
    const n = b[d - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) return null;
    out.push(m === 1 ? n : m);
  }
  return out;
}

/** Whether `shape` broadcasts to exactly `target`. */
export function fitsInto(shape: readonly number[], target: readonly number[]): boolean {
  const joined = broadcastShapes(shape, target);
  return joined !== null && joined.length === target.length && joined.every((n, d) => n === target[d]);
}

export function unionAxes(types: readonly NodeType[]): readonly AxisId[] {
  const [first] = types;
  if (first === undefined) return [];
  if (types.length === 1) return first.axes;
  return [...new Set(types.flatMap(({ axes }) => axes))];
}

export const anyBatched = (types: readonly NodeType[]): boolean => types.some(({ batched }) => batched);

/** The type of a node that works at each index and for each example by itself. */
export const pointwise = (types: readonly NodeType[], dtype: DType, shape: readonly number[]): NodeType => ({
  dtype,
  shape,
  axes: unionAxes(types),
  batched: anyBatched(types),
});

/** The operand's type; a missing operand is what the arity check is for. */
export function operand(types: readonly NodeType[], k: number): NodeType {
  const type = types[k];
  if (type === undefined) throw new InternalError("type rule", `operand ${k} is missing`);
  return type;
}

/** Shape of all operands broadcast together. */
export function joinShapes(types: readonly NodeType[]): readonly number[] {
  return types.reduce<readonly number[]>((joined, { shape }) => {
    const next = broadcastShapes(joined, shape);
    if (next === null) {
      throw new InternalError("type rule", `${showShape(joined)} and ${showShape(shape)} do not broadcast`);
    }
    return next;
  }, []);
}

export const dimIn = (shape: readonly number[], dim: number): boolean =>
  Number.isInteger(dim) && dim >= 0 && dim < shape.length;

export const isSize = (n: number): boolean => Number.isInteger(n) && n >= 0;
