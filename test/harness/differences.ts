// Gradients against central differences of the float64 reference, and against each other.

import type { Tensor } from "../../backends/api.ts";
import { evaluateGraph, type PlainEnvironment } from "../../backends/reference/evaluate.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import { drawNormal } from "../../compiler/ops/random.ts";

/** The largest difference of two arrays (NaN differs from everything), relative to the largest magnitude in `expected` (at least `floor`). */
export function relativeError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  floor = 1e-300,
): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  let scale = floor;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (a === e) continue;
    worst = Math.max(worst, Number.isNaN(a - e) ? Number.POSITIVE_INFINITY : Math.abs(a - e));
  }
  for (let i = 0; i < expected.length; i++) {
    if (Number.isFinite(expected[i]!)) scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return worst / scale;
}

/** How much the loss changes along parameter `name`, entry by entry, by differences of fourth order. */
export function numericGradient(
  graph: Graph,
  environment: Required<PlainEnvironment>,
  name: string,
  { loss = "loss", step = 1e-4, entries }: { loss?: string; step?: number; entries?: readonly number[] } = {},
): { readonly entries: readonly number[]; readonly values: readonly number[] } {
  const tensor = environment.parameters.get(name)!;
  const chosen = entries ?? Array.from(tensor.data, (_, i) => i);
  const lossAt = (entry: number, move: number): number => {
    const data = Float64Array.from(tensor.data);
    data[entry] = data[entry]! + move;
    const parameters = new Map(environment.parameters).set(name, { ...tensor, data });
    return evaluateGraph(graph, { ...environment, parameters }, [loss]).get(loss)!.data[0]!;
  };
  const values = chosen.map(entry => {
    const near = lossAt(entry, step) - lossAt(entry, -step);
    const far = lossAt(entry, 2 * step) - lossAt(entry, -2 * step);
    return (8 * near - far) / (12 * step);
  });
  return { entries: chosen, values };
}

/**
 * Worst error of `gradient.NAME` against differences, relative to the parameter's own largest gradient, or to 1e-4
 * where that is smaller: differences leave about 1e-11 of a loss of order 1.
 */
export function gradientError(
  graph: Graph,
  environment: Required<PlainEnvironment>,
  { step, limit = 40 }: { step?: number; limit?: number } = {},
): number {
  const names = [...environment.parameters.keys()].filter(name => graph.outputs.has(`gradient.${name}`));
  const gradients = evaluateGraph(
    graph,
    environment,
    names.map(name => `gradient.${name}`),
  );
  let worst = 0;
  for (const name of names) {
    const gradient = gradients.get(`gradient.${name}`)!.data;
    const stride = Math.max(1, Math.ceil(gradient.length / limit));
    const entries = Array.from(gradient, (_, i) => i).filter(i => i % stride === 0);
    const numeric = numericGradient(graph, environment, name, { ...(step && { step }), entries });
    const found = entries.map(i => gradient[i]!);
    worst = Math.max(worst, relativeError(found, numeric.values, 1e-4));
  }
  return worst;
}

/** Worst error over the outputs that both have. */
export function outputsError(
  actual: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, Tensor>,
  floor = 1e-6,
): number {
  let worst = 0;
  for (const [name, tensor] of expected) {
    const other = actual.get(name);
    worst = Math.max(
      worst,
      other === undefined ? Number.POSITIVE_INFINITY : relativeError(other.data, tensor.data, floor),
    );
  }
  return worst;
}

/**
 * The derivative of the loss along one random direction of all parameters, by differences, against the gradient;
 * relative to the sum of the products' magnitudes. Maxima and selections have kinks: the best of three step sizes.
 */
export function directionError(graph: Graph, environment: Required<PlainEnvironment>, seed = 0): number {
  const names = [...environment.parameters.keys()].filter(name => graph.outputs.has(`gradient.${name}`));
  const gradients = evaluateGraph(
    graph,
    environment,
    names.map(name => `gradient.${name}`),
  );
  const directions = new Map<string, Float64Array>();
  let expected = 0;
  let scale = 1e-6;
  for (const [site, name] of names.entries()) {
    const gradient = gradients.get(`gradient.${name}`)!.data;
    const direction = Float64Array.from(gradient, (_, feature) =>
      drawNormal({ seed, step: 0, site, example: 0, position: 0, feature }),
    );
    for (let i = 0; i < gradient.length; i++) {
      expected += gradient[i]! * direction[i]!;
      scale += Math.abs(gradient[i]! * direction[i]!);
    }
    directions.set(name, direction);
  }
  const lossAt = (move: number): number => {
    const parameters = new Map(environment.parameters);
    for (const [name, direction] of directions) {
      const tensor = parameters.get(name)!;
      const data = Float64Array.from(tensor.data, (value, i) => value + move * direction[i]!);
      parameters.set(name, { ...tensor, data });
    }
    return evaluateGraph(graph, { ...environment, parameters }, ["loss"]).get("loss")!.data[0]!;
  };
  let best = Number.POSITIVE_INFINITY;
  for (const step of [1e-4, 1e-5, 1e-6]) {
    const near = lossAt(step) - lossAt(-step);
    const far = lossAt(2 * step) - lossAt(-2 * step);
    const error = Math.abs((8 * near - far) / (12 * step) - expected) / scale;
    if (error < best) best = error;
    if (best < 1e-8) break;
  }
  return best;
}
