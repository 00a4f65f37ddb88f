// Copies of features from one place to another, and rows filled with a number: what moves are made of.

import { collapse } from "../plan/layout.ts";
import { add, expr, type FunctionBuilder, load, type Operand, splat } from "./builder.ts";
import type { Local } from "./code.ts";

/** Features at an address: strides in numbers. */
export interface Lines {
  readonly address: Operand;
  readonly dims: readonly number[];
}

/** Copies `shape` numbers. Nothing beyond them is written. */
export function copyFeatures(
  f: FunctionBuilder,
  shape: readonly number[],
  from: Lines,
  to: Lines,
  lanes: number,
): void {
  if (shape.includes(0)) return;
  const { sizes, strides } = collapse({ sizes: shape, strides: [from.dims, to.dims] });
  const enter = (d: number, [a, b]: readonly [Operand, Operand]): void => {
    if (d === sizes.length) {
      f.store(b, load("i32", a));
      return;
    }
    const [stepA, stepB] = [4 * (strides[0]![d] ?? 0), 4 * (strides[1]![d] ?? 0)];
    if (d === sizes.length - 1 && stepA === 4 && stepB === 4) {
      copyLine(f, sizes[d]!, a, b, lanes);
      return;
    }
    const own: [Local, Local] = [f.let(a), f.let(b)];
    f.for(0, sizes[d]!, 1, () => {
      enter(d + 1, own);
      f.set(own[0], add(own[0], stepA));
      f.set(own[1], add(own[1], stepB));
    });
  };
  enter(0, [from.address, to.address]);
}

function copyLine(f: FunctionBuilder, count: number, from: Operand, to: Operand, lanes: number): void {
  const bytes = 4 * lanes;
  const whole = Math.floor(count / lanes) * bytes;
  const [a, b] = [f.let(from), f.let(to)];
  const vector = (at: Operand): void => f.store(add(b, at), load("i32x", add(a, at)));
  if (whole === bytes) vector(0);
  else if (whole > 0) f.for(0, whole, bytes, vector);
  for (let at = whole; at < 4 * count; at += 4) f.store(b, load("i32", a, at), at);
}

/** Fills `shape` numbers with an i32 or f32. */
export function fillFeatures(
  f: FunctionBuilder,
  shape: readonly number[],
  to: Lines,
  value: Operand,
  lanes: number,
): void {
  if (shape.includes(0)) return;
  const { sizes, strides } = collapse({ sizes: shape, strides: [to.dims] });
  const number = f.let(value);
  const wide = f.let(splat(number));
  const enter = (d: number, at: Operand): void => {
    if (d === sizes.length) {
      f.store(at, number);
      return;
    }
    const step = 4 * (strides[0]![d] ?? 0);
    const size = sizes[d]!;
    const start = f.let(at);
    if (d === sizes.length - 1 && step === 4) {
      const whole = 4 * Math.floor(size / lanes) * lanes;
      if (whole > 0) f.for(0, whole, 4 * lanes, i => f.store(add(start, i), wide));
      for (let rest = whole; rest < 4 * size; rest += 4) f.store(start, number, rest);
      return;
    }
    f.for(0, size, 1, () => {
      enter(d + 1, start);
      f.set(start, add(start, step));
    });
  };
  enter(0, expr(to.address));
}
