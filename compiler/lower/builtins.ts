// How each primitive of the language becomes nodes. Many are composites of a few ops: softmax is expdiff of
// logsumexp, a convolution is a contraction of patches.

import type { BuiltinName } from "../semantics/builtins.ts";
import { drawLowerings } from "./builtins/draws.ts";
import { elementwiseLowerings } from "./builtins/elementwise.ts";
import { featureLowerings } from "./builtins/features.ts";
import { reductionLowerings } from "./builtins/reductions.ts";
import type { BuiltinLowering } from "./builtins/use.ts";
import { windowLowerings } from "./builtins/windows.ts";

export const builtinLowerings: { readonly [Name in BuiltinName]: BuiltinLowering } = {
  ...elementwiseLowerings,
  ...reductionLowerings,
  ...featureLowerings,
  ...windowLowerings,
  ...drawLowerings,
};
