// Tensors between the host and a module's memory. In memory every number has 32 bits, truth values are 0 and -1, rows
// stand in the order of their lengths, and the batch comes after the axes.

import type { AxisId, DType, NodeType } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Tensor } from "../api.ts";
import type { Expr } from "../codegen/code.ts";
import type { Reference } from "../codegen/places.ts";
import { denseStrides, offsetTable, product } from "../plan/layout.ts";

/** A module's memory as arrays. */
export class View {
  readonly floats: Float32Array;
  readonly words: Int32Array;

  constructor(memory: WebAssembly.Memory) {
    this.floats = new Float32Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
  }

  /** An address or distance that the module reads from its frame, or knows. */
  value(expression: Expr): number {
    if (expression.kind === "const") return expression.value;
    if (expression.kind === "load" && expression.address.kind === "const") {
      return this.words[(expression.address.value + expression.offset) >> 2]!;
    }
    throw new InternalError("wasm", `the host cannot compute a ${expression.kind}`);
  }
}

/** For each row the number of its example; where all lengths are equal, 0, 1, 2, .. */
export type Order = Int32Array;

/** Which rows a value has, in the host's order [batch, ..axes]. */
interface RowWalk {
  readonly view: View;
  readonly type: NodeType;
  readonly reference: Reference;
  readonly order: Order;
  readonly extents: ReadonlyMap<AxisId, number>;
  /** Where each element of a row stands, where strides cannot say it. */
  readonly offsets?: Int32Array;
}

/** Calls `visit` for each row: its number in the host's order, its place in memory (in words), its example. */
function eachRow(
  { view, type, reference, order, extents }: RowWalk,
  visit: (row: number, at: number, example: number, position: readonly number[]) => void,
): void {
  const { memory, features } = reference;
  if (memory.kind !== "rows") throw new InternalError("wasm", "a delayed value cannot be moved");
  const base = (view.value(memory.base) + memory.offset) / 4 + features.offset;
  const sizes = type.axes.map(axis => extents.get(axis)!);
  const steps = type.axes.map(axis => {
    const along = memory.along.get(axis);
    return along === undefined ? 0 : view.value(along.step) / 4;
  });
  const positions = product(sizes);
  const strides = denseStrides(sizes);
  const rows = type.batched ? order.length : 1;
  const position = sizes.map(() => 0);
  for (let p = 0; p < positions; p++) {
    let at = base;
    for (let d = 0; d < sizes.length; d++) {
      position[d] = Math.floor(p / strides[d]!) % sizes[d]!;
      at += position[d]! * steps[d]!;
    }
    for (let r = 0; r < rows; r++) {
      const example = type.batched ? order[r]! : 0;
      visit(
        example * positions + p,
        at + (memory.batched ? r * (memory.rowBytes / 4) : 0),
        example,
        position,
      );
    }
  }
}

const offsetsOf = ({ offsets, reference: { features } }: RowWalk): Int32Array =>
  offsets ?? offsetTable(features.shape, features.dims);

/** Writes a tensor [batch, ..axes, ..shape], or without the batch, into a value's place. */
export function writeTensor(walk: RowWalk, { dtype, data }: Tensor): void {
  const offsets = offsetsOf(walk);
  const { floats, words } = walk.view;
  const size = offsets.length;
  eachRow(walk, (row, at) => {
    const from = row * size;
    if (dtype === "real") for (let i = 0; i < size; i++) floats[at + offsets[i]!] = data[from + i]!;
    else if (dtype === "index") for (let i = 0; i < size; i++) words[at + offsets[i]!] = data[from + i]!;
    else for (let i = 0; i < size; i++) words[at + offsets[i]!] = data[from + i] === 0 ? 0 : -1;
  });
}

/** Reads a value as [batch, ..axes, ..shape], or without the batch; zeros in the padding. */
export function readTensor(walk: RowWalk, lengths: ReadonlyMap<AxisId, Int32Array>): Tensor {
  const { type, reference, order, extents } = walk;
  const { shape } = reference.features;
  const offsets = offsetsOf(walk);
  const size = offsets.length;
  const sizes = [
    ...(type.batched ? [order.length] : []),
    ...type.axes.map(axis => extents.get(axis)!),
    ...shape,
  ];
  const data = makeArray(type.dtype, product(sizes));
  const own = type.batched ? type.axes.map(axis => lengths.get(axis)) : [];
  const { floats, words } = walk.view;
  eachRow(walk, (row, at, example, position) => {
    for (let d = 0; d < own.length; d++) {
      const length = own[d]?.[example];
      if (length !== undefined && position[d]! >= length) return;
    }
    const to = row * size;
    if (type.dtype === "real") for (let i = 0; i < size; i++) data[to + i] = floats[at + offsets[i]!]!;
    else if (type.dtype === "index") for (let i = 0; i < size; i++) data[to + i] = words[at + offsets[i]!]!;
    else for (let i = 0; i < size; i++) data[to + i] = words[at + offsets[i]!] === 0 ? 0 : 1;
  });
  return { dtype: type.dtype, shape: sizes, data };
}

function makeArray(dtype: DType, size: number): Float32Array | Int32Array | Uint8Array {
  if (dtype === "real") return new Float32Array(size);
  return dtype === "index" ? new Int32Array(size) : new Uint8Array(size);
}
