// exp, and what is made of it. exp(x) = 2^n exp(r) with n = x / ln 2 rounded: adding a constant of 2^23 and more to a
// float rounds it and leaves n + 127 in the low bits, which shifted by 23 are the float 2^n. Polynomials are minimax in
// the relative error (Lawson's algorithm). The order of operations keeps NaN without a test for it.

import type { FunctionBuilder, Operand } from "../builder.ts";
import { add, binary, compare, mul, sub, unary } from "../builder.ts";
import type { Expr } from "../code.ts";
import * as v from "./vectors.ts";

/** 127 is the bias of exponents. */
const ROUND = v.ROUND + 127;
/** Below ln 2^-126 the result is no normal number: flushed to 0. */
const LOWEST = -87.3365447;

/** exp(r) on [0, ln 2]; above 0 wherever r is, so that infinity stays infinity. */
const UPWARD = [0.0116693722, 0.0390626378, 0.167554915, 0.499870837, 1.00000596, 1] as const;
/** exp(r) on [-ln 2 / 2, ln 2 / 2]. */
const NEAREST = [0.00829031132, 0.0418979302, 0.166676357, 0.499991506, 0.999999702, 1] as const;
/** The same, one degree more. */
const CLOSER = [0.00138436537, 0.0083741555, 0.0416680016, 0.166664317, 0.49999994, 1, 1] as const;

type Series = readonly [number, ...number[]];

/** The coefficients, highest first, in terms of -r. */
function negated(series: Series): Series {
  const odd = (i: number) => (series.length - 1 - i) % 2 === 1;
  const [first, ...rest] = series.map((c, i) => (odd(i) ? -c : c));
  return [first!, ...rest];
}

/** 2^n for the exponents in the low bits; what is above 2^127 is infinite. */
const limit = (turns: Expr): Expr => v.onBits("min", turns, v.ints(v.bitsOf(ROUND + 128)));
const powerOf2 = (turns: Operand): Expr => v.onBits("shl", turns, 23);

export function exp(f: FunctionBuilder, given: Operand): Expr {
  const x = v.hold(f, given);
  // n is rounded downwards: rounded to nearest, it would be 128 for results from 2^127.5 on, and 2^128 is no float.
  // A little less than 0.5 keeps exp(0) = 1.
  const below = sub(mul(x, v.floats(Math.LOG2E)), v.floats(0.5 - 2 ** -25));
  const turns = f.let(limit(add(below, v.floats(ROUND))));
  const n = f.let(sub(turns, v.floats(ROUND)));
  const r = f.let(v.reduce(x, n, v.LN2));
  const result = mul(v.polynomial(r, UPWARD), powerOf2(turns));
  return v.clearWhere(f, compare("lt", x, v.floats(LOWEST)), result);
}

/** exp(a - b), and 0 where a is -infinity whatever b is: a softmax over nothing. */
export function expdiff(f: FunctionBuilder, a: Operand, b: Operand): Expr {
  const from = v.hold(f, a);
  const result = exp(f, sub(from, b));
  return v.clearWhere(f, compare("eq", from, v.floats(-Infinity)), result);
}

/** exp(-x): infinite from 2^127.5 on, 0 above x = most. `series`: exp(r) on [-ln 2 / 2, ln 2 / 2]. */
function expOfNegative(f: FunctionBuilder, x: Expr, most: number, series: Series): Expr {
  const turns = f.let(limit(add(mul(x, v.floats(-Math.LOG2E)), v.floats(ROUND))));
  const n = f.let(sub(turns, v.floats(ROUND)));
  // -r, so that x needs no change of sign.
  const r = f.let(add(add(x, mul(n, v.floats(v.LN2[0]))), mul(n, v.floats(v.LN2[1]))));
  const result = mul(v.polynomial(r, negated(series)), powerOf2(turns));
  return v.clearWhere(f, compare("gt", x, v.floats(most)), result);
}

/** 1 / (1 + exp(-x)): of full relative accuracy for negative x too, until exp(-x) is infinite. */
export function sigmoid(f: FunctionBuilder, given: Operand): Expr {
  const x = v.hold(f, given);
  return binary("div", v.floats(1), add(expOfNegative(f, x, 80, NEAREST), v.floats(1)));
}

/** (artanh(s) / s - 1) * 2 / s^2 as a polynomial in s^2 on [0, 1/3], minimax. */
const ARTANH = [0.280312747, 0.279978633, 0.400217712, 0.666664124] as const;

/** log(1 + exp(x)) = max(x, 0) + log1p(e), e = exp(-|x|); log1p(e) = 2 artanh(s), s = e / (2 + e), at most 1/3. */
export function softplus(f: FunctionBuilder, given: Operand): Expr {
  const x = v.hold(f, given);
  const e = f.let(expOfNegative(f, v.hold(f, unary("abs", x)), -LOWEST, CLOSER));
  const s = f.let(binary("div", e, add(e, v.floats(2))));
  const square = f.let(mul(s, s));
  const series = mul(v.polynomial(square, ARTANH), square);
  const log = add(mul(s, series), add(s, s));
  return add(v.clearWhere(f, compare("lt", x, v.floats(0)), x), log);
}

/** Where tanh rounds to 1. */
const SATURATED = 9.1;
const HALF_LN2 = Math.LN2 / 2;
/** (tanh(r) / r - 1) / r^2 as a polynomial in r^2 on [0, ln 2 / 4], minimax. */
const TANH = [0.131103992, -0.33331269] as const;

/**
 * With x = n ln 2 / 2 + r and s = 2^n, the sum formula for tanh(n ln 2 / 2) = (s - 1) / (s + 1) and t = tanh(r). Near 0,
 * where n is 0, that is t.
 */
export function tanh(f: FunctionBuilder, given: Operand): Expr {
  const x = v.hold(f, given);
  const y = f.let(v.clamp(x, SATURATED));
  const turns = f.let(add(mul(y, v.floats(2 * Math.LOG2E)), v.floats(ROUND)));
  const r = f.let(v.reduce(y, sub(turns, v.floats(ROUND)), [HALF_LN2]));
  const z = f.let(mul(r, r));
  const t = f.let(add(mul(mul(r, z), v.polynomial(z, TANH)), r));
  const s = f.let(powerOf2(turns));
  const [less, more] = [f.let(sub(s, v.floats(1))), f.let(add(s, v.floats(1)))];
  const result = binary("div", add(mul(t, more), less), add(mul(t, less), more));
  return v.nanWhere(v.notANumber(x), v.withSign(result, x));
}
