// Shapes of elementwise operations, and how a mismatch is told: both shapes, where each came from, the likely fix.

import type { Diagnostic, Note } from "../../diagnostics/diagnostic.ts";
import { report } from "../../diagnostics/report.ts";
import { textOf } from "../../diagnostics/wording.ts";
import { printFeature } from "../print-type.ts";
import { compareSizes, constantOf, divideExactly, isSame, type Size } from "../size.ts";
import type { TypedExpression } from "../typed.ts";
import type { RuleHost, RuleInput } from "./rule.ts";

/** Short source text for help lines; null where it would be too long to read. */
export function quote(expression: TypedExpression): string | null {
  const text = textOf(expression.span);
  return text.length <= 40 ? text : null;
}

export const sameShape = (left: readonly Size[], right: readonly Size[]): boolean =>
  left.length === right.length && left.every((size, at) => isSame(size, right[at]!));

/** A scalar with anything; otherwise the shorter shape must equal the end of the longer. Null after a complaint. */
export function broadcast(
  host: RuleHost,
  left: readonly Size[],
  right: readonly Size[],
  complain: () => Diagnostic,
): readonly Size[] | null {
  const [long, short] = left.length >= right.length ? [left, right] : [right, left];
  const end = long.slice(long.length - short.length);
  if (end.some((size, at) => compareSizes(size, short[at]!) === "different")) {
    host.report(complain());
    return null;
  }
  return end.every((size, at) => host.require(size, short[at]!, complain)) ? long : null;
}

/** The shape of an elementwise operation on all arguments. */
export function broadcastAll(input: RuleInput, args = input.args): readonly Size[] | null {
  let widest = args[0]!;
  for (const arg of args.slice(1)) {
    const shape = broadcast(input.host, widest.type.shape, arg.type.shape, () =>
      elementwiseMismatch(input, widest, arg),
    );
    if (shape === null) return null;
    if (arg.type.shape.length > widest.type.shape.length) widest = arg;
  }
  return widest.type.shape;
}

/** Without complaints: the widest shape among those known. */
export const guessShape = (shapes: readonly (readonly Size[])[]): readonly Size[] | null =>
  shapes.reduce<readonly Size[] | null>(
    (widest, shape) => (widest === null || shape.length > widest.length ? shape : widest),
    null,
  );

function elementwiseMismatch(input: RuleInput, left: TypedExpression, right: TypedExpression): Diagnostic {
  return report(
    "F0301",
    { operator: input.shown, left: printFeature(left.type), right: printFeature(right.type) },
    input.span,
    {
      label: `${printFeature(left.type)} beside ${printFeature(right.type)}`,
      notes: origins(input.host, left, right),
      help: elementwiseHelp(input, left, right),
    },
  );
}

function elementwiseHelp(input: RuleInput, left: TypedExpression, right: TypedExpression): readonly string[] {
  const [a, b] = [left.type.shape, right.type.shape];
  const [leftText, rightText] = [quote(left), quote(right)];
  const short = leftText !== null && rightText !== null;
  if (input.name === "mul" && short && matmulFits(a, b)) {
    return [`a product of vectors or matrices is written \`${leftText} @ ${rightText}\``];
  }
  if (input.name === "mul" && short && matmulFits(b, a)) {
    return [`a product of vectors or matrices is written \`${rightText} @ ${leftText}\``];
  }
  const single = [left, right].find(
    ({ type }) => type.shape.length === 1 && constantOf(type.shape[0]!) === 1,
  );
  if (single !== undefined) {
    return [`only scalars are repeated; a single feature becomes one by \`sum(${quote(single) ?? ".."})\``];
  }
  const ratio = sizeRatio(a.at(-1), b.at(-1));
  if (ratio === null) return [];
  const [large, count] = ratio > 1 ? [leftText, ratio] : [rightText, 1 / ratio];
  return [
    `the one is ${count} times the other: \`split(${large ?? ".."}, ${count})\` gives ${count} equal parts`,
  ];
}

/** left/right where it is a small whole number, or one over one. */
function sizeRatio(left: Size | undefined, right: Size | undefined): number | null {
  if (left === undefined || right === undefined) return null;
  const times = (a: Size, b: Size): number | null => {
    const quotient = divideExactly(a, b);
    const number = quotient === null ? null : constantOf(quotient);
    return number !== null && number >= 2 && number <= 16 ? number : null;
  };
  const up = times(left, right);
  if (up !== null) return up;
  const down = times(right, left);
  return down === null ? null : 1 / down;
}

/** Whether `left @ right` fits: the last size of the left is the first of the right. */
export const matmulFits = (left: readonly Size[], right: readonly Size[]): boolean =>
  left.length > 0 && right.length > 0 && left.length + right.length > 2 && isSame(left.at(-1)!, right[0]!);

/** Notes that say where the shapes of two operands came from. */
export function origins(host: RuleHost, ...operands: readonly TypedExpression[]): readonly Note[] {
  const notes: Note[] = [];
  for (const operand of operands) {
    const note = origin(host, operand);
    if (notes.every(other => other.span.start !== note.span.start || other.text !== note.text))
      notes.push(note);
  }
  return notes;
}

/** Follows an expression to the declaration that its last size came from. */
function origin(host: RuleHost, expression: TypedExpression): Note {
  if (expression.kind === "read") {
    const span = host.declaration(expression.name);
    const text = `\`${expression.name}\` is ${printFeature(expression.type)}, declared here`;
    if (span !== null) return { span, text };
  }
  if (expression.kind === "builtin") {
    const source = expression.args.findLast(arg => sameShape(arg.type.shape, expression.type.shape));
    const [, right] = expression.args;
    const next =
      expression.name === "matmul" && right !== undefined && right.type.shape.length > 1 ? right : source;
    if (next !== undefined && next.kind === "read") return origin(host, next);
    if (source !== undefined && source.kind === "builtin") return origin(host, source);
  }
  if (expression.kind === "call") {
    const { layer } = expression.call;
    const name = layer.results[expression.result];
    const result = name === undefined ? undefined : layer.equations.get(name);
    if (result !== undefined) {
      return { span: expression.span, text: `\`${layer.name}\` gives ${printFeature(expression.type)}` };
    }
  }
  return { span: expression.span, text: `this is ${printFeature(expression.type)}` };
}
