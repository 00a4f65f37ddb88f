// Frond's kernels by the names under which tfjs knows them.

import type { FrondKernel } from "./device.ts";
import { elementwiseKernel } from "./elementwise.ts";
import { matMulKernel } from "./matmul.ts";
import { reduceKernel } from "./reduce.ts";
import {
  atKernel,
  gatherKernel,
  oneHotKernel,
  patchesKernel,
  randomKernel,
  scatterAddKernel,
  selectKernel,
  shiftKernel,
  unpatchesKernel,
} from "./rows.ts";

export const kernels = {
  FrondElementwise: elementwiseKernel,
  FrondMatMul: matMulKernel,
  FrondReduce: reduceKernel,
  FrondSelect: selectKernel,
  FrondShift: shiftKernel,
  FrondAt: atKernel,
  FrondGather: gatherKernel,
  FrondScatterAdd: scatterAddKernel,
  FrondOneHot: oneHotKernel,
  FrondPatches: patchesKernel,
  FrondUnpatches: unpatchesKernel,
  FrondRandom: randomKernel,
} as const satisfies Readonly<Record<string, FrondKernel<never>>>;

export type KernelName = keyof typeof kernels;

/** What a kernel wants to be told beside its operands. */
export type SpecOf<K extends KernelName> = Parameters<(typeof kernels)[K]>[2];
