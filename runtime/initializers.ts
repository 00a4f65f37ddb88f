// How parameters start. What is drawn depends only on the seed and the parameter's name, so it is the same on every
// backend, in any order, and stays when another parameter is added. Computed in float64, kept as float32.

import type { Tensor } from "../backends/api.ts";
import type { Axis } from "../compiler/graph/graph.ts";
import type { Initializer, ParameterSpec } from "../compiler/lower/model.ts";
import { unreachable } from "../compiler/unreachable.ts";
import { staticShape } from "./axes.ts";
import { draws } from "./draws.ts";
import { orthonormal } from "./orthonormal.ts";
import { elementCount } from "./tensor.ts";

/** The initial value, `[...axes, ...shape]`: a parameter along static axes starts anew at each of their indices. */
export function initialize(spec: ParameterSpec, axes: readonly Axis[], seed: number): Tensor {
  const shape = staticShape(axes, spec);
  const copies = elementCount(shape.slice(0, spec.axes.length));
  const values = initialValues(spec.init, spec.shape, copies, seed, spec.name);
  return { dtype: "real", shape, data: Float32Array.from(values) };
}

/** `[copies, ...shape]`; `stream` names the numbers drawn. */
function initialValues(
  init: Initializer,
  shape: readonly number[],
  copies: number,
  seed: number,
  stream: string,
): Float64Array {
  const values = new Float64Array(copies * elementCount(shape));
  const numbers = draws(seed, stream);
  const { fanIn, fanOut } = fans(shape);
  const uniform = (bound: number) => values.map((_, i) => (2 * numbers.uniform(i) - 1) * bound);
  const normal = (deviation: number) => values.map((_, i) => numbers.normal(i) * deviation);
  switch (init.kind) {
    case "fill":
      return values.fill(init.value);
    case "uniform":
      return values.map((_, i) => init.low + (init.high - init.low) * numbers.uniform(i));
    case "normal":
      return values.map((_, i) => init.mean + init.deviation * numbers.normal(i));
    case "glorotUniform":
      return uniform(Math.sqrt(6 / (fanIn + fanOut)));
    case "glorotNormal":
      return normal(Math.sqrt(2 / (fanIn + fanOut)));
    case "heUniform":
      return uniform(Math.sqrt(6 / fanIn));
    case "heNormal":
      return normal(Math.sqrt(2 / fanIn));
    case "lecunNormal":
      return normal(Math.sqrt(1 / fanIn));
    case "orthogonal":
      return orthogonal(values, shape, copies, init.gain, numbers.normal);
    case "identity":
      return identity(values, shape, init.gain);
    case "concat":
      return concat(values, shape, copies, init.parts, seed, stream);
    default:
      return unreachable(init);
  }
}

/**
 * A matrix `[in, out]` has its sizes; a window `[..window, in, out]` has them times the window; a vector both times
 * its length. Static axes do not count: each of their indices has a matrix of its own.
 */
function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const last = shape.at(-1) ?? 1;
  const window = elementCount(shape.slice(0, -2));
  return { fanIn: Math.max(1, (shape.at(-2) ?? last) * window), fanOut: Math.max(1, last * window) };
}

/** Rows, or columns where there are fewer, are orthonormal, times gain (Saxe et al. 2014). */
function orthogonal(
  values: Float64Array,
  shape: readonly number[],
  copies: number,
  gain: number,
  normal: (i: number) => number,
): Float64Array {
  const columns = shape.at(-1) ?? 1;
  const size = elementCount(shape);
  const rows = columns === 0 ? 0 : size / columns;
  for (let copy = 0; copy < copies; copy++) {
    const drawn = Float64Array.from({ length: size }, (_, i) => normal(copy * size + i));
    const made = orthonormal(drawn, rows, columns);
    values.set(
      made.map(value => value * gain),
      copy * size,
    );
  }
  return values;
}

/** Ones on the main diagonal of the last two dimensions, times gain. */
function identity(values: Float64Array, shape: readonly number[], gain: number): Float64Array {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.at(-2) ?? 1;
  return values.map((_, i) => (i % columns === Math.floor(i / columns) % rows ? gain : 0));
}

/** Parts side by side along the last dimension, each started as if it stood alone. */
function concat(
  values: Float64Array,
  shape: readonly number[],
  copies: number,
  parts: Extract<Initializer, { kind: "concat" }>["parts"],
  seed: number,
  stream: string,
): Float64Array {
  const width = shape.at(-1) ?? 1;
  let start = 0;
  for (const [i, { size, init }] of parts.entries()) {
    const part = initialValues(init, [...shape.slice(0, -1), size], copies, seed, `${stream}#${i}`);
    for (let at = 0; at < part.length; at++) {
      values[Math.floor(at / size) * width + start + (at % size)] = part[at]!;
    }
    start += size;
  }
  return values;
}
