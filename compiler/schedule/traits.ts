// What scheduling asks of an op: may it be computed index by index wherever its operands are, and is it worth storing?

import type { AxisId, Graph, Node, NodeType, OpName } from "../graph/graph.ts";

/**
 * How an op's value comes about.
 * `source`: given from outside, or known without any operand. `pointwise`: cheap arithmetic at one index.
 * `view`: another arrangement of an operand's numbers. `heavy`: products, reductions, whatever costs more than
 * reading its result back.
 */
export type Work = "source" | "pointwise" | "view" | "heavy";

const work: { readonly [O in OpName]: Work } = {
  constant: "source",
  parameter: "source",
  input: "source",
  state: "source",
  length: "source",
  index: "source",
  batchSize: "source",
  random: "heavy",
  neg: "pointwise",
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
  stopGradient: "view",
  cast: "pointwise",
  add: "pointwise",
  sub: "pointwise",
  mul: "pointwise",
  div: "pointwise",
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
  where: "pointwise",
  accumulate: "pointwise",
  broadcast: "view",
  reshape: "view",
  transpose: "view",
  slice: "view",
  pad: "pointwise",
  concat: "pointwise",
  argmax: "heavy",
  oneHot: "pointwise",
  gather: "heavy",
  scatterAdd: "heavy",
  patches: "heavy",
  unpatches: "heavy",
  sum: "heavy",
  max: "heavy",
  logsumexp: "heavy",
  contract: "heavy",
  shift: "view",
  at: "heavy",
  stack: "heavy",
};

export function workOf(node: Node): Work {
  return node.op === "contract" && isOuterProduct(node) ? "pointwise" : work[node.op];
}

/**
 * Whether the value at an index of its axes needs its operands at that index only: a loop over any of them can compute
 * it. Delays read another index, and a stack's operands stand for the indices themselves.
 */
export const isLocal = (node: Node): boolean => node.op !== "shift" && node.op !== "stack";

/** A contraction that sums nothing: every label of an operand stands in the result. */
export function isOuterProduct({ attrs }: Extract<Node, { op: "contract" }>): boolean {
  const kept = (labels: readonly number[]): boolean => labels.every(label => attrs.out.includes(label));
  return attrs.axes.length === 0 && !attrs.batch && kept(attrs.left) && kept(attrs.right);
}

/** The axes that a node removes by summing, where it can be computed index by index and added up. */
export function summedAxes(node: Node): readonly AxisId[] {
  return node.op === "sum" || node.op === "contract" ? node.attrs.axes : [];
}

/** Numbers of one example at one index of its axes of unknown length; static axes count with their length. */
export function floatsPerStep(graph: Graph, type: NodeType): number {
  let floats = 1;
  for (const size of type.shape) floats *= size;
  for (const { id, length } of graph.axes) if (length !== null && type.axes.includes(id)) floats *= length;
  return floats;
}
