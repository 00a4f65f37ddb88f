// What the tests of ops share: evaluating one op on plain numbers, and its adjoint against central differences.

import { expect } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { evaluateGraph, type PlainEnvironment } from "../../backends/reference/evaluate.ts";
import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import { parseGraph, printGraph } from "../../compiler/graph/text.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { drawUniform } from "../../compiler/ops/random.ts";
import { tolerances } from "../harness/tolerances.ts";

export const real = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: "real",
  shape,
  data: Float64Array.from(values),
});

export const index = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: "index",
  shape,
  data: Int32Array.from(values),
});

/** The values of the output `y` of what `build` makes. */
export function valuesOf(
  build: (b: GraphBuilder) => NodeId,
  environment: PlainEnvironment = { batch: 1 },
): number[] {
  const b = new GraphBuilder();
  b.output("y", build(b));
  return [...evaluateGraph(b.finish(), environment).get("y")!.data];
}

/** An op's unary or binary meaning on scalars. */
export const apply = (
  build: (b: GraphBuilder, ...operands: NodeId[]) => NodeId,
  ...numbers: number[]
): number => valuesOf(b => build(b, ...numbers.map(x => b.constant(x))))[0]!;

/** A parameter or an input, `shape` being the fed tensor's. */
export interface Leaf {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axes?: readonly AxisId[];
  readonly batched?: boolean;
  /** Smallest and largest value drawn. */
  readonly range?: readonly [number, number];
  /** Given values instead of drawn ones. */
  readonly values?: readonly number[];
}

export interface Case {
  readonly leaves: readonly Leaf[];
  readonly batch?: number;
  readonly axes?: Readonly<Record<string, number | null>>;
  readonly lengths?: Readonly<Record<string, readonly number[]>>;
  /** Fed, not differentiated. */
  readonly fixed?: Readonly<Record<string, Tensor>>;
  readonly build: (b: GraphBuilder, leaves: readonly NodeId[]) => NodeId;
}

/**
 * The op's gradients agree with central differences, first and second order: the loss is the sum of the result times
 * fixed weights, then the sum of the squares of the gradients.
 */
export function checkAdjoint(test: Case, orders: 1 | 2 = 2): void {
  const { b, leaves } = start(test);
  const y = test.build(b, leaves);
  b.output("loss", total(b, b.mul(y, weights(b, b.typeOf(y).shape))));
  const first = b.finish();
  compare(test, first, leaves);
  if (orders === 2) compare(test, gradientNorm(first, leaves), leaves);
}

function start(test: Case): { b: GraphBuilder; leaves: NodeId[] } {
  const b = new GraphBuilder();
  for (const [id, length] of Object.entries(test.axes ?? {})) b.axis(id, length);
  const leaves = test.leaves.map(({ name, shape, axes = [], batched = false }) =>
    b.input(name, { shape: shape.slice(axes.length + (batched ? 1 : 0)), axes, batched }),
  );
  return { b, leaves };
}

/** Different for each element, so that no two mistakes cancel. */
const weights = (b: GraphBuilder, shape: readonly number[]): NodeId => {
  const count = shape.reduce((n, m) => n * m, 1);
  return b.constant(
    Array.from({ length: count }, (_, i) => 0.5 + Math.sin(1 + 2.3 * i)),
    "real",
    shape,
  );
};

function total(b: GraphBuilder, x: NodeId): NodeId {
  const { shape, axes, batched } = b.typeOf(x);
  return b.sum(x, { dims: shape.map((_, d) => d), axes, batch: batched });
}

function gradientNorm(graph: Graph, leaves: readonly NodeId[]): Graph {
  const { graph: derived, gradients } = differentiate(graph, graph.outputs.get("loss")!, leaves);
  const b = GraphBuilder.from(derived);
  const squares = leaves.map(leaf => total(b, b.mul(gradients.get(leaf)!, gradients.get(leaf)!)));
  b.output(
    "loss",
    squares.reduce((sum, square) => b.add(sum, square)),
  );
  return b.finish();
}

function compare(test: Case, graph: Graph, leaves: readonly NodeId[]): void {
  const { graph: derived, gradients } = differentiate(graph, graph.outputs.get("loss")!, leaves);
  const b = GraphBuilder.from(derived);
  for (const [i, { name }] of test.leaves.entries()) b.output(`gradient.${name}`, gradients.get(leaves[i]!)!);
  const whole = b.finish();
  expect(parseGraph(printGraph(whole)).ok).toBe(true);
  const tensors = new Map(test.leaves.map((leaf, k) => [leaf.name, draw(leaf, k)] as const));
  const environment = environmentOf(test, tensors);
  const found = evaluateGraph(whole, environment);
  const loss = (): number => evaluateGraph(graph, environment, ["loss"]).get("loss")!.data[0]!;
  for (const leaf of test.leaves) {
    const { data } = tensors.get(leaf.name)!;
    const gradient = found.get(`gradient.${leaf.name}`)!;
    expect(gradient.shape).toEqual(leaf.shape);
    for (let j = 0; j < data.length; j++) {
      const difference = centralDifference(data, j, loss);
      const error = Math.abs(gradient.data[j]! - difference) / Math.max(1, Math.abs(difference));
      expect(error, `${leaf.name}[${j}]: ${gradient.data[j]} and ${difference}`).toBeLessThan(
        tolerances.adjoints,
      );
    }
  }
}

/** Fourth order, so that a step large enough for the rounding leaves no truncation to speak of. */
function centralDifference(data: Tensor["data"], j: number, loss: () => number): number {
  const step = 1e-3;
  const value = data[j]!;
  const at = (by: number): number => {
    data[j] = value + by * step;
    return loss();
  };
  const difference = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step);
  data[j] = value;
  return difference;
}

function environmentOf(test: Case, tensors: ReadonlyMap<string, Tensor>): PlainEnvironment {
  const lengths = new Map(
    Object.entries(test.lengths ?? {}).map(([axis, list]) => [axis as AxisId, list] as const),
  );
  const inputs = new Map([...tensors, ...Object.entries(test.fixed ?? {})]);
  return { batch: test.batch ?? 1, inputs, lengths, seed: 7, step: 3 };
}

function draw({ shape, range = [-1.5, 1.5], values }: Leaf, k: number): Tensor {
  const count = shape.reduce((n, m) => n * m, 1);
  const [low, high] = range;
  const number = (feature: number): number =>
    values?.[feature] ??
    low + (high - low) * drawUniform({ seed: 1, step: k, site: 0, example: 0, position: 0, feature });
  return real(
    shape,
    Array.from({ length: count }, (_, i) => number(i)),
  );
}
