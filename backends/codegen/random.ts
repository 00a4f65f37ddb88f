// The random numbers of compiler/ops/random.ts as code: Philox 4x32-10 on scalars, all rounds inlined. Uniform numbers
// are the same to the bit; normal ones differ in float32 rounding, by at most 1e-6 of their size or absolutely.

import type { FunctionBuilder, Operand } from "./builder.ts";
import { add, binary, convert, expr, f32, lane, mul, splat, unary } from "./builder.ts";
import type { Expr } from "./code.ts";
import { cosOfTurns } from "./math/trigonometry.ts";
import { log } from "./math.ts";

/** What a number depends on; i32 each. The first four are the counter, seed and step the key. */
export interface Words {
  readonly example: Operand;
  readonly position: Operand;
  readonly feature: Operand;
  readonly site: Operand;
  readonly seed: Operand;
  readonly step: Operand;
}

const multipliers = [0xd2511f53 | 0, 0xcd9e8d57 | 0] as const;
const weyl = [0x9e3779b9 | 0, 0xbb67ae85 | 0] as const;
const rounds = 10;

/** The first two words of the counter, encrypted. */
function encrypt(f: FunctionBuilder, words: Words): readonly [Expr, Expr] {
  let [c0, c1, c2, c3] = [words.example, words.position, words.feature, words.site].map(word =>
    expr(f.let(word)),
  );
  let [k0, k1] = [f.let(words.seed), f.let(words.step)];
  for (let round = 0; round < rounds; round++) {
    const mix = (multiplier: number, word: Expr, other: Expr, key: Operand) =>
      binary("xor", binary("xor", binary("mulHigh", multiplier, word), other), key);
    const first = f.let(mix(multipliers[1], c2!, c1!, k0));
    const third = f.let(mix(multipliers[0], c0!, c3!, k1));
    [c1, c3] = [expr(f.let(mul(c2!, multipliers[1]))), expr(f.let(mul(c0!, multipliers[0])))];
    [c0, c2] = [expr(first), expr(third)];
    [k0, k1] = [f.let(add(k0, weyl[0])), f.let(add(k1, weyl[1]))];
  }
  return [c0!, c1!];
}

/** A word as a number strictly between 0 and 1; every step is exact. */
const unitInterval = (word: Expr): Expr =>
  mul(add(convert("toFloat", binary("shr", word, 9)), f32(0.5)), f32(2 ** -23));

/** An f32, uniform on (0, 1). */
export const drawUniform = (f: FunctionBuilder, words: Words): Expr => unitInterval(encrypt(f, words)[0]);

/** An f32, standard normal (Box & Muller), by vector functions of one number in all lanes. */
export function drawNormal(f: FunctionBuilder, words: Words): Expr {
  const [u, v] = encrypt(f, words).map(word => splat(unitInterval(word)));
  const radius = unary("sqrt", mul(splat(f32(-2)), log(f, u!)));
  return lane(mul(radius, cosOfTurns(f, v!)), 0);
}
