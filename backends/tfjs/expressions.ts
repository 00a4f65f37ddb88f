// Elementwise ops as JavaScript expressions: what one element of the result is, given one of each operand. Reals are
// computed in double precision and rounded to float32 when stored; bools are 0 and 1.

import type { DType, NodeOf, OpName } from "../../compiler/graph/graph.ts";

/** An operand's text, and what it holds. `exact`: already rounded to its stored precision. */
export interface Term {
  readonly text: string;
  readonly dtype: DType;
  readonly exact: boolean;
}

export type Expression<O extends OpName> = (terms: readonly Term[], node: NodeOf<O>) => string;

const text = (terms: readonly Term[], k: number): string => terms[k]?.text ?? "0";

/**
 * Comparisons see stored values: a real that is still in a register is rounded first, so that `x == max(x)` holds
 * whether or not x was stored in between.
 */
const stored = (terms: readonly Term[], k: number): string => {
  const term = terms[k];
  return term === undefined || term.exact || term.dtype !== "real"
    ? text(terms, k)
    : `Math.fround(${term.text})`;
};

const unary = (make: (a: string) => string) => (terms: readonly Term[]) => make(text(terms, 0));
const binary = (make: (a: string, b: string) => string) => (terms: readonly Term[]) =>
  make(text(terms, 0), text(terms, 1));
const comparison = (sign: string) => (terms: readonly Term[]) =>
  `(${stored(terms, 0)} ${sign} ${stored(terms, 1)} ? 1 : 0)`;

/** Names that expressions may use beside Math: `tanh`, `sigmoid`, `softplus`. */
export const prelude = `
const { abs, ceil, cos, exp, floor, fround, log, log1p, max, min, pow, sign, sin, sqrt, trunc } = Math;
// 1 - 2 / (exp(2x) + 1) is exact to 1e-16 absolutely; near 0, where that is not enough relatively, the series is.
const tanh = x => (x < 1e-4 && x > -1e-4 ? x * (1 - x * x / 3) : 1 - 2 / (exp(2 * x) + 1));
const sigmoid = x => 1 / (1 + exp(-x));
const softplus = x => (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)));
`;

export const expressions = {
  neg: unary(a => `(-${a})`),
  exp: unary(a => `exp(${a})`),
  log: unary(a => `log(${a})`),
  log1p: unary(a => `log1p(${a})`),
  sqrt: unary(a => `sqrt(${a})`),
  sin: unary(a => `sin(${a})`),
  cos: unary(a => `cos(${a})`),
  tanh: unary(a => `tanh(${a})`),
  sigmoid: unary(a => `sigmoid(${a})`),
  softplus: unary(a => `softplus(${a})`),
  abs: unary(a => `abs(${a})`),
  sign: unary(a => `sign(${a})`),
  floor: unary(a => `floor(${a})`),
  not: unary(a => `(1 - ${a})`),
  stopGradient: unary(a => a),
  cast: (terms, node) => {
    const from = terms[0]?.dtype;
    const to = node.attrs.dtype;
    if (from === to || from === "bool" || to === "real") return text(terms, 0);
    return to === "bool" ? `(${text(terms, 0)} !== 0 ? 1 : 0)` : `trunc(${text(terms, 0)})`;
  },
  add: binary((a, b) => `(${a} + ${b})`),
  sub: binary((a, b) => `(${a} - ${b})`),
  mul: binary((a, b) => `(${a} * ${b})`),
  div: binary((a, b) => `(${a} / ${b})`),
  pow: binary((a, b) => (b === "2" ? `(${a} * ${a})` : `pow(${a}, ${b})`)),
  maximum: binary((a, b) => `max(${a}, ${b})`),
  minimum: binary((a, b) => `min(${a}, ${b})`),
  expdiff: binary((a, b) => `(${a} === -Infinity ? 0 : exp(${a} - ${b}))`),
  equal: comparison("==="),
  notEqual: comparison("!=="),
  less: comparison("<"),
  lessEqual: comparison("<="),
  greater: comparison(">"),
  greaterEqual: comparison(">="),
  and: binary((a, b) => `(${a} & ${b})`),
  or: binary((a, b) => `(${a} | ${b})`),
  where: terms => `(${text(terms, 0)} !== 0 ? ${text(terms, 1)} : ${text(terms, 2)})`,
  accumulate: terms => (terms.length === 0 ? "0" : `(${terms.map(term => term.text).join(" + ")})`),
} satisfies { readonly [O in OpName]?: Expression<O> };

/** A number as JavaScript writes it, minus zero included. */
export const literal = (value: number): string =>
  Object.is(value, -0) ? "(-0)" : value < 0 ? `(${value})` : `${value}`;
