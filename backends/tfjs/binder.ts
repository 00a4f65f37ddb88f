// What a lowering works with while it binds one node: the binder it asks and calls through, row spaces, masks, copies.

import type { AxisId, NodeId, NodeType } from "../../compiler/graph/graph.ts";
import { isDense, type Nest, offsetTable, type Place, product } from "../plan/layout.ts";
import { type Body, copyBody, elementwiseSpec } from "./elementwise.ts";
import type { KernelName, SpecOf } from "./kernels.ts";
import type { KeptPanels } from "./matmul.ts";
import type { Frame, Mask, Position, Rows } from "./rows.ts";

/** An operand of a call. Its place is taken at the current index of the enclosing loops, but not along `still`. */
export interface Operand {
  readonly place: Place;
  readonly still?: AxisId;
}

/** What a lowering may ask while it binds one node to a batch and extents. */
export interface Binder {
  readonly frame: Frame;
  readonly batch: number;
  /** The running sum goes on: a reduction computed inside a loop over a reduced axis. */
  readonly accumulate: boolean;
  /** Axes of the enclosing loops, outermost first. */
  readonly bound: readonly AxisId[];
  extent(axis: AxisId): number;
  axisNumber(axis: AxisId): number;
  /** Whether some example is shorter than the axis's extent. */
  ragged(axis: AxisId): boolean;
  type(id: NodeId): NodeType;
  place(id: NodeId): Place;
  /** Room for reals during this node's calls. */
  scratch(size: number): { readonly slot: number; readonly offset: number };
  /** Whether a node's value is the same in every iteration of the innermost loop. */
  isInvariant(id: NodeId): boolean;
  /** Panels of `size` floats, kept for this node's right operand; stale at each begin of the innermost loop. */
  keptPanels(size: number): KeptPanels;
  /** `spec` may be large, and is asked for only where calls are made and not just measured. */
  call<K extends KernelName>(kernel: K, operands: readonly Operand[], spec: () => SpecOf<K>): void;
}

/** The rows of a value: its axes that no loop binds, then the examples. */
export interface RowSpace {
  readonly sizes: readonly number[];
  strides(place: Place): readonly number[];
  rows(place: Place): Rows;
  position(axis: AxisId): Position;
}

export function rowSpace(binder: Binder, type: Pick<NodeType, "axes" | "batched">): RowSpace {
  const free = type.axes.filter(axis => !binder.bound.includes(axis));
  const batch = type.batched ? binder.batch : 1;
  const sizes = [...free.map(axis => binder.extent(axis)), batch];
  const strides = (place: Place): readonly number[] => [
    ...free.map(axis => place.axes.get(axis)?.step ?? 0),
    type.batched ? place.batch : 0,
  ];
  return {
    sizes,
    strides,
    rows(place) {
      const rows = offsetTable(sizes, strides(place));
      const features = offsetTable(place.shape, place.dims);
      const size = features.length;
      const dense = isDense(features);
      const block = dense && rows.every((offset, r) => offset === r * size);
      return { rows, features: dense ? null : features, size, block };
    },
    position(axis) {
      const number = binder.axisNumber(axis);
      const d = free.indexOf(axis);
      if (d < 0) return { kind: "bound", axis: number };
      return { kind: "free", axis: number, stride: product(sizes.slice(d + 1)), size: sizes[d] ?? 1 };
    },
  };
}

/** What marks padding in a row space: axes among `reduced` along which batched operands have padding. */
export function maskOf(
  binder: Binder,
  space: RowSpace,
  operands: readonly NodeType[],
  reduced: readonly AxisId[],
): Mask | null {
  const axes = reduced.filter(
    axis => binder.ragged(axis) && operands.some(type => type.batched && type.axes.includes(axis)),
  );
  if (axes.length === 0) return null;
  return { frame: binder.frame, batch: binder.batch, axes: axes.map(axis => space.position(axis)) };
}

/** Copies a value of a type at the current index. */
export function copyPlaces(binder: Binder, type: NodeType, from: Place, to: Place): void {
  const space = rowSpace(binder, type);
  const strides = [from, to].map(place => [...space.strides(place), ...place.dims]);
  nestCall(binder, copyBody, { sizes: [...space.sizes, ...type.shape], strides }, [from, to]);
}

export function nestCall(binder: Binder, body: Body, nest: Nest, places: readonly Place[]): void {
  if (nest.sizes.includes(0)) return;
  binder.call(
    "FrondElementwise",
    places.map(place => ({ place })),
    () => elementwiseSpec(body, nest),
  );
}
