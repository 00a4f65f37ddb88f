// What the functions of this folder are written with: comparisons, choices, and floats seen as integers. Compilers of
// shaders may take it that there are no NaNs and infinities, so these are told by their bits, and chosen, never computed.

import type { Piece } from "../../gpu/pieces.ts";

export const INFINITE = "uintBitsToFloat(0x7f800000u)";
export const NOT_A_NUMBER = "uintBitsToFloat(0x7fc00000u)";

export const bits = {
  below: {
    one: "bool below1(float a, float b) { return a < b; }",
    four: "bvec4 below4(vec4 a, vec4 b) { return lessThan(a, b); }",
  },
  notAbove: {
    one: "bool notAbove1(float a, float b) { return a <= b; }",
    four: "bvec4 notAbove4(vec4 a, vec4 b) { return lessThanEqual(a, b); }",
  },
  same: {
    one: "bool same1(float a, float b) { return a == b; }",
    four: "bvec4 same4(vec4 a, vec4 b) { return equal(a, b); }",
  },
  sameBits: {
    one: "bool sameBits1(uint a, uint b) { return a == b; }",
    four: "bvec4 sameBits4(uvec4 a, uvec4 b) { return equal(a, b); }",
  },
  both: {
    one: "bool both1(bool a, bool b) { return a && b; }",
    four: "bvec4 both4(bvec4 a, bvec4 b) { return bvec4(uvec4(a) & uvec4(b)); }",
  },
  either: {
    one: "bool either1(bool a, bool b) { return a || b; }",
    four: "bvec4 either4(bvec4 a, bvec4 b) { return bvec4(uvec4(a) | uvec4(b)); }",
  },
  opposite: {
    one: "bool opposite1(bool a) { return !a; }",
    four: "bvec4 opposite4(bvec4 a) { return not(a); }",
  },
  /** Where the condition holds, yes; else no. Not computed: a NaN in the other does no harm. */
  choose: {
    one: "float choose1(bool condition, float yes, float no) { return condition ? yes : no; }",
    four: "vec4 choose4(bvec4 condition, vec4 yes, vec4 no) { return mix(no, yes, condition); }",
  },
  isNaN: {
    one: "bool isNaN1(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }",
    four: `bvec4 isNaN4(vec4 x) {
  return greaterThan(floatBitsToUint(x) & 0x7fffffffu, uvec4(0x7f800000u));
}`,
  },
  notFinite: {
    one: "bool notFinite1(float x) { return (floatBitsToUint(x) & 0x7fffffffu) >= 0x7f800000u; }",
    four: `bvec4 notFinite4(vec4 x) {
  return greaterThanEqual(floatBitsToUint(x) & 0x7fffffffu, uvec4(0x7f800000u));
}`,
  },
  /** 1.0 and 0.0; 0.0 also where an operand is NaN. */
  truth: `F truth$(B holds, F a, F b) {
  return choose$(either$(isNaN$(a), isNaN$(b)), F(0.0), choose$(holds, F(1.0), F(0.0)));
}`,
  /** 2^k for exponents of normal numbers. */
  scale: "F scale$(I k) { return intBitsToFloat((k + 127) << 23); }",
  /** x without its 12 lowest bits: the product of two such is exact. */
  high: "F high$(F x) { return uintBitsToFloat(floatBitsToUint(x) & 0xfffff000u); }",
} as const satisfies Readonly<Record<string, Piece>>;
