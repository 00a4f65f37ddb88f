// sin and cos by Cody & Waite's reduction, as in backends/codegen/math/trigonometry.ts. Absolute errors are below 1e-6 up to |x| = 1e4; from 2^22 on results are only sure to be in [-1, 1].

import { NOT_A_NUMBER, type Piece, polynomial } from "./bits.ts";

/** pi / 2 in parts, the first of so few bits that whole numbers times them are exact. */
const HALF_PI = ["1.5", "0.0703125", "4.837512969970703e-4", "7.54978995489e-8"] as const;

/** (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2/2) / r^4 in r^2, up to pi/4. */
const SINE = [-0.000195160115, 0.00833216868, -0.166666552] as const;
const COSINE = [0.0000244316689, -0.00138873036, 0.0416666456] as const;

const ofAngle = (name: string, more: number): string => `F ${name}$(F x) {
  F y = choose$(below$(abs$(x), F(4194304.0)), x, F(0.0));
  F q = floor(y * ${2 / Math.PI} + 0.5);
  F r = y${HALF_PI.map(part => ` - q * ${part}`).join("")};
  F result = ofQuarters$(I(q) + ${more}, r);
  return choose$(notFinite$(x), F(${NOT_A_NUMBER}), result);
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
  sin: ofAngle("sin", 0),
  cos: ofAngle("cos", 1),
} as const satisfies Readonly<Record<string, Piece>>;
