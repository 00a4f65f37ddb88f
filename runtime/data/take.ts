// Cuts a batch out of a bound data set: the examples asked for, trimmed to the longest of them.

import type { Feeds, Tensor } from "../../backends/api.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { elementCount, zerosLike } from "../tensor.ts";
import type { Binding, BoundInput } from "./bind.ts";

/** The feeds of these examples, in this order; random draws of the run depend on (seed, step). */
export function take(binding: Binding, indices: Int32Array, seed: number, step: number): Feeds {
  const lengths = new Map<AxisId, Int32Array>();
  const extents = new Map<AxisId, number>();
  for (const [id, all] of binding.lengths) {
    const own = Int32Array.from(indices, index => all[index]!);
    lengths.set(id, own);
    extents.set(id, Math.max(0, ...own));
  }
  const inputs = new Map(binding.inputs.map(input => [input.spec.name, gather(input, indices, extents)]));
  return { batch: indices.length, inputs, lengths, seed, step };
}

/** `[size, ...axes, ...shape]` -> `[batch, ...extents, ...shape]`. */
function gather(
  { spec, tensor }: BoundInput,
  indices: Int32Array,
  extents: ReadonlyMap<AxisId, number>,
): Tensor {
  const inner = tensor.shape.slice(1);
  const cut = inner.map((size, dim) => {
    const axis = spec.axes[dim];
    return axis === undefined ? size : (extents.get(axis) ?? size);
  });
  // An array that is padded less than others along its axis has fewer steps than the extent.
  const kept = cut.map((size, dim) => Math.min(size, inner[dim]!));
  const result = zerosLike(tensor, [indices.length, ...cut]);
  const last = kept.findLastIndex((size, dim) => size !== inner[dim]! || size !== cut[dim]!);
  const copy = (dim: number, from: number, to: number): void => {
    const fromStride = elementCount(inner.slice(dim));
    if (dim > last) {
      result.data.set(tensor.data.subarray(from, from + fromStride), to);
      return;
    }
    const step = elementCount(inner.slice(dim + 1));
    const toStep = elementCount(cut.slice(dim + 1));
    if (dim === last) {
      result.data.set(tensor.data.subarray(from, from + kept[dim]! * step), to);
      return;
    }
    for (let i = 0; i < kept[dim]!; i++) copy(dim + 1, from + i * step, to + i * toStep);
  };
  const example = elementCount(inner);
  indices.forEach((index, row) => {
    copy(0, index * example, row * elementCount(cut));
  });
  return result;
}
