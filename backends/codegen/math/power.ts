// pow(a, b) = 2^(b log2 |a|), with the sign and the special cases of JavaScript's `**`. An error of the exponent is one
// of the result times 128, so log2 |a| and its product with b are sums of a high part of 12 bits and a low part:
// products of two high parts are exact (as in fdlibm's e_pow.c).

import type { FunctionBuilder, Operand } from "../builder.ts";
import { add, binary, compare, expr, mul, select, sub, unary } from "../builder.ts";
import type { Expr } from "../code.ts";
import { exponent, exponentOf, SERIES, scaledUp } from "./logarithm.ts";
import * as v from "./vectors.ts";

/** log2 e, in parts. */
const LOG2_E = [1.4423828125, 3.122283889634e-4] as const;
/** 2^r on [-1/2, 1/2], minimax. */
const POWER = [
  0.00015353362, 0.00133988739, 0.00961843692, 0.0555033237, 0.240226477, 0.693147182, 1,
] as const;
/** An exponent beyond gives 0 or infinity for every a but 1. */
const LARGEST = 2 ** 33;

interface Split {
  readonly high: Expr;
  readonly low: Expr;
}

const highPart = (f: FunctionBuilder, x: Expr): Expr => v.hold(f, v.onBits("and", x, v.ints(~0xfff)));

/** log2 of a positive finite number. */
function splitLog2(f: FunctionBuilder, x: Expr): Split {
  const { y, tiny } = scaledUp(f, x);
  const scaled = exponent(f, y);
  const k = v.hold(f, sub(exponentOf(scaled), v.onBits("and", v.floats(23), tiny)));
  const m = v.hold(f, v.onBits("sub", y, scaled));
  const [over, under] = [v.hold(f, sub(m, v.floats(1))), v.hold(f, add(m, v.floats(1)))];
  // s = over / under; its low part is the remainder of that division, divided.
  const s = f.let(binary("div", over, under));
  const sHigh = highPart(f, expr(s));
  const underHigh = highPart(f, under);
  const underLow = sub(m, sub(underHigh, v.floats(1)));
  const sLow = binary("div", sub(sub(over, mul(sHigh, underHigh)), mul(sHigh, underLow)), under);
  // ln m = 2 s + s R(s^2), of which the last is at most a hundredth.
  const square = f.let(mul(s, s));
  const high = v.hold(f, add(sHigh, sHigh));
  const rest = add(add(sLow, sLow), mul(mul(v.polynomial(square, SERIES), square), s));
  const [whole, part] = LOG2_E;
  const top = v.hold(f, mul(high, v.floats(whole)));
  const low = v.hold(f, add(mul(high, v.floats(part)), mul(rest, v.floats(whole + part))));
  const sum = highPart(f, add(add(low, top), k));
  return { high: sum, low: v.hold(f, add(low, sub(top, sub(sum, k)))) };
}

/** 2^(high + low), the high part exact: what is left of it without its integer is exact too. */
function powerOf2(f: FunctionBuilder, { high, low }: Split): Expr {
  const z = v.hold(f, add(high, low));
  const turns = f.let(add(z, v.floats(v.ROUND)));
  const r = f.let(add(sub(high, sub(turns, v.floats(v.ROUND))), low));
  // In two factors: 2^n itself may be too large or too small for a result that is neither.
  const n = f.let(binary("sub", v.asInts(turns), v.ints(v.bitsOf(v.ROUND))));
  const half = v.hold(f, binary("sar", n, 1));
  const scale = (k: Expr) => v.asFloats(binary("shl", add(k, v.ints(127)), 23));
  const result = mul(mul(v.polynomial(r, POWER), scale(half)), scale(sub(n, half)));
  const small = v.clearWhere(f, compare("lt", z, v.floats(-160)), result);
  return select(compare("gt", z, v.floats(129)), v.floats(Infinity), small);
}

/** The magnitude of a negative or positive a to the power b, but for NaN. */
function magnitude(f: FunctionBuilder, a: Expr, b: Expr): Expr {
  const y = v.hold(f, v.clamp(b, LARGEST));
  const yHigh = highPart(f, y);
  const log = splitLog2(f, a);
  const low = v.hold(f, add(mul(sub(y, yHigh), log.high), mul(y, log.low)));
  const result = powerOf2(f, { high: v.hold(f, mul(yHigh, log.high)), low });
  const [zero, infinite] = [compare("eq", a, v.floats(0)), v.hold(f, compare("eq", a, v.floats(Infinity)))];
  const large = binary("xor", infinite, compare("lt", b, v.floats(0)));
  const extreme = v.asFloats(binary("and", large, v.ints(v.INFINITY)));
  return select(binary("or", zero, infinite), extreme, result);
}

export function pow(f: FunctionBuilder, base: Operand, power: Operand): Expr {
  const [a, b] = [v.hold(f, base), v.hold(f, power)];
  const size = v.hold(f, unary("abs", a));
  const result = magnitude(f, size, b);
  const whole = v.hold(f, compare("eq", unary("nearest", b), b));
  const half = v.hold(f, mul(b, v.floats(0.5)));
  const odd = binary("and", whole, compare("ne", unary("nearest", half), half));
  const negative = binary("and", binary("and", v.asInts(a), odd), v.ints(v.SIGN));
  const signed = v.onBits("xor", result, negative);
  const finite = compare("lt", size, v.floats(Infinity));
  const root = binary("and", binary("and", compare("lt", a, v.floats(0)), finite), unary("not", whole));
  // 1 to an infinite power is NaN.
  const endless = compare("eq", unary("abs", b), v.floats(Infinity));
  const undefinedOnes = binary("and", compare("eq", size, v.floats(1)), endless);
  const nan = [root, undefinedOnes, v.notANumber(a), v.notANumber(b)].reduce((x, y) => binary("or", x, y));
  return select(compare("eq", b, v.floats(0)), v.floats(1), v.nanWhere(nan, signed));
}
