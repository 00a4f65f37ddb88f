// exp and what is made of it. exp(x) = 2^n exp(r) with n = x / ln 2 rounded; polynomials are those of the wasm backend
// (backends/codegen/math/exponential.ts), minimax in the relative error. The devices' own exp is good to some 1e-5 only.

import type { Piece } from "../../gpu/pieces.ts";
import {
  ARTANH,
  EXP,
  HIGHEST,
  LN2_HIGH,
  LN2_LOW,
  LOG2_E,
  LOWEST,
  polynomial,
  TANH,
} from "../../gpu/series.ts";
import { INFINITE } from "./bits.ts";

export const exponential = {
  /** 2^n in two factors: 2^128 is no float, but results from 2^127.5 on are. */
  exp: `fn exp$(x: F) -> F {
  let y = clamp(x, F(-88.0), F(89.0));
  let n = floor(y * ${LOG2_E} + 0.5);
  let r = y - n * ${LN2_HIGH} - n * ${LN2_LOW};
  let k = I(n);
  let first = k >> U(1u);
  let result = ${polynomial("r", EXP)} * scale$(first) * scale$(k - first);
  let bounded = select(select(result, F(0.0), x < F(${LOWEST})), F(${INFINITE}), x > F(${HIGHEST}));
  return select(bounded, x, isNaN$(x));
}`,
  expdiff: `fn expdiff$(x: F, y: F) -> F {
  return select(exp$(x - y), F(0.0), bitcast<U>(x) == U(0xff800000u));
}`,
  /** exp(-x) for x of 0 and more; anything for NaN. */
  decay: `fn decay$(x: F) -> F {
  let y = max(-x, F(${LOWEST}));
  let n = floor(y * ${LOG2_E} + 0.5);
  let r = y - n * ${LN2_HIGH} - n * ${LN2_LOW};
  let result = ${polynomial("r", EXP)} * scale$(max(I(n), I(-126)));
  return select(result, F(0.0), -x < F(${LOWEST}));
}`,
  /** By exp(-|x|), which cannot overflow; of full relative accuracy for negative x too. */
  sigmoid: `fn sigmoid$(x: F) -> F {
  let e = decay$(abs$(x));
  let result = select(F(1.0), e, x < F(0.0)) / (1.0 + e);
  return select(result, x, isNaN$(x));
}`,
  /** max(x, 0) + log(1 + e), e = exp(-|x|); log(1 + e) = 2 artanh(s), s = e / (2 + e). */
  softplus: `fn softplus$(x: F) -> F {
  let e = decay$(abs$(x));
  let s = e / (2.0 + e);
  let z = s * s;
  let rest = s * (${polynomial("z", ARTANH)} * z) + (s + s);
  return select(select(x, F(0.0), x < F(0.0)) + rest, x, isNaN$(x));
}`,
  /**
   * With x = n ln 2 / 2 + r and s = 2^n, the sum formula for tanh(n ln 2 / 2) = (s - 1) / (s + 1) and t = tanh(r). Near 0,
   * where n is 0, that is t.
   */
  tanh: `fn tanh$(x: F) -> F {
  let y = clamp(x, F(-9.1), F(9.1));
  let n = floor(y * (2.0 * ${LOG2_E}) + 0.5);
  let r = y - n * ${Math.LN2 / 2};
  let z = r * r;
  let t = r * z * ${polynomial("z", TANH)} + r;
  let s = scale$(I(n));
  let less = s - 1.0;
  let more = s + 1.0;
  let result = clamp((t * more + less) / (t * less + more), F(-1.0), F(1.0));
  return select(result, x, isNaN$(x) | (x == F(0.0)));
}`,
} as const satisfies Readonly<Record<string, Piece>>;
