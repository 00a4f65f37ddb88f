// Builds code: constructors of expressions, which fold what is known, and a builder of functions.

import { InternalError } from "../../compiler/unreachable.ts";
import type { Binary, Comparison, Conversion, Expr, Func, Local, Stmt, Type, Unary } from "./code.ts";

/** A plain number stands for an i32. */
export type Operand = Expr | Local | number;

const isExpr = (x: Expr | Local): x is Expr => "kind" in x;

export function expr(x: Operand): Expr {
  if (typeof x === "number") return { kind: "const", type: "i32", value: x | 0 };
  return isExpr(x) ? x : { kind: "local", type: x.type, local: x };
}

export const f32 = (value: number): Expr => ({ kind: "const", type: "f32", value: Math.fround(value) });

const constantOf = (x: Expr): number | null => (x.kind === "const" && x.type === "i32" ? x.value : null);

export function binary(op: Binary, a: Operand, b: Operand): Expr {
  const [left, right] = [expr(a), expr(b)];
  const shifts = op === "shl" || op === "shr" || op === "sar";
  if (left.type !== right.type && !(shifts && left.type === "i32x" && right.type === "i32")) {
    throw new InternalError("codegen", `${op} of ${left.type} and ${right.type}`);
  }
  const folded = left.type === "i32" ? fold(op, left, right) : null;
  return folded ?? { kind: "binary", type: left.type, op, a: left, b: right };
}

/** What is known of integer arithmetic; addresses are full of it. */
function fold(op: Binary, a: Expr, b: Expr): Expr | null {
  const [x, y] = [constantOf(a), constantOf(b)];
  if (x !== null && y !== null) {
    if (op === "add") return expr(x + y);
    if (op === "sub") return expr(x - y);
    if (op === "mul") return expr(Math.imul(x, y));
  }
  if (op === "add") return x === 0 ? b : y === 0 ? a : null;
  if (op === "sub" && y === 0) return a;
  if (op === "mul") {
    if (x === 1 || y === 1) return x === 1 ? b : a;
    if (x === 0 || y === 0) return expr(0);
  }
  return null;
}

export const add = (a: Operand, b: Operand): Expr => binary("add", a, b);
export const sub = (a: Operand, b: Operand): Expr => binary("sub", a, b);
export const mul = (a: Operand, b: Operand): Expr => binary("mul", a, b);

export function unary(op: Unary, x: Operand): Expr {
  const operand = expr(x);
  return { kind: "unary", type: operand.type, op, x: operand };
}

export function compare(op: Comparison, a: Operand, b: Operand): Expr {
  const [left, right] = [expr(a), expr(b)];
  if (left.type !== right.type) throw new InternalError("codegen", `${op} of ${left.type} and ${right.type}`);
  const type = left.type === "f32x" || left.type === "i32x" ? "i32x" : "i32";
  return { kind: "compare", type, op, a: left, b: right };
}

const converted: { readonly [O in Conversion]: (type: Type) => Type } = {
  bits: type => (({ i32: "f32", f32: "i32", i32x: "f32x", f32x: "i32x" }) as const)[type],
  toFloat: type => (type === "i32" ? "f32" : "f32x"),
  toInt: type => (type === "f32" ? "i32" : "i32x"),
  splat: type => (type === "i32" ? "i32x" : "f32x"),
};

export function convert(op: Conversion, x: Operand): Expr {
  const operand = expr(x);
  return { kind: "convert", type: converted[op](operand.type), op, x: operand };
}

export const splat = (x: Operand): Expr => convert("splat", x);

export function select(condition: Operand, a: Operand, b: Operand): Expr {
  const [left, right] = [expr(a), expr(b)];
  return { kind: "select", type: left.type, condition: expr(condition), a: left, b: right };
}

export function lane(x: Operand, index: number): Expr {
  const operand = expr(x);
  return { kind: "lane", type: operand.type === "f32x" ? "f32" : "i32", x: operand, lane: index };
}

export function shuffle(a: Operand, b: Operand, lanes: readonly number[]): Expr {
  const left = expr(a);
  return { kind: "shuffle", type: left.type, a: left, b: expr(b), lanes };
}

export const anyTrue = (x: Operand): Expr => ({ kind: "anyTrue", type: "i32", x: expr(x) });

/** The smaller or larger of two i32, which are computed twice. */
export const least = (a: Operand, b: Operand): Expr => select(compare("lt", a, b), a, b);
export const most = (a: Operand, b: Operand): Expr => select(compare("gt", a, b), a, b);

/**
 * The address without its constant part, and that part. What is left must not be negative, even where the sum is not:
 * targets do not wrap it; hence nothing is split off a difference.
 */
function split(address: Operand, offset: number): { readonly address: Expr; readonly offset: number } {
  const at = expr(address);
  if (at.kind === "binary" && at.op === "add") {
    const more = constantOf(at.b);
    const isDifference = at.a.kind === "binary" && at.a.op === "sub";
    if (more !== null && more >= 0 && !isDifference) return split(at.a, offset + more);
  }
  return { address: at, offset };
}

export const load = (type: Type, address: Operand, offset = 0): Expr => ({
  kind: "load",
  type,
  ...split(address, offset),
});

export const loadSplat = (type: "f32x" | "i32x", address: Operand, offset = 0): Expr => ({
  kind: "loadSplat",
  type,
  ...split(address, offset),
});

export class FunctionBuilder {
  readonly name: string;
  readonly #locals: Type[] = [];
  #params = 0;
  /** Statements of the blocks that are open, the innermost last. */
  readonly #open: Stmt[][] = [[]];

  constructor(name: string) {
    this.name = name;
  }

  /** All parameters are i32 and come before other locals. */
  param(): Local {
    if (this.#params !== this.#locals.length) throw new InternalError("codegen", "a parameter after locals");
    this.#params++;
    return this.#declare("i32");
  }

  #declare(type: Type): Local {
    this.#locals.push(type);
    return { index: this.#locals.length - 1, type };
  }

  /** A new local; with a value, set to it here. */
  local(type: Type): Local {
    return this.#declare(type);
  }

  /** A new local that holds the value. */
  let(value: Operand): Local {
    const local = this.#declare(expr(value).type);
    this.set(local, value);
    return local;
  }

  add(statement: Stmt): void {
    this.#open.at(-1)!.push(statement);
  }

  set(local: Local, value: Operand): void {
    const given = expr(value);
    if (given.type !== local.type) throw new InternalError("codegen", `${given.type} into ${local.type}`);
    this.add({ kind: "set", local, value: given });
  }

  store(address: Operand, value: Operand, offset = 0): void {
    this.add({ kind: "store", ...split(address, offset), value: expr(value) });
  }

  storeLane(address: Operand, value: Operand, lane: number, offset = 0): void {
    this.add({ kind: "storeLane", ...split(address, offset), value: expr(value), lane });
  }

  /** Statements that `make` adds. */
  block(make: () => void): readonly Stmt[] {
    this.#open.push([]);
    make();
    return this.#open.pop()!;
  }

  for(from: Operand, to: Operand, step: Operand, make: (index: Local) => void): void {
    const index = this.#declare("i32");
    const body = this.block(() => make(index));
    if (body.length === 0) return;
    this.add({ kind: "for", index, from: expr(from), to: expr(to), step: expr(step), body });
  }

  doWhile(make: () => Operand): void {
    let condition: Operand = 0;
    const body = this.block(() => {
      condition = make();
    });
    this.add({ kind: "doWhile", body, condition: expr(condition) });
  }

  if(condition: Operand, holds: () => void, otherwise: () => void = () => {}): void {
    this.add({
      kind: "if",
      condition: expr(condition),
      holds: this.block(holds),
      otherwise: this.block(otherwise),
    });
  }

  call(callee: Func, args: readonly Operand[]): void {
    if (args.length !== callee.params) {
      throw new InternalError(
        "codegen",
        `${callee.name} wants ${callee.params} arguments, not ${args.length}`,
      );
    }
    this.add({ kind: "call", callee, args: args.map(expr) });
  }

  /** The function; nothing may be added to it afterwards. */
  finish(): Func {
    return { name: this.name, params: this.#params, locals: this.#locals, body: this.#open[0]! };
  }
}
