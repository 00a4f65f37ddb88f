// Functions that need no series: quotients, roots, comparisons, choices, roundings.

import type { Piece } from "../../gpu/pieces.ts";
import { NOT_A_NUMBER } from "./bits.ts";

const comparison = (name: string, sign: string): string =>
  `fn ${name}$(a: F, b: F) -> F { return truth$(a ${sign} b, a, b); }`;

/** A built-in function, which may do anything with infinities and NaN: they stay what they are. */
const finiteOnly = (name: string): string =>
  `fn ${name}$(x: F) -> F { return select(${name}(x), x, notFinite$(x)); }`;

/** Of equal numbers the bits decide: they differ for 0 and -0 only. */
const extreme = (name: string, builtin: string, bits: string): string =>
  `fn ${name}$(a: F, b: F) -> F {
  let same = bitcast<F>(bitcast<U>(a) ${bits} bitcast<U>(b));
  return select(select(select(${builtin}(a, b), same, a == b), b, isNaN$(b)), a, isNaN$(a));
}`;

export const basic = {
  abs: "fn abs$(x: F) -> F { return bitcast<F>(bitcast<U>(x) & U(0x7fffffffu)); }",
  sign: "fn sign$(x: F) -> F { return select(sign(x), x, isNaN$(x) | (x == F(0.0))); }",
  floor: finiteOnly("floor"),
  trunc: finiteOnly("trunc"),
  /** Devices that take x times the inverse root would make NaN of 0 and infinity. */
  sqrt: `fn sqrt$(x: F) -> F {
  let root = select(sqrt(x), x, (x == F(0.0)) | notFinite$(x));
  return select(root, F(${NOT_A_NUMBER}), x < F(0.0));
}`,
  div: `fn div$(a: F, b: F) -> F {
  let signs = (bitcast<U>(a) ^ bitcast<U>(b)) & U(0x80000000u);
  let byZero = select(bitcast<F>(signs | U(0x7f800000u)), F(${NOT_A_NUMBER}), isNaN$(a) | (a == F(0.0)));
  return select(a / b, byZero, b == F(0.0));
}`,
  maximum: extreme("maximum", "max", "&"),
  minimum: extreme("minimum", "min", "|"),
  equal: comparison("equal", "=="),
  notEqual: "fn notEqual$(a: F, b: F) -> F { return 1.0 - equal$(a, b); }",
  less: comparison("less", "<"),
  lessEqual: comparison("lessEqual", "<="),
  greater: comparison("greater", ">"),
  greaterEqual: comparison("greaterEqual", ">="),
  where: "fn where$(condition: F, a: F, b: F) -> F { return select(a, b, condition == F(0.0)); }",
  select: "fn select$(a: F, b: F, condition: bool) -> F { return select(a, b, condition); }",
} as const satisfies Readonly<Record<string, Piece>>;

export const single = {
  infinite: "fn infinite() -> f32 { return bitcast<f32>(frondIntegers[0].z); }",
  notANumber: "fn notANumber() -> f32 { return bitcast<f32>(frondIntegers[0].z | 0x400000); }",
  /** Some drivers keep vectors that are indexed by a variable in memory. */
  part: `fn part(v: vec4f, i: i32) -> f32 {
  return select(select(v.z, v.w, i > 2), select(v.x, v.y, i > 0), i < 2);
}`,
} as const satisfies Readonly<Record<string, string>>;
