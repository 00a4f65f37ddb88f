// Groups the flat operands and operators of an expression by precedence climbing, and reports what only the grouping
// shows: comparisons in a chain, `a * b @ W` without parentheses, expressions too long to walk safely.

import type { Diagnostic, Source, Span } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import { textOf } from "../diagnostics/wording.ts";
import type { BinaryOperator, Expression } from "./ast.ts";

export interface Prefix {
  readonly operator: "-" | "not";
  readonly span: Span;
}

export interface Infix {
  readonly operator: BinaryOperator;
  readonly span: Span;
}

export interface Operand {
  readonly prefixes: readonly Prefix[];
  readonly primary: Expression;
  readonly parenthesized: boolean;
}

/** Loosest first; `not` stands between `and` and the comparisons, unary minus between `@` and `^`. */
export const precedence: { readonly [Operator in BinaryOperator | "not" | "negate" | "atom"]: number } = {
  or: 1,
  and: 2,
  not: 3,
  "==": 4,
  "!=": 4,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "@": 7,
  negate: 8,
  "^": 9,
  atom: 10,
};

const comparison = precedence["=="];

/** Operators in one flat list, and the height of a tree: what recursive walks of later passes can bear. */
const longest = 256;

export function isComparison(operator: BinaryOperator): boolean {
  return precedence[operator] === comparison;
}

/** Groups expressions of one source; keeps the heights of the trees it has made. */
export function createGrouping(source: Source, diagnostics: Diagnostic[]) {
  const heights = new WeakMap<Expression, number>();

  /** Remembers a tree's height; a tree too high is reported and replaced by a leaf. */
  function measured(expression: Expression): Expression {
    let height = 1;
    for (const part of partsOf(expression)) height = Math.max(height, 1 + (heights.get(part) ?? 1));
    if (height > longest) return tooLong(expression.span);
    heights.set(expression, height);
    return expression;
  }

  function tooLong(span: Span): Expression {
    const help = ["give parts of it names of their own"];
    diagnostics.push(report("F0008", { operators: longest }, span, { help }));
    return { kind: "error", span };
  }

  function group(operands: readonly Operand[], operators: readonly Infix[], span: Span): Expression {
    const prefixes = operands.reduce((count, operand) => count + operand.prefixes.length, 0);
    if (operators.length + prefixes > longest) return tooLong(span);
    return createClimb(source, operands, operators, diagnostics, measured)();
  }

  return { group, measured };
}

function createClimb(
  source: Source,
  operands: readonly Operand[],
  operators: readonly Infix[],
  diagnostics: Diagnostic[],
  measured: (expression: Expression) => Expression,
): () => Expression {
  let at = 0; // the operand to read next; operator i stands before operand i + 1

  function unary(operand: Operand, from: number, above: number): Expression {
    const prefix = operand.prefixes[from];
    if (prefix === undefined) return operand.primary;
    const level = precedence[prefix.operator === "not" ? "not" : "negate"];
    if (level < above)
      reportLooseNot(prefix, operand.prefixes[from - 1]?.operator ?? operators[at - 1]?.operator ?? "-");
    const inner = binary(level, () => unary(operand, from + 1, level));
    const span = { source, start: prefix.span.start, end: inner.span.end };
    return measured({ kind: "unary", operator: prefix.operator, operand: inner, span });
  }

  function reportLooseNot(prefix: Prefix, operator: string): void {
    const help = ["put `(not ..)` in parentheses"];
    diagnostics.push(
      report("F0036", { operator }, prefix.span, { help, label: `binds looser than \`${operator}\`` }),
    );
  }

  /** Reads a first operand by `head`, then all operators that bind at least as tightly as `level`. */
  function binary(level: number, head: () => Expression): Expression {
    let left = head();
    let compared: Infix | null = null;
    for (;;) {
      const infix = operators[at];
      if (infix === undefined || precedence[infix.operator] < level) return left;
      const own = precedence[infix.operator];
      at += 1;
      const operand = operands[at]!;
      // `^` groups to the right and takes a signed exponent.
      const above = infix.operator === "^" ? precedence.negate : own + 1;
      const inner = infix.operator === "^" ? own : own + 1;
      const right = binary(inner, () => unary(operand, 0, above));
      if (own === comparison && compared !== null) left = chain(left, compared, infix, right);
      else if (own === precedence["*"] && isBareProduct(right, operand)) left = mixture(left, infix, right);
      else left = combine(left, infix, right);
      if (own === comparison) compared = infix;
    }
  }

  function combine(left: Expression, infix: Infix, right: Expression): Expression {
    const span = { source, start: left.span.start, end: right.span.end };
    const { operator, span: operatorSpan } = infix;
    const whole: Expression = {
      kind: "binary",
      operator,
      left,
      right,
      operatorSpan,
      span,
      parenthesized: false,
    };
    return measured(whole);
  }

  /** `0 < x < 1`: reported, and of unknown meaning. */
  function chain(left: Expression, first: Infix, second: Infix, right: Expression): Expression {
    const notes = [{ span: first.span, text: "the first comparison" }];
    const [a, b] = [textOf(left.span), textOf(right.span)];
    const middle = left.kind === "binary" ? textOf(left.right.span) : "..";
    const help = [`write \`${a} and ${middle} ${second.operator} ${b}\``];
    diagnostics.push(report("F0014", {}, second.span, { label: "a second one", notes, help }));
    return { kind: "error", span: { source, start: left.span.start, end: right.span.end } };
  }

  /** Is the right side of `*` a `@` without parentheses of its own? */
  function isBareProduct(right: Expression, operand: Operand): boolean {
    return right.kind === "binary" && right.operator === "@" && right !== operand.primary;
  }

  /** `a * b @ W`: reported, and of unknown meaning. */
  function mixture(left: Expression, infix: Infix, right: Expression): Expression {
    const span = { source, start: left.span.start, end: right.span.end };
    if (right.kind !== "binary") return { kind: "error", span };
    const [a, b, c] = [textOf(left.span), textOf(right.left.span), textOf(right.right.span)];
    const help = [
      `write \`(${a} ${infix.operator} ${b}) @ ${c}\` to scale before the product`,
      `or \`${a} ${infix.operator} (${b} @ ${c})\` to scale after it`,
    ];
    diagnostics.push(report("F0015", { operator: infix.operator }, span, { help, label: "two readings" }));
    return { kind: "error", span };
  }

  return () => binary(0, () => unary(operands[0]!, 0, 0));
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "binary":
      return [expression.left, expression.right];
    case "unary":
      return [expression.operand];
    case "call":
      return [...(expression.axes ?? []), ...expression.args.map(argument => argument.value)];
    case "name":
      return expression.indices ?? [];
    default:
      return [];
  }
}
