// What a program reads: matrices, and integers that each draw is given.

import type { AxisId } from "../../compiler/graph/graph.ts";
import type { Cell } from "./cells.ts";

/** A matrix that a draw reads: a cell, so many positions back along axes of the loops around; or an axis's lengths. */
export type Input =
  | { readonly kind: "cell"; readonly cell: Cell; readonly back: ReadonlyMap<AxisId, number> }
  | { readonly kind: "lengths"; readonly axis: AxisId };

/** An integer that a draw is given. */
export type Integer =
  | { readonly kind: "batch" }
  | { readonly kind: "extent"; readonly axis: AxisId }
  /** The position along an axis of a loop around. */
  | { readonly kind: "position"; readonly axis: AxisId }
  /** The first row of an input at that position, and its first texel. */
  | { readonly kind: "row" | "column"; readonly input: number }
  /** Whether a running sum has begun: 1 or 0. */
  | { readonly kind: "begun"; readonly cell: Cell }
  | { readonly kind: "seed" | "step" };

/** Equal for the same integers. */
export function integerKey(wanted: Integer): string {
  switch (wanted.kind) {
    case "extent":
    case "position":
      return `${wanted.kind} ${wanted.axis}`;
    case "row":
    case "column":
      return `${wanted.kind} ${wanted.input}`;
    default:
      return wanted.kind;
  }
}

export function sameInput(a: Input, b: Input): boolean {
  if (a.kind === "lengths" || b.kind === "lengths") {
    return a.kind === "lengths" && b.kind === "lengths" && a.axis === b.axis;
  }
  return (
    a.cell === b.cell &&
    a.back.size === b.back.size &&
    [...a.back].every(([axis, offset]) => b.back.get(axis) === offset)
  );
}
