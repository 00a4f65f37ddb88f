// sin and cos by Cody & Waite's reduction, as in backends/codegen/math/trigonometry.ts. Absolute errors are below 1e-6 up
// to |x| = 1e4; from 2^22 on results are only sure to be in [-1, 1].

import type { Piece } from "../../gpu/pieces.ts";
import { COSINE, HALF_PI, polynomial, SINE } from "../../gpu/series.ts";
import { NOT_A_NUMBER } from "./bits.ts";

/** @param atZero its value at 0 and -0. */
const ofAngle = (name: string, more: number, atZero: string): string => `fn ${name}$(x: F) -> F {
  let y = select(F(0.0), x, abs$(x) < F(4194304.0));
  let q = floor(y * ${2 / Math.PI} + 0.5);
  let r = y${HALF_PI.map(part => ` - q * ${part}`).join("")};
  let result = ofQuarters$(I(q) + ${more}, r);
  return select(select(result, ${atZero}, x == F(0.0)), F(${NOT_A_NUMBER}), notFinite$(x));
}`;

export const trigonometry = {
  /** sin(q pi/2 + r). */
  ofQuarters: `fn ofQuarters$(q: I, r: F) -> F {
  let z = r * r;
  let sine = r + r * (${polynomial("z", SINE)} * z);
  let cosine = 1.0 - 0.5 * z + ${polynomial("z", COSINE)} * z * z;
  let result = select(sine, cosine, (q & I(1)) == I(1));
  return select(result, -result, (q & I(2)) == I(2));
}`,
  sin: ofAngle("sin", 0, "x"),
  cos: ofAngle("cos", 1, "F(1.0)"),
} as const satisfies Readonly<Record<string, Piece>>;
