// Recurrences that no loop can compute, told in the equations that form them: where the circle goes round, and what in
// it stands in the way along each axis.

import type { Diagnostic, Note, Span } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import { listed, textOf } from "../diagnostics/wording.ts";
import type { AxisId, Graph, NodeId } from "../graph/graph.ts";
import { lower } from "../lower/lower.ts";
import type { LoweredModel } from "../lower/model.ts";
import { type AxisObstacle, type CycleProblem, schedule } from "../schedule/build.ts";
import type {
  Static,
  StaticParameter,
  TypedAxis,
  TypedDefinition,
  TypedEquation,
  TypedExpression,
} from "../semantics/typed.ts";

/** A size where none is given: whether a recurrence has an order does not depend on sizes. */
const anySize: Static = { kind: "number", value: 2 };

/** The recurrences of a definition that have no order, and what else keeps a model from being lowered. */
export function checkOrder(definition: TypedDefinition): readonly Diagnostic[] {
  const closed = withDefaults(definition.kind === "model" ? definition : asModel(definition));
  const { lowered, diagnostics } = lower(closed, { sizes: new Map(), mode: "train" });
  if (lowered !== null) return unordered(lowered);
  // With sizes of our own choice, a refusal says nothing about the user's.
  const chosen =
    definition.kind === "layer" || closed.statics.some((one, at) => one !== definition.statics[at]);
  return chosen ? [] : diagnostics;
}

function withDefaults(definition: TypedDefinition): TypedDefinition {
  const statics = definition.statics.map((one): StaticParameter => {
    if (one.default !== null || one.kind === "function") return one;
    return { ...one, default: one.kind === "bool" ? { kind: "bool", value: false } : anySize };
  });
  return { ...definition, statics };
}

/** A layer as a model of its own: its arguments are inputs, its results outputs, its inferred sizes given. */
function asModel(layer: TypedDefinition): TypedDefinition {
  const sizes = layer.inferred.map((name): StaticParameter => {
    return { name, kind: "size", default: anySize, span: layer.headerSpan };
  });
  const equations = [...layer.equations].map(([name, equation]): [string, TypedEquation] => {
    return [name, layer.results.includes(name) ? { ...equation, role: "output" } : equation];
  });
  const axes = layer.axes.map(
    (axis): TypedAxis => (axis.kind === "bound" ? { ...axis, kind: "dynamic" } : axis),
  );
  const statics = [...sizes, ...layer.statics];
  return { ...layer, kind: "model", axes, statics, inferred: [], equations: new Map(equations) };
}

type Equations = LoweredModel["equations"];

/** The recurrences of a model that have no order. */
export function unordered({ graph, equations }: LoweredModel): readonly Diagnostic[] {
  const scheduling = schedule(graph);
  return scheduling.kind === "scheduled" ? [] : orderDiagnostics(graph, scheduling.problems, equations);
}

/** `equations` are the checked equations behind the nodes' labels; without them less can be shown. */
export function orderDiagnostics(
  graph: Graph,
  problems: readonly CycleProblem[],
  equations: Equations = new Map(),
): readonly Diagnostic[] {
  return problems.map(problem => {
    const circle = circleOf(graph, problem, equations);
    return titled(graph, problem, circle, notesOf(graph, problem, circle, equations));
  });
}

interface Member {
  readonly label: string;
  readonly equation: TypedEquation;
}

/**
 * The circle's equations, in the order of the text. Where it passes through a layer and what is around it, the layer's
 * part is told as the equation that uses it: `d.h` is inside of `d`.
 */
function circleOf(graph: Graph, problem: CycleProblem, equations: Equations): readonly Member[] {
  const start = problem.cycle[0]!;
  const detours = problem.obstacles.flatMap(remarks).flatMap(({ node }) => {
    return [...wayBetween(graph, start, node), ...wayBetween(graph, node, start)];
  });
  const labels = [...problem.cycle, ...detours].map(id => graph.nodes.get(id)?.label ?? "");
  const inside = labels.every(label => scopeOf(label) === scopeOf(labels[0]!));
  const told = labels.map(label => (inside ? label : label.replace(/\..*/, "")));
  return [...new Set(told)]
    .flatMap(label => {
      const equation = equations.get(label);
      return equation === undefined ? [] : [{ label, equation }];
    })
    .sort((a, b) => a.equation.targetSpan.start - b.equation.targetSpan.start);
}

/** The nodes from one to another that it depends on, both included; breadth first. */
function wayBetween(graph: Graph, from: NodeId, to: NodeId): readonly NodeId[] {
  const cameFrom = new Map<NodeId, NodeId | null>([[from, null]]);
  for (const id of cameFrom.keys()) {
    if (id === to) break;
    for (const input of graph.nodes.get(id)?.inputs ?? []) {
      if (!cameFrom.has(input)) cameFrom.set(input, id);
    }
  }
  const way: NodeId[] = [];
  for (let at = cameFrom.has(to) ? to : null; at !== null; at = cameFrom.get(at) ?? null) way.unshift(at);
  return way;
}

function titled(
  graph: Graph,
  { cycle, obstacles }: CycleProblem,
  circle: readonly Member[],
  notes: readonly Note[],
): Diagnostic {
  const span = circle[0]?.equation.targetSpan ?? spanIn(graph, cycle);
  const names = { names: listed(circle.map(({ label }) => label)) };
  const both = obstacles.filter(obstacle => obstacle.kind === "directions");
  const whole = obstacles.find(obstacle => obstacle.kind === "lacks");
  if (both.length === 1 && whole === undefined) {
    const { axis } = both[0]!;
    const label = `needs itself before and after, along \`${axis}\``;
    const help = ["write two recurrences, one for each direction, and join them in a third equation"];
    return report("F0502", { ...names, axis }, span, { label, notes, help });
  }
  if (both.length === 0 && whole !== undefined) {
    const { axis } = whole;
    const label = `needs itself at all of \`${axis}\``;
    const help = [`keep a running value, \`m[${axis}] = m[${axis}-1] + ..\`, or look at single steps`];
    return report("F0503", { ...names, axis }, span, { label, notes, help });
  }
  const help = ["along one axis, all reads of the circle must look the same way, or not move at all"];
  return report("F0504", names, span, { label: "needs itself in every direction", notes, help });
}

const spanIn = (graph: Graph, cycle: readonly NodeId[]): Span | null =>
  cycle.map(id => graph.nodes.get(id)?.span ?? null).find(span => span !== null) ?? null;

/** What is said of one place: which equation needs it, and how it stands in the way. */
interface Place {
  readonly span: Span;
  readonly needs: string;
  readonly says: string[];
}

function notesOf(
  graph: Graph,
  { obstacles }: CycleProblem,
  circle: readonly Member[],
  equations: Equations,
): readonly Note[] {
  const places = new Map<string, Place>();
  const placeAt = (span: Span, label: string): Place => {
    const key = `${span.source.name} ${span.start} ${span.end}`;
    const equation = equations.get(label);
    const needs =
      equation === undefined ? "" : `\`${textOf(equation.targetSpan)}\` needs \`${textOf(span)}\``;
    const place = places.get(key) ?? { span, needs, says: [] };
    places.set(key, place);
    return place;
  };
  for (const { node, says } of obstacles.flatMap(remarks)) {
    const found = graph.nodes.get(node);
    if (found?.span) placeAt(found.span, found.label).says.push(says);
  }
  for (const { label, equation } of circle) {
    for (const other of circle) {
      const read = other.label === label ? null : readOf(equation.value, other.equation.name);
      if (read !== null) placeAt(read, label);
    }
  }
  return [...places.values()].map(({ span, needs, says }) => ({ span, text: noteText(needs, says, circle) }));
}

const noteText = (needs: string, says: readonly string[], circle: readonly Member[]): string => {
  const looks = [...new Set(says)].join(" and ");
  if (looks === "" || needs === "") return needs + looks;
  return circle.length > 1 ? `${needs}: ${looks}` : looks;
};

interface Remark {
  readonly node: NodeId;
  readonly says: string;
}

function remarks(obstacle: AxisObstacle): readonly Remark[] {
  const along = (axis: AxisId): string => `along \`${axis}\``;
  switch (obstacle.kind) {
    case "lacks":
      return [{ node: obstacle.node, says: `all of \`${obstacle.axis}\` at once` }];
    case "directions":
      return [
        { node: obstacle.delay, says: `back ${along(obstacle.axis)}` },
        { node: obstacle.advance, says: `ahead ${along(obstacle.axis)}` },
      ];
    case "still":
      return [];
  }
}

/** The use of a layer that an equation stands in: "d." of "d.h", "" in the model itself. */
const scopeOf = (label: string): string => label.slice(0, label.lastIndexOf(".") + 1);

/** Where an expression reads a name; null where it does not, or only through an argument of a layer. */
function readOf(expression: TypedExpression, name: string): Span | null {
  switch (expression.kind) {
    case "static":
      return null;
    case "read":
      return expression.name === name ? expression.span : null;
    case "builtin":
      return firstOf(expression.args, name);
    case "call":
      return firstOf([...expression.call.values.values()], name);
  }
}

function firstOf(expressions: readonly TypedExpression[], name: string): Span | null {
  for (const expression of expressions) {
    const found = readOf(expression, name);
    if (found !== null) return found;
  }
  return null;
}
