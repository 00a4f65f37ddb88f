// The lengths of axes that are known before any data are.

import type { Axis, AxisId } from "../compiler/graph/graph.ts";

/** Null where each example has its own. */
export const staticLength = (axes: readonly Axis[], id: AxisId): number | null =>
  axes.find(axis => axis.id === id)?.length ?? null;

/** `[...axes, ...shape]` of a parameter or a state: all its axes are static. */
export const staticShape = (
  axes: readonly Axis[],
  own: { readonly axes: readonly AxisId[]; readonly shape: readonly number[] },
): readonly number[] => [...own.axes.map(id => staticLength(axes, id) ?? 0), ...own.shape];
