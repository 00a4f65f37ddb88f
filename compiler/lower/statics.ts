// Values that are known before the graph exists: sizes, numbers and truth values of one instance of a definition.

import { evaluateSize, namesInSize } from "../semantics/size.ts";
import type { Static } from "../semantics/typed.ts";
import type { BinaryOperator } from "../syntax/ast.ts";
import { InternalError, unreachable } from "../unreachable.ts";

export type StaticValue = number | boolean;
export type StaticEnvironment = ReadonlyMap<string, StaticValue>;

export function evaluateStatic(expression: Static, environment: StaticEnvironment): StaticValue {
  switch (expression.kind) {
    case "size":
      return evaluateSize(expression.size, numbersOf(environment));
    case "number":
    case "bool":
      return expression.value;
    case "name": {
      const value = environment.get(expression.name);
      if (value === undefined) throw new InternalError("evaluateStatic", `${expression.name} has no value`);
      return value;
    }
    case "negate":
      return -Number(evaluateStatic(expression.operand, environment));
    case "not":
      return !evaluateStatic(expression.operand, environment);
    case "binary":
      return apply(
        expression.operator,
        evaluateStatic(expression.left, environment),
        evaluateStatic(expression.right, environment),
      );
    default:
      return unreachable(expression);
  }
}

const numbersOf = (environment: StaticEnvironment): ReadonlyMap<string, number> =>
  new Map(
    [...environment].flatMap(([name, value]) => (typeof value === "number" ? [[name, value] as const] : [])),
  );

export const evaluateNumber = (expression: Static, environment: StaticEnvironment): number =>
  Number(evaluateStatic(expression, environment));

function apply(operator: BinaryOperator, left: StaticValue, right: StaticValue): StaticValue {
  const [a, b] = [Number(left), Number(right)];
  switch (operator) {
    case "or":
      return Boolean(left) || Boolean(right);
    case "and":
      return Boolean(left) && Boolean(right);
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
    case "@":
      return a * b;
    case "/":
      return a / b;
    case "^":
      return a ** b;
    default:
      return unreachable(operator);
  }
}

/** The names that an expression uses. */
export function namesIn(expression: Static): ReadonlySet<string> {
  const names = new Set<string>();
  const pending = [expression];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.kind === "name") names.add(next.name);
    else if (next.kind === "size") for (const name of namesInSize(next.size)) names.add(name);
    else if (next.kind === "negate" || next.kind === "not") pending.push(next.operand);
    else if (next.kind === "binary") pending.push(next.left, next.right);
  }
  return names;
}
