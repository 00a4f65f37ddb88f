// Which values can be read four numbers at a time.

import type { Features } from "../plan/layout.ts";
import { lastOf, type Reference } from "./cells.ts";

/** Whether four elements along the last dimension, from a multiple of four on, are one texel, or one number for all. */
export function isAligned(reference: Reference): boolean {
  if (reference.kind === "fill") return true;
  if (reference.kind === "delay") return isAligned(reference.value) && isAligned(reference.initial);
  if (reference.kind === "position") return isAligned(reference.value);
  if (reference.kind === "positions") return isAlignedFlat(reference);
  const { width, cell, features } = reference;
  const { offset, shape, dims } = features;
  const last = lastOf(shape);
  const stride = lastStride(features);
  if (stride === 0) return true;
  if (stride !== 1) return false;
  const inside = cell.rows.outer === 1 ? offset : offset % width;
  const others = dims.slice(0, -1).filter((_, d) => shape[d] !== 1);
  if (cell.rows.outer === 1) return inside % 4 === 0 && others.every(other => other % 4 === 0);
  return inside % 4 === 0 && inside + last <= width && others.every(other => other % width === 0);
}

/** The stride of the last dimension; 0 where there is nothing to go along. */
export const lastStride = ({ shape, dims }: Features): number =>
  lastOf(shape) === 1 ? 0 : (dims.at(-1) ?? 0);

/** Whether four numbers are four neighbours at one position. */
function isAlignedFlat({ value, shape, features }: Extract<Reference, { kind: "positions" }>): boolean {
  const stride = lastStride(features);
  if (stride === 0) return true;
  const others = features.dims.slice(0, -1).filter((_, d) => features.shape[d] !== 1);
  const starts = [lastOf(shape), features.offset, ...others];
  return stride === 1 && starts.every(start => start % 4 === 0) && isAligned(value);
}
