// Random tensors.

import fc from "fast-check";
import type { Tensor } from "../../backends/api.ts";
import { elementCount } from "../../runtime/tensor.ts";

/** Of every dtype and width, of rank 0 to 3, with empty dimensions among them; NaN and infinities in the reals. */
export const tensors = (): fc.Arbitrary<Tensor> =>
  fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }).chain(shape => {
    const count = elementCount(shape);
    const exactly = { minLength: count, maxLength: count };
    return fc.oneof(
      fc
        .float32Array(exactly)
        .map(data => ({ dtype: "real" as const, shape, data: Float32Array.from(data) })),
      fc
        .float64Array(exactly)
        .map(data => ({ dtype: "real" as const, shape, data: Float64Array.from(data) })),
      fc.int32Array(exactly).map(data => ({ dtype: "index" as const, shape, data: Int32Array.from(data) })),
      fc
        .array(fc.boolean(), exactly)
        .map(values => ({ dtype: "bool" as const, shape, data: Uint8Array.from(values, Number) })),
    );
  });
