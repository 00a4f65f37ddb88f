// Recurrences that no loop can compute, told in the equations that form them.

import type { Diagnostic, Note } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import type { Graph, NodeId } from "../graph/graph.ts";
import { lower } from "../lower/lower.ts";
import { type AxisObstacle, type CycleProblem, schedule } from "../schedule/build.ts";
import type { TypedDefinition } from "../semantics/typed.ts";

/** A size for models that give none: whether a recurrence has an order does not depend on sizes. */
const anySize = 2;

/** The recurrences of a model that have no order; nothing for layers, whose uses are looked at instead. */
export function checkOrder(model: TypedDefinition): readonly Diagnostic[] {
  if (model.kind !== "model") return [];
  const open = model.statics.filter(one => one.kind === "size" && one.default === null);
  const sizes = new Map(open.map(({ name }) => [name, anySize] as const));
  const { lowered, diagnostics } = lower(model, { sizes, mode: "train" });
  // With sizes of our own choice, a refusal says nothing about the user's.
  if (lowered === null) return open.length > 0 ? [] : diagnostics;
  return unordered(lowered.graph);
}

/** The recurrences of a graph that have no order. */
export function unordered(graph: Graph): readonly Diagnostic[] {
  const scheduling = schedule(graph);
  return scheduling.kind === "scheduled" ? [] : orderDiagnostics(graph, scheduling.problems);
}

export function orderDiagnostics(graph: Graph, problems: readonly CycleProblem[]): readonly Diagnostic[] {
  return problems.map(problem => orderDiagnostic(graph, problem));
}

function orderDiagnostic(graph: Graph, { cycle, obstacles }: CycleProblem): Diagnostic {
  const labels = [...new Set(cycle.map(id => labelOf(graph, id)).filter(label => label !== ""))];
  const names = `the equations of ${labels.map(label => `\`${label}\``).join(", ")}`;
  const span = cycle.map(id => graph.nodes.get(id)?.span ?? null).find(one => one !== null) ?? null;
  const notes = obstacles.flatMap(obstacle => explain(graph, obstacle));
  const [obstacle] = obstacles;
  if (obstacles.length === 1 && obstacle?.kind === "directions") {
    const help = ["write two recurrences, one for each direction, and join them in a third equation"];
    return report("F0502", { names, axis: obstacle.axis }, span, { notes, help });
  }
  const whole = obstacles.find(one => one.kind === "lacks");
  if (whole !== undefined && obstacles.every(one => one.kind !== "directions")) {
    const help = [`take the value of the step before, or reduce over an axis other than \`${whole.axis}\``];
    return report("F0503", { names, axis: whole.axis }, span, { notes, help });
  }
  const help = ["rewrite it so that along one axis all reads look the same way"];
  return report("F0504", { names }, span, { notes, help });
}

const labelOf = (graph: Graph, id: NodeId): string => graph.nodes.get(id)?.label ?? "";

function explain(graph: Graph, obstacle: AxisObstacle): readonly Note[] {
  const note = (id: NodeId, text: string): readonly Note[] => {
    const span = graph.nodes.get(id)?.span ?? null;
    return span === null ? [] : [{ span, text }];
  };
  switch (obstacle.kind) {
    case "lacks":
      return note(obstacle.node, `needs all of \`${obstacle.axis}\` at once`);
    case "directions":
      return [
        ...note(obstacle.delay, `looks back along \`${obstacle.axis}\``),
        ...note(obstacle.advance, `looks ahead along \`${obstacle.axis}\``),
      ];
    case "still":
      return [];
  }
}
