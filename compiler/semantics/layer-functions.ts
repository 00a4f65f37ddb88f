// Arguments that are functions or layers, `activation: tanh`: what they name, and whether the layer can use them.
// A layer is checked once for each choice of functions; its errors then are the choice's.

import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { textOf } from "../diagnostics/wording.ts";
import type { Argument, Expression } from "../syntax/ast.ts";
import { findBuiltin } from "./builtins.ts";
import type { CheckedDefinition, Formal } from "./globals.ts";
import { type FunctionValue, type Place, reportAt, type Target } from "./scope.ts";

type CallExpression = Extract<Expression, { kind: "call" }>;

/** By name of the parameter; null after a complaint. */
export function functionArguments(
  place: Place,
  formals: readonly Formal[],
  given: ReadonlyMap<string, readonly Argument[]>,
): ReadonlyMap<string, FunctionValue> | null {
  const functions = new Map<string, FunctionValue>();
  for (const { name, kind } of formals) {
    const arg = given.get(name)?.[0];
    if (kind !== "function" || arg === undefined) continue;
    const bound = functionNamed(place, arg.value);
    if (bound === null) return null;
    functions.set(name, bound);
  }
  return functions;
}

/** The function or layer that an argument names. */
export function functionNamed(place: Place, value: Expression): FunctionValue | null {
  const { scope } = place;
  const name = value.kind === "name" && value.indices === null ? value.name.name : null;
  if (name !== null) {
    const bound = scope.functions.get(name);
    if (scope.symbols.has(name) && bound !== undefined) {
      scope.used.add(name);
      return bound;
    }
    const target = scope.symbols.has(name) ? null : scope.globals.find(name);
    if (target !== null && target.definition.kind === "layer") return { kind: "layer", target };
    const builtin = scope.symbols.has(name) ? null : findBuiltin(name);
    if (builtin !== null) return { kind: "builtin", name: builtin };
  }
  const text = textOf(value.span);
  const help =
    name === null
      ? ["write its name alone, as in `activation: tanh`"]
      : didYouMean(name, scope.globals.names());
  reportAt(
    place,
    report("F0412", { text }, value.span, { label: "a function or layer is wanted here", help }),
  );
  return null;
}

/** False after a complaint about functions that the layer has errors with, and has none without. */
export function functionsFit(
  place: Place,
  call: CallExpression,
  target: Target,
  given: ReadonlyMap<string, readonly Argument[]>,
  layer: CheckedDefinition,
): boolean {
  const plain = place.scope.globals.check(target, new Map());
  const [complaint] = layer.complaints;
  if (typeof plain === "string" || plain.failed || complaint === undefined) return true;
  const functions = layer.formals.filter(({ name, kind }) => kind === "function" && given.has(name));
  const values = functions.flatMap(({ name }) => given.get(name)?.[0]?.value ?? []);
  const [first] = values;
  const names = values.map(value => textOf(value.span)).join(", ");
  reportAt(
    place,
    report("F0419", { callee: call.callee.name, function: names }, (first ?? call).span, {
      label: "does not fit",
      notes: complaint.span === null ? [] : [{ span: complaint.span, text: complaint.title }],
    }),
  );
  return false;
}
