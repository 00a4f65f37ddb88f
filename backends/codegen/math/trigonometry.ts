// sin and cos by Cody & Waite's reduction: x = q pi/2 + r, |r| <= pi/4, with pi/2 in four parts, the first of which have
// so few bits that q times them is exact. Absolute errors are below 1e-7 up to |x| = 1e4 and 1e-4 up to 1e6; far beyond,
// where a float32 step is more than a turn, results are only sure to be in [-1, 1].

import type { FunctionBuilder, Operand } from "../builder.ts";
import { add, binary, compare, mul, select, sub, unary } from "../builder.ts";
import type { Expr } from "../code.ts";
import * as v from "./vectors.ts";

const HALF_PI = [1.5, 0.0703125, 4.837512969970703e-4, 7.54978995489e-8] as const;
/** Above, r is no longer small, whatever the parts: taken as 0. */
const FARTHEST = 2 ** 22;

/** (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2/2) / r^4 as polynomials in r^2, minimax up to pi/4. */
const SINE = [-0.000195160115, 0.00833216868, -0.166666552] as const;
const COSINE = [0.0000244316689, -0.00138873036, 0.0416666456] as const;

/** sin(q pi/2 + r); q in the low bits of integers. */
function ofQuarters(f: FunctionBuilder, q: Expr, rest: Expr): Expr {
  const quarters = v.hold(f, q);
  const r = v.hold(f, rest);
  const z = f.let(mul(r, r));
  const one = v.floats(1);
  const sine = mul(r, add(mul(v.polynomial(z, SINE), z), one));
  const cosine = add(sub(mul(mul(v.polynomial(z, COSINE), z), z), mul(z, v.floats(0.5))), one);
  const odd = binary("sar", binary("shl", quarters, 31), 31);
  const negative = binary("and", binary("shl", quarters, 30), v.ints(v.SIGN));
  return v.onBits("xor", select(odd, cosine, sine), negative);
}

/** sin(x + more pi/2). */
function ofAngle(f: FunctionBuilder, given: Operand, more: 0 | 1): Expr {
  const x = v.hold(f, given);
  const quarters = f.let(add(mul(x, v.floats(2 / Math.PI)), v.floats(v.ROUND)));
  const r = v.reduce(x, v.hold(f, sub(quarters, v.floats(v.ROUND))), HALF_PI);
  const near = v.clearWhere(f, compare("ge", unary("abs", x), v.floats(FARTHEST)), r);
  // x - x is NaN for infinities.
  return ofQuarters(f, add(v.asInts(quarters), v.ints(more)), sub(near, sub(x, x)));
}

export const sin = (f: FunctionBuilder, x: Operand): Expr => ofAngle(f, x, 0);
export const cos = (f: FunctionBuilder, x: Operand): Expr => ofAngle(f, x, 1);

/** cos(2 pi x) for x in [0, 1]: the reduction is exact. */
export function cosOfTurns(f: FunctionBuilder, given: Operand): Expr {
  const x = v.hold(f, mul(given, v.floats(4)));
  const quarters = f.let(add(x, v.floats(v.ROUND)));
  const r = mul(sub(x, sub(quarters, v.floats(v.ROUND))), v.floats(Math.PI / 2));
  return ofQuarters(f, add(v.asInts(quarters), v.ints(1)), r);
}
