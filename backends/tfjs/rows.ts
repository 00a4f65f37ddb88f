// Kernels that go row by row: a row is the features of one example at one index of the free axes. Where examples
// have their own lengths, these kernels leave padding out, by selection.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { drawNumber, positionOf as foldPosition } from "../../compiler/ops/random.ts";
import type { FrondKernel, Values } from "./device.ts";

/** What changes from call to call and from iteration to iteration. Axes are numbered as in Graph.axes. */
export interface Frame {
  /** The current position along the axes of the enclosing loops. */
  readonly at: Int32Array;
  /** Each example's own length, for each axis. */
  lengths: readonly Int32Array[];
  seed: number;
  step: number;
}

/** How to find a row's position along an axis: of the enclosing loop, or `floor(row / stride) % size`. */
export type Position =
  | { readonly kind: "bound"; readonly axis: number }
  | { readonly kind: "free"; readonly axis: number; readonly stride: number; readonly size: number };

export const positionOf = (position: Position, frame: Frame, row: number): number =>
  position.kind === "bound" ? frame.at[position.axis]! : Math.floor(row / position.stride) % position.size;

/** Which rows are padding: those whose position along some of these axes is outside their example. */
export interface Mask {
  readonly frame: Frame;
  readonly batch: number;
  readonly axes: readonly Position[];
}

export function isPadding({ frame, batch, axes }: Mask, row: number): boolean {
  const example = row % batch;
  for (const axis of axes) {
    if (positionOf(axis, frame, row) >= frame.lengths[axis.axis]![example]!) return true;
  }
  return false;
}

/** The rows of one operand. `block`: all its elements lie densely, in the result's order. */
export interface Rows {
  readonly rows: Int32Array;
  /** Offsets within a row; null where they are 0, 1, 2, .. */
  readonly features: Int32Array | null;
  readonly size: number;
  readonly block: boolean;
}

function copyRow(from: Values, at: number, { features, size }: Rows, to: Values, out: number): void {
  if (features !== null) for (let i = 0; i < size; i++) to[out + i] = from[at + features[i]!]!;
  else for (let i = 0; i < size; i++) to[out + i] = from[at + i]!;
}

function copyRows(from: Values, at: number, rows: Rows, to: Values, out: number): void {
  if (rows.block) {
    const count = rows.rows.length * rows.size;
    if (from === to) to.copyWithin(out, at, at + count);
    else to.set(from.subarray(at, at + count), out);
    return;
  }
  for (let r = 0; r < rows.rows.length; r++) copyRow(from, at + rows.rows[r]!, rows, to, out + r * rows.size);
}

export interface SelectSpec {
  readonly mask: Mask;
  readonly from: Rows;
  /** What stands in the padding of the result. */
  readonly fill: number;
}

/** FrondSelect: operand 0 with its padding replaced, densely in operand 1. */
export const selectKernel: FrondKernel<SelectSpec> = ([x, out], offsets, { mask, from, fill }) => {
  for (let r = 0; r < from.rows.length; r++) {
    const to = offsets[1]! + r * from.size;
    if (isPadding(mask, r)) out!.fill(fill, to, to + from.size);
    else copyRow(x!, offsets[0]! + from.rows[r]!, from, out!, to);
  }
};

export interface ShiftSpec {
  readonly frame: Frame;
  readonly axis: Position;
  readonly offset: number;
  /** The end of the range for every example, or each example's own length (for advances). */
  readonly end: number | "length";
  readonly batch: number;
  /** The value's rows at position 0 of the axis, and how it goes on along it. */
  readonly value: Rows;
  readonly step: number;
  readonly wrap: number;
  readonly initial: Rows;
}

/** FrondShift: operand 0 from `offset` positions back, operand 1 where that is outside, densely in operand 2. */
export const shiftKernel: FrondKernel<ShiftSpec> = ([value, initial, out], offsets, spec) => {
  const { frame, axis, offset, end, batch, step, wrap } = spec;
  const [atValue, atInitial, atOut] = [offsets[0]!, offsets[1]!, offsets[2]!];
  const place = (p: number): number => atValue + (wrap > 0 ? p % wrap : p) * step;
  if (axis.kind === "bound" && end !== "length") {
    const source = frame.at[axis.axis]! - offset;
    if (source >= 0 && source < end) copyRows(value!, place(source), spec.value, out!, atOut);
    else copyRows(initial!, atInitial, spec.initial, out!, atOut);
    return;
  }
  const { size } = spec.value;
  for (let r = 0; r < spec.value.rows.length; r++) {
    const source = positionOf(axis, frame, r) - offset;
    const limit = end === "length" ? frame.lengths[axis.axis]![r % batch]! : end;
    const to = atOut + r * size;
    if (source >= 0 && source < limit)
      copyRow(value!, place(source) + spec.value.rows[r]!, spec.value, out!, to);
    else copyRow(initial!, atInitial + spec.initial.rows[r]!, spec.initial, out!, to);
  }
};

export interface AtSpec {
  readonly frame: Frame;
  readonly axis: number;
  readonly from: "first" | "last";
  readonly offset: number;
  readonly end: number | "length";
  readonly batch: number;
  readonly value: Rows;
  readonly step: number;
}

/** FrondAt: operand 0 at a position from the first or last of the axis, zeros where that is outside, in operand 1. */
export const atKernel: FrondKernel<AtSpec> = ([value, out], offsets, spec) => {
  const { size, rows } = spec.value;
  for (let r = 0; r < rows.length; r++) {
    const length = spec.end === "length" ? spec.frame.lengths[spec.axis]![r % spec.batch]! : spec.end;
    const position = spec.from === "first" ? spec.offset : length - 1 - spec.offset;
    const to = offsets[1]! + r * size;
    if (position < 0 || position >= length) out!.fill(0, to, to + size);
    else copyRow(value!, offsets[0]! + rows[r]! + position * spec.step, spec.value, out!, to);
  }
};

export interface GatherSpec {
  readonly table: Rows;
  /** Entries of the table, and how far apart they lie. */
  readonly entries: number;
  readonly step: number;
  readonly index: Int32Array;
  /** What an index outside the table gives. */
  readonly outside: number;
}

/** FrondGather: entry `index` (operand 1) of the table (operand 0), densely in operand 2; padding may index anything. */
export const gatherKernel: FrondKernel<GatherSpec> = ([table, index, out], offsets, spec) => {
  const { size, rows } = spec.table;
  for (let r = 0; r < spec.index.length; r++) {
    const entry = index![offsets[1]! + spec.index[r]!]!;
    const to = offsets[2]! + r * size;
    if (entry >= 0 && entry < spec.entries) {
      copyRow(table!, offsets[0]! + rows[r]! + entry * spec.step, spec.table, out!, to);
    } else out!.fill(spec.outside, to, to + size);
  }
};

export interface ScatterSpec {
  readonly mask: Mask | null;
  readonly index: Int32Array;
  readonly value: Rows;
  /** Where each row's table begins in the result. */
  readonly out: Int32Array;
  readonly entries: number;
  /** Elements of the whole result. */
  readonly total: number;
}

/** FrondScatterAdd: rows of operand 1 added at entry `index` (operand 0) of zeros, operand 2. */
export const scatterAddKernel: FrondKernel<ScatterSpec> = ([index, value, out], offsets, spec) => {
  const { mask, entries, total } = spec;
  const { size, rows, features } = spec.value;
  out!.fill(0, offsets[2]!, offsets[2]! + total);
  for (let r = 0; r < rows.length; r++) {
    const entry = index![offsets[0]! + spec.index[r]!]!;
    if (entry < 0 || entry >= entries || (mask !== null && isPadding(mask, r))) continue;
    const from = offsets[1]! + rows[r]!;
    const to = offsets[2]! + spec.out[r]! + entry * size;
    for (let i = 0; i < size; i++) out![to + i]! += value![from + (features === null ? i : features[i]!)]!;
  }
};

export interface OneHotSpec {
  readonly index: Int32Array;
  readonly size: number;
}

/** FrondOneHot: operand 0 as positions of a 1 among zeros, operand 1. */
export const oneHotKernel: FrondKernel<OneHotSpec> = ([index, out], offsets, { index: from, size }) => {
  out!.fill(0, offsets[1]!, offsets[1]! + from.length * size);
  for (let r = 0; r < from.length; r++) {
    const entry = index![offsets[0]! + from[r]!]!;
    if (entry >= 0 && entry < size) out![offsets[1]! + r * size + entry] = 1;
  }
};

export interface WindowSpec {
  readonly image: Rows;
  /** For each element of the windows the element of the image, -1 outside (compiler/ops/windows.ts). */
  readonly index: Int32Array;
}

/** FrondPatches: windows of operand 0, densely in operand 1. `image` are the operand's rows. */
export const patchesKernel: FrondKernel<WindowSpec> = ([x, out], offsets, { image, index }) => {
  for (let r = 0; r < image.rows.length; r++) {
    const from = offsets[0]! + image.rows[r]!;
    const to = offsets[1]! + r * index.length;
    for (let i = 0; i < index.length; i++) {
      const element = index[i]!;
      out![to + i] =
        element < 0 ? 0 : x![from + (image.features === null ? element : image.features[element]!)]!;
    }
  }
};

export interface UnwindowSpec {
  readonly windows: Rows;
  readonly index: Int32Array;
  /** Elements of an image. */
  readonly size: number;
}

/** FrondUnpatches: windows (operand 0) added back into images of zeros, operand 1. */
export const unpatchesKernel: FrondKernel<UnwindowSpec> = ([x, out], offsets, { windows, index, size }) => {
  out!.fill(0, offsets[1]!, offsets[1]! + windows.rows.length * size);
  for (let r = 0; r < windows.rows.length; r++) {
    const from = offsets[0]! + windows.rows[r]!;
    const to = offsets[1]! + r * size;
    for (let i = 0; i < index.length; i++) {
      const element = index[i]!;
      if (element >= 0)
        out![to + element]! += x![from + (windows.features === null ? i : windows.features[i]!)]!;
    }
  }
};

export interface RandomSpec {
  readonly frame: Frame;
  readonly batch: number;
  readonly size: number;
  readonly rows: number;
  readonly axes: readonly AxisId[];
  /** One for each axis. */
  readonly positions: readonly Position[];
  readonly distribution: "uniform" | "normal";
  readonly site: number;
}

/** FrondRandom: draws that depend on their place only, densely in operand 0. */
export const randomKernel: FrondKernel<RandomSpec> = ([out], offsets, spec) => {
  const { frame, batch, size, axes, positions, distribution, site } = spec;
  const { seed, step } = frame;
  for (let r = 0; r < spec.rows; r++) {
    const position = foldPosition(axes, axis => positionOf(positions[axes.indexOf(axis)]!, frame, r));
    for (let feature = 0; feature < size; feature++) {
      const draw = { seed, step, site, example: r % batch, position, feature };
      out![offsets[0]! + r * size + feature] = drawNumber(distribution, draw);
    }
  }
};
