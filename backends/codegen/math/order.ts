// Functions that compare: sign, max and min, with NaN and -0 as JavaScript's Math has them.

import type { FunctionBuilder, Operand } from "../builder.ts";
import { binary, compare, select, unary } from "../builder.ts";
import type { Expr } from "../code.ts";
import * as v from "./vectors.ts";

export const max = (_: FunctionBuilder, a: Operand, b: Operand): Expr => binary("max", a, b);
export const min = (_: FunctionBuilder, a: Operand, b: Operand): Expr => binary("min", a, b);

/** -1 or 1; zeros and NaN stay what they are. */
export function sign(f: FunctionBuilder, given: Operand): Expr {
  const x = v.hold(f, given);
  const unit = binary("or", binary("and", v.asInts(x), v.ints(v.SIGN)), v.ints(v.ONE));
  return select(compare("gt", unary("abs", x), v.floats(0)), v.asFloats(unit), x);
}
