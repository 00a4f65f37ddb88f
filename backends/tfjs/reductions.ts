// Binds sum, max, logsumexp and argmax to FrondReduce. Padding is replaced by what does not matter first, where there
// is any.

import type { NodeId, NodeType, Reduced } from "../../compiler/graph/graph.ts";
import { denseStrides, type Place } from "../plan/layout.ts";
import { type Binder, maskOf, rowSpace } from "./binder.ts";
import { type Reduction, reduceSpec } from "./reduce.ts";
import type { Mask } from "./rows.ts";

const neutral: Readonly<Record<Reduction, number>> = {
  sum: 0,
  max: Number.NEGATIVE_INFINITY,
  logsumexp: Number.NEGATIVE_INFINITY,
  argmax: Number.NEGATIVE_INFINITY,
};

export function bindReduction(
  binder: Binder,
  id: NodeId,
  input: NodeId,
  reduction: Reduction,
  { dims, axes, batch }: Pick<Reduced, "dims" | "axes" | "batch">,
): void {
  const type = binder.type(input);
  const space = rowSpace(binder, type);
  // Where examples are added up, padding along every axis counts; else what stands in padding stays there.
  const mask = maskOf(binder, space, [type], batch ? type.axes : axes);
  const from = mask === null ? binder.place(input) : selected(binder, input, mask, neutral[reduction]);
  const free = type.axes.filter(axis => !binder.bound.includes(axis));
  const [kept, reduced] = [emptyNest(), emptyNest()];
  const strides = space.strides(from);
  for (const [d, axis] of free.entries())
    add(axes.includes(axis) ? reduced : kept, space.sizes[d]!, strides[d]!);
  add(batch ? reduced : kept, space.sizes.at(-1)!, strides.at(-1)!);
  for (const [d, size] of type.shape.entries()) add(dims.includes(d) ? reduced : kept, size, from.dims[d]!);
  binder.call("FrondReduce", [{ place: from }, { place: binder.place(id) }], () =>
    reduceSpec(reduction, kept, reduced, binder.accumulate),
  );
}

const emptyNest = (): { sizes: number[]; strides: [number[]] } => ({ sizes: [], strides: [[]] });

function add(nest: { sizes: number[]; strides: [number[]] }, size: number, stride: number): void {
  nest.sizes.push(size);
  nest.strides[0].push(stride);
}

/** A dense copy of a node's value at the current index, with `fill` in its padding. */
export function selected(
  binder: Binder,
  input: NodeId,
  mask: Mask,
  fill: number,
  over: Pick<NodeType, "axes" | "batched"> = binder.type(input),
): Place {
  const place = binder.place(input);
  const { axes } = over;
  const space = rowSpace(binder, over);
  const sizes = [...space.sizes, ...place.shape];
  const strides = denseStrides(sizes);
  const { slot, offset } = binder.scratch(sizes.reduce((a, b) => a * b, 1));
  const free = axes.filter(axis => !binder.bound.includes(axis));
  const copy: Place = {
    slot,
    offset,
    axes: new Map(free.map((axis, d) => [axis, { step: strides[d]!, wrap: 0 }])),
    batch: over.batched ? strides[free.length]! : 0,
    shape: place.shape,
    dims: strides.slice(free.length + 1),
  };
  binder.call("FrondSelect", [{ place }, { place: copy }], () => ({ mask, from: space.rows(place), fill }));
  return copy;
}
