// sin and cos by Cody & Waite's reduction, as in backends/codegen/math/trigonometry.ts. Absolute errors are below 1e-6 up
// to |x| = 1e4; from 2^22 on results are only sure to be in [-1, 1].

import type { Piece } from "../../gpu/pieces.ts";
import { COSINE, HALF_PI, polynomial, SINE } from "../../gpu/series.ts";
import { NOT_A_NUMBER } from "./bits.ts";

/** @param atZero the value at 0, of either sign. */
const ofAngle = (name: string, more: number, atZero: string): string => `F ${name}$(F x) {
  F y = choose$(below$(abs$(x), F(4194304.0)), x, F(0.0));
  F q = floor(y * ${2 / Math.PI} + 0.5);
  F r = y${HALF_PI.map(part => ` - q * ${part}`).join("")};
  F result = ofQuarters$(I(q) + ${more}, r);
  F finite = choose$(same$(x, F(0.0)), ${atZero}, result);
  return choose$(notFinite$(x), F(${NOT_A_NUMBER}), finite);
}`;

export const trigonometry = {
  /** sin(q pi/2 + r). */
  ofQuarters: `F ofQuarters$(I q, F r) {
  F z = r * r;
  F sine = r + r * (${polynomial("z", SINE)} * z);
  F cosine = 1.0 - 0.5 * z + ${polynomial("z", COSINE)} * z * z;
  F result = choose$(sameBits$(U(q) & 1u, U(1u)), cosine, sine);
  return choose$(sameBits$(U(q) & 2u, U(2u)), -result, result);
}`,
  sin: ofAngle("sin", 0, "x"),
  cos: ofAngle("cos", 1, "F(1.0)"),
} as const satisfies Readonly<Record<string, Piece>>;
