// The code that generated programs are made of: functions over one linear memory, with structured loops, scalars and
// vectors of `lanes` 32-bit numbers. Independent of the target: backends/wasm encodes it. Expressions are trees
// without side effects (but for `atomicAdd`); what is used twice is put into a local by whoever builds it.

/**
 * `f32x` and `i32x` are vectors; a comparison of vectors gives an `i32x` of 0 and -1 (a mask), one of scalars an i32
 * of 0 and 1. Addresses are i32, in bytes.
 */
export type Type = "i32" | "f32" | "f32x" | "i32x";

export interface Local {
  readonly index: number;
  readonly type: Type;
}

/** Two operands of the same type; division, `rem` and `mulHigh` of i32: `divU` and `remU` are unsigned. */
export type Binary =
  | "add" | "sub" | "mul"
  /** f32, f32x */
  | "div"
  /** f32, f32x: NaN where either is NaN, -0 below 0. i32x: signed. */
  | "min" | "max"
  /** i32 only */
  | "divU" | "remU"
  /** i32 only: the upper half of the 64-bit product of two unsigned numbers */
  | "mulHigh"
  /** i32, i32x */
  | "and" | "or" | "xor"
  /** i32; i32x with a scalar i32 on the right. `shr` is unsigned, `sar` signed. */
  | "shl" | "shr" | "sar"; // biome-ignore format: one line a family

/** Signed. */
export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

export type Unary =
  /** f32, f32x */
  | "neg" | "abs" | "sqrt" | "floor" | "trunc" | "nearest"
  /** i32x */
  | "not"; // biome-ignore format: one line a family

export type Conversion =
  /** Same bits: i32 <-> f32, i32x <-> f32x. */
  | "bits"
  /** Signed integer to float, rounded to nearest. */
  | "toFloat"
  /** Float to signed integer, towards zero, saturating, 0 for NaN. */
  | "toInt"
  /** Scalar to all lanes. */
  | "splat";

export type Expr =
  | { readonly kind: "const"; readonly type: "i32" | "f32"; readonly value: number }
  | { readonly kind: "local"; readonly type: Type; readonly local: Local }
  | { readonly kind: "unary"; readonly type: Type; readonly op: Unary; readonly x: Expr }
  | { readonly kind: "binary"; readonly type: Type; readonly op: Binary; readonly a: Expr; readonly b: Expr }
  | { readonly kind: "compare"; readonly type: Type; readonly op: Comparison; readonly a: Expr; readonly b: Expr }
  | { readonly kind: "convert"; readonly type: Type; readonly op: Conversion; readonly x: Expr }
  /** `condition`: an i32 (any type of a and b), or a mask with vectors, lane by lane. */
  | { readonly kind: "select"; readonly type: Type; readonly condition: Expr; readonly a: Expr; readonly b: Expr }
  /** Lane of a vector as a scalar. */
  | { readonly kind: "lane"; readonly type: Type; readonly x: Expr; readonly lane: number }
  /** Result lane i is lane `lanes[i]` of a and b laid end to end. */
  | { readonly kind: "shuffle"; readonly type: Type; readonly a: Expr; readonly b: Expr; readonly lanes: readonly number[] }
  /** A scalar or a vector at `address + offset`; vectors need no alignment. */
  | { readonly kind: "load"; readonly type: Type; readonly address: Expr; readonly offset: number }
  /** One 32-bit number in all lanes. */
  | { readonly kind: "loadSplat"; readonly type: Type; readonly address: Expr; readonly offset: number }
  /** 1 where some lane of a mask is set. */
  | { readonly kind: "anyTrue"; readonly type: "i32"; readonly x: Expr }
  /** The atomic value before adding; `address` is a multiple of 4. */
  | { readonly kind: "atomicAdd"; readonly type: "i32"; readonly address: Expr; readonly value: Expr }
  | { readonly kind: "atomicLoad"; readonly type: "i32"; readonly address: Expr }; // biome-ignore format: a line a kind

export type Stmt =
  | { readonly kind: "set"; readonly local: Local; readonly value: Expr }
  | { readonly kind: "store"; readonly address: Expr; readonly offset: number; readonly value: Expr }
  /** One lane of a vector. */
  | { readonly kind: "storeLane"; readonly address: Expr; readonly offset: number; readonly value: Expr; readonly lane: number }
  /** `for (index = from; index < to; index += step)`, signed; `to` is computed once, at the begin. */
  | { readonly kind: "for"; readonly index: Local; readonly from: Expr; readonly to: Expr; readonly step: Expr; readonly body: readonly Stmt[] }
  /** Runs the body, again as long as the condition (an i32) holds then. */
  | { readonly kind: "doWhile"; readonly body: readonly Stmt[]; readonly condition: Expr }
  | { readonly kind: "if"; readonly condition: Expr; readonly holds: readonly Stmt[]; readonly otherwise: readonly Stmt[] }
  | { readonly kind: "call"; readonly callee: Func; readonly args: readonly Expr[] }
  | { readonly kind: "atomicStore"; readonly address: Expr; readonly value: Expr }
  /** Sleeps while the i32 at `address` is `expected`, until notified. */
  | { readonly kind: "wait"; readonly address: Expr; readonly expected: Expr }
  | { readonly kind: "notify"; readonly address: Expr }
  /** memory.copy and memory.fill; `bytes` may be 0, copies may overlap. */
  | { readonly kind: "copyMemory"; readonly to: Expr; readonly from: Expr; readonly bytes: Expr }
  | { readonly kind: "fillMemory"; readonly to: Expr; readonly byte: number; readonly bytes: Expr }
  /** Tells the host that the stretch `id` of the program begins: for profiles. */
  | { readonly kind: "mark"; readonly id: number }; // biome-ignore format: a line a kind

/** A function of i32 parameters (its first locals) without result. */
export interface Func {
  readonly name: string;
  readonly params: number;
  /** Types of all locals, the parameters first. */
  readonly locals: readonly Type[];
  readonly body: readonly Stmt[];
}

export interface Module {
  /** Operands of calls stand before their callers. */
  readonly functions: readonly Func[];
  /** Those that the host calls, by name. */
  readonly exports: readonly Func[];
}

/** What the code is made for. */
export interface Target {
  /** 32-bit numbers in a vector. */
  readonly lanes: number;
  /** Vector registers that a kernel may count on. */
  readonly registers: number;
}
