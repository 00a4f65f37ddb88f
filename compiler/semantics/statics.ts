// Expressions that are known before the run: sizes (whole-number polynomials; `/` rounds down) and static numbers.

import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { shorten, textOf } from "../diagnostics/wording.ts";
import type { Expression } from "../syntax/ast.ts";
import { checkExpression } from "./expression.ts";
import type { DefinitionScope, Place } from "./scope.ts";
import { isNews, reportAt, unknownValue } from "./scope.ts";
import {
  addSizes,
  constantOf,
  constantSize,
  divideSizes,
  multiplySizes,
  namedSize,
  negateSize,
  type Size,
  subtractSizes,
} from "./size.ts";
import type { Static } from "./typed.ts";

/** Reads an expression as a size. Positions along static axes are sizes in offsets only. */
export function sizeOf(place: Place, expression: Expression, inOffset = false): Size | null {
  switch (expression.kind) {
    case "error":
      return unknownValue(place);
    case "number":
      if (Number.isSafeInteger(expression.value)) return constantSize(expression.value);
      return notASize(place, expression, "this is no whole number");
    case "name":
      return namedSizeOf(place, expression, inOffset);
    case "unary": {
      if (expression.operator === "not") return notASize(place, expression, "this is a truth value");
      const operand = sizeOf(place, expression.operand, inOffset);
      return operand && negateSize(operand);
    }
    case "binary":
      return binarySize(place, expression, inOffset);
    case "bool":
      return notASize(place, expression, "this is a truth value");
    case "call":
      return notASize(place, expression, "functions are not part of sizes");
  }
}

function binarySize(
  place: Place,
  expression: Extract<Expression, { kind: "binary" }>,
  inOffset: boolean,
): Size | null {
  const left = sizeOf(place, expression.left, inOffset);
  const right = sizeOf(place, expression.right, inOffset);
  if (left === null || right === null) return null;
  switch (expression.operator) {
    case "+":
      return addSizes(left, right);
    case "-":
      return subtractSizes(left, right);
    case "*":
      return product(place, expression, [left, right]);
    case "/":
      return divideSizes(left, right) ?? notASize(place, expression, "a division by zero");
    case "^": {
      const exponent = constantOf(right);
      if (exponent === null || exponent < 0 || exponent > 16)
        return notASize(place, expression, "the exponent must be a number from 0 to 16");
      return product(
        place,
        expression,
        Array.from({ length: exponent }, () => left),
      );
    }
    default:
      return notASize(place, expression, `\`${expression.operator}\` is not part of sizes`);
  }
}

/** Polynomials grow fast when they are multiplied out; nobody writes such sizes on purpose. */
function product(place: Place, expression: Expression, factors: readonly Size[]): Size | null {
  let result = constantSize(1);
  for (const factor of factors) {
    if (result.terms.length * factor.terms.length > 64)
      return notASize(place, expression, "this is too long for a size");
    result = multiplySizes(result, factor);
  }
  if (result.terms.some(term => !Number.isSafeInteger(term.coefficient))) {
    return notASize(place, expression, "this number is too large");
  }
  return result;
}

function namedSizeOf(
  place: Place,
  expression: Extract<Expression, { kind: "name" }>,
  inOffset: boolean,
): Size | null {
  const { name, span } = expression.name;
  const symbol = place.scope.symbols.get(name);
  if (symbol === undefined) {
    if (!isNews(place, name)) return null;
    reportAt(
      place,
      report("F0304", { name }, span, {
        label: "no size has this name",
        help: didYouMean(name, sizeNames(place.scope)),
      }),
    );
    return null;
  }
  const { kind } = symbol;
  const isSize = kind === "inferred" || (kind === "static" && symbol.parameter.kind === "size");
  const isPosition = inOffset && kind === "axis" && symbol.axis.kind === "static";
  if ((isSize || isPosition) && expression.indices === null) {
    place.scope.used.add(name);
    return namedSize(name);
  }
  const what = kind === "static" ? `a ${symbol.parameter.kind}` : kind === "axis" ? "an axis" : "a value";
  const known = kind === "value" || kind === "equation" ? ", known only at run time" : "";
  return notASize(place, expression, `\`${name}\` is ${what}${known}`);
}

function notASize(place: Place, expression: Expression, label: string): null {
  reportAt(place, report("F0313", { text: shorten(textOf(expression.span)) }, expression.span, { label }));
  return null;
}

const sizeNames = (scope: DefinitionScope): readonly string[] =>
  [...scope.symbols]
    .filter(
      ([, symbol]) =>
        symbol.kind === "inferred" || (symbol.kind === "static" && symbol.parameter.kind === "size"),
    )
    .map(([name]) => name);

/** A static number or truth value. */
export function staticOf(
  place: Place,
  expression: Expression,
  wanted: "number" | "bool",
  what: string,
): Static | null {
  const checked = checkExpression(place, expression);
  if (checked === null) return null;
  const dtype = wanted === "bool" ? "bool" : "real";
  if (checked.kind === "static" && checked.type.dtype === dtype) return checked.value;
  const label =
    checked.kind === "static"
      ? `this is a ${checked.type.dtype === "bool" ? "truth value" : "number"}`
      : "this is known only at run time";
  reportAt(
    place,
    report("F0413", { what, wanted: wanted === "bool" ? "truth value" : "number" }, expression.span, {
      label,
    }),
  );
  return null;
}

/** A size as a static value: plain numbers stay numbers. */
export function staticSize(size: Size): Static {
  const value = constantOf(size);
  return value === null ? { kind: "size", size } : { kind: "number", value };
}

/** Whether a static value is a whole number for all instances. */
export function isWhole(scope: DefinitionScope, value: Static): boolean {
  switch (value.kind) {
    case "number":
      return Number.isSafeInteger(value.value);
    case "size":
      return true;
    case "name": {
      const symbol = scope.symbols.get(value.name);
      return symbol?.kind === "inferred" || (symbol?.kind === "static" && symbol.parameter.kind === "size");
    }
    case "negate":
      return isWhole(scope, value.operand);
    case "binary":
      return "+-*".includes(value.operator) && isWhole(scope, value.left) && isWhole(scope, value.right);
    case "bool":
    case "not":
      return false;
  }
}
