// log and log1p. A number is 2^k m with m in [sqrt(1/2), sqrt 2]; with f = m - 1 and s = f / (2 + f), log m is
// f - f^2/2 + s (f^2/2 + R(s^2)), where the largest term is exact (Sun Microsystems' fdlibm, e_log.c, 1993).

import type { FunctionBuilder, Operand } from "../builder.ts";
import { add, binary, compare, convert, mul, select, sub } from "../builder.ts";
import type { Expr } from "../code.ts";
import * as v from "./vectors.ts";

/** (log((1 + s) / (1 - s)) - 2s) / s^3 as a polynomial in s^2, up to s = 0.1716; minimax. */
export const SERIES = [0.298734993, 0.39977482, 0.666667759] as const;
const HALF_ROOT = v.bitsOf(Math.SQRT1_2);

/** x, or x 2^23 where it is below the normal numbers; the mask of those. */
export function scaledUp(f: FunctionBuilder, x: Expr): { readonly y: Expr; readonly tiny: Expr } {
  const tiny = v.hold(f, compare("lt", x, v.floats(v.TINY)));
  return { y: v.hold(f, select(tiny, mul(x, v.floats(2 ** 23)), x)), tiny };
}

/** 2^23 k, as integers, of positive normal x = 2^k m. */
export function exponent(f: FunctionBuilder, x: Operand): Expr {
  const steps = binary("sub", v.asInts(x), v.ints(HALF_ROOT));
  return v.hold(f, binary("and", steps, v.ints(v.INFINITY | v.SIGN)));
}

/** k of 2^23 k, as floats. */
export const exponentOf = (scaled: Operand): Expr => convert("toFloat", binary("sar", scaled, 23));

/** k ln 2 + log(1 + rest), without special cases. */
function logOf(f: FunctionBuilder, k: Expr, rest: Expr): Expr {
  const n = v.hold(f, k);
  const r = v.hold(f, rest);
  const s = f.let(binary("div", r, add(r, v.floats(2))));
  const square = f.let(mul(s, s));
  const half = f.let(mul(mul(r, v.floats(0.5)), r));
  const series = mul(v.polynomial(square, SERIES), square);
  const small = sub(add(mul(s, add(half, series)), mul(n, v.floats(v.LN2[1]))), half);
  return add(add(small, r), mul(n, v.floats(v.LN2[0])));
}

/** The logarithm of x, given that of a positive finite one: -infinity at 0, NaN below. */
function specialCases(x: Expr, log: Expr): Expr {
  const finite = select(compare("lt", x, v.floats(Infinity)), log, x);
  const nonzero = select(compare("eq", x, v.floats(0)), v.floats(-Infinity), finite);
  return v.nanWhere(compare("lt", x, v.floats(0)), nonzero);
}

export function log(f: FunctionBuilder, given: Operand): Expr {
  const x = v.hold(f, given);
  const { y, tiny } = scaledUp(f, x);
  const scaled = exponent(f, y);
  const k = sub(exponentOf(scaled), v.onBits("and", v.floats(23), tiny));
  return specialCases(x, logOf(f, k, sub(v.onBits("sub", y, scaled), v.floats(1))));
}

/** log(1 + x); what the sum u = 1 + x loses is added to m - 1, so that near 0 that is x itself. */
export function log1p(f: FunctionBuilder, given: Operand): Expr {
  const x = v.hold(f, given);
  const u = v.hold(f, add(x, v.floats(1)));
  const scaled = exponent(f, u);
  const lost = sub(x, sub(u, v.floats(1)));
  // 2^(1 - k): 2^-k itself would be no normal number for the largest u.
  const scale = v.asFloats(binary("sub", v.ints(v.bitsOf(2)), scaled));
  const rest = add(sub(v.onBits("sub", u, scaled), v.floats(1)), mul(mul(lost, v.floats(0.5)), scale));
  const result = specialCases(u, logOf(f, exponentOf(scaled), rest));
  // log1p(x) has the sign of x; this keeps that of -0.
  return v.withSign(result, x);
}
