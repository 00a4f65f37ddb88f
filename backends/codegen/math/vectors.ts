// What the functions of this folder share: constants in all lanes, floats seen as integers, polynomials. On floats seen
// as integers, signed minima and maxima cost one instruction where those of floats cost many (for NaN and -0), and the
// exponent is a shift away.

import type { FunctionBuilder, Operand } from "../builder.ts";
import { add, binary, compare, convert, expr, f32, mul, splat, sub } from "../builder.ts";
import type { Binary, Expr } from "../code.ts";

export const SIGN = 0x80000000 | 0;
export const ONE = 0x3f800000;
export const INFINITY = 0x7f800000;
/** The smallest normal number. */
export const TINY = 2 ** -126;

/** Added to a float, rounds it to an integer, which then stands in the low bits. */
export const ROUND = 1.5 * 2 ** 23;

const float = new Float32Array(1);
const word = new Int32Array(float.buffer);

/** The bits of a float32. */
export function bitsOf(value: number): number {
  float[0] = value;
  return word[0]!;
}

/** A float constant in all lanes. */
export const floats = (value: number): Expr => splat(f32(value));
/** An integer constant in all lanes. */
export const ints = (value: number): Expr => splat(value);

export const asInts = (x: Operand): Expr => convert("bits", x);
export const asFloats = (x: Operand): Expr => convert("bits", x);

/** An operation on the bits of floats, with floats as its result. */
export const onBits = (op: Binary, a: Operand, b: Operand): Expr => asFloats(binary(op, asInts(a), b));

/** NaN where the mask is set, x elsewhere. */
export const nanWhere = (mask: Expr, x: Operand): Expr => onBits("or", x, mask);

export const notANumber = (x: Operand): Expr => compare("ne", x, x);

/** A local that holds the value; the value itself if it is one. */
export function hold(f: FunctionBuilder, value: Operand): Expr {
  const given = expr(value);
  return given.kind === "local" ? given : expr(f.let(given));
}

/**
 * x within [-most, most]; NaN gets lost. As an integer -most is above all negative numbers nearer to 0, so that a
 * minimum limits both signs.
 */
export const clamp = (x: Expr, most: number): Expr =>
  onBits("min", x, binary("or", binary("and", asInts(x), ints(SIGN)), ints(bitsOf(most))));

/** 0 where the mask is set, x elsewhere (NaN too, which no ordered comparison would keep). */
export function clearWhere(f: FunctionBuilder, mask: Expr, x: Operand): Expr {
  const held = hold(f, x);
  return onBits("xor", held, binary("and", asInts(held), mask));
}

/** The sign bit of x set in a value that has the sign of x, or is a zero of any sign. */
export const withSign = (value: Operand, x: Operand): Expr =>
  onBits("or", value, binary("and", asInts(x), ints(SIGN)));

/** The polynomial in x with these coefficients, the highest first, by Horner's rule. */
export function polynomial(x: Operand, [first, ...rest]: readonly [number, ...number[]]): Expr {
  return rest.reduce((sum, coefficient) => add(mul(sum, x), floats(coefficient)), floats(first));
}

/** x - n * (high + low); exact in the high part where that has bits to spare for n. */
export const reduce = (x: Operand, n: Operand, parts: readonly number[]): Expr =>
  parts.reduce((rest: Expr, part) => sub(rest, mul(n, floats(part))), expr(x));

/** ln 2; the high part has 16 bits, so that its product with an exponent is exact. */
export const LN2 = [0.693145751953125, 1.4286068203e-6] as const;
