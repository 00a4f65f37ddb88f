// Operators and functions of each element by itself.

import type { NodeId } from "../../graph/graph.ts";
import type { GraphBuilder } from "../../ops/builder.ts";
import type { BuiltinLowering, BuiltinUse } from "./use.ts";

const unary =
  (make: (builder: GraphBuilder, x: NodeId) => NodeId): BuiltinLowering =>
  use =>
    make(use.builder, use.arg(0));

const binary =
  (make: (builder: GraphBuilder, a: NodeId, b: NodeId) => NodeId): BuiltinLowering =>
  use =>
    make(use.builder, use.arg(0), use.arg(1));

/** x where it is positive, `other` elsewhere. */
const positiveOr = (builder: GraphBuilder, x: NodeId, other: NodeId): NodeId =>
  builder.where(builder.greater(x, builder.constant(0)), x, other);

/** A condition that is known selects now: the other branch is never lowered, and its parameters never made. */
function where(use: BuiltinUse): NodeId {
  const { builder } = use;
  const known = use.staticArg(0);
  if (known === null) return builder.where(use.arg(0), use.arg(1), use.arg(2));
  return builder.broadcast(use.arg(known ? 1 : 2), { shape: use.shape, axes: use.resultAxes });
}

function pow(use: BuiltinUse): NodeId {
  const { builder } = use;
  return use.staticArg(1) === 2 ? builder.mul(use.arg(0), use.arg(0)) : builder.pow(use.arg(0), use.arg(1));
}

/** Contracts the last dimension of the left with the first of the right. */
function matmul(use: BuiltinUse): NodeId {
  const rank = use.shapeOf(0).length;
  const left = Array.from({ length: rank }, (_, label) => label);
  const right = use.shapeOf(1).map((_, dim) => rank - 1 + dim);
  const out = [...left.slice(0, -1), ...right.slice(1)];
  return use.builder.contract(use.arg(0), use.arg(1), { left, right, out });
}

/** x Φ(x) in the tanh form: x/2 (1 + tanh(sqrt(2/π) (x + 0.044715 x³))) (Hendrycks & Gimpel 2016). */
function gelu(b: GraphBuilder, x: NodeId): NodeId {
  const cube = b.mul(b.mul(x, x), x);
  const inner = b.mul(b.constant(Math.sqrt(2 / Math.PI)), b.add(x, b.mul(b.constant(0.044715), cube)));
  return b.mul(b.mul(b.constant(0.5), x), b.add(b.constant(1), b.tanh(inner)));
}

/** exp of the negative part only, so that the branch not taken cannot overflow. */
const elu = (b: GraphBuilder, x: NodeId): NodeId =>
  positiveOr(b, x, b.sub(b.exp(b.minimum(x, b.constant(0))), b.constant(1)));

const hardSigmoid = (b: GraphBuilder, x: NodeId): NodeId => {
  const line = b.add(b.mul(b.constant(0.2), x), b.constant(0.5));
  return b.minimum(b.maximum(line, b.constant(0)), b.constant(1));
};

export const elementwiseLowerings = {
  neg: unary((b, x) => b.neg(x)),
  not: unary((b, x) => b.not(x)),
  add: binary((b, x, y) => b.add(x, y)),
  sub: binary((b, x, y) => b.sub(x, y)),
  mul: binary((b, x, y) => b.mul(x, y)),
  div: binary((b, x, y) => b.div(x, y)),
  matmul,
  pow,
  equal: binary((b, x, y) => b.equal(x, y)),
  notEqual: binary((b, x, y) => b.notEqual(x, y)),
  less: binary((b, x, y) => b.less(x, y)),
  lessEqual: binary((b, x, y) => b.lessEqual(x, y)),
  greater: binary((b, x, y) => b.greater(x, y)),
  greaterEqual: binary((b, x, y) => b.greaterEqual(x, y)),
  and: binary((b, x, y) => b.and(x, y)),
  or: binary((b, x, y) => b.or(x, y)),
  identity: use => use.arg(0),
  exp: unary((b, x) => b.exp(x)),
  log: unary((b, x) => b.log(x)),
  log1p: unary((b, x) => b.log1p(x)),
  sqrt: unary((b, x) => b.sqrt(x)),
  square: unary((b, x) => b.mul(x, x)),
  reciprocal: unary((b, x) => b.div(b.constant(1), x)),
  sin: unary((b, x) => b.sin(x)),
  cos: unary((b, x) => b.cos(x)),
  tanh: unary((b, x) => b.tanh(x)),
  sigmoid: unary((b, x) => b.sigmoid(x)),
  softplus: unary((b, x) => b.softplus(x)),
  softsign: unary((b, x) => b.div(x, b.add(b.constant(1), b.abs(x)))),
  relu: unary((b, x) => positiveOr(b, x, b.constant(0))),
  leakyRelu: unary((b, x) => positiveOr(b, x, b.mul(b.constant(0.01), x))),
  elu: unary(elu),
  gelu: unary(gelu),
  silu: unary((b, x) => b.mul(x, b.sigmoid(x))),
  hardSigmoid: unary(hardSigmoid),
  abs: unary((b, x) => b.abs(x)),
  sign: unary((b, x) => b.sign(x)),
  floor: unary((b, x) => b.floor(x)),
  real: use => use.real(0),
  where,
  stopGradient: unary((b, x) => b.stopGradient(x)),
} as const satisfies Record<string, BuiltinLowering>;
