// FrondReduce: sum, max, logsumexp and argmax of strided operands, done right on empty rows, -inf and NaN. Operand 0
// is reduced into operand 1, whose elements lie densely in row-major order.

import { isDense, type Nest, offsetTable } from "../plan/layout.ts";
import type { FrondKernel, Values } from "./device.ts";

export type Reduction = "sum" | "max" | "logsumexp" | "argmax";

export interface ReduceSpec {
  readonly reduction: Reduction;
  /** Where the elements of each row begin, one entry for each element of the result. */
  readonly rows: Int32Array;
  /** The elements of a row, from its beginning. */
  readonly elements: Int32Array;
  /** That many rows lie side by side: then they are summed together, along the memory. */
  readonly together: number;
  readonly accumulate: boolean;
}

export function reduceSpec(reduction: Reduction, kept: Nest, reduced: Nest, accumulate: boolean): ReduceSpec {
  const rows = offsetTable(kept.sizes, kept.strides[0] ?? []);
  const elements = offsetTable(reduced.sizes, reduced.strides[0] ?? []);
  const last = kept.sizes.at(-1) ?? 1;
  const neighbours = isDense(rows) ? rows.length : (kept.strides[0]?.at(-1) ?? 0) === 1 ? last : 1;
  const scattered = elements.length > 1 && elements[1] !== 1;
  const together = reduction !== "argmax" && scattered && neighbours >= 8 ? neighbours : 1;
  return { reduction, rows, elements, together, accumulate };
}

export const reduceKernel: FrondKernel<ReduceSpec> = ([x, out], offsets, spec) => {
  if (spec.together > 1) reduceTogether(x!, out!, offsets[0]!, offsets[1]!, spec);
  else rowReductions[spec.reduction](x!, out!, offsets[0]!, offsets[1]!, spec);
};

type RowReduction = (x: Values, out: Values, atX: number, atOut: number, spec: ReduceSpec) => void;

const rowReductions: Readonly<Record<Reduction, RowReduction>> = {
  sum(x, out, atX, atOut, { rows, elements, accumulate }) {
    const count = elements.length;
    for (let r = 0; r < rows.length; r++) {
      const from = atX + rows[r]!;
      let total = accumulate ? out[atOut + r]! : 0;
      for (let e = 0; e < count; e++) total += x[from + elements[e]!]!;
      out[atOut + r] = total;
    }
  },
  max(x, out, atX, atOut, { rows, elements }) {
    for (let r = 0; r < rows.length; r++) out[atOut + r] = largest(x, atX + rows[r]!, elements);
  },
  logsumexp(x, out, atX, atOut, { rows, elements }) {
    const count = elements.length;
    for (let r = 0; r < rows.length; r++) {
      const from = atX + rows[r]!;
      const top = largest(x, from, elements);
      let total = 0;
      if (Number.isFinite(top))
        for (let e = 0; e < count; e++) total += Math.exp(x[from + elements[e]!]! - top);
      out[atOut + r] = Number.isFinite(top) ? top + Math.log(total) : top;
    }
  },
  argmax(x, out, atX, atOut, { rows, elements }) {
    for (let r = 0; r < rows.length; r++) {
      const from = atX + rows[r]!;
      let best = 0;
      for (let e = 1; e < elements.length; e++) {
        if (x[from + elements[e]!]! > x[from + elements[best]!]!) best = e;
      }
      out[atOut + r] = best;
    }
  },
};

/** NaN if there is one; -inf of nothing. */
function largest(x: Values, from: number, elements: Int32Array): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let e = 0; e < elements.length; e++) top = Math.max(top, x[from + elements[e]!]!);
  return top;
}

/** Scratch for `together` rows, in double precision. */
let tops = new Float64Array(0);
let totals = new Float64Array(0);

function reduceTogether(x: Values, out: Values, atX: number, atOut: number, spec: ReduceSpec): void {
  const { reduction, rows, together, accumulate } = spec;
  if (totals.length < together) {
    tops = new Float64Array(together);
    totals = new Float64Array(together);
  }
  for (let r = 0; r < rows.length; r += together) {
    const from = atX + rows[r]!;
    const to = atOut + r;
    if (reduction === "sum") {
      sumInto(totals, x, from, spec);
      for (let j = 0; j < together; j++) out[to + j] = totals[j]! + (accumulate ? out[to + j]! : 0);
      continue;
    }
    maxInto(tops, x, from, spec);
    if (reduction === "logsumexp") logSumInto(totals, tops, x, from, spec);
    const result = reduction === "max" ? tops : totals;
    for (let j = 0; j < together; j++) out[to + j] = result[j]!;
  }
}

function sumInto(to: Float64Array, x: Values, from: number, { elements, together }: ReduceSpec): void {
  to.fill(0, 0, together);
  for (let e = 0; e < elements.length; e++) {
    const at = from + elements[e]!;
    for (let j = 0; j < together; j++) to[j]! += x[at + j]!;
  }
}

function maxInto(to: Float64Array, x: Values, from: number, { elements, together }: ReduceSpec): void {
  to.fill(Number.NEGATIVE_INFINITY, 0, together);
  for (let e = 0; e < elements.length; e++) {
    const at = from + elements[e]!;
    for (let j = 0; j < together; j++) to[j] = Math.max(to[j]!, x[at + j]!);
  }
}

function logSumInto(
  to: Float64Array,
  top: Float64Array,
  x: Values,
  from: number,
  { elements, together }: ReduceSpec,
): void {
  to.fill(0, 0, together);
  for (let e = 0; e < elements.length; e++) {
    const at = from + elements[e]!;
    for (let j = 0; j < together; j++) to[j]! += Math.exp(x[at + j]! - top[j]!);
  }
  for (let j = 0; j < together; j++) to[j] = Number.isFinite(top[j]!) ? top[j]! + Math.log(to[j]!) : top[j]!;
}
