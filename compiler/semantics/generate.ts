// `generate out[t+1] = sample(p[t]) from 1 until out[t+1] == 0`: how an input continues when nothing more is fed.

import { report } from "../diagnostics/report.ts";
import { shorten, textOf } from "../diagnostics/wording.ts";
import type { Expression, Statement } from "../syntax/ast.ts";
import { checkExpression } from "./expression.ts";
import { printFeature } from "./print-type.ts";
import { findAxis, type LocalSymbol, type Place } from "./scope.ts";
import { isSame } from "./size.ts";
import { staticOf } from "./statics.ts";
import type { AxisName, TypedExpression, TypedGenerate, TypedInput } from "./typed.ts";

type GenerateStatement = Extract<Statement, { kind: "generate" }>;

export function checkGenerate(place: Place): readonly TypedGenerate[] {
  const { definition } = place.scope;
  if (definition.kind !== "model") return [];
  return definition.body.flatMap(statement =>
    statement.kind === "generate" ? (checkStatement(place, statement) ?? []) : [],
  );
}

function checkStatement(place: Place, statement: GenerateStatement): TypedGenerate | null {
  const symbol = place.scope.symbols.get(statement.target.name.name);
  const axis = nextStep(statement, symbol);
  if (symbol === undefined && place.scope.globals.gaps.names.has(statement.target.name.name)) return null;
  if (symbol?.kind !== "value" || symbol.role !== "input" || axis === null) {
    const help = ["`generate out[t+1] = ..`, where `out[t]` is an input along `t`"];
    const label = symbol?.kind === "value" ? "not the next step of an input" : "not an input";
    const notes = symbol === undefined ? [] : [{ span: symbol.span, text: "it is declared here" }];
    const values = { name: statement.target.name.name };
    place.scope.report(report("F0611", values, statement.target.span, { label, notes, help }));
    return null;
  }
  findAxis(place.scope, axis);
  const inner: Place = { ...place, instance: `${statement.target.name.name}.next` };
  const value = checkExpression(inner, statement.value);
  const until = statement.until === null ? null : checkExpression(inner, statement.until);
  const from = statement.from === null ? null : staticOf(place, statement.from, "number", "`from`");
  const { input } = symbol;
  if (value === null || input === null) return null;
  const sound =
    fitsInput(place, value, input, axis) &&
    (until === null || endsWell(place, statement.until!, until, axis));
  return sound ? { input: input.name, axis, value, from, until, span: statement.span } : null;
}

/** The axis of `out[t+1]`; null for other left sides. */
function nextStep(statement: GenerateStatement, symbol: LocalSymbol | undefined): AxisName | null {
  const [item, ...others] = statement.target.indices;
  if (item?.kind !== "binary" || item.operator !== "+" || others.length > 0) return null;
  const { left, right } = item;
  if (left.kind !== "name" || left.indices !== null || right.kind !== "number" || right.value !== 1)
    return null;
  const axis = left.name.name;
  return symbol?.kind === "value" && symbol.order.length === 1 && symbol.order[0] === axis ? axis : null;
}

function fitsInput(place: Place, value: TypedExpression, input: TypedInput, axis: AxisName): boolean {
  const { type, span } = value;
  const [found, wanted] = [printFeature(type), printFeature(input.type)];
  const sameClasses =
    type.classes === null || input.type.classes === null || isSame(type.classes, input.type.classes);
  const { shape } = input.type;
  const sameShape =
    type.shape.length === shape.length && type.shape.every((size, at) => isSame(size, shape[at]!));
  const extra = type.axes.some(other => other !== axis);
  if (type.dtype === input.type.dtype && sameShape && sameClasses && !extra) return true;
  const notes = [{ span: input.span, text: `\`${input.name}\` is ${wanted}` }];
  const label = extra ? "varies along other axes too" : `this is ${found}`;
  const drawn = input.type.dtype === "index" && type.dtype === "real" && type.shape.length === 1;
  const help = drawn ? [`\`sample(${shorten(textOf(span))})\` draws an index with these probabilities`] : [];
  place.scope.report(report("F0612", { name: input.name, wanted, found }, span, { label, notes, help }));
  return false;
}

function endsWell(
  place: Place,
  written: Expression,
  { type, span }: TypedExpression,
  axis: AxisName,
): boolean {
  const extra = type.axes.some(other => other !== axis);
  if (type.dtype === "bool" && type.shape.length === 0 && !extra) return true;
  const values = { text: shorten(textOf(written.span)), found: printFeature(type) };
  const help = ["for example `until out[t+1] == 0`"];
  place.scope.report(report("F0615", values, span, { label: "wanted is one truth value a step", help }));
  return false;
}
