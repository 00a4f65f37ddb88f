// The primitives of the language by name: what they take and the type they give. How they are lowered is in
// lower/builtins.ts. Both tables are total over BuiltinName. The rules are in rules/, a file for each family.

import { drawRules } from "./rules/draws.ts";
import { elementwiseRules } from "./rules/elementwise.ts";
import { featureRules } from "./rules/features.ts";
import { operatorRules } from "./rules/operators.ts";
import { reductionRules } from "./rules/reductions.ts";
import type { BuiltinRecord } from "./rules/rule.ts";
import { windowRules } from "./rules/windows.ts";

export const builtinNames = [
  // operators
  "neg",
  "not",
  "add",
  "sub",
  "mul",
  "div",
  "matmul",
  "pow",
  "equal",
  "notEqual",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "and",
  "or",
  // elementwise
  "identity",
  "exp",
  "log",
  "log1p",
  "sqrt",
  "square",
  "reciprocal",
  "sin",
  "cos",
  "tanh",
  "sigmoid",
  "softplus",
  "softsign",
  "relu",
  "leakyRelu",
  "elu",
  "gelu",
  "silu",
  "hardSigmoid",
  "abs",
  "sign",
  "floor",
  "real",
  "where",
  "stopGradient",
  // several values, or a reduction when given one: over features, or over [axes]
  "max",
  "min",
  "logsumexp",
  "sum",
  "mean",
  "microMean",
  // normalisation: over features, or over [axes]
  "softmax",
  "logSoftmax",
  // features
  "split",
  "concat",
  "slice",
  "reshape",
  "transpose",
  "flatten",
  "outer",
  "gather",
  "oneHot",
  "argmax",
  "conv2d",
  "maxPool2d",
  "avgPool2d",
  // constants with a shape
  "zeros",
  "ones",
  "fill",
  // axes
  "index",
  "length",
  // random
  "dropout",
  "bernoulli",
  "normal",
  "uniform",
  "sample",
] as const;

export type BuiltinName = (typeof builtinNames)[number];

export type BuiltinTable = { readonly [Name in BuiltinName]: BuiltinRecord };

/** All of them by name. Operators have names too, but no program can write those (`operatorNames`). */
export const builtins: BuiltinTable = {
  ...operatorRules,
  ...elementwiseRules,
  ...reductionRules,
  ...featureRules,
  ...windowRules,
  ...drawRules,
};

/** Builtins that stand behind operators and are no functions: `add(a, b)` is an unknown name. */
const operatorNames: ReadonlySet<string> = new Set(Object.keys(operatorRules));

/** The names that a program may call. */
export const callableNames: readonly BuiltinName[] = builtinNames.filter(name => !operatorNames.has(name));

const callable: ReadonlyMap<string, BuiltinName> = new Map(callableNames.map(name => [name, name]));

export const findBuiltin = (name: string): BuiltinName | null => callable.get(name) ?? null;
