// log, log1p and pow, by the methods of the wasm backend (backends/codegen/math/logarithm.ts, power.ts), which are those
// of fdlibm: x = 2^k m, m in [sqrt(1/2), sqrt 2], f = m - 1, s = f / (2 + f).

import type { Piece } from "../../gpu/pieces.ts";
import { LN2_HIGH, LN2_LOW, LOG2_E_PARTS, POWER, polynomial, SERIES, TINY } from "../../gpu/series.ts";
import { INFINITE, NOT_A_NUMBER } from "./bits.ts";

/** Numbers that are not normal are taken times 2^23. */
const normal = (x: string): string => `let tiny = ${x} < F(${TINY});
  let y = select(${x}, ${x} * 8388608.0, tiny);
  let e = exponent$(y);
  let k = F(e >> U(23u)) - select(F(0.0), F(23.0), tiny);`;

export const logarithm = {
  /** 2^23 k of positive normal x = 2^k m. */
  exponent: "fn exponent$(x: F) -> I { return (bitcast<I>(x) - 0x3f3504f3) & I(-0x800000); }",
  /** k ln 2 + log(1 + f), without special cases. */
  logOf: `fn logOf$(k: F, f: F) -> F {
  let s = f / (2.0 + f);
  let z = s * s;
  let square = 0.5 * f * f;
  let small = s * (square + ${polynomial("z", SERIES)} * z) + k * ${LN2_LOW} - square;
  return small + f + k * ${LN2_HIGH};
}`,
  /** The logarithm of x, given that of a positive finite one. */
  logCases: `fn logCases$(x: F, log: F) -> F {
  let result = select(select(log, F(-${INFINITE}), x == F(0.0)), x, notFinite$(x));
  return select(result, F(${NOT_A_NUMBER}), x < F(0.0));
}`,
  log: `fn log$(x: F) -> F {
  ${normal("x")}
  return logCases$(x, logOf$(k, bitcast<F>(bitcast<I>(y) - e) - 1.0));
}`,
  /** Near 0 by the series in x itself: the sum 1 + x would lose it. */
  log1p: `fn log1p$(x: F) -> F {
  let sum = 1.0 + x;
  let e = exponent$(sum);
  let near = (x > F(-0.29)) & (x < F(0.41));
  let k = select(F(e >> U(23u)), F(0.0), near);
  let f = select(bitcast<F>(bitcast<I>(sum) - e) - 1.0, x, near);
  return select(logCases$(sum, logOf$(k, f)), x, x == F(0.0));
}`,
  /**
   * |a|^b = 2^(b log2 |a|). An error of the exponent is one of the result times 128, so log2 |a| and its product with b are
   * sums of a high part of 12 bits and a low one.
   */
  power: `fn power$(a: F, b: F) -> F {
  ${normal("a")}
  let m = bitcast<F>(bitcast<I>(y) - e);
  let over = m - 1.0;
  let under = m + 1.0;
  let s = over / under;
  let sHigh = high$(s);
  let underHigh = high$(under);
  let underLow = m - (underHigh - 1.0);
  let sLow = (over - sHigh * underHigh - sHigh * underLow) / under;
  let z = s * s;
  let twice = sHigh + sHigh;
  let rest = sLow + sLow + ${polynomial("z", SERIES)} * z * s;
  let top = twice * ${LOG2_E_PARTS[0]};
  let low = twice * ${LOG2_E_PARTS[1]} + rest * (${LOG2_E_PARTS[0]} + ${LOG2_E_PARTS[1]});
  let logHigh = high$(low + top + k);
  let logLow = low + (top - (logHigh - k));
  let by = clamp(b, F(-8589934592.0), F(8589934592.0));
  let byHigh = high$(by);
  let turnsHigh = byHigh * logHigh;
  let turnsLow = (by - byHigh) * logHigh + by * logLow;
  let turns = turnsHigh + turnsLow;
  let n = floor(clamp(turns, F(-160.0), F(130.0)) + 0.5);
  let r = turnsHigh - n + turnsLow;
  let whole = I(n);
  let first = whole >> U(1u);
  let result = ${polynomial("r", POWER)} * scale$(first) * scale$(whole - first);
  return select(select(result, F(0.0), turns < F(-150.0)), F(${INFINITE}), turns > F(129.0));
}`,
  /** The sign and the special cases are those of JavaScript's **. */
  pow: `fn pow$(a: F, b: F) -> F {
  let size = abs$(a);
  let down = b < F(0.0);
  let endlessBase = bitcast<U>(size) == U(0x7f800000u);
  let ofZero = select(F(0.0), F(${INFINITE}), down);
  let ofEndless = select(F(${INFINITE}), F(0.0), down);
  let positive = select(select(power$(size, b), ofEndless, endlessBase), ofZero, size == F(0.0));
  let endless = notFinite$(b);
  let whole = endless | (floor(b) == b);
  let even = endless | (floor(b * 0.5) == b * 0.5);
  let negative = (bitcast<U>(a) >> U(31u)) == U(1u);
  let result = select(positive, -positive, negative & whole & !even);
  let root = (a < F(0.0)) & !endlessBase & !whole;
  let ones = (size == F(1.0)) & endless;
  let none = root | ones | isNaN$(a) | isNaN$(b);
  return select(select(result, F(${NOT_A_NUMBER}), none), F(1.0), b == F(0.0));
}`,
} as const satisfies Readonly<Record<string, Piece>>;
