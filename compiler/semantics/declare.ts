// Declares the names of a definition, header first, then the body's declarations, so that their order does not
// matter. Equations become drafts; their right sides are looked at later.

import type { Span } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import type { Identifier, Target as LeftSide, Parameter, Statement } from "../syntax/ast.ts";
import { declareEquations } from "./declare-equations.ts";
import { declaredType, inferSizes } from "./declared-type.ts";
import { reportUnknownAxis } from "./indices.ts";
import { checkInitializer } from "./initializer.ts";
import { checkShare } from "./layer-call.ts";
import { type DefinitionScope, findAxis, type LocalSymbol, type Place } from "./scope.ts";
import { addSizes, constantOf, constantSize, subtractSizes } from "./size.ts";
import { sizeOf, staticOf, staticSize } from "./statics.ts";
import type { AxisName, Static, StaticParameter, TypedAxis, TypedInput, TypedParam } from "./typed.ts";

export interface Declared {
  readonly statics: readonly StaticParameter[];
  readonly inferred: readonly string[];
  readonly axes: readonly TypedAxis[];
  readonly values: readonly TypedInput[];
  readonly params: ReadonlyMap<string, TypedParam>;
}

type Kinded<K extends Statement["kind"]> = Extract<Statement, { kind: K }>;

const statementsOf = <K extends Statement["kind"]>(scope: DefinitionScope, kind: K): readonly Kinded<K>[] =>
  scope.definition.body.filter((statement): statement is Kinded<K> => statement.kind === kind);

export const plainPlace = (scope: DefinitionScope): Place => ({
  scope,
  mode: "strict",
  moved: new Map(),
  owners: [],
  whole: null,
  role: "plain",
  instance: "",
  reserved: new Set(),
});

export function declare(scope: DefinitionScope): Declared {
  const { definition } = scope;
  const place = plainPlace(scope);
  refuseForeign(scope);
  const headerAxes = definition.axes.map(name => declareAxis(scope, name, "bound"));
  const bodyAxes = statementsOf(scope, "axis").flatMap(({ names }) =>
    names.map(name => declareAxis(scope, name, "dynamic")),
  );
  for (const { name, span } of statementsOf(scope, "derivedAxis")) {
    scope.report(report("F0219", { name: name.name }, span, { label: "an axis made from another one" }));
    declareAxis(scope, name, "dynamic");
  }
  const statics = definition.parameters.flatMap(parameter => declareStatic(place, parameter) ?? []);
  const inferred = definition.kind === "layer" ? inferSizes(scope) : [];
  const staticAxes = statementsOf(scope, "staticAxis").map(statement => declareStaticAxis(place, statement));
  const values = [...declareArguments(place), ...declareInputs(place)];
  const params = declareParams(place);
  for (const statement of statementsOf(scope, "share")) {
    const share = { name: statement.name.name, value: statement.value, span: statement.span, first: null };
    add(scope, statement.name, { kind: "share", share, span: statement.name.span });
    checkShare(place, share);
  }
  declareEquations(place);
  const axes = [...headerAxes, ...bodyAxes, ...staticAxes].filter(axis => axis !== null);
  return { statics, inferred, axes, values, params };
}

/** Declares a name unless it is taken; says where. */
export function add(scope: DefinitionScope, { name, span }: Identifier, symbol: LocalSymbol): boolean {
  const before = scope.symbols.get(name);
  if (before === undefined) {
    scope.symbols.set(name, symbol);
    return true;
  }
  const notes = [{ span: before.span, text: "first defined here" }];
  scope.report(report("F0102", { name }, span, { label: "defined again", notes }));
  return false;
}

/** Statements that have no meaning in a layer. */
function refuseForeign(scope: DefinitionScope): void {
  if (scope.definition.kind === "model") return;
  for (const statement of scope.definition.body) {
    const what = statement.kind === "equation" ? statement.role : statement.kind;
    if (!["axis", "input", "target", "train", "generate", "output", "metric"].includes(what)) continue;
    const help =
      what === "axis"
        ? [
            "a layer's axes stand in its header, `layer name[t](..)`; static axes have a range, `axis k = 0..n-1`",
          ]
        : what === "input" || what === "target"
          ? ["a layer's values are its arguments: `layer name[t](x[t]: real[d])`"]
          : [];
    scope.report(report("F0111", { what }, statement.span, { label: "in a layer", help }));
  }
}

function declareAxis(scope: DefinitionScope, name: Identifier, kind: "bound" | "dynamic"): TypedAxis | null {
  const axis: TypedAxis = { name: name.name, kind, first: null, last: null, span: name.span };
  if (!add(scope, name, { kind: "axis", axis, length: null, span: name.span })) return null;
  scope.axes.push(name.name);
  return axis;
}

function declareStaticAxis(place: Place, statement: Kinded<"staticAxis">): TypedAxis | null {
  const { scope } = place;
  const { name } = statement;
  const first = sizeOf(place, statement.first);
  const last = sizeOf(place, statement.last);
  const length = first && last && addSizes(subtractSizes(last, first), constantSize(1));
  const number = length && constantOf(length);
  if (number !== null && number < 1) {
    scope.report(report("F0221", { axis: name.name }, statement.span, { label: `${number} positions` }));
  }
  const axis: TypedAxis = {
    name: name.name,
    kind: "static",
    first: staticSize(first ?? constantSize(0)),
    last: staticSize(last ?? constantSize(0)),
    span: name.span,
  };
  if (!add(scope, name, { kind: "axis", axis, length, span: name.span })) return null;
  scope.axes.push(name.name);
  return axis;
}

const isStatic = ({ target, type }: Parameter): boolean =>
  ["size", "number", "function"].includes(type.kind) || (type.kind === "bool" && target.indices.length === 0);

/** Sizes, numbers, flags and functions, in order: a default may use those before it. */
function declareStatic(place: Place, parameter: Parameter): StaticParameter | null {
  if (!isStatic(parameter)) return null;
  const { target, type, span } = parameter;
  const { scope } = place;
  const kind =
    type.kind === "size" || type.kind === "number" || type.kind === "function" ? type.kind : "bool";
  if (target.indices.length > 0) {
    const label = "known before the run, so the same at all steps";
    scope.report(report("F0216", { name: target.name.name }, target.span, { label }));
  }
  const declared: StaticParameter = {
    name: target.name.name,
    kind,
    default: defaultOf(place, parameter, kind),
    span,
  };
  add(scope, target.name, { kind: "static", parameter: declared, span: target.name.span });
  return declared;
}

function defaultOf(
  place: Place,
  { target, default: otherwise }: Parameter,
  kind: StaticParameter["kind"],
): Static | null {
  // Functions are put in by the caller's check (scope.functions).
  if (otherwise === null || kind === "function") return null;
  if (kind === "size") {
    const size = sizeOf(place, otherwise);
    const number = size && constantOf(size);
    if (number !== null && number < 1) {
      const label = "a size is at least 1";
      place.scope.report(report("F0313", { text: String(number) }, otherwise.span, { label }));
    }
    return size && staticSize(size);
  }
  return staticOf(place, otherwise, kind, `the default of \`${target.name.name}\``);
}

/** Indices of a declaration: names of axes, each once. Null after a complaint. */
function declaredAxes(place: Place, { name, indices }: LeftSide): readonly AxisName[] | null {
  const axes: AxisName[] = [];
  for (const item of indices) {
    if (item.kind !== "name" || item.indices !== null) {
      const label = "a declaration names axes only";
      place.scope.report(report("F0216", { name: name.name }, item.span, { label }));
      return null;
    }
    const axis = item.name.name;
    if (findAxis(place.scope, axis) === null) return reportUnknownAxis(place, axis, item.span);
    if (axes.includes(axis)) {
      place.scope.report(report("F0211", { axis }, item.span, { label: "for the second time" }));
      return null;
    }
    axes.push(axis);
  }
  return axes;
}

function declareArguments(place: Place): readonly TypedInput[] {
  const { scope } = place;
  return scope.definition.parameters.flatMap(parameter => {
    if (isStatic(parameter)) return [];
    const { target, type, span } = parameter;
    if (scope.definition.kind === "model") {
      const help = [
        `values come in by statements of the body: \`input ${scope.definition.name.name === "" ? "x" : target.name.name}: ..\``,
      ];
      scope.report(
        report("F0414", { name: target.name.name }, span, { label: "known only at run time", help }),
      );
    }
    if (parameter.default !== null) {
      const values = { name: target.name.name };
      scope.report(
        report("F0411", values, parameter.default.span, {
          label: "only sizes, numbers, truth values and functions have defaults",
        }),
      );
    }
    return declareValue(place, target, type, span, "argument") ?? [];
  });
}

function declareInputs(place: Place): readonly TypedInput[] {
  return place.scope.definition.body.flatMap(statement =>
    statement.kind === "input" || statement.kind === "target"
      ? (declareValue(place, statement.target, statement.type, statement.span, statement.kind) ?? [])
      : [],
  );
}

function declareValue(
  place: Place,
  target: LeftSide,
  type: Parameter["type"],
  span: Span,
  role: "input" | "target" | "argument",
): TypedInput | null {
  const axes = declaredAxes(place, target);
  const feature = declaredType(place, type);
  const input: TypedInput | null = axes &&
    feature && {
      name: target.name.name,
      role: role === "target" ? "target" : "input",
      type: { ...feature, axes: place.scope.axes.filter(axis => axes.includes(axis)) },
      span,
    };
  const symbol: LocalSymbol = { kind: "value", role, input, order: axes ?? [], span };
  return add(place.scope, target.name, symbol) ? input : null;
}

function declareParams(place: Place): ReadonlyMap<string, TypedParam> {
  const params = new Map<string, TypedParam>();
  for (const { target, type, initializer, span } of statementsOf(place.scope, "param")) {
    const axes = declaredAxes(place, target);
    const wrong = axes?.find(axis => {
      const symbol = place.scope.symbols.get(axis);
      return symbol?.kind === "axis" && symbol.axis.kind !== "static";
    });
    if (wrong !== undefined) {
      const help = [
        "a parameter is the same at all steps; only along a static axis, `axis k = 0..n-1`, may there be one for each k",
      ];
      place.scope.report(
        report("F0606", { name: target.name.name, axis: wrong }, target.span, {
          label: `one for each \`${wrong}\``,
          help,
        }),
      );
    }
    const feature = declaredType(place, type);
    if (feature !== null && feature.dtype !== "real") {
      const label = "only real numbers can be learnt";
      place.scope.report(report("F0607", { name: target.name.name }, type.span, { label }));
    }
    const sound = axes !== null && feature !== null && feature.dtype === "real" && wrong === undefined;
    const made = sound ? checkInitializer(place, initializer, feature.shape) : null;
    const param: TypedParam | null = sound
      ? {
          name: target.name.name,
          type: { ...feature, axes: place.scope.axes.filter(axis => axes.includes(axis)) },
          initializer: made ?? { kind: "zeros", numbers: new Map() },
          span,
        }
      : null;
    const added = add(place.scope, target.name, { kind: "param", param, order: axes ?? [], span });
    if (added && param !== null) params.set(target.name.name, param);
  }
  return params;
}
