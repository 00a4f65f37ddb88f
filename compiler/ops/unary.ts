// Elementwise ops of one operand. y is the node itself in the comments' derivatives.

import type { NodeId, NodeOf, NodeType, OpAttrs } from "../graph/graph.ts";
import type { GraphBuilder } from "./builder.ts";
import { isNumeric, type OpRecord, type OpTable } from "./op.ts";
import { operand, pointwise, sizeOf } from "./shapes.ts";
import { isNotPositive, shield } from "./shield.ts";
import { mapValue, type Unary } from "./values.ts";

type RealOp = "exp" | "log" | "log1p" | "sqrt" | "sin" | "cos" | "tanh" | "sigmoid" | "softplus" | "floor";
type UnaryOp = RealOp | "neg" | "abs" | "sign" | "not" | "stopGradient" | "cast";

/** The adjoint of the operand x, from the adjoint of y = f(x). */
type Rule = (b: GraphBuilder, x: NodeId, y: NodeId, adjoint: NodeId) => NodeId;

const checks = {
  real: ([x]: readonly NodeType[]) => (x?.dtype === "real" ? null : `the operand is ${x?.dtype}, not real`),
  numeric: ([x]: readonly NodeType[]) => (x && isNumeric(x.dtype) ? null : "the operand is bool"),
  bool: ([x]: readonly NodeType[]) => (x?.dtype === "bool" ? null : `the operand is ${x?.dtype}, not bool`),
  any: () => null,
};

/** Records of these ops differ in nothing else. `flops` counts a special function as about ten. */
function record<O extends Exclude<UnaryOp, "cast">>(
  doc: string,
  takes: keyof typeof checks,
  f: Unary,
  flops: number,
  rule: Rule | { readonly none: string },
): OpRecord<O> {
  return {
    doc,
    arity: 1,
    type: inputs => {
      const { dtype, shape } = operand(inputs, 0);
      return pointwise(inputs, dtype, shape);
    },
    check: (inputs: readonly NodeType[], _: OpAttrs[O]) => checks[takes](inputs),
    adjoint:
      typeof rule === "function"
        ? (b: GraphBuilder, node: NodeOf<O>, _: number, adjoint: NodeId) =>
            rule(b, node.inputs[0]!, node.id, adjoint)
        : rule,
    evaluate: (_, __, ___, [x]) => mapValue(x!, f),
    cost: ({ type }) => ({ flops: flops * sizeOf(type.shape) }),
    elementwise: true,
  };
}

const flat = { none: "piecewise constant: the derivative is 0 wherever there is one" };

/** 1 / (1 + exp(-x)) without overflow. */
export const sigmoid = (x: number): number => {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
};

/** log(1 + exp(x)) without overflow. */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export const unary: Pick<OpTable, UnaryOp> = {
  neg: record(
    "-x",
    "numeric",
    x => -x,
    1,
    (b, _, __, adjoint) => b.neg(adjoint),
  ),
  exp: record("exp(x)", "real", Math.exp, 10, (b, _, y, adjoint) => {
    const overflow = b.equal(y, b.constant(Number.POSITIVE_INFINITY));
    return b.mul(adjoint, shield(b, adjoint, overflow, y, 0));
  }),
  log: record("The natural logarithm; -inf at 0.", "real", Math.log, 10, (b, x, _, adjoint) =>
    b.div(adjoint, shield(b, adjoint, isNotPositive(b, x), x, 1)),
  ),
  log1p: record("log(1 + x), exact near 0.", "real", Math.log1p, 10, (b, x, _, adjoint) => {
    const from1 = b.add(b.constant(1), x);
    return b.div(adjoint, shield(b, adjoint, isNotPositive(b, from1), from1, 1));
  }),
  sqrt: record("The square root.", "real", Math.sqrt, 4, (b, x, y, adjoint) =>
    b.div(adjoint, b.mul(b.constant(2), shield(b, adjoint, isNotPositive(b, x), y, 1))),
  ),
  sin: record("sin(x), x in radians", "real", Math.sin, 10, (b, x, _, adjoint) => b.mul(adjoint, b.cos(x))),
  cos: record("cos(x), x in radians", "real", Math.cos, 10, (b, x, _, adjoint) =>
    b.neg(b.mul(adjoint, b.sin(x))),
  ),
  tanh: record("tanh(x)", "real", Math.tanh, 10, (b, _, y, adjoint) =>
    b.mul(adjoint, b.sub(b.constant(1), b.mul(y, y))),
  ),
  sigmoid: record("1 / (1 + exp(-x))", "real", sigmoid, 10, (b, _, y, adjoint) =>
    b.mul(adjoint, b.mul(y, b.sub(b.constant(1), y))),
  ),
  softplus: record("log(1 + exp(x))", "real", softplus, 20, (b, x, _, adjoint) =>
    b.mul(adjoint, b.sigmoid(x)),
  ),
  abs: record("|x|; its derivative at 0 is taken as 0.", "numeric", Math.abs, 1, (b, x, _, adjoint) =>
    b.mul(adjoint, b.sign(x)),
  ),
  sign: record("-1, 0 or 1", "numeric", Math.sign, 1, flat),
  floor: record("The largest integer not above x, as a real.", "real", Math.floor, 1, flat),
  not: record("true where x is false", "bool", x => (x === 0 ? 1 : 0), 1, { none: "bool has no derivative" }),
  stopGradient: record("x, with the derivative taken as 0.", "any", x => x, 0, {
    none: "that is what it is for",
  }),
  cast: {
    doc: "Another dtype: bool to 0 and 1, index to real; real to index drops the fraction; to bool: not 0.",
    arity: 1,
    type: (inputs, { dtype }) => pointwise(inputs, dtype, operand(inputs, 0).shape),
    check: () => null,
    // Only real operands have adjoints, and only a real result has one to pass on.
    adjoint: (_, node, __, adjoint) => (node.attrs.dtype === "real" ? adjoint : null),
    evaluate: ({ attrs }, _, __, [x]) => {
      if (attrs.dtype === "real") return x!.data;
      return mapValue(x!, attrs.dtype === "index" ? Math.trunc : v => (v === 0 ? 0 : 1));
    },
    cost: () => ({ flops: 0 }),
    elementwise: true,
  },
};
