// sin and cos by Cody & Waite's reduction, as in backends/codegen/math/trigonometry.ts. Absolute errors are below 1e-6 up
// to |x| = 1e4; from 2^22 on results are only sure to be in [-1, 1].

import { NOT_A_NUMBER, type Piece, polynomial } from "./bits.ts";

/** pi / 2 in parts, the first of so few bits that whole numbers times them are exact. */
const HALF_PI = ["1.5", "0.0703125", "4.837512969970703e-4", "7.54978995489e-8"] as const;

/** (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2/2) / r^4 in r^2, up to pi/4. */
const SINE = [-0.000195160115, 0.00833216868, -0.166666552] as const;
const COSINE = [0.0000244316689, -0.00138873036, 0.0416666456] as const;

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
