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
  exp: `F exp$(F x) {
  F y = clamp(x, F(-88.0), F(89.0));
  F n = floor(y * ${LOG2_E} + 0.5);
  F r = y - n * ${LN2_HIGH} - n * ${LN2_LOW};
  I k = I(n);
  I first = k >> 1;
  F result = ${polynomial("r", EXP)} * scale$(first) * scale$(k - first);
  result = choose$(below$(x, F(${LOWEST})), F(0.0), result);
  result = choose$(below$(F(${HIGHEST}), x), F(${INFINITE}), result);
  return choose$(isNaN$(x), x, result);
}`,
  expdiff: `F expdiff$(F x, F y) {
  return choose$(sameBits$(floatBitsToUint(x), U(0xff800000u)), F(0.0), exp$(x - y));
}`,
  /** exp(-x) for x of 0 and more; anything for NaN. */
  decay: `F decay$(F x) {
  F y = max(-x, F(${LOWEST}));
  F n = floor(y * ${LOG2_E} + 0.5);
  F r = y - n * ${LN2_HIGH} - n * ${LN2_LOW};
  F result = ${polynomial("r", EXP)} * scale$(max(I(n), I(-126)));
  return choose$(below$(F(-(${LOWEST})), x), F(0.0), result);
}`,
  /** By exp(-|x|), which cannot overflow; of full relative accuracy for negative x too. */
  sigmoid: `F sigmoid$(F x) {
  F e = decay$(abs$(x));
  F result = choose$(below$(x, F(0.0)), e, F(1.0)) / (1.0 + e);
  return choose$(isNaN$(x), x, result);
}`,
  /** max(x, 0) + log(1 + e), e = exp(-|x|); log(1 + e) = 2 artanh(s), s = e / (2 + e). */
  softplus: `F softplus$(F x) {
  F e = decay$(abs$(x));
  F s = e / (2.0 + e);
  F z = s * s;
  F rest = s * (${polynomial("z", ARTANH)} * z) + (s + s);
  return choose$(isNaN$(x), x, choose$(below$(x, F(0.0)), F(0.0), x) + rest);
}`,
  /**
   * With x = n ln 2 / 2 + r and s = 2^n, the sum formula for tanh(n ln 2 / 2) = (s - 1) / (s + 1) and t = tanh(r). Near 0,
   * where n is 0, that is t.
   */
  tanh: `F tanh$(F x) {
  F y = clamp(x, F(-9.1), F(9.1));
  F n = floor(y * (2.0 * ${LOG2_E}) + 0.5);
  F r = y - n * ${Math.LN2 / 2};
  F z = r * r;
  F t = r * z * ${polynomial("z", TANH)} + r;
  F s = scale$(I(n));
  F less = s - 1.0;
  F more = s + 1.0;
  F result = clamp((t * more + less) / (t * less + more), F(-1.0), F(1.0));
  return choose$(either$(isNaN$(x), same$(x, F(0.0))), x, result);
}`,
} as const satisfies Readonly<Record<string, Piece>>;
