// Whether a tensor is what it says, for all backends alike.

import type { DType } from "../compiler/graph/graph.ts";
import type { Tensor } from "./api.ts";

/** Whether the array behind a tensor is of the kind that its dtype has. */
export function holdsItsType({ dtype, data }: Tensor): boolean {
  switch (dtype) {
    case "real":
      return data instanceof Float32Array || data instanceof Float64Array;
    case "index":
      return data instanceof Int32Array;
    case "bool":
      return data instanceof Uint8Array;
  }
}

/** What a message calls a tensor's type where `expected` is wanted: its dtype, or, where that is right, its array. */
export const elementTypeOf = ({ dtype, data }: Tensor, expected: DType): string =>
  dtype === expected ? `\`${dtype}\` in ${data.constructor.name}` : dtype;
