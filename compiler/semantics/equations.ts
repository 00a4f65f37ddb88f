// The strict check of one equation statement and of the boundaries of its names.

import { report } from "../diagnostics/report.ts";
import { shorten, textOf } from "../diagnostics/wording.ts";
import type { Expression } from "../syntax/ast.ts";
import { checkCall, checkExpression } from "./expression.ts";
import { printFeature } from "./print-type.ts";
import { hostOf, requireSame } from "./require-sizes.ts";
import { broadcast, origins, sameShape } from "./rules/shapes.ts";
import {
  type BoundaryDraft,
  type DefinitionScope,
  type EquationDraft,
  type EquationGroup,
  featureOf,
  inOrder,
  type Place,
  reportAt,
} from "./scope.ts";
import type { AxisName, Boundary, TypedExpression, ValueType } from "./typed.ts";

export function placeOf(scope: DefinitionScope, group: EquationGroup, mode: Place["mode"]): Place {
  const [first] = group.drafts;
  return {
    scope,
    mode,
    moved: first?.moved ?? new Map(),
    owners: group.drafts.map(draft => draft.name),
    whole: group.statement.value,
    role: first?.role ?? "plain",
    instance: first?.name ?? "",
    reserved: new Set(["start", "end"]),
  };
}

/** One result for each name on the left; null where unknown. */
export function checkRightSide(
  place: Place,
  value: Expression,
  count: number,
): readonly (TypedExpression | null)[] {
  if (count === 1) return [checkExpression(place, value)];
  if (value.kind !== "call") {
    checkExpression(place, value);
    const help = ["write an equation for each name"];
    const values = { wanted: count, found: 1 };
    reportAt(place, report("F0410", values, value.span, { label: "this is one value", help }));
    return [];
  }
  const results = checkCall(place, value);
  if (results.length === 0 || results.length === count) return results;
  // A layer may have more results than are wanted here; the first ones are taken.
  const isLayer = results[0]?.kind === "call" || results.some(result => result?.kind === "call");
  if (isLayer && results.length > count) return results.slice(0, count);
  const label = `\`${value.callee.name}\` gives ${results.length === 1 ? "one result" : `${results.length} results`} here`;
  reportAt(place, report("F0410", { wanted: count, found: results.length }, value.span, { label }));
  return [];
}

export function checkEquations(scope: DefinitionScope, group: EquationGroup, cyclic: boolean): void {
  const place = placeOf(scope, group, "strict");
  const { statement, drafts } = group;
  const [first] = drafts;
  const differing = drafts.find(draft => first !== undefined && !sameMove(draft, first));
  if (differing !== undefined) {
    const label = "all names of a tuple stand at the same step";
    reportAt(place, report("F0216", { name: differing.name }, differing.targetSpan, { label }));
    return;
  }
  const results = checkRightSide(place, statement.value, drafts.length);
  for (const [at, draft] of drafts.entries()) {
    const result = results[at] ?? null;
    if (result === null || !draft.sound || !checkLeftAxes(place, draft, result)) {
      // The type that was found still serves those who read the name.
      if (result !== null) draft.feature ??= featureOf(result.type);
      checkBoundaries(place, draft, null);
      continue;
    }
    if (cyclic && !agreesWithReads(place, draft, result)) {
      checkBoundaries(place, draft, null);
      continue;
    }
    draft.feature = featureOf(result.type);
    checkRole(place, draft, result);
    finish(place, group, draft, result);
  }
}

const sameMove = (left: EquationDraft, right: EquationDraft): boolean =>
  left.moved.size === right.moved.size &&
  [...left.moved].every(([axis, offset]) => {
    const other = right.moved.get(axis);
    return other !== undefined && sameShape([offset], [other]);
  });

/** Every axis on the right stands on the left; where nothing on the right varies at all, that is a warning. */
function checkLeftAxes(place: Place, draft: EquationDraft, value: TypedExpression): boolean {
  const extra = value.type.axes.find(axis => !draft.order.includes(axis));
  if (extra !== undefined) {
    const source = readAlong(value, extra);
    const target = [...draft.order, extra].join(", ");
    reportAt(
      place,
      report("F0201", { name: draft.name, axis: extra }, source.span, {
        label: `varies along \`${extra}\``,
        notes: [{ span: draft.targetSpan, text: `\`${textOf(draft.targetSpan)}\` does not` }],
        help: leftAxisHelp(draft, extra, target),
      }),
    );
    return false;
  }
  const [axis] = draft.order;
  if (axis !== undefined && value.type.axes.length === 0 && draft.name !== "") {
    reportAt(
      place,
      report("F0208", { name: draft.name, axis }, draft.targetSpan, {
        label: `the same for every \`${axis}\``,
        notes: [{ span: value.span, text: `nothing here varies along \`${axis}\`` }],
      }),
    );
  }
  return true;
}

function leftAxisHelp(draft: EquationDraft, axis: AxisName, target: string): readonly string[] {
  if (draft.role === "loss" || draft.role === "metric") {
    return [`take the mean over all steps: \`mean[${axis}](..)\``];
  }
  return [
    `write \`${draft.name}[${target}] = ..\`, or reduce the axis: \`sum[${axis}](..)\`, \`mean[${axis}](..)\`, \`..[last]\``,
  ];
}

/** The first part of an expression that varies along an axis. */
function readAlong(expression: TypedExpression, axis: AxisName): TypedExpression {
  const parts = expression.kind === "builtin" ? expression.args : [];
  const inner = parts.find(part => part.type.axes.includes(axis));
  return inner === undefined ? expression : readAlong(inner, axis);
}

/** On a cycle: what the equation gives must be what its readers were told. */
function agreesWithReads(place: Place, draft: EquationDraft, value: TypedExpression): boolean {
  const { feature } = draft;
  if (feature === null) return true;
  const complain = () =>
    report(
      "F0315",
      { name: draft.name, read: printFeature(feature), found: printFeature(value.type) },
      value.span,
      {
        label: `this is ${printFeature(value.type)}`,
        notes: [
          { span: draft.targetSpan, text: `\`${draft.name}\` is read as ${printFeature(feature)}` },
          ...origins(hostOf(place), value).filter(note => note.span.start !== value.span.start),
        ],
      },
    );
  const { type } = value;
  if (feature.dtype !== type.dtype || feature.shape.length !== type.shape.length) {
    reportAt(place, complain());
    return false;
  }
  return feature.shape.every((size, at) => requireSame(place, size, type.shape[at]!, complain));
}

/** The loss and metrics are one number for each example; a metric may be a truth value, counted as 0 or 1. */
function checkRole(place: Place, draft: EquationDraft, { type, span }: TypedExpression): void {
  if (draft.role !== "loss" && draft.role !== "metric") return;
  const code = draft.role === "loss" ? "F0602" : "F0603";
  const counts = type.dtype === "real" || (draft.role === "metric" && type.dtype === "bool");
  const scalar = draft.order.length === 0 && type.shape.length === 0 && counts;
  if (scalar) return;
  const [axis] = draft.order;
  const found = axis === undefined ? printFeature(type) : `one for each \`${axis}\``;
  const [label, help] =
    axis !== undefined
      ? [`one for each \`${axis}\``, `take the mean: \`${draft.name} = mean[${draft.order.join(", ")}](..)\``]
      : type.shape.length > 0
        ? [`this is ${found}`, "take the mean over the features: `mean(..)`"]
        : [`this is ${found}`, "`real(..)` makes a number of it"];
  const at = axis === undefined ? span : draft.targetSpan;
  reportAt(place, report(code, { name: draft.name, found }, at, { label, help: [help] }));
}

function finish(place: Place, group: EquationGroup, draft: EquationDraft, value: TypedExpression): void {
  // The alias rule: where the whole right side is a layer call, the names are that layer's results.
  const alias = value.kind === "call" && group.statement.value.kind === "call";
  const type: ValueType = { ...featureOf(value.type), axes: inOrder(place.scope, draft.order) };
  const boundaries = checkBoundaries(place, draft, type);
  if (alias && boundaries.length > 0) {
    const name = value.call.layer.results[value.result];
    const all = value.call.boundaries;
    if (name !== undefined && all instanceof Map) all.set(name, [...(all.get(name) ?? []), ...boundaries]);
  }
  draft.typed = {
    name: draft.name,
    type,
    value,
    boundaries: alias ? [] : boundaries,
    alias,
    role: draft.role,
    span: group.statement.span,
    targetSpan: draft.targetSpan,
  };
}

/** Without a type (after an error in the equation) boundaries are checked for themselves only. */
function checkBoundaries(place: Place, draft: EquationDraft, type: ValueType | null): readonly Boundary[] {
  const checked: Boundary[] = [];
  for (const boundary of draft.boundaries) {
    const instance = `${draft.name}.${boundary.side === "before" ? "start" : "end"}`;
    const own: Place = {
      ...place,
      moved: new Map(),
      owners: [],
      whole: null,
      role: "plain",
      instance,
      reserved: new Set(),
    };
    const value = checkExpression(own, boundary.value);
    if (value === null || !boundaryAxes(own, draft, boundary, value) || type === null) continue;
    const fitted = fitBoundary(own, draft, boundary, value, type);
    if (fitted !== null)
      checked.push({ axis: boundary.axis, side: boundary.side, value: fitted, span: boundary.span });
  }
  return checked;
}

function boundaryAxes(
  place: Place,
  draft: EquationDraft,
  boundary: BoundaryDraft,
  value: TypedExpression,
): boolean {
  const extra = value.type.axes.find(axis => !boundary.axes.includes(axis));
  if (extra === undefined) return true;
  const source = readAlong(value, extra);
  if (extra === boundary.axis) {
    const help = [`read one step of it: \`${draft.name}[${extra}<0] = s[first]\``];
    const label = `varies along \`${extra}\``;
    reportAt(place, report("F0214", { name: draft.name, axis: extra }, source.span, { label, help }));
    return false;
  }
  const notes = [{ span: boundary.targetSpan, text: "the left side does not" }];
  const label = `varies along \`${extra}\``;
  reportAt(place, report("F0201", { name: draft.name, axis: extra }, source.span, { label, notes }));
  return false;
}

function fitBoundary(
  place: Place,
  draft: EquationDraft,
  boundary: BoundaryDraft,
  value: TypedExpression,
  type: ValueType,
): TypedExpression | null {
  const complain = () =>
    report(
      "F0317",
      { name: draft.name, wanted: printFeature(type), found: printFeature(value.type) },
      value.span,
      {
        label: `this is ${printFeature(value.type)}`,
        notes: [
          { span: draft.targetSpan, text: `\`${draft.name}\` is ${printFeature(type)}` },
          ...origins(hostOf(place), value).filter(note => note.span.start !== value.span.start),
        ],
        help:
          value.type.dtype !== "real" && type.dtype === "real"
            ? [`write \`real(${shorten(textOf(boundary.value.span))})\``]
            : [],
      },
    );
  const host = hostOf(place);
  const whole = value.kind === "static" && value.type.dtype === "real" && host.isWhole(value.value);
  const asIndex = type.dtype === "index" && whole;
  if ((value.type.dtype !== type.dtype && !asIndex) || value.type.shape.length > type.shape.length) {
    reportAt(place, complain());
    return null;
  }
  if (broadcast(host, type.shape, value.type.shape, complain) === null) return null;
  return asIndex ? { ...value, type: { ...value.type, dtype: "index" } } : value;
}
