// Elementwise functions of float32 vectors as inlined code: one expression each, from the vector operations of code.ts
// alone, whatever the number of lanes. Errors are at most 4 units in the last place (16 for pow), results below the
// smallest normal number may be flushed to 0, and special values are those of JavaScript's Math.
// The expression reads the operand's locals: use it before they are set anew.

export { exp, expdiff, sigmoid, softplus, tanh } from "./math/exponential.ts";
export { log, log1p } from "./math/logarithm.ts";
export { max, min, sign } from "./math/order.ts";
export { pow } from "./math/power.ts";
export { cos, sin } from "./math/trigonometry.ts";
