// Elementwise ops of two operands; features broadcast as in NumPy, axes and examples are joined.

import type { NodeId, NodeOf, NodeType, OpAttrs } from "../graph/graph.ts";
import type { GraphBuilder } from "./builder.ts";
import { isNumeric, type OpRecord, type OpTable } from "./op.ts";
import { joinShapes, operand, pointwise, sizeOf } from "./shapes.ts";
import { isZeroOrNaN, shield } from "./shield.ts";
import { type Binary, inputTypes, zipValues } from "./values.ts";

type Arithmetic = "add" | "sub" | "mul" | "div" | "pow" | "maximum" | "minimum" | "expdiff";
type Comparison = "equal" | "notEqual" | "less" | "lessEqual" | "greater" | "greaterEqual";
type BinaryOp = Arithmetic | Comparison | "and" | "or";

/** The adjoints of both operands. */
interface Rules {
  readonly a: Rule;
  readonly b: Rule;
}
type Rule = (build: GraphBuilder, a: NodeId, b: NodeId, y: NodeId, adjoint: NodeId) => NodeId;

type Takes = "real" | "numeric" | "same" | "bool";

function checkOperands(takes: Takes, [a, b]: readonly NodeType[]): string | null {
  if (a?.dtype !== b?.dtype) return `the operands are ${a?.dtype} and ${b?.dtype}`;
  const dtype = a?.dtype ?? "real";
  if (takes === "numeric" && !isNumeric(dtype)) return "the operands are bool";
  if ((takes === "real" || takes === "bool") && dtype !== takes)
    return `the operands are ${dtype}, not ${takes}`;
  return null;
}

function record<O extends BinaryOp>(
  doc: string,
  takes: Takes,
  gives: "bool" | "same",
  f: Binary,
  flops: number,
  rules: Rules | { readonly none: string },
): OpRecord<O> {
  return {
    doc,
    arity: 2,
    type: inputs =>
      pointwise(inputs, gives === "bool" ? "bool" : operand(inputs, 0).dtype, joinShapes(inputs)),
    check: (inputs: readonly NodeType[], _: OpAttrs[O]) => checkOperands(takes, inputs),
    adjoint:
      "none" in rules
        ? rules
        : (build: GraphBuilder, node: NodeOf<O>, k: number, adjoint: NodeId) => {
            const [a, b] = [node.inputs[0]!, node.inputs[1]!];
            return (k === 0 ? rules.a : rules.b)(build, a, b, node.id, adjoint);
          },
    evaluate: (node, _, evaluation, [a, b]) => {
      const types = inputTypes(node, evaluation);
      return zipValues(node.type, [types[0]!, types[1]!], evaluation, a!, b!, f);
    },
    cost: ({ type }) => ({ flops: flops * sizeOf(type.shape) }),
    elementwise: true,
  };
}

const truth = { none: "bool has no derivative" };

const compare = <O extends Comparison>(doc: string, takes: Takes, f: (x: number, y: number) => boolean) =>
  record<O>(doc, takes, "bool", (x, y) => (f(x, y) ? 1 : 0), 1, truth);

/** d max(a, b) / da: 1, 0, and a half where they tie. */
const larger =
  (first: boolean): Rule =>
  (build, a, b, _, adjoint) => {
    const half = build.where(build.equal(a, b), build.mul(build.constant(0.5), adjoint), build.constant(0));
    return build.where(first ? build.greater(a, b) : build.less(a, b), adjoint, half);
  };

/** d (a/b) / da = 1/b. */
const dividend: Rule = (build, _, b, __, adjoint) =>
  build.div(adjoint, shield(build, adjoint, isZeroOrNaN(build, b), b, 1));

/** d (a/b) / db = -y/b. */
const divisor: Rule = (build, _, b, y, adjoint) => {
  const singular = isZeroOrNaN(build, b);
  const quotient = shield(build, adjoint, singular, y, 0);
  return build.neg(build.div(build.mul(adjoint, quotient), shield(build, adjoint, singular, b, 1)));
};

/** d a^b / da = b a^(b-1). 0 at a = 0 with b = 0, where 0 * 0^-1 would be NaN. */
const powBase: Rule = (build, a, b, y, adjoint) => {
  const zero = build.constant(0);
  const one = build.constant(1);
  const isZero = build.equal(a, zero);
  const steep = build.or(build.and(isZero, build.less(b, one)), build.notEqual(y, y));
  const unused = build.and(build.equal(adjoint, zero), steep);
  const base = build.where(build.or(unused, build.and(isZero, build.equal(b, zero))), one, a);
  return build.mul(adjoint, build.mul(b, build.pow(base, build.sub(b, one))));
};

/** d a^b / db = y log a; 0 at a = 0, where y is 0 for every b > 0. */
const powExponent: Rule = (build, a, _, y, adjoint) => {
  const base = build.where(build.equal(a, build.constant(0)), build.constant(1), a);
  return build.mul(adjoint, build.mul(y, build.log(base)));
};

export const binary: Pick<OpTable, BinaryOp> = {
  add: record("a + b", "numeric", "same", (x, y) => x + y, 1, {
    a: (_, __, ___, ____, adjoint) => adjoint,
    b: (_, __, ___, ____, adjoint) => adjoint,
  }),
  sub: record("a - b", "numeric", "same", (x, y) => x - y, 1, {
    a: (_, __, ___, ____, adjoint) => adjoint,
    b: (build, _, __, ___, adjoint) => build.neg(adjoint),
  }),
  mul: record("a * b, element by element", "numeric", "same", (x, y) => x * y, 1, {
    a: (build, _, b, __, adjoint) => build.mul(adjoint, b),
    b: (build, a, _, __, adjoint) => build.mul(adjoint, a),
  }),
  div: record("a / b", "real", "same", (x, y) => x / y, 4, { a: dividend, b: divisor }),
  pow: record("a to the power b; 0^0 = 1", "real", "same", (x, y) => x ** y, 20, {
    a: powBase,
    b: powExponent,
  }),
  maximum: record("The larger; ties share the adjoint.", "numeric", "same", (x, y) => Math.max(x, y), 1, {
    a: larger(true),
    b: larger(false),
  }),
  minimum: record("The smaller; ties share the adjoint.", "numeric", "same", (x, y) => Math.min(x, y), 1, {
    a: larger(false),
    b: larger(true),
  }),
  expdiff: record(
    "exp(x - y), and 0 where x is -inf, whatever y is",
    "real",
    "same",
    (x, y) => (x === Number.NEGATIVE_INFINITY ? 0 : Math.exp(x - y)),
    11,
    {
      a: (build, _, __, y, adjoint) => build.mul(adjoint, y),
      b: (build, _, __, y, adjoint) => build.neg(build.mul(adjoint, y)),
    },
  ),
  equal: compare("a = b", "same", (x, y) => x === y),
  notEqual: compare("a ≠ b", "same", (x, y) => x !== y),
  less: compare("a < b", "numeric", (x, y) => x < y),
  lessEqual: compare("a ≤ b", "numeric", (x, y) => x <= y),
  greater: compare("a > b", "numeric", (x, y) => x > y),
  greaterEqual: compare("a ≥ b", "numeric", (x, y) => x >= y),
  and: record("both", "bool", "same", (x, y) => (x !== 0 && y !== 0 ? 1 : 0), 1, truth),
  or: record("at least one", "bool", "same", (x, y) => (x !== 0 || y !== 0 ? 1 : 0), 1, truth),
};
