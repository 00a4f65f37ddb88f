// Numbers of the instructions of WebAssembly (core 2.0 with fixed-width SIMD, and threads) that stand for the operations
// of codegen/code.ts. `0xPP_NNNN` is instruction NNNN behind prefix PP: 0xfc bulk memory and saturation, 0xfd vectors,
// 0xfe atomics. `null`: not an operation of that type. f32x and i32x are both a v128 of 4 lanes.

import type { Binary, Comparison, Conversion, Type, Unary } from "../codegen/code.ts";

export const LANES = 4;

type ByType = { readonly [T in Type]: number | null };

// biome-ignore-start format: one line an operation

/** Without `mulHigh`, which takes several instructions. */
export const binaries: { readonly [O in Exclude<Binary, "mulHigh">]: ByType } = {
  add: { i32: 0x6a, f32: 0x92, f32x: 0xfd_00e4, i32x: 0xfd_00ae },
  sub: { i32: 0x6b, f32: 0x93, f32x: 0xfd_00e5, i32x: 0xfd_00b1 },
  mul: { i32: 0x6c, f32: 0x94, f32x: 0xfd_00e6, i32x: 0xfd_00b5 },
  div: { i32: null, f32: 0x95, f32x: 0xfd_00e7, i32x: null },
  min: { i32: null, f32: 0x96, f32x: 0xfd_00e8, i32x: 0xfd_00b6 },
  max: { i32: null, f32: 0x97, f32x: 0xfd_00e9, i32x: 0xfd_00b8 },
  divU: { i32: 0x6e, f32: null, f32x: null, i32x: null },
  remU: { i32: 0x70, f32: null, f32x: null, i32x: null },
  and: { i32: 0x71, f32: null, f32x: null, i32x: 0xfd_004e },
  or: { i32: 0x72, f32: null, f32x: null, i32x: 0xfd_0050 },
  xor: { i32: 0x73, f32: null, f32x: null, i32x: 0xfd_0051 },
  shl: { i32: 0x74, f32: null, f32x: null, i32x: 0xfd_00ab },
  shr: { i32: 0x76, f32: null, f32x: null, i32x: 0xfd_00ad },
  sar: { i32: 0x75, f32: null, f32x: null, i32x: 0xfd_00ac },
};

/** By the type of the operands. */
export const comparisons: { readonly [O in Comparison]: ByType } = {
  eq: { i32: 0x46, f32: 0x5b, f32x: 0xfd_0041, i32x: 0xfd_0037 },
  ne: { i32: 0x47, f32: 0x5c, f32x: 0xfd_0042, i32x: 0xfd_0038 },
  lt: { i32: 0x48, f32: 0x5d, f32x: 0xfd_0043, i32x: 0xfd_0039 },
  le: { i32: 0x4c, f32: 0x5f, f32x: 0xfd_0045, i32x: 0xfd_003d },
  gt: { i32: 0x4a, f32: 0x5e, f32x: 0xfd_0044, i32x: 0xfd_003b },
  ge: { i32: 0x4e, f32: 0x60, f32x: 0xfd_0046, i32x: 0xfd_003f },
};

export const unaries: { readonly [O in Unary]: ByType } = {
  neg: { i32: null, f32: 0x8c, f32x: 0xfd_00e1, i32x: null },
  abs: { i32: null, f32: 0x8b, f32x: 0xfd_00e0, i32x: null },
  sqrt: { i32: null, f32: 0x91, f32x: 0xfd_00e3, i32x: null },
  floor: { i32: null, f32: 0x8e, f32x: 0xfd_0068, i32x: null },
  trunc: { i32: null, f32: 0x8f, f32x: 0xfd_0069, i32x: null },
  nearest: { i32: null, f32: 0x90, f32x: 0xfd_006a, i32x: null },
  not: { i32: null, f32: null, f32x: null, i32x: 0xfd_004d },
};

/** By the type of the result. `bits` of a vector is no instruction at all. */
export const conversions: { readonly [O in Conversion]: ByType } = {
  bits: { i32: 0xbc, f32: 0xbe, f32x: null, i32x: null },
  toFloat: { i32: null, f32: 0xb2, f32x: 0xfd_00fa, i32x: null },
  toInt: { i32: 0xfc_0000, f32: null, f32x: null, i32x: 0xfd_00f8 },
  splat: { i32: null, f32: null, f32x: 0xfd_0013, i32x: 0xfd_0011 },
};

export const loads: { readonly [T in Type]: number } = {
  i32: 0x28,
  f32: 0x2a,
  f32x: 0xfd_0000,
  i32x: 0xfd_0000,
};
export const stores: { readonly [T in Type]: number } = {
  i32: 0x36,
  f32: 0x38,
  f32x: 0xfd_000b,
  i32x: 0xfd_000b,
};

export const V128 = 0x7b;
export const wasmTypes: { readonly [T in Type]: number } = { i32: 0x7f, f32: 0x7d, f32x: V128, i32x: V128 };

// biome-ignore-end format: one line an operation

export const op = {
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  brIf: 0x0d,
  call: 0x10,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  i64Mul: 0x7e,
  i64ShrU: 0x88,
  i32WrapI64: 0xa7,
  i64ExtendI32U: 0xad,
  memoryCopy: 0xfc_000a,
  memoryFill: 0xfc_000b,
  load32Splat: 0xfd_0009,
  shuffle: 0xfd_000d,
  i32ExtractLane: 0xfd_001b,
  f32ExtractLane: 0xfd_001f,
  bitselect: 0xfd_0052,
  anyTrue: 0xfd_0053,
  store32Lane: 0xfd_005a,
  atomicNotify: 0xfe_0000,
  atomicWait32: 0xfe_0001,
  atomicLoad: 0xfe_0010,
  atomicStore: 0xfe_0017,
  atomicAdd: 0xfe_001e,
} as const;

/** The type of a block without result. */
export const EMPTY = 0x40;
