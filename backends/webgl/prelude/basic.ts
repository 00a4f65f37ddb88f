// Functions that need no series: quotients, roots, comparisons, choices, roundings.

import type { Piece } from "../../gpu/pieces.ts";
import { NOT_A_NUMBER } from "./bits.ts";

const comparison = (name: string, holds: string): string =>
  `F ${name}$(F a, F b) { return truth$(${holds}, a, b); }`;

/** A built-in function, which may do anything with infinities and NaN: they stay what they are. */
const finiteOnly = (name: string): string =>
  `F ${name}$(F x) { return choose$(notFinite$(x), x, ${name}(x)); }`;

/** @param zeros what makes the result's sign bit of those of two zeros. */
const extreme = (name: string, builtin: string, zeros: "&" | "|"): string =>
  `F ${name}$(F a, F b) {
  F zero = uintBitsToFloat(floatBitsToUint(a) ${zeros} floatBitsToUint(b));
  F some = choose$(both$(same$(a, F(0.0)), same$(b, F(0.0))), zero, ${builtin}(a, b));
  return choose$(isNaN$(a), a, choose$(isNaN$(b), b, some));
}`;

export const basic = {
  abs: "F abs$(F x) { return uintBitsToFloat(floatBitsToUint(x) & 0x7fffffffu); }",
  sign: "F sign$(F x) { return choose$(either$(isNaN$(x), same$(x, F(0.0))), x, sign(x)); }",
  floor: finiteOnly("floor"),
  trunc: finiteOnly("trunc"),
  /** Devices that take x times the inverse root would make NaN of 0 and infinity. */
  sqrt: `F sqrt$(F x) {
  F root = choose$(either$(same$(x, F(0.0)), notFinite$(x)), x, sqrt(x));
  return choose$(below$(x, F(0.0)), F(${NOT_A_NUMBER}), root);
}`,
  div: `F div$(F a, F b) {
  U signs = (floatBitsToUint(a) ^ floatBitsToUint(b)) & 0x80000000u;
  F infinite = uintBitsToFloat(signs | 0x7f800000u);
  F byZero = choose$(either$(isNaN$(a), same$(a, F(0.0))), F(${NOT_A_NUMBER}), infinite);
  return choose$(same$(b, F(0.0)), byZero, a / b);
}`,
  maximum: extreme("maximum", "max", "&"),
  minimum: extreme("minimum", "min", "|"),
  equal: comparison("equal", "same$(a, b)"),
  notEqual: "F notEqual$(F a, F b) { return 1.0 - equal$(a, b); }",
  less: comparison("less", "below$(a, b)"),
  lessEqual: comparison("lessEqual", "notAbove$(a, b)"),
  greater: comparison("greater", "below$(b, a)"),
  greaterEqual: comparison("greaterEqual", "notAbove$(b, a)"),
  where: "F where$(F condition, F a, F b) { return choose$(same$(condition, F(0.0)), b, a); }",
  select: {
    one: "float select1(float a, float b, bool condition) { return condition ? b : a; }",
    four: "vec4 select4(vec4 a, vec4 b, bool condition) { return condition ? b : a; }",
  },
} as const satisfies Readonly<Record<string, Piece>>;

export const single = {
  /** Some drivers keep vectors that are indexed by a variable in memory. */
  part: "float part(vec4 v, int i) { return i < 2 ? (i < 1 ? v.x : v.y) : (i < 3 ? v.z : v.w); }",
} as const satisfies Readonly<Record<string, string>>;
