// The indices that reductions run through: axes and the batch, as far as each example goes.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { binary, compare, least, type Operand } from "./builder.ts";
import type { Kernel, Position } from "./kernel.ts";

/** Axes and batch that are reduced, and what decides how far. */
export interface ReducedIndices {
  readonly axes: readonly AxisId[];
  readonly batch: boolean;
  readonly operands: readonly { readonly batched: boolean; readonly axes: readonly AxisId[] }[];
}

/**
 * Runs through reduced axes and the batch. The primary axis comes first: it says how many rows take part; other axes
 * come after the example whose length they end with. `row`: the kept example, or null.
 */
export function walkIndices(
  kernel: Kernel,
  { axes, batch, operands }: ReducedIndices,
  row: Operand | null,
  make: (example: Operand, position: Position) => void,
): void {
  const { f } = kernel;
  const { primary } = kernel.around;
  const isRagged = (axis: AxisId): boolean =>
    operands.some(operand => operand.batched && operand.axes.includes(axis)) &&
    kernel.around.staticLength(axis) === null;
  const first = batch ? axes.filter(axis => axis === primary) : [];
  const others = axes.filter(axis => !first.includes(axis));
  const at = new Map<AxisId, Operand>();
  const position: Position = axis => at.get(axis) ?? kernel.position(axis);
  // Axes at whose positions the kernel already is: an example may have ended before.
  const standing = [...new Set(operands.flatMap(operand => operand.axes))].filter(
    axis => isRagged(axis) && axis !== primary && !axes.includes(axis),
  );
  const inner = (example: Operand | null): void => {
    if (example === null || standing.length === 0) {
      walk(example);
      return;
    }
    const isReal = standing
      .map(axis => compare("lt", kernel.position(axis), kernel.length(axis, example)))
      .reduce((all, one) => binary("and", all, one));
    f.if(isReal, () => walk(example));
  };
  const walk = (example: Operand | null): void => {
    const enter = (d: number): void => {
      const axis = others[d];
      if (axis === undefined) {
        make(example ?? kernel.from, position);
        return;
      }
      const end = example !== null && isRagged(axis) ? kernel.length(axis, example) : kernel.extent(axis);
      f.for(0, end, 1, index => {
        at.set(axis, index);
        enter(d + 1);
      });
    };
    enter(0);
  };
  if (!batch) {
    inner(row);
    return;
  }
  const rows = (end: Operand): void => f.for(kernel.from, end, 1, example => inner(example));
  const [axis] = first;
  if (axis === undefined) {
    rows(kernel.to);
    return;
  }
  f.for(0, kernel.extent(axis), 1, index => {
    at.set(axis, index);
    rows(isRagged(axis) ? least(f.let(kernel.active(index)), kernel.to) : kernel.to);
  });
}
