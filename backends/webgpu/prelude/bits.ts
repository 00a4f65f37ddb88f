// What the functions of this folder are written with: floats seen as integers. Compilers of shaders may take it that there
// are no NaNs and infinities, so these are told by their bits, and chosen, never computed.

import type { Piece } from "../../gpu/pieces.ts";

/** Of type f32. Constant expressions must not come to these: they are made of what each dispatch is given. */
export const INFINITE = "infinite()";
export const NOT_A_NUMBER = "notANumber()";

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
