// The functions that a device's prelude defines beside readK and u, in the device's language. Each exists for one number
// and for four: `tanh1` takes and returns f32, `tanh4` takes and returns vec4f. Truth values are 0.0 and 1.0, indices
// whole numbers. Results are right to 1e-6 of their size (exp, log, pow: 1e-5), NaN and infinities are as in JavaScript's
// Math: NaN in, NaN out, also through maximum and minimum; exp(-inf) = 0, log(0) = -inf, tanh(inf) = 1, 0/0 = NaN.

import type { OpName } from "../../compiler/graph/graph.ts";

/** By their number of operands. Addition, subtraction, multiplication and negation are the language's own. */
export const preludeFunctions = {
  exp: 1,
  log: 1,
  log1p: 1,
  sqrt: 1,
  sin: 1,
  cos: 1,
  tanh: 1,
  sigmoid: 1,
  softplus: 1,
  abs: 1,
  sign: 1,
  floor: 1,
  div: 2,
  pow: 2,
  maximum: 2,
  minimum: 2,
  /** exp(x - y), and 0 where x is -inf. */
  expdiff: 2,
  equal: 2,
  notEqual: 2,
  less: 2,
  lessEqual: 2,
  greater: 2,
  greaterEqual: 2,
  /** (condition, a, b): a where the condition is not 0. */
  where: 3,
} as const satisfies Partial<Record<OpName, number>>;

/**
 * Further: `trunc1`, `trunc4` (towards zero); `select4(a, b, condition)`, `select1`: b where the bool holds, else a;
 * `part(v, i)`: number i of a vec4f; `uniform1(example, position, feature, site, seed, step)` and `normal1`, all i32: the
 * random numbers of compiler/ops/random.ts.
 */
export type PreludeFunction = keyof typeof preludeFunctions;
