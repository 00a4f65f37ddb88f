// Uses of layers: which argument is what, the sizes solved from the arguments' types, the axes of the results, and
// where the parameters of this use live.

import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { counted, textOf } from "../diagnostics/wording.ts";
import type { Argument, Expression } from "../syntax/ast.ts";
import { matchArguments } from "./arguments.ts";
import { movedAlong } from "./builtin-call.ts";
import { findBuiltin } from "./builtins.ts";
import { checkExpression } from "./expression.ts";
import { type CheckedDefinition, type Formal, mostWaiting, type Refusal } from "./globals.ts";
import { reportUnknownAxis } from "./indices.ts";
import { functionArguments, functionsFit } from "./layer-functions.ts";
import { checkValues, type Solution, solveSizes } from "./layer-sizes.ts";
import { findAxis, inOrder, type Place, reportAt, type Share, type Target, unknownValue } from "./scope.ts";
import { isSame, namesInSize, printSize, type Size, substituteSizes } from "./size.ts";
import { sizeOf, staticOf, staticSize } from "./statics.ts";
import type { LayerCall, Static, TypedExpression, ValueType } from "./typed.ts";

type CallExpression = Extract<Expression, { kind: "call" }>;
type BoundAxis = LayerCall["axes"][number];
type Results = readonly (TypedExpression | null)[];

export function checkLayerCall(place: Place, call: CallExpression, target: Target): Results {
  if (!isLayer(place, call, target)) return [];
  const formals = formalsOf(target);
  const given = matchArguments(place, call.callee.name, matchable(target, formals), call.args, call.span);
  if (place.whole === call) reserveNames(place, target);
  if (given === null) {
    for (const arg of call.args) checkExpression({ ...place, mode: "infer" }, arg.value);
    return [];
  }
  return useLayer(place, call, target, given, null);
}

/** `share enc = lstm(units)` gives the sizes and numbers; each use, `enc[t](x[t])`, the values. */
export function checkShareCall(place: Place, call: CallExpression, share: Share): Results {
  const { value } = share;
  const target = value.kind === "call" ? place.scope.globals.find(value.callee.name) : null;
  // What is wrong with the share itself has been reported where it stands.
  if (value.kind !== "call" || target?.definition.kind !== "layer") {
    unknownValue(place);
    return [];
  }
  const formals = formalsOf(target);
  const quiet: Place = { ...place, mode: "infer" };
  const statics = formals.filter(formal => formal.kind !== "value");
  const values = formals.filter(formal => formal.kind === "value");
  const fixed = matchArguments(quiet, value.callee.name, matchable(target, statics), value.args, value.span);
  const given = matchArguments(place, share.name, matchable(target, values), call.args, call.span);
  if (fixed === null) unknownValue(place);
  if (fixed === null || given === null) return [];
  return useLayer(place, call, target, new Map([...fixed, ...given]), share);
}

/** Complains about a share that is no call of a layer with its static arguments only. */
export function checkShare(place: Place, share: Share): void {
  const { value } = share;
  const help = ["`share enc = lstm(units)`: a layer with its sizes and numbers, without brackets and values"];
  if (value.kind !== "call" || value.axes !== null) {
    reportAt(
      place,
      report("F0418", { name: share.name }, value.span, { label: "not a layer to share", help }),
    );
    return;
  }
  const { name, span } = value.callee;
  const target = place.scope.globals.find(name);
  if (target === null) {
    const known = didYouMean(name, place.scope.globals.names());
    if (findBuiltin(name) === null) {
      reportAt(place, report("F0104", { name }, span, { label: "no layer has this name", help: known }));
    } else
      reportAt(
        place,
        report("F0418", { name: share.name }, span, { label: "a function has nothing to share", help }),
      );
    return;
  }
  if (!isLayer(place, value, target)) return;
  const statics = formalsOf(target).filter(formal => formal.kind !== "value");
  matchArguments(place, name, matchable(target, statics), value.args, value.span);
}

function isLayer(place: Place, call: CallExpression, target: Target): boolean {
  if (target.definition.kind === "layer") return true;
  const { name, span } = call.callee;
  const notes = [{ span: target.definition.headerSpan, text: "it is a model" }];
  reportAt(place, report("F0415", { name }, span, { label: "only layers can be used", notes }));
  return false;
}

function formalsOf({ definition }: Target): readonly Formal[] {
  return definition.parameters.map(({ target, type, default: otherwise }) => {
    const { kind } = type;
    const isValue = kind === "real" || kind === "index" || (kind === "bool" && target.indices.length > 0);
    return { name: target.name.name, kind: isValue ? "value" : kind, optional: otherwise !== null };
  });
}

const matchable = ({ definition }: Target, formals: readonly Formal[]) =>
  formals.map(({ name, optional }) => {
    const parameter = definition.parameters.find(({ target }) => target.name.name === name);
    return { name, optional, many: false, span: parameter?.span ?? null };
  });

/** What the layer with the prefix itself calls its parts: parts named beside it must not be taken for them. */
function reserveNames(place: Place, { definition }: Target): void {
  for (const statement of definition.body) {
    if (statement.kind === "equation")
      for (const { name } of statement.targets) place.reserved.add(name.name);
    if (statement.kind === "param") place.reserved.add(statement.target.name.name);
    if (statement.kind === "share") place.reserved.add(statement.name.name);
  }
}

function useLayer(
  place: Place,
  call: CallExpression,
  target: Target,
  given: ReadonlyMap<string, readonly Argument[]>,
  share: Share | null,
): Results {
  const formals = formalsOf(target);
  const functions = functionArguments(place, formals, given);
  const axes = bindAxes(place, call, target);
  const values = new Map<string, TypedExpression | null>();
  for (const { name, kind } of formals) {
    const arg = given.get(name)?.[0];
    if (kind === "value" && arg !== undefined) values.set(name, checkExpression(place, arg.value));
  }
  const statics = staticArguments(place, call, formals, given);
  if (functions === null || axes === null || statics === null) return [];
  const layer = place.scope.globals.check(target, functions);
  if (typeof layer === "string") return reportRefusal(place, call, target, layer);
  if (layer.failed) place.scope.failures.add(target.definition);
  if (layer.complaints.length > 0 && !functionsFit(place, call, target, given, layer)) return [];
  const solution = solveSizes(place, call, layer, values, statics);
  const checked = checkValues(place, call, layer, solution, values, axes);
  if (place.mode === "strict" && (checked === null || solution.unsolved.size > 0)) return [];
  const use: LayerCall = {
    layer: layer.typed,
    axes,
    values: checked ?? new Map(),
    statics: statics.statics,
    sizes: solution.sizes,
    instance: share?.name ?? instanceName(place, call, target),
    boundaries: new Map(),
    span: call.span,
    shareSpan: share?.span ?? null,
  };
  if (share !== null && !agreesWithFirst(place, share, use)) return [];
  return layer.results.map((type, result) => {
    const outer = type && resultType(place, layer, type, solution, axes, values);
    return outer && { kind: "call", call: use, result, type: outer, span: call.span };
  });
}

/** A result's type in the caller's terms: bound axes renamed, mapped axes added, sizes put in. */
function resultType(
  place: Place,
  layer: CheckedDefinition,
  type: ValueType,
  solution: Solution,
  axes: readonly BoundAxis[],
  values: ReadonlyMap<string, TypedExpression | null>,
): ValueType | null {
  const sizes = [...type.shape, ...(type.classes === null ? [] : [type.classes])];
  if (sizes.some(size => namesInSize(size).some(name => solution.unsolved.has(name)))) return null;
  const bound = new Map(
    layer.typed.axes.filter(axis => axis.kind === "bound").map((axis, at) => [axis.name, axes[at]?.axis]),
  );
  const own = type.axes.flatMap(axis => bound.get(axis) ?? []);
  const taken = new Set(axes.map(({ axis }) => axis));
  const mapped = [...values.values()]
    .flatMap(value => value?.type.axes ?? [])
    .filter(axis => !taken.has(axis));
  const inCaller = (size: Size): Size => substituteSizes(size, solution.environment);
  return {
    dtype: type.dtype,
    classes: type.classes && inCaller(type.classes),
    shape: type.shape.map(inCaller),
    axes: inOrder(place.scope, [...own, ...mapped]),
  };
}

interface StaticArguments {
  readonly statics: ReadonlyMap<string, Static>;
  /** Of the size arguments given. */
  readonly sizes: ReadonlyMap<string, Size>;
}

function staticArguments(
  place: Place,
  call: CallExpression,
  formals: readonly Formal[],
  given: ReadonlyMap<string, readonly Argument[]>,
): StaticArguments | null {
  const statics = new Map<string, Static>();
  const sizes = new Map<string, Size>();
  let sound = true;
  for (const { name, kind } of formals) {
    const arg = given.get(name)?.[0];
    if (arg === undefined || kind === "value" || kind === "function") continue;
    if (kind === "size") {
      const size = sizeOf(place, arg.value);
      if (size === null) sound = false;
      else {
        sizes.set(name, size);
        statics.set(name, staticSize(size));
      }
      continue;
    }
    const value = staticOf(place, arg.value, kind, `\`${name}\` of \`${call.callee.name}\``);
    if (value === null) sound = false;
    else statics.set(name, value);
  }
  return sound ? { statics, sizes } : null;
}

/** `gru[-t](..)`: the layer's axes by the brackets; null after a complaint. */
function bindAxes(place: Place, call: CallExpression, { definition }: Target): readonly BoundAxis[] | null {
  const items = call.axes ?? [];
  if (items.length !== definition.axes.length) return reportAxisCount(place, call, definition);
  const bound: BoundAxis[] = [];
  for (const item of items) {
    const axis = boundAxis(place, call, item, bound);
    if (axis === null) return null;
    bound.push(axis);
  }
  return bound;
}

function reportAxisCount(place: Place, call: CallExpression, definition: Target["definition"]): null {
  const wanted = definition.axes.map(axis => axis.name);
  const given = call.axes?.length ?? 0;
  const { name, span } = call.callee;
  const form = wanted.length === 0 ? `${name}(..)` : `${name}[${wanted.join(", ")}](..)`;
  const label = wanted.length === 0 ? "it works at each step by itself" : "its axes are given in brackets";
  const notes = [{ span: definition.headerSpan, text: "it is declared here" }];
  const values = {
    name,
    wanted: wanted.length === 0 ? "no axis" : counted(wanted.length, "axis", "axes"),
    given: given === 0 ? "none is given" : `${counted(given, "is", "are")} given`,
  };
  reportAt(place, report("F0218", values, span, { label, notes, help: [`write \`${form}\``] }));
  return null;
}

/** One item of a call's brackets; null after a complaint. */
function boundAxis(
  place: Place,
  call: CallExpression,
  item: Expression,
  before: readonly BoundAxis[],
): BoundAxis | null {
  const reversed = item.kind === "unary" && item.operator === "-";
  const base = reversed ? item.operand : item;
  if (base.kind !== "name" || base.indices !== null) {
    const help = ["the brackets of a call take axes, `[t]` or `[-t]`; positions belong to the arguments"];
    reportAt(place, report("F0209", { text: textOf(item.span) }, item.span, { label: "not an axis", help }));
    return null;
  }
  const axis = base.name.name;
  if (findAxis(place.scope, axis) === null) return reportUnknownAxis(place, axis, base.span);
  if (before.some(other => other.axis === axis)) {
    reportAt(place, report("F0211", { axis }, item.span, { label: "for the second time" }));
    return null;
  }
  if (place.moved.has(axis)) {
    reportAt(place, movedAlong(axis, call.span));
    return null;
  }
  return { axis, reversed };
}

/** Where the parameters of this use live: the equation's own name, or its name and the layer's. */
function instanceName(place: Place, call: CallExpression, target: Target): string {
  if (place.mode === "infer" || place.whole === call) return place.instance;
  const layer = target.definition.name.name;
  const { instances } = place.scope;
  const base = `${place.instance}.${layer}`;
  for (;;) {
    const count = (instances.get(base) ?? 0) + 1;
    instances.set(base, count);
    const suffix = count === 1 ? "" : String(count);
    if (!place.reserved.has(`${layer}${suffix}`)) return `${base}${suffix}`;
  }
}

function agreesWithFirst(place: Place, share: Share, use: LayerCall): boolean {
  if (place.mode === "infer") return true;
  const { first } = share;
  share.first ??= use;
  if (first === null) return true;
  const different = [...use.sizes].find(([name, size]) => {
    const before = first.sizes.get(name);
    return before !== undefined && !isSame(before, size);
  });
  if (different === undefined) return true;
  const [name, size] = different;
  const before = printSize(first.sizes.get(name)!);
  reportAt(
    place,
    report("F0416", { name: share.name, size: name }, use.span, {
      label: `\`${name}\` is ${printSize(size)} here`,
      notes: [{ span: first.span, text: `\`${name}\` is ${before} here` }],
    }),
  );
  return false;
}

function reportRefusal(place: Place, call: CallExpression, target: Target, refusal: Refusal): Results {
  if (refusal === "tooDeep") {
    const values = { what: "layers with functions", levels: mostWaiting };
    reportAt(place, report("F0113", values, call.span, { label: "one more" }));
    return [];
  }
  const names = place.scope.globals.chain(target);
  const shown = names.length > 8 ? [...names.slice(0, 5), "..", ...names.slice(-2)] : names;
  reportAt(
    place,
    report("F0103", { name: target.definition.name.name }, call.span, {
      label: shown.join(" -> "),
      help: ["for depth, use a static axis: `axis l = 1..layers` and `y[t,l] = f(y[t,l-1])`"],
    }),
  );
  return [];
}
