// The schedule: in which order a recurrence graph is computed. A list of steps; a step computes a node at all the
// indices that are not bound by an enclosing loop, for the whole batch, or is a loop over an axis.

import type { AxisId, Graph, NodeId } from "../graph/graph.ts";

export type Step =
  /**
   * One node at the current indices of the enclosing loops and at all indices of its other axes ("vector op").
   * In a loop unrolled by a factor, at `index + offset * direction` of the innermost loop.
   */
  | { readonly kind: "compute"; readonly node: NodeId; readonly offset: number }
  /**
   * A `sum` or `contract` over the axis of the innermost loop, computed inside it: adds this index's part to the
   * running value, which is complete after the loop. `offset` as above.
   */
  | { readonly kind: "accumulate"; readonly node: NodeId; readonly offset: number }
  | Loop;

export interface Loop {
  readonly kind: "loop";
  readonly axis: AxisId;
  /** forward: 0, 1, ..; backward: extent-1, extent-2, .. */
  readonly direction: "forward" | "backward";
  /** Steps of the axis that one pass through `body` computes; offsets past the extent are left out. */
  readonly factor: number;
  readonly body: readonly Step[];
}

/** How long one axis of a value made inside a loop over that axis is kept. */
export type Keeping =
  /** Used in the same iteration only. */
  | { readonly kind: "step" }
  /** Read by delays of up to `slots` iterations inside the loop only. */
  | { readonly kind: "ring"; readonly slots: number }
  /** Read outside the loop: all of it. */
  | { readonly kind: "sequence" };

export interface Schedule {
  readonly graph: Graph;
  readonly steps: readonly Step[];
  /** For each node computed inside loops, how it is kept along each of those loops' axes that it has. */
  readonly keeping: ReadonlyMap<NodeId, ReadonlyMap<AxisId, Keeping>>;
}
