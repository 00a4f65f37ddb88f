// Feature indices as expressions.

import type { Emitter } from "./emit.ts";

/** The indices of all dimensions but the last, from the number of an outer row of features. */
export function outerIndices(emitter: Emitter, shape: readonly number[], outer: string): string[] {
  const sizes = shape.slice(0, -1);
  const indices: string[] = [];
  let rest = outer;
  for (let d = sizes.length - 1; d >= 0; d--) {
    const size = sizes[d]!;
    const isFirst = sizes.slice(0, d).every(other => other === 1);
    if (size === 1) indices.unshift("0");
    else if (isFirst) {
      indices.unshift(rest);
      rest = "0";
    } else {
      indices.unshift(emitter.let("i32", `${rest} % ${size}`, "f"));
      rest = emitter.let("i32", `${rest} / ${size}`, "f");
    }
  }
  return indices;
}

/** An element's number, row-major. */
export function flatIndex(emitter: Emitter, shape: readonly number[], at: readonly string[]): string {
  let flat = "";
  for (const [d, size] of shape.entries()) {
    if (size === 1) continue;
    flat = flat === "" ? at[d]! : `(${flat}) * ${size} + ${at[d]}`;
  }
  return emitter.let("i32", flat || "0", "f");
}

/** The indices of an element with that number. */
export function unflattened(emitter: Emitter, shape: readonly number[], flat: string): string[] {
  if (shape.length === 0) return [];
  const last = shape.at(-1)!;
  if (shape.length === 1) return [flat];
  const outer = emitter.let("i32", `${flat} / ${last}`, "f");
  return [...outerIndices(emitter, shape, outer), emitter.let("i32", `${flat} % ${last}`, "f")];
}
