// The left sides: which names equations define, along which axes, with which offsets, and which are boundaries.

import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { textOf } from "../diagnostics/wording.ts";
import type { Expression, Target as LeftSide } from "../syntax/ast.ts";
import { add } from "./declare.ts";
import { axesMismatch, reportUnknownAxis } from "./indices.ts";
import {
  type BoundaryDraft,
  type EquationDraft,
  type EquationStatement,
  findAxis,
  isNews,
  type Place,
} from "./scope.ts";
import { negateSize, type Size } from "./size.ts";
import { sizeOf } from "./statics.ts";
import type { AxisName } from "./typed.ts";

export function declareEquations(place: Place): void {
  const boundaries: BoundaryDraft[] = [];
  for (const statement of place.scope.definition.body) {
    if (statement.kind !== "equation") continue;
    const [first] = statement.targets;
    if (statement.targets.length === 1 && first !== undefined && hasBoundary(first)) {
      const draft = declareBoundary(place, statement, first);
      if (draft !== null) boundaries.push(draft);
    } else declareEquation(place, statement);
  }
  for (const boundary of boundaries) attach(place, boundary);
}

const isCondition = (item: Expression): boolean =>
  item.kind === "binary" && ["<", "<=", ">", ">=", "==", "!="].includes(item.operator);

const hasBoundary = (target: LeftSide): boolean => target.indices.some(isCondition);

interface LeftIndex {
  readonly axis: AxisName;
  readonly offset: Size | null;
}

/** `t`, `t+1`, `t-1` on the left; null after a complaint. */
function leftIndex(place: Place, { name }: LeftSide, item: Expression): LeftIndex | null {
  const { scope } = place;
  const sum = item.kind === "binary" && (item.operator === "+" || item.operator === "-") ? item : null;
  const base = sum?.left ?? item;
  if (base.kind !== "name" || base.indices !== null || isCondition(item)) {
    const [axis = "t"] = scope.axes;
    const number = item.kind === "number" || (item.kind === "unary" && item.operand.kind === "number");
    const help = number
      ? [`what lies before the first step is a boundary: \`${name.name}[${axis}<0] = ..\``]
      : [
          `left sides are indexed by \`${axis}\` or \`${axis}+k\`; boundaries are \`${name.name}[${axis}<0] = ..\` and \`${name.name}[${axis}>last] = ..\``,
        ];
    const label = number ? "one step only" : "neither an axis nor one side of it";
    scope.report(report("F0216", { name: name.name }, item.span, { label, help }));
    return null;
  }
  const axis = base.name.name;
  if (axis === "first" || axis === "last") {
    const form = axis === "first" ? `${name.name}[t<0] = ..` : `${name.name}[t>last] = ..`;
    const help = [`an equation holds at all steps; what lies outside is a boundary: \`${form}\``];
    scope.report(report("F0216", { name: name.name }, item.span, { label: "one step only", help }));
    return null;
  }
  if (findAxis(scope, axis) === null) return reportUnknownAxis(place, axis, base.span);
  if (sum === null) return { axis, offset: null };
  const offset = sizeOf(place, sum.right);
  return offset && { axis, offset: sum.operator === "+" ? offset : negateSize(offset) };
}

function declareEquation(place: Place, statement: EquationStatement): void {
  const { scope } = place;
  const drafts: EquationDraft[] = [];
  for (const target of statement.targets) {
    const order: AxisName[] = [];
    const moved = new Map<AxisName, Size>();
    let sound = true;
    for (const item of target.indices) {
      const index = leftIndex(place, target, item);
      sound &&= index !== null && !order.includes(index.axis);
      if (index === null) continue;
      if (order.includes(index.axis)) {
        scope.report(report("F0211", { axis: index.axis }, item.span, { label: "for the second time" }));
        continue;
      }
      order.push(index.axis);
      if (index.offset !== null) moved.set(index.axis, index.offset);
    }
    const { name } = target.name;
    const isLoss = statement.role === "plain" && name === "loss" && scope.definition.kind === "model";
    const draft: EquationDraft = {
      name,
      targetSpan: target.span,
      order,
      moved,
      sound,
      role: isLoss ? "loss" : statement.role,
      boundaries: [],
      feature: null,
      typed: null,
    };
    drafts.push(declareDraft(place, target, draft));
  }
  scope.groups.push({ statement, drafts });
}

/** A second definition is checked for itself, under a name that nobody can read. */
function declareDraft({ scope }: Place, target: LeftSide, draft: EquationDraft): EquationDraft {
  const before = scope.symbols.get(draft.name);
  // Where a left side is wrong (`h[0] = ..` beside `h[t] = ..`), that is what is to be mended.
  const broken = before?.kind === "equation" && !before.draft.sound;
  if (broken && draft.sound) scope.symbols.delete(draft.name);
  if (before !== undefined && (!draft.sound || (broken && !draft.sound))) return { ...draft, name: "" };
  const added = add(scope, target.name, { kind: "equation", draft, span: target.span });
  return added ? draft : { ...draft, name: "" };
}

function declareBoundary(place: Place, statement: EquationStatement, target: LeftSide): BoundaryDraft | null {
  const { scope } = place;
  const name = target.name.name;
  const conditions = target.indices.filter(isCondition);
  const [condition] = conditions;
  if (condition === undefined) return null;
  const side = sideOf(condition);
  if (conditions.length > 1 || side === null || statement.role !== "plain") {
    const label =
      conditions.length > 1 ? "one side of one axis at a time" : `\`${textOf(condition.span)}\` is no side`;
    const help = [
      "boundaries are `h[t<0] = ..` (before the first step) and `h[t>last] = ..` (after the last)",
    ];
    scope.report(report("F0216", { name }, target.span, { label, help }));
    return null;
  }
  if (findAxis(scope, side.axis) === null) return reportUnknownAxis(place, side.axis, condition.span);
  const axes: AxisName[] = [];
  for (const item of target.indices) {
    if (item === condition) axes.push(side.axis);
    else {
      const index = leftIndex(place, target, item);
      if (index === null) return null;
      axes.push(index.axis);
    }
  }
  const { value, span } = statement;
  return { name, axis: side.axis, side: side.side, axes, value, span, targetSpan: target.span };
}

/** `t<0` and `t>last`; null for other conditions. */
function sideOf(
  condition: Expression,
): { readonly axis: AxisName; readonly side: "before" | "after" } | null {
  if (condition.kind !== "binary") return null;
  const { operator, left, right } = condition;
  if (left.kind !== "name" || left.indices !== null) return null;
  const axis = left.name.name;
  if (operator === "<" && right.kind === "number" && right.value === 0) return { axis, side: "before" };
  if (operator === ">" && right.kind === "name" && right.name.name === "last") return { axis, side: "after" };
  return null;
}

/** Gives a boundary to the equation of its name. */
function attach(place: Place, boundary: BoundaryDraft): void {
  const { scope } = place;
  const { name, targetSpan } = boundary;
  const symbol = scope.symbols.get(name);
  if (symbol === undefined) {
    if (!isNews(place, name)) return;
    const help = didYouMean(name, scope.symbols.keys());
    scope.report(report("F0101", { name }, targetSpan, { label: "nothing here has this name", help }));
    return;
  }
  if (symbol.kind !== "equation") {
    const notes = [{ span: symbol.span, text: "it is declared here" }];
    const help = ["give it a name of its own, `z[t] = x[t]`, with a boundary of its own"];
    scope.report(report("F0215", { name }, targetSpan, { label: "not defined by an equation", notes, help }));
    return;
  }
  const { draft } = symbol;
  const before = draft.boundaries.find(other => other.axis === boundary.axis && other.side === boundary.side);
  if (before !== undefined) {
    const notes = [{ span: before.targetSpan, text: "first given here" }];
    scope.report(report("F0213", { name }, targetSpan, { label: "the same side again", notes }));
    return;
  }
  if (!draft.sound) return;
  const target = { name, order: draft.order, declaration: draft.targetSpan, span: targetSpan };
  const mismatch = axesMismatch(target, boundary.axes);
  if (mismatch !== null) {
    scope.report(mismatch);
    return;
  }
  draft.boundaries.push({ ...boundary, axes: boundary.axes.filter(axis => axis !== boundary.axis) });
}
