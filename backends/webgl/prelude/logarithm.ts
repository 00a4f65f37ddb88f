// log, log1p and pow, by the methods of the wasm backend (backends/codegen/math/logarithm.ts, power.ts), which are those
// of fdlibm: x = 2^k m, m in [sqrt(1/2), sqrt 2], f = m - 1, s = f / (2 + f).

import type { Piece } from "../../gpu/pieces.ts";
import { LN2_HIGH, LN2_LOW, LOG2_E_PARTS, POWER, polynomial, SERIES, TINY } from "../../gpu/series.ts";
import { INFINITE, NOT_A_NUMBER } from "./bits.ts";

export const logarithm = {
  /** 2^23 k of positive normal x = 2^k m. */
  exponent: "I exponent$(F x) { return (floatBitsToInt(x) - 0x3f3504f3) & I(-0x800000); }",
  /** k ln 2 + log(1 + f), without special cases. */
  logOf: `F logOf$(F k, F f) {
  F s = f / (2.0 + f);
  F z = s * s;
  F square = 0.5 * f * f;
  F small = s * (square + ${polynomial("z", SERIES)} * z) + k * ${LN2_LOW} - square;
  return small + f + k * ${LN2_HIGH};
}`,
  /** The logarithm of x, given that of a positive finite one. */
  logCases: `F logCases$(F x, F log) {
  F result = choose$(same$(x, F(0.0)), F(-${INFINITE}), log);
  result = choose$(notFinite$(x), x, result);
  return choose$(below$(x, F(0.0)), F(${NOT_A_NUMBER}), result);
}`,
  log: `F log$(F x) {
  B tiny = below$(x, F(${TINY}));
  F y = choose$(tiny, x * 8388608.0, x);
  I e = exponent$(y);
  F k = F(e >> 23) - choose$(tiny, F(23.0), F(0.0));
  return logCases$(x, logOf$(k, intBitsToFloat(floatBitsToInt(y) - e) - 1.0));
}`,
  /** Near 0 by the series in x itself: the sum 1 + x would lose it. */
  log1p: `F log1p$(F x) {
  F sum = 1.0 + x;
  I e = exponent$(sum);
  B near = both$(below$(F(-0.29), x), below$(x, F(0.41)));
  F k = choose$(near, F(0.0), F(e >> 23));
  F f = choose$(near, x, intBitsToFloat(floatBitsToInt(sum) - e) - 1.0);
  return choose$(same$(x, F(0.0)), x, logCases$(sum, logOf$(k, f)));
}`,
  /**
   * |a|^b = 2^(b log2 |a|). An error of the exponent is one of the result times 128, so log2 |a| and its product with b are
   * sums of a high part of 12 bits and a low one.
   */
  power: `F power$(F a, F b) {
  B tiny = below$(a, F(${TINY}));
  F y = choose$(tiny, a * 8388608.0, a);
  I e = exponent$(y);
  F k = F(e >> 23) - choose$(tiny, F(23.0), F(0.0));
  F m = intBitsToFloat(floatBitsToInt(y) - e);
  F over = m - 1.0;
  F under = m + 1.0;
  F s = over / under;
  F sHigh = high$(s);
  F underHigh = high$(under);
  F underLow = m - (underHigh - 1.0);
  F sLow = (over - sHigh * underHigh - sHigh * underLow) / under;
  F z = s * s;
  F twice = sHigh + sHigh;
  F rest = sLow + sLow + ${polynomial("z", SERIES)} * z * s;
  F top = twice * ${LOG2_E_PARTS[0]};
  F low = twice * ${LOG2_E_PARTS[1]} + rest * (${LOG2_E_PARTS[0]} + ${LOG2_E_PARTS[1]});
  F logHigh = high$(low + top + k);
  F logLow = low + (top - (logHigh - k));
  F by = clamp(b, F(-8589934592.0), F(8589934592.0));
  F byHigh = high$(by);
  F turnsHigh = byHigh * logHigh;
  F turnsLow = (by - byHigh) * logHigh + by * logLow;
  F turns = turnsHigh + turnsLow;
  F n = floor(clamp(turns, F(-160.0), F(130.0)) + 0.5);
  F r = turnsHigh - n + turnsLow;
  I whole = I(n);
  I first = whole >> 1;
  F result = ${polynomial("r", POWER)} * scale$(first) * scale$(whole - first);
  result = choose$(below$(turns, F(-150.0)), F(0.0), result);
  return choose$(below$(F(129.0), turns), F(${INFINITE}), result);
}`,
  /** The sign and the special cases are those of JavaScript's **. */
  pow: `F pow$(F a, F b) {
  F size = abs$(a);
  B down = below$(b, F(0.0));
  B infinite = sameBits$(floatBitsToUint(size), U(0x7f800000u));
  F ofZero = choose$(down, F(${INFINITE}), F(0.0));
  F ofInfinite = choose$(down, F(0.0), F(${INFINITE}));
  F result = choose$(same$(size, F(0.0)), ofZero, choose$(infinite, ofInfinite, power$(size, b)));
  B endless = notFinite$(b);
  B whole = either$(endless, same$(floor(b), b));
  B even = either$(endless, same$(floor(b * 0.5), b * 0.5));
  B negative = sameBits$(floatBitsToUint(a) >> 31, U(1u));
  result = choose$(both$(negative, both$(whole, opposite$(even))), -result, result);
  B root = both$(both$(below$(a, F(0.0)), opposite$(infinite)), opposite$(whole));
  B ones = both$(same$(size, F(1.0)), endless);
  B none = either$(either$(root, ones), either$(isNaN$(a), isNaN$(b)));
  return choose$(same$(b, F(0.0)), F(1.0), choose$(none, F(${NOT_A_NUMBER}), result));
}`,
} as const satisfies Readonly<Record<string, Piece>>;
