// What the functions of this folder are written with: floats seen as integers. Compilers of shaders may take it that there
// are no NaNs and infinities, so these are told by their bits, and chosen, never computed.

/**
 * The text of a function for one number and for four: `$` stands for 1 or 4, F for f32 or vec4f, I, U and B for i32, u32
 * and bool or the vectors of four of them.
 */
export type Piece = string;

/** Of type f32. Constant expressions must not come to these: they are made of what each dispatch is given. */
export const INFINITE = "infinite()";
export const NOT_A_NUMBER = "notANumber()";

/** The smallest normal number; most devices take what is smaller for 0. */
export const TINY = "1.17549435e-38";

/** ln 2; the high part has 16 bits, so that its product with an exponent is exact. */
export const LN2_HIGH = "0.693145751953125";
export const LN2_LOW = "1.4286068203e-6";

/** The polynomial in `x` with these coefficients, the highest first, by Horner's rule. */
export function polynomial(x: string, [first, ...rest]: readonly [number, ...number[]]): string {
  const literal = (value: number): string => (Number.isInteger(value) ? `${value}.0` : `${value}`);
  return rest.reduce((sum, c) => `(${sum} * ${x} + ${literal(c)})`, literal(first));
}

export const bits = {
  isNaN: "fn isNaN$(x: F) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u); }",
  notFinite: "fn notFinite$(x: F) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) >= U(0x7f800000u); }",
  /** 1.0 and 0.0; 0.0 also where an operand is NaN. */
  truth: `fn truth$(holds: B, a: F, b: F) -> F {
  return select(select(F(0.0), F(1.0), holds), F(0.0), isNaN$(a) | isNaN$(b));
}`,
  /** 2^k for exponents of normal numbers. */
  scale: "fn scale$(k: I) -> F { return bitcast<F>((k + 127) << U(23u)); }",
  /** x without its 12 lowest bits: the product of two such is exact. */
  high: "fn high$(x: F) -> F { return bitcast<F>(bitcast<U>(x) & U(0xfffff000u)); }",
} as const satisfies Readonly<Record<string, Piece>>;
