// What stands behind the operators: arithmetic, comparison, logic, and `@`.

import { report } from "../../diagnostics/report.ts";
import { printFeature } from "../print-type.ts";
import { compareSizes } from "../size.ts";
import type { TypedExpression } from "../typed.ts";
import { unifyAny, unifyNumbers, wantAll } from "./dtypes.ts";
import {
  type BuiltinRecord,
  type Feature,
  one,
  type RuleInput,
  type RuleResult,
  realOf,
  value,
} from "./rule.ts";
import { broadcastAll, guessShape, matmulFits, origins, quote } from "./shapes.ts";

/** The shape that an elementwise result will have, from the operands known so far. */
export function guessElementwise(args: readonly (Feature | null)[]): Feature | null {
  const known = args.filter(arg => arg !== null);
  const shape = guessShape(known.map(arg => arg.shape));
  const dtype = known.find(arg => arg.dtype === "index")?.dtype ?? known.at(-1)?.dtype;
  return shape === null || dtype === undefined ? null : { dtype, classes: null, shape };
}

function guessTruth(args: readonly (Feature | null)[]): Feature | null {
  const shape = guessShape(args.filter(arg => arg !== null).map(arg => arg.shape));
  return shape === null ? null : { dtype: "bool", classes: null, shape };
}

const pair = [value("a"), value("b")];

function arithmetic(doc: string, indexAllowed: boolean): BuiltinRecord {
  const type = (input: RuleInput): RuleResult | null => {
    const unified = unifyNumbers(input, indexAllowed);
    const shape = unified && broadcastAll(input);
    if (!unified || !shape) return null;
    return { ...one({ dtype: unified.dtype, classes: null, shape }), args: unified.args };
  };
  return { doc, parameters: pair, brackets: "none", type, guess: guessElementwise };
}

function comparison(doc: string, truthAllowed: boolean): BuiltinRecord {
  const type = (input: RuleInput): RuleResult | null => {
    const unified = truthAllowed ? unifyAny(input, input.args) : unifyNumbers(input, true);
    const shape = unified && broadcastAll(input);
    if (!unified || !shape) return null;
    return { ...one({ dtype: "bool", classes: null, shape }), args: unified.args };
  };
  return { doc, parameters: pair, brackets: "none", type, guess: guessTruth };
}

function logic(doc: string, names: readonly string[]): BuiltinRecord {
  const type = (input: RuleInput): RuleResult | null => {
    if (!wantAll(input, "bool")) return null;
    const shape = broadcastAll(input);
    return shape && one({ dtype: "bool", classes: null, shape });
  };
  return { doc, parameters: names.map(value), brackets: "none", type, guess: guessTruth };
}

const negation: BuiltinRecord = {
  doc: "-x.",
  parameters: [value("x")],
  brackets: "none",
  type: input => {
    const unified = unifyNumbers(input, true);
    return unified && one({ dtype: unified.dtype, classes: null, shape: input.args[0]!.type.shape });
  },
  guess: guessElementwise,
};

const matmul: BuiltinRecord = {
  doc: "Contracts the last dimension of the left with the first of the right: [n] @ [n, m] is [m], [n] @ [n] a scalar.",
  parameters: pair,
  brackets: "none",
  type: matmulType,
  guess: ([left, right]) => {
    // A name that is not known yet is most often the vector of `h[t-1] @ U`.
    if (!left && right && right.shape.length === 2) return realOf(right.shape.slice(1));
    if (!right && left && left.shape.length === 2) return realOf(left.shape.slice(0, 1));
    return left && right ? realOf([...left.shape.slice(0, -1), ...right.shape.slice(1)]) : null;
  },
};

function matmulType(input: RuleInput): RuleResult | null {
  if (!unifyNumbers(input, false)) return null;
  const [left, right] = input.args;
  if (left === undefined || right === undefined) return null;
  const [a, b] = [left.type.shape, right.type.shape];
  const complain = () => matmulMismatch(input, left, right);
  if (a.length === 0 || b.length === 0 || compareSizes(a.at(-1)!, b[0]!) === "different") {
    input.host.report(complain());
    return null;
  }
  if (!input.host.require(a.at(-1)!, b[0]!, complain)) return null;
  return one(realOf([...a.slice(0, -1), ...b.slice(1)]));
}

function matmulMismatch(input: RuleInput, left: TypedExpression, right: TypedExpression) {
  const [a, b] = [left.type.shape, right.type.shape];
  return report("F0302", { left: printFeature(left.type), right: printFeature(right.type) }, input.span, {
    label:
      a.length === 0 || b.length === 0
        ? "`@` wants at least vectors on both sides"
        : "the last size of the left must be the first of the right",
    notes: origins(input.host, left, right),
    help: matmulHelp(input, left, right),
  });
}

function matmulHelp(input: RuleInput, left: TypedExpression, right: TypedExpression): readonly string[] {
  const [a, b] = [left.type.shape, right.type.shape];
  const [x, y] = [quote(left), quote(right)];
  if (x === null || y === null) return [];
  if (a.length === 0 || b.length === 0) return [`a product with a scalar is written \`${x} * ${y}\``];
  if (left.kind === "read" && input.host.isDefined(left.name) && a.length === 1 && b.length === 2) {
    const square = printFeature(realOf([a[0]!, a[0]!]));
    return [`what takes \`${left.name}\` back to its own shape is ${square}`];
  }
  const simple = left.kind !== "builtin" && right.kind !== "builtin";
  if (simple && matmulFits(b, a)) return [`the other order fits: \`${y} @ ${x}\``];
  if (b.length === 2 && matmulFits(a, [b[1]!, b[0]!])) return [`\`${x} @ transpose(${y})\` fits`];
  if (a.length === 2 && matmulFits([a[1]!, a[0]!], b)) return [`\`transpose(${x}) @ ${y}\` fits`];
  return [];
}

export const operatorRules = {
  neg: negation,
  not: logic("Whether x is false.", ["x"]),
  add: arithmetic("a + b.", true),
  sub: arithmetic("a - b.", true),
  mul: arithmetic("a * b, element by element.", true),
  div: arithmetic("a / b, element by element.", false),
  matmul,
  pow: arithmetic("a to the power of b, element by element.", false),
  equal: comparison("Whether a is b, element by element.", true),
  notEqual: comparison("Whether a is not b, element by element.", true),
  less: comparison("a < b.", false),
  lessEqual: comparison("a <= b.", false),
  greater: comparison("a > b.", false),
  greaterEqual: comparison("a >= b.", false),
  and: logic("Whether both are true.", ["a", "b"]),
  or: logic("Whether one of them is true.", ["a", "b"]),
} as const;
