// Elementwise ops as vector code: what 4 bytes of the result are, given those of each operand. Reals are float32
// vectors, positions i32 vectors, truth values masks of 0 and -1.

import type { DType, Node, NodeOf, OpName } from "../../compiler/graph/graph.ts";
import {
  binary,
  compare,
  convert,
  expr,
  type FunctionBuilder,
  f32,
  type Operand,
  select,
  splat,
  unary,
} from "./builder.ts";
import type { Expr, Type } from "./code.ts";
import * as math from "./math.ts";

/** An operand in locals or constants; `fill` where it is a known number. */
export interface Term {
  readonly value: Expr;
  readonly dtype: DType;
  readonly fill: number | null;
}

export type Expression<O extends OpName> = (
  f: FunctionBuilder,
  terms: readonly Term[],
  node: NodeOf<O>,
) => Expr;

/** The vector type of a dtype. */
export const vectorOf = (dtype: DType): Extract<Type, "f32x" | "i32x"> =>
  dtype === "real" ? "f32x" : "i32x";

/** A number of a dtype in all lanes. */
export const filled = (value: number, dtype: DType): Expr =>
  splat(dtype === "real" ? f32(value) : dtype === "bool" ? (value === 0 ? 0 : -1) : value);

const one = (make: (f: FunctionBuilder, a: Expr) => Expr) => (f: FunctionBuilder, terms: readonly Term[]) =>
  make(f, terms[0]!.value);
const two =
  (make: (f: FunctionBuilder, a: Expr, b: Expr) => Expr) => (f: FunctionBuilder, terms: readonly Term[]) =>
    make(f, terms[0]!.value, terms[1]!.value);
const real = (make: (f: FunctionBuilder, x: Operand) => Expr) => one((f, a) => make(f, a));
const arithmetic = (op: "add" | "sub" | "mul" | "div" | "min" | "max" | "and" | "or") =>
  two((_, a, b) => binary(op, a, b));
const comparison = (op: "eq" | "ne" | "lt" | "le" | "gt" | "ge") => two((_, a, b) => compare(op, a, b));

const zero = splat(0);

export const expressions = {
  neg: (_, [x]) => (x!.dtype === "real" ? unary("neg", x!.value) : binary("sub", zero, x!.value)),
  exp: real(math.exp),
  log: real(math.log),
  log1p: real(math.log1p),
  sqrt: one((_, a) => unary("sqrt", a)),
  sin: real(math.sin),
  cos: real(math.cos),
  tanh: real(math.tanh),
  sigmoid: real(math.sigmoid),
  softplus: real(math.softplus),
  abs: (_, [x]) =>
    x!.dtype === "real" ? unary("abs", x!.value) : binary("max", x!.value, binary("sub", zero, x!.value)),
  sign: (f, [x]) => {
    if (x!.dtype === "real") return math.sign(f, x!.value);
    // -1 where above 0, 0 elsewhere, and the other way round.
    return binary("sub", compare("lt", x!.value, zero), compare("gt", x!.value, zero));
  },
  floor: one((_, a) => unary("floor", a)),
  not: one((_, a) => unary("not", a)),
  cast: (_, [x], node) => castTo(x!, node.attrs.dtype),
  add: arithmetic("add"),
  sub: arithmetic("sub"),
  mul: arithmetic("mul"),
  div: arithmetic("div"),
  pow: (f, [a, b]) => (b!.fill === 2 ? binary("mul", a!.value, a!.value) : math.pow(f, a!.value, b!.value)),
  maximum: arithmetic("max"),
  minimum: arithmetic("min"),
  expdiff: two(math.expdiff),
  equal: comparison("eq"),
  notEqual: comparison("ne"),
  less: comparison("lt"),
  lessEqual: comparison("le"),
  greater: comparison("gt"),
  greaterEqual: comparison("ge"),
  and: arithmetic("and"),
  or: arithmetic("or"),
  where: (_, terms) => select(terms[0]!.value, terms[1]!.value, terms[2]!.value),
  accumulate: (_, terms, node) =>
    terms.length === 0
      ? filled(0, node.type.dtype)
      : terms.map(({ value }) => value).reduce((sum, value) => binary("add", sum, value)),
} satisfies { readonly [O in OpName]?: Expression<O> };

/** Where a lane is compared with itself, only NaN differs: `!(x == 0)` holds for NaN as in JavaScript. */
function castTo({ value, dtype }: Term, to: DType): Expr {
  if (dtype === to) return value;
  if (dtype === "bool") {
    const bits = binary("and", value, splat(to === "real" ? expr(0x3f800000) : expr(1)));
    return to === "real" ? convert("bits", bits) : bits;
  }
  if (to === "real") return convert("toFloat", value);
  if (to === "index") return convert("toInt", value);
  return compare("ne", value, filled(0, dtype));
}

/** The code of an elementwise node (or of a product that sums nothing) over the given terms. */
export function expressionOf(f: FunctionBuilder, node: Node, terms: readonly Term[]): Expr | null {
  if (node.op === "contract") return binary("mul", terms[0]!.value, terms[1]!.value);
  const table: { readonly [op: string]: unknown } = expressions;
  if (!Object.hasOwn(table, node.op)) return null;
  return (table[node.op] as Expression<OpName>)(f, terms, node as NodeOf<OpName>);
}
