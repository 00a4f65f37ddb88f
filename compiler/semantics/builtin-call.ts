// Calls of primitives, and the operators: arguments by kind, what the brackets mean, axes of the result. The types
// of features are the rules' business (rules/).

import type { Span } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import { textOf } from "../diagnostics/wording.ts";
import type { Argument, Expression } from "../syntax/ast.ts";
import { matchArguments } from "./arguments.ts";
import { type BuiltinName, builtins } from "./builtins.ts";
import { checkArguments, checkExpression } from "./expression.ts";
import { reportUnknownAxis } from "./indices.ts";
import { hostOf } from "./require-sizes.ts";
import type { BuiltinParameter, BuiltinRecord, Feature } from "./rules/rule.ts";
import { featureOf, findAxis, inOrder, type Place, reportAt } from "./scope.ts";
import type { Size } from "./size.ts";
import { sizeOf, staticOf, staticSize } from "./statics.ts";
import type { AxisName, Static, TypedExpression, ValueType } from "./typed.ts";

type CallExpression = Extract<Expression, { kind: "call" }>;

/** A primitive with its arguments; unknown ones are null. */
interface Application {
  readonly name: BuiltinName;
  readonly shown: string;
  readonly span: Span;
  readonly args: readonly (TypedExpression | null)[];
  readonly axes?: readonly AxisName[];
  readonly statics?: ReadonlyMap<string, Static>;
  readonly sizes?: ReadonlyMap<string, readonly Size[]>;
}

export function checkBuiltinCall(
  place: Place,
  call: CallExpression,
  name: BuiltinName,
): readonly (TypedExpression | null)[] {
  const record: BuiltinRecord = builtins[name];
  const shown = call.callee.name;
  const brackets = checkBrackets(place, call, record);
  const formals = record.parameters.map(parameter => ({
    name: parameter.name,
    many: parameter.count !== "one",
    optional: parameter.default !== null || parameter.count === "any",
    span: null,
  }));
  const given = matchArguments(place, shown, formals, call.args, call.span);
  if (given === null) {
    if (record.parameters[0]?.kind === "value") checkArguments(place, call);
    return [];
  }
  const inner = insideBrackets(place, record, brackets ?? []);
  const args: (TypedExpression | null)[] = [];
  const statics = new Map<string, Static>();
  const sizes = new Map<string, readonly Size[]>();
  let axes = brackets;
  let sound = true;
  for (const parameter of record.parameters) {
    const actual = given.get(parameter.name) ?? [];
    if (parameter.kind === "value") {
      args.push(...actual.map(arg => checkExpression(inner, arg.value)));
    } else if (parameter.kind === "axis") {
      const axis = actual[0] === undefined ? null : axisArgument(place, shown, actual[0]);
      axes = axis === null ? null : [axis];
    } else sound = staticArgument(place, shown, parameter, actual, statics, sizes) && sound;
  }
  if (!sound || axes === null || !checkMoment(place, call, name)) return [];
  const applied = applyBuiltin(place, { name, shown, span: call.span, args, axes, statics, sizes });
  return name === "index" ? moveIndex(place, applied, axes[0]) : applied;
}

/** A size, number or flag; false after a complaint. */
function staticArgument(
  place: Place,
  callee: string,
  parameter: BuiltinParameter,
  actual: readonly Argument[],
  statics: Map<string, Static>,
  sizes: Map<string, readonly Size[]>,
): boolean {
  const { name, kind, default: otherwise } = parameter;
  if (kind === "size") {
    if (actual.length === 0 && otherwise === "later") return true;
    const byDefault =
      otherwise !== null && otherwise !== "later" && otherwise.kind === "number" ? [otherwise.value] : [];
    const found = actual.map(arg => sizeOf(place, arg.value));
    if (!found.every(size => size !== null)) return false;
    const filled = byDefault.map(value => ({
      terms: value === 0 ? [] : [{ coefficient: value, factors: [] }],
    }));
    sizes.set(name, found.length > 0 ? found : filled);
    return true;
  }
  const [arg] = actual;
  const wanted = kind === "bool" ? "bool" : "number";
  const value =
    arg === undefined ? otherwise : staticOf(place, arg.value, wanted, `\`${name}\` of \`${callee}\``);
  if (value === null || value === "later") return false;
  statics.set(name, value);
  return true;
}

/** The axes in the brackets; null after a complaint. */
function checkBrackets(
  place: Place,
  call: CallExpression,
  record: BuiltinRecord,
): readonly AxisName[] | null {
  const name = call.callee.name;
  if (call.axes === null) {
    if (record.brackets !== "mustReduce") return [];
    const axis = name === "flatten" ? "k" : "t";
    const help = [`write \`${name}[${axis}](..)\`, with the axis that is to disappear`];
    reportAt(place, report("F0225", { name }, call.callee.span, { label: "over which axis?", help }));
    return null;
  }
  if (record.brackets === "none") {
    const help = [`\`${name}\` has no memory: write \`${name}(..)\``];
    reportAt(
      place,
      report("F0224", { name }, call.callee.span, { label: "works at each step by itself", help }),
    );
    return null;
  }
  const axes: AxisName[] = [];
  for (const item of call.axes) {
    const axis = bracketedAxis(place, name, item, axes);
    if (axis === null) return null;
    axes.push(axis);
  }
  return axes;
}

/** One item of a primitive's brackets; null after a complaint. */
function bracketedAxis(
  place: Place,
  callee: string,
  item: Expression,
  before: readonly AxisName[],
): AxisName | null {
  const { span } = item;
  if (item.kind !== "name" || item.indices !== null) {
    const negated = item.kind === "unary";
    const label = negated ? "a reduction has no direction" : "not an axis";
    const help = [`brackets hold the names of axes: \`${callee}[t](..)\``];
    const diagnostic = negated
      ? report("F0217", { axis: textOf(item.operand.span) }, span, { label })
      : report("F0202", { name: textOf(span) }, span, { label, help });
    reportAt(place, diagnostic);
    return null;
  }
  const axis = item.name.name;
  if (findAxis(place.scope, axis) === null) return reportUnknownAxis(place, axis, span);
  if (!before.includes(axis)) return axis;
  reportAt(place, report("F0211", { axis }, span, { label: "for the second time" }));
  return null;
}

/** Inside a reduction the axis runs over all steps, so that the left side's offset does not reach there. */
function insideBrackets(place: Place, record: BuiltinRecord, axes: readonly AxisName[]): Place {
  if (record.brackets !== "reduced" && record.brackets !== "mustReduce") return place;
  return { ...place, moved: new Map([...place.moved].filter(([axis]) => !axes.includes(axis))) };
}

/** Rules about where a primitive may stand; false after a complaint. */
function checkMoment(place: Place, call: CallExpression, name: BuiltinName): boolean {
  if (name === "microMean" && (place.whole !== call || (place.role !== "loss" && place.role !== "metric"))) {
    const help = [
      "it may only be the whole right side of `loss` or of a metric; `mean[t](..)` is each example's mean",
    ];
    reportAt(place, report("F0613", {}, call.span, { label: "mixes the examples of the batch", help }));
    return false;
  }
  const moved = (call.axes ?? []).find(item => item.kind === "name" && place.moved.has(item.name.name));
  const { brackets } = builtins[name];
  if (moved !== undefined && (brackets === "kept" || brackets === "added")) {
    reportAt(place, movedAlong(textOf(moved.span), call.span));
    return false;
  }
  return true;
}

export const movedAlong = (axis: string, span: Span) =>
  report("F0222", { axis }, span, {
    label: `runs along \`${axis}\`, and the left side has an offset there`,
    help: [`give this part an equation of its own, \`name[${axis}] = ..\`, and read that`],
  });

function axisArgument(place: Place, callee: string, arg: Argument): AxisName | null {
  const { value } = arg;
  if (value.kind === "name" && value.indices === null) {
    if (findAxis(place.scope, value.name.name) !== null) return value.name.name;
    return reportUnknownAxis(place, value.name.name, value.span, axisOfValue(place, callee, value.name.name));
  }
  const help = [`write \`${callee}(t)\` with the name of an axis`];
  reportAt(
    place,
    report("F0202", { name: textOf(value.span) }, value.span, { label: "not the name of an axis", help }),
  );
  return null;
}

/** `length(x)`, where `length(t)` is meant. */
function axisOfValue(place: Place, callee: string, name: string): readonly string[] | undefined {
  const symbol = place.scope.symbols.get(name);
  const order =
    symbol?.kind === "equation" ? symbol.draft.order : symbol?.kind === "value" ? symbol.order : [];
  return order[0] === undefined ? undefined : [`write \`${callee}(${order[0]})\`, with the axis`];
}

/** `out[t+1] = f(index(t))` is `out[t] = f(index(t) - 1)`. */
function moveIndex(
  place: Place,
  applied: readonly (TypedExpression | null)[],
  axis: AxisName | undefined,
): readonly (TypedExpression | null)[] {
  const offset = axis === undefined ? undefined : place.moved.get(axis);
  const [index] = applied;
  if (offset === undefined || !index) return applied;
  const { span } = index;
  const by: TypedExpression = {
    kind: "static",
    value: staticSize(offset),
    type: { dtype: "index", classes: null, shape: [], axes: [] },
    span,
  };
  return applyBuiltin(place, { name: "sub", shown: "-", span, args: [index, by] });
}

/** The results of a primitive for checked arguments; empty after a complaint, or while unknown. */
export function applyBuiltin(place: Place, application: Application): readonly (TypedExpression | null)[] {
  const { name, shown, span, args } = application;
  const { axes = [], statics = new Map(), sizes = new Map() } = application;
  const record: BuiltinRecord = builtins[name];
  if (!args.every(arg => arg !== null)) return place.mode === "infer" ? [guessed(application, record)] : [];
  const resultAxes = axesOfResult(place, application, record);
  if (resultAxes === null) return [];
  const result = record.type({ name, shown, span, args, axes, statics, sizes, host: hostOf(place) });
  // What does not fit is reported by the strict pass, which needs to know what the names are.
  if (result === null) return place.mode === "infer" ? [guessed(application, record)] : [];
  const filled = result.sizes === undefined ? sizes : new Map([...sizes, ...result.sizes]);
  const typed = result.args ?? args;
  return result.results.map((feature, at) => {
    const type: ValueType = { ...feature, axes: resultAxes };
    return { kind: "builtin", name, axes, args: typed, statics, sizes: filled, result: at, type, span };
  });
}

/** What the result will probably be, while some arguments are unknown: only its features count. */
function guessed(application: Application, record: BuiltinRecord): TypedExpression | null {
  const features = application.args.map(arg => (arg === null ? null : featureOf(arg.type)));
  const guess: Feature | null = record.guess?.(features) ?? null;
  if (guess === null) return null;
  const { span } = application;
  const [none, type] = [new Map<never, never>(), { ...guess, axes: [] }];
  return {
    kind: "builtin",
    name: "identity",
    axes: [],
    args: [],
    statics: none,
    sizes: none,
    result: 0,
    type,
    span,
  };
}

function axesOfResult(
  place: Place,
  application: Application,
  record: BuiltinRecord,
): readonly AxisName[] | null {
  const { name, shown, span, args, axes = [] } = application;
  const present = new Set(args.flatMap(arg => arg?.type.axes ?? []));
  if (name === "index") return axes;
  if (name === "length") return [];
  if (record.brackets === "added") return inOrder(place.scope, [...present, ...axes]);
  const lacking = place.mode === "infer" ? undefined : axes.find(axis => !present.has(axis));
  if (lacking !== undefined) {
    const along = [...present].map(axis => `\`${axis}\``).join(", ");
    const label = present.size === 0 ? "the argument has no axis" : `the argument varies along ${along} only`;
    reportAt(place, report("F0207", { name: shown, axis: lacking }, span, { label }));
    return null;
  }
  const kept = record.brackets === "kept" ? present : [...present].filter(axis => !axes.includes(axis));
  return inOrder(place.scope, kept);
}
