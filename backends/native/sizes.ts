// Sizes that are known when the graph runs, and the order of axes in tensors.

import type { AxisId, Graph } from "../../compiler/graph/graph.ts";
import type { Schedule, Step } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { feedNames } from "./fed.ts";
import type { Dim, Ops } from "./ops.ts";
import type { Sizes } from "./values.ts";

export function sizesOf(ops: Ops, schedule: Schedule): Sizes {
  const { axes } = schedule.graph;
  const order = axisOrder(schedule);
  const extents = new Map<AxisId, Dim>(
    axes.map(({ id, length }, i) => [id, length ?? ops.placeholder(feedNames.extent(i), "index", [])]),
  );
  return {
    batch: ops.placeholder(feedNames.batch, "index", []),
    extent: axis => {
      const extent = extents.get(axis);
      if (extent === undefined) throw new InternalError("sizesOf", `no axis ${axis}`);
      return extent;
    },
    ordered: given => [...new Set(given)].toSorted((a, b) => order.indexOf(a) - order.indexOf(b)),
  };
}

/**
 * An axis stands before those along which its loops make whole sequences at each turn, by how often they do: what a
 * loop reads and writes then lies together. Any order is right; where loops disagree, tensors are transposed.
 */
function axisOrder({ graph, steps }: Schedule): readonly AxisId[] {
  const votes = new Map<AxisId, number>(graph.axes.map(({ id }) => [id, 0]));
  visit(graph, steps, [], axis => votes.set(axis, votes.get(axis)! + 1));
  return graph.axes.map(({ id }) => id).toSorted((a, b) => votes.get(b)! - votes.get(a)!);
}

function visit(
  graph: Graph,
  steps: readonly Step[],
  around: readonly AxisId[],
  vote: (axis: AxisId) => void,
): void {
  for (const step of steps) {
    if (step.kind === "loop") visit(graph, step.body, [...around, step.axis], vote);
    else {
      const { axes } = graph.nodes.get(step.node)!.type;
      for (const [i, axis] of around.entries()) {
        const hasInner = axes.some(other => other !== axis && !around.slice(0, i).includes(other));
        if (axes.includes(axis) && hasInner) vote(axis);
      }
    }
  }
}
