// What each op makes of operands that depend on what a loop carries (linear.ts).

import type { Node, OpName } from "../graph/graph.ts";
import { isOuterProduct } from "./traits.ts";

/** How an op treats operands that depend on what is carried. */
export type Rule =
  /** Affine in all of them together. */
  | "sum"
  /** The same numbers elsewhere. */
  | "move"
  /** Affine in one, where the others do not depend on it: factors, a dividend, what a condition chooses from. */
  | "product" | "quotient" | "choice"
  | "pointwise"
  /** A feature of the result takes in many of an operand, or other indices. */
  | "cross"; // biome-ignore format: one line a family

const rules: { readonly [O in OpName]: Rule } = {
  constant: "move",
  parameter: "move",
  input: "move",
  state: "move",
  length: "move",
  index: "move",
  batchSize: "move",
  random: "move",
  neg: "sum",
  exp: "pointwise",
  log: "pointwise",
  log1p: "pointwise",
  sqrt: "pointwise",
  sin: "pointwise",
  cos: "pointwise",
  tanh: "pointwise",
  sigmoid: "pointwise",
  softplus: "pointwise",
  abs: "pointwise",
  sign: "pointwise",
  floor: "pointwise",
  not: "pointwise",
  stopGradient: "move",
  cast: "pointwise",
  add: "sum",
  sub: "sum",
  mul: "product",
  div: "quotient",
  pow: "pointwise",
  maximum: "pointwise",
  minimum: "pointwise",
  expdiff: "pointwise",
  equal: "pointwise",
  notEqual: "pointwise",
  less: "pointwise",
  lessEqual: "pointwise",
  greater: "pointwise",
  greaterEqual: "pointwise",
  and: "pointwise",
  or: "pointwise",
  where: "choice",
  accumulate: "sum",
  broadcast: "move",
  reshape: "move",
  transpose: "move",
  slice: "move",
  pad: "move",
  concat: "move",
  argmax: "cross",
  oneHot: "cross",
  gather: "cross",
  scatterAdd: "cross",
  patches: "cross",
  unpatches: "cross",
  sum: "cross",
  max: "cross",
  logsumexp: "cross",
  contract: "cross",
  shift: "cross",
  at: "cross",
  stack: "cross",
};

export const ruleOf = (node: Node): Rule =>
  node.op === "contract" && isOuterProduct(node) ? "product" : rules[node.op];
