// How parameters start: `glorotUniform()`, `uniform(-0.1, 0.1)`, a plain number, or parts side by side along the last
// dimension, `concat(zeros(units), fill(units, 1))`, where each part begins with its size.

import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { shorten, textOf } from "../diagnostics/wording.ts";
import type { Expression } from "../syntax/ast.ts";
import { matchArguments } from "./arguments.ts";
import { checkExpression } from "./expression.ts";
import { printShape } from "./print-type.ts";
import { requireSame } from "./require-sizes.ts";
import type { Place } from "./scope.ts";
import { addSizes, constantSize, printSize, type Size } from "./size.ts";
import { sizeOf, staticOf } from "./statics.ts";
import type { Static, TypedInitializer } from "./typed.ts";

type CallExpression = Extract<Expression, { kind: "call" }>;
type SimpleKind = Exclude<TypedInitializer["kind"], "concat">;
type Part = Extract<TypedInitializer, { kind: "concat" }>["parts"][number];

/** The numbers of each initialiser; null where they must be given. */
const kinds: { readonly [Kind in SimpleKind]: Readonly<Record<string, number | null>> } = {
  zeros: {},
  ones: {},
  fill: { value: null },
  uniform: { low: null, high: null },
  normal: { mean: null, deviation: null },
  glorotUniform: {},
  glorotNormal: {},
  heUniform: {},
  heNormal: {},
  lecunNormal: {},
  orthogonal: { gain: 1 },
  identity: { gain: 1 },
};

const isSimple = (name: string): name is SimpleKind => Object.hasOwn(kinds, name);

/** Null after a complaint. Left out, a parameter starts with zeros. */
export function checkInitializer(
  place: Place,
  expression: Expression | null,
  shape: readonly Size[],
): TypedInitializer | null {
  if (expression === null) return { kind: "zeros", numbers: new Map() };
  if (expression.kind === "call" && expression.axes === null) {
    const { name } = expression.callee;
    if (name === "concat") return checkParts(place, expression, shape);
    if (isSimple(name)) return checkSimple(place, expression, name, shape, false)?.init ?? null;
  }
  if (expression.kind !== "call") {
    const value = checkExpression(place, expression);
    if (value?.kind === "static" && value.type.dtype === "real") {
      return { kind: "fill", numbers: new Map([["value", value.value]]) };
    }
    if (value === null) return null;
  }
  return reportUnknown(place, expression);
}

function reportUnknown(place: Place, expression: Expression): null {
  const name = expression.kind === "call" ? expression.callee.name : textOf(expression.span);
  const near = expression.kind === "call" ? didYouMean(name, [...Object.keys(kinds), "concat"]) : [];
  const all = [`there are ${Object.keys(kinds).join(", ")} and concat`];
  place.scope.report(
    report("F0608", { name: shorten(name) }, expression.span, {
      label: "not a way to start a parameter",
      help: near.length > 0 ? near : all,
    }),
  );
  return null;
}

/** One initialiser. In parts the size comes first; elsewhere it may: `fill(units, 1)` and `fill(1)`. */
function checkSimple(
  place: Place,
  call: CallExpression,
  kind: SimpleKind,
  shape: readonly Size[],
  isPart: boolean,
): { readonly init: TypedInitializer; readonly size: Size | null } | null {
  const numbers = Object.entries(kinds[kind]);
  const positional = call.args.filter(arg => arg.label === null).length;
  const sized = isPart || positional > numbers.length;
  const own = numbers.map(([name, byDefault]) => ({
    name,
    many: false,
    optional: byDefault !== null,
    span: null,
  }));
  const size = { name: "size", many: kind === "zeros" || kind === "ones", optional: false, span: null };
  const given = matchArguments(place, kind, sized ? [size, ...own] : own, call.args, call.span);
  if (given === null) return null;
  const sizes = (given.get("size") ?? []).map(arg => sizeOf(place, arg.value));
  const values = new Map<string, Static>();
  let sound = true;
  for (const [name, byDefault] of numbers) {
    const arg = given.get(name)?.[0];
    const otherwise: Static | null = byDefault === null ? null : { kind: "number", value: byDefault };
    const value =
      arg === undefined ? otherwise : staticOf(place, arg.value, "number", `\`${name}\` of \`${kind}\``);
    if (value === null) sound = false;
    else values.set(name, value);
  }
  if (!sound || !sizes.every(found => found !== null)) return null;
  if (!isPart && sizes.length > 0 && !agrees(place, call, sizes, shape)) return null;
  return { init: { kind, numbers: values }, size: sizes[0] ?? null };
}

/** A size given at the top must be the parameter's own. */
function agrees(place: Place, call: CallExpression, sizes: readonly Size[], shape: readonly Size[]): boolean {
  const wanted = sizes.length === 1 ? shape.slice(-1) : shape;
  const complain = () => sizeMismatch(call, printShape(sizes), printShape(shape));
  if (wanted.length !== sizes.length) {
    place.scope.report(complain());
    return false;
  }
  return sizes.every((size, at) => requireSame(place, size, wanted[at]!, complain));
}

const sizeMismatch = (call: CallExpression, found: string, wanted: string) =>
  report("F0609", { found, wanted }, call.span, { label: `${found}, for a parameter of ${wanted}` });

function checkParts(place: Place, call: CallExpression, shape: readonly Size[]): TypedInitializer | null {
  const parts: Part[] = [];
  let sound = true;
  for (const { value, label } of call.args) {
    const made =
      value.kind === "call" && value.axes === null && label === null && isSimple(value.callee.name)
        ? checkSimple(place, value, value.callee.name, shape, true)
        : reportUnknown(place, value);
    if (made === null || made.size === null) sound = false;
    else parts.push({ size: made.size, init: made.init });
  }
  if (!sound) return null;
  const total = addSizes(...parts.map(part => part.size));
  const last = shape.at(-1) ?? constantSize(1);
  const complain = () => sizeMismatch(call, printSize(total), printSize(last));
  return requireSame(place, total, last, complain) ? { kind: "concat", parts } : null;
}
