// Recurrences that no loop can compute, told in the equations that form them.

import type { Diagnostic, Note } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import type { Graph, NodeId } from "../graph/graph.ts";
import { lower } from "../lower/lower.ts";
import type { StaticValue } from "../lower/statics.ts";
import { type AxisObstacle, type CycleProblem, schedule } from "../schedule/build.ts";
import type { TypedDefinition } from "../semantics/typed.ts";

/** A size for models that give none: whether a recurrence has an order does not depend on sizes. */
const anySize = 2;

/** The recurrences of a model that have no order; nothing for layers, whose uses are looked at instead. */
export function checkOrder(
  model: TypedDefinition,
  sizes: ReadonlyMap<string, StaticValue> = new Map(),
): readonly Diagnostic[] {
  if (model.kind !== "model") return [];
  const open = model.statics.filter(
    one => one.kind === "size" && one.default === null && !sizes.has(one.name),
  );
  const filled = new Map(sizes);
  for (const { name } of open) filled.set(name, anySize);
  const { lowered, diagnostics } = lower(model, { sizes: filled, mode: "train" });
  // With sizes of our own choice, a refusal says nothing about the user's.
  if (lowered === null) return open.length > 0 ? [] : diagnostics;
  const scheduling = schedule(lowered.graph);
  return scheduling.kind === "scheduled" ? [] : orderDiagnostics(lowered.graph, scheduling.problems);
}

export function orderDiagnostics(graph: Graph, problems: readonly CycleProblem[]): readonly Diagnostic[] {
  return problems.map(problem => orderDiagnostic(graph, problem));
}

function orderDiagnostic(graph: Graph, { cycle, obstacles }: CycleProblem): Diagnostic {
  const names = [...new Set(cycle.map(id => labelOf(graph, id)).filter(label => label !== ""))];
  const name = names[0] ?? "this recurrence";
  const span = cycle.map(id => graph.nodes.get(id)?.span ?? null).find(one => one !== null) ?? null;
  const notes = obstacles.flatMap(obstacle => explain(graph, obstacle));
  const [obstacle] = obstacles;
  const chain = names.length > 1 ? [`the circle: ${[...names, name].join(" needs ")}`] : [];
  if (obstacles.length === 1 && obstacle?.kind === "directions") {
    return report("F0502", { name, axis: obstacle.axis }, span, {
      notes,
      help: [...chain, "write two recurrences, one for each direction, and join them in a third equation"],
    });
  }
  const whole = obstacles.find(one => one.kind === "lacks");
  if (whole !== undefined && obstacles.every(one => one.kind !== "directions")) {
    return report("F0503", { name, axis: whole.axis }, span, {
      notes,
      help: [
        ...chain,
        `take the value of the step before, or reduce over an axis other than \`${whole.axis}\``,
      ],
    });
  }
  return report("F0504", { name }, span, {
    notes,
    help: [...chain, "rewrite it so that along one axis all reads look the same way"],
  });
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
