// Elementwise ops as expressions in a device's language, of operands that are numbers or four numbers each. Truth values
// are 0.0 and 1.0, indices whole numbers.

import type { Node, OpName } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Width } from "./emit.ts";
import { type PreludeFunction, preludeFunctions } from "./prelude.ts";

type Operator = (terms: readonly string[], width: Width, one: string) => string;

const infix =
  (sign: string): Operator =>
  ([a, b]) =>
    `(${a} ${sign} ${b})`;

/** What is no function of the prelude. `one`: 1 in all places. */
const operators = {
  neg: ([a]) => `(-${a})`,
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  not: ([a], _, one) => `(${one} - ${a})`,
  and: ([a, b], width) => `minimum${width}(${a}, ${b})`,
  or: ([a, b], width) => `maximum${width}(${a}, ${b})`,
} satisfies Partial<Record<OpName, Operator>>;

const isFunction = (op: string): op is PreludeFunction => op in preludeFunctions;
const isOperator = (op: string): op is keyof typeof operators => op in operators;

/** @param number writes a number in all places. */
export function expressionOf(
  node: Node,
  terms: readonly string[],
  from: readonly Node[],
  width: Width,
  number: (value: number) => string,
): string {
  const { op } = node;
  if (op === "contract") return `(${terms[0]} * ${terms[1]})`;
  if (op === "accumulate") return terms.length === 0 ? number(0) : `(${terms.join(" + ")})`;
  if (op === "cast") {
    const [source, target] = [from[0]!.type.dtype, node.attrs.dtype];
    if (source === target || source === "bool" || target === "real") return terms[0]!;
    return target === "bool" ? `notEqual${width}(${terms[0]}, ${number(0)})` : `trunc${width}(${terms[0]})`;
  }
  if (isOperator(op)) return operators[op](terms, width, number(1));
  if (isFunction(op)) return `${op}${width}(${terms.join(", ")})`;
  throw new InternalError("gpu", `%${node.id} = ${op} is not elementwise`);
}
