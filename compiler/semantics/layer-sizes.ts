// The sizes of a layer in one use: inferred ones are solved where they stand bare in an argument's type, `real[d]`;
// everything else is evaluated and compared.

import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import type { Expression } from "../syntax/ast.ts";
import type { CheckedDefinition } from "./globals.ts";
import { printFeature } from "./print-type.ts";
import { hostOf, requireSame } from "./require-sizes.ts";
import { origins, quote } from "./rules/shapes.ts";
import { type Place, reportAt } from "./scope.ts";
import {
  bareName,
  constantOf,
  constantSize,
  divideExactly,
  namesInSize,
  printSize,
  type Size,
  substituteSizes,
} from "./size.ts";
import { isWhole } from "./statics.ts";
import type { LayerCall, Static, TypedExpression, TypedInput, ValueType } from "./typed.ts";

type CallExpression = Extract<Expression, { kind: "call" }>;

export interface Solution {
  /** The layer's inferred sizes, in the caller's sizes. */
  readonly sizes: ReadonlyMap<string, Size>;
  /** The argument from which each of them was solved. */
  readonly sources: ReadonlyMap<string, TypedExpression>;
  /** All of the layer's sizes, inferred or given, in the caller's sizes. */
  readonly environment: ReadonlyMap<string, Size>;
  readonly unsolved: ReadonlySet<string>;
}

type Values = ReadonlyMap<string, TypedExpression | null>;

export function solveSizes(
  place: Place,
  call: CallExpression,
  layer: CheckedDefinition,
  values: Values,
  given: { readonly sizes: ReadonlyMap<string, Size> },
): Solution {
  const { inferred, statics } = layer.typed;
  const sizes = new Map<string, Size>();
  const sources = new Map<string, TypedExpression>();
  for (const formal of layer.typed.values) {
    const actual = values.get(formal.name);
    if (!actual) continue;
    for (const [name, size] of bareSizes(formal.type, actual.type)) {
      if (!inferred.includes(name) || sizes.has(name)) continue;
      sizes.set(name, size);
      sources.set(name, actual);
    }
  }
  const environment = new Map<string, Size>([...sizes, ...given.sizes]);
  for (const { name, kind, default: otherwise } of statics) {
    if (kind !== "size" || environment.has(name) || otherwise === null) continue;
    const size = sizeOfStatic(otherwise);
    if (size !== null && namesInSize(size).every(known => environment.has(known))) {
      environment.set(name, substituteSizes(size, environment));
    }
  }
  const unsolved = new Set(inferred.filter(name => !sizes.has(name)));
  if (place.mode === "strict" && !layer.failed) reportUnsolved(place, call, layer, values, unsolved);
  return { sizes, sources, environment, unsolved };
}

const sizeOfStatic = (value: Static): Size | null =>
  value.kind === "size" ? value.size : value.kind === "number" ? constantSize(value.value) : null;

/** Each bare name of the formal type with what stands at its place in the actual one. */
function bareSizes(formal: ValueType, actual: ValueType): readonly (readonly [string, Size])[] {
  const pairs: [Size, Size][] = [];
  if (formal.shape.length === actual.shape.length) {
    pairs.push(...formal.shape.map((size, at): [Size, Size] => [size, actual.shape[at]!]));
  }
  if (formal.classes !== null && actual.classes !== null) pairs.push([formal.classes, actual.classes]);
  return pairs.flatMap(([size, found]) => {
    const name = bareName(size);
    return name === null ? [] : [[name, found] as const];
  });
}

/** A size that only an index without a known range could give. */
function reportUnsolved(
  place: Place,
  call: CallExpression,
  layer: CheckedDefinition,
  values: Values,
  unsolved: ReadonlySet<string>,
): void {
  for (const name of unsolved) {
    const formal = layer.typed.values.find(({ type }) =>
      [...type.shape, ...(type.classes === null ? [] : [type.classes])].some(size => bareName(size) === name),
    );
    const actual = formal === undefined ? undefined : values.get(formal.name);
    // Unknown arguments and wrong ranks have been complained about, or will be.
    if (!formal || !actual || actual.type.shape.length !== formal.type.shape.length) continue;
    const named = { name, callee: call.callee.name };
    const label = `this is ${printFeature(actual.type)}, which says nothing of \`${name}\``;
    const help = [`the layer may take it as an argument, \`${name}: size\``];
    reportAt(place, report("F0316", named, actual.span, { label, help }));
  }
}

/** The arguments, with static ones made to fit; null after a complaint, or while one is unknown. */
export function checkValues(
  place: Place,
  call: CallExpression,
  layer: CheckedDefinition,
  solution: Solution,
  values: Values,
  axes: LayerCall["axes"],
): ReadonlyMap<string, TypedExpression> | null {
  const checked = new Map<string, TypedExpression>();
  let sound = true;
  for (const formal of layer.typed.values) {
    const actual = values.get(formal.name);
    // What a layer with errors wants is not certain; its own errors come first.
    const quiet: Place = layer.failed ? { ...place, mode: "infer" } : place;
    const fitted = actual ? fitValue(quiet, call, formal, actual, solution) : null;
    if (fitted === null) sound = false;
    else if (!checkAxes(place, call, layer, formal, fitted, axes)) sound = false;
    else checked.set(formal.name, fitted);
  }
  return sound ? checked : null;
}

function fitValue(
  place: Place,
  call: CallExpression,
  formal: TypedInput,
  actual: TypedExpression,
  solution: Solution,
): TypedExpression | null {
  const complain = () => argumentMismatch(place, call, formal, actual, solution);
  const { dtype, shape, classes } = formal.type;
  const wholeStatic =
    actual.kind === "static" && actual.type.dtype === "real" && isWhole(place.scope, actual.value);
  const asIndex = dtype === "index" && wholeStatic;
  if ((actual.type.dtype !== dtype && !asIndex) || actual.type.shape.length !== shape.length) {
    reportAt(place, complain());
    return null;
  }
  const known = (size: Size): boolean => namesInSize(size).every(name => !solution.unsolved.has(name));
  for (const [at, size] of shape.entries()) {
    if (!known(size)) continue;
    const wanted = substituteSizes(size, solution.environment);
    if (!requireSame(place, actual.type.shape[at]!, wanted, complain)) return null;
  }
  if (classes !== null && actual.type.classes !== null && known(classes)) {
    const wanted = substituteSizes(classes, solution.environment);
    if (!requireSame(place, actual.type.classes, wanted, complain)) return null;
  }
  return asIndex ? { ...actual, type: { ...actual.type, dtype: "index" } } : actual;
}

function argumentMismatch(
  place: Place,
  call: CallExpression,
  formal: TypedInput,
  actual: TypedExpression,
  solution: Solution,
): Diagnostic {
  const inCaller = (size: Size): Size => substituteSizes(size, solution.environment);
  const { dtype, shape, classes } = formal.type;
  const wanted = printFeature({ dtype, shape: shape.map(inCaller), classes: classes && inCaller(classes) });
  const found = printFeature(actual.type);
  const declared = printFeature(formal.type);
  const said = declared === wanted ? declared : `${declared}, here ${wanted}`;
  const sources = origins(hostOf(place), actual).filter(note => note.span.start !== actual.span.start);
  const solved = new Set([...shape, ...(classes === null ? [] : [classes])].flatMap(namesInSize));
  for (const name of solved) {
    const [source, size] = [solution.sources.get(name), solution.sizes.get(name)];
    if (source === undefined || size === undefined || source === actual) continue;
    sources.push({ span: source.span, text: `from here, \`${name}\` is ${printSize(size)}` });
  }
  const values = { callee: call.callee.name, argument: formal.name, wanted, found };
  return report("F0303", values, actual.span, {
    label: `this is ${found}`,
    notes: [...sources, { span: formal.span, text: `\`${formal.name}\` is ${said}` }],
    help: argumentHelp(formal, actual, shape.map(inCaller)),
  });
}

function argumentHelp(
  formal: TypedInput,
  actual: TypedExpression,
  wanted: readonly Size[],
): readonly string[] {
  const text = quote(actual) ?? "..";
  const { shape } = actual.type;
  const sameRank = shape.length === wanted.length;
  if (formal.type.dtype === "real" && actual.type.dtype !== "real" && sameRank)
    return [`write \`real(${text})\``];
  if (formal.type.dtype === "real" && actual.type.dtype === "index" && wanted.length === 1)
    return [`\`oneHot(${text})\` makes a vector of it`];
  if (formal.type.dtype === "index" && actual.type.dtype === "real" && shape.length === 1)
    return [`\`argmax(${text})\` is the position of the largest`];
  if (shape.length === 2 && wanted.length === 2) {
    const swapped = printFeature({ ...formal.type, shape: [shape[1]!, shape[0]!] });
    if (swapped === printFeature({ ...formal.type, shape: wanted })) return [`\`transpose(${text})\` fits`];
  }
  const [last, want] = [shape.at(-1), wanted.at(-1)];
  const quotient = last && want && shape.length === wanted.length ? divideExactly(last, want) : null;
  const parts = quotient === null ? null : constantOf(quotient);
  if (want !== undefined && parts !== null && parts >= 2 && parts <= 16) {
    return [`\`split(${text}, ${parts})\` gives ${parts} parts of ${printSize(want)}`];
  }
  return [];
}

/** An argument may vary along a bound axis only where the layer says so. */
function checkAxes(
  place: Place,
  call: CallExpression,
  layer: CheckedDefinition,
  formal: TypedInput,
  actual: TypedExpression,
  axes: LayerCall["axes"],
): boolean {
  const names = layer.typed.axes.filter(axis => axis.kind === "bound").map(axis => axis.name);
  for (const [at, { axis }] of axes.entries()) {
    const inner = names[at];
    if (inner === undefined || !actual.type.axes.includes(axis) || formal.type.axes.includes(inner)) continue;
    reportAt(
      place,
      report("F0223", { callee: call.callee.name, argument: formal.name, axis }, actual.span, {
        label: `varies along \`${axis}\``,
        notes: [{ span: formal.span, text: `\`${formal.name}\` is the same at all steps` }],
        help: ["read it at one step, `last` or `first`, or reduce it, `mean[t](..)`"],
      }),
    );
    return false;
  }
  return true;
}
