// Moves values between the boundary's order, [batch, ...axes, ...shape], and the places where kernels want them.

import { collapse, type Nest, offsetTable } from "../plan/layout.ts";

type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Copies a nest of elements: strides[0] walks `from`, strides[1] walks `to`. */
export function copyNest(from: Numbers, atFrom: number, to: Numbers, atTo: number, nest: Nest): void {
  if (nest.sizes.includes(0)) return;
  const { sizes, strides } = collapse(nest);
  const inner = sizes.at(-1) ?? 1;
  const [stepFrom, stepTo] = [strides[0]!.at(-1) ?? 1, strides[1]!.at(-1) ?? 1];
  const outer = sizes.slice(0, -1);
  const starts = strides.map(operand => offsetTable(outer, operand.slice(0, -1)));
  for (let r = 0; r < starts[0]!.length; r++) {
    let p = atFrom + starts[0]![r]!;
    let q = atTo + starts[1]![r]!;
    if (stepFrom === 1 && stepTo === 1 && inner >= 32) {
      to.set(from.subarray(p, p + inner), q);
      continue;
    }
    for (let i = 0; i < inner; i++, p += stepFrom, q += stepTo) to[q] = from[p]!;
  }
}
