// Numbers at the ends of float32, infinities and NaN, and indices outside of a table, on every backend against the float64
// evaluation. What ops compute of ordinary numbers is asked by the conformance suite.

import { describe, expect, test } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { evaluateGraph, type PlainEnvironment } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import type { NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { conformingBackends } from "../harness/backends.ts";
import { onBackend } from "../harness/training.ts";
import { programOf } from "./run.ts";

const special = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN, 0, -0, 1, -1, 100, -100, 1000, 1e-30, -3e38]; // biome-ignore format: a list

/** One example, nothing fed. */
const nothing: Required<PlainEnvironment> = {
  batch: 1,
  lengths: new Map(),
  inputs: new Map(),
  parameters: new Map(),
  states: new Map(),
  seed: 0,
  step: 0,
};

/** Fed as x: real[n] batched, without axes. */
async function specials(
  name: string,
  build: (b: GraphBuilder, x: NodeId) => NodeId,
): Promise<{ readonly actual: Tensor; readonly expected: Tensor }> {
  const b = new GraphBuilder();
  b.output("y", build(b, b.input("x", { shape: [special.length] })));
  const graph = b.finish();
  const x: Tensor = {
    dtype: "real",
    shape: [1, special.length],
    data: Float64Array.from(special, Math.fround),
  };
  const environment = { ...nothing, inputs: new Map([["x", x]]) };
  const actual = (await onBackend(await openBackend(name), programOf(graph), environment)).get("y")!;
  return { actual, expected: evaluateGraph(graph, environment).get("y")! };
}

const unaries = ["neg", "exp", "log", "log1p", "sqrt", "tanh", "sigmoid", "softplus", "abs", "sign", "floor"] as const; // biome-ignore format: a list
const binaries = ["add", "sub", "mul", "div", "maximum", "minimum", "expdiff", "less", "equal", "notEqual"] as const; // biome-ignore format: a list

/** What is smaller may be 0. */
const leastNormal = 2 ** -126;

/** Whether results are the same numbers up to rounding; infinities, NaN and zeros exactly. */
function expectAlike(actual: Tensor, expected: Tensor, name: (i: number) => unknown): void {
  for (const [i, value] of [...expected.data].map(Math.fround).entries()) {
    if (value !== 0 && Math.abs(value) < leastNormal)
      expect(Math.abs(actual.data[i]!)).toBeLessThan(leastNormal);
    else if (Number.isFinite(value) && value !== 0) expect(actual.data[i]! / value).toBeCloseTo(1, 5);
    else expect([name(i), actual.data[i]]).toEqual([name(i), value]);
  }
}

describe.each(conformingBackends)("on %s", name => {
  test.each(unaries)("%s of infinities, NaN, zeros and extremes", async op => {
    const { actual, expected } = await specials(name, (b, x) => b[op](x));
    expectAlike(actual, expected, i => special[i]);
  });

  test.each(binaries)("%s of all pairs of them", async op => {
    const n = special.length;
    const { actual, expected } = await specials(name, (b, x) =>
      b[op](b.broadcast(b.reshape(x, [n, 1]), { shape: [n, n] }), x),
    );
    expectAlike(actual, expected, i => [special[Math.floor(i / n)], special[i % n]]);
  });

  test("gather outside of the table gives NaN, and position 0 of positions", async () => {
    const b = new GraphBuilder();
    const [far, negative] = [b.constant(7, "index"), b.constant(-1, "index")];
    b.output("far", b.gather(b.constant([1, 2, 3, 4], "real", [2, 2]), far));
    b.output("negative", b.gather(b.parameter("p", [3]), negative));
    b.output("positions", b.gather(b.constant([5, 6], "index", [2]), far));
    const p: Tensor = { dtype: "real", shape: [3], data: Float64Array.of(1, 2, 3) };
    const graph = b.finish();
    const environment = { ...nothing, parameters: new Map([["p", p]]) };
    const [actual, expected] = [
      await onBackend(await openBackend(name), programOf(graph), environment),
      evaluateGraph(graph, environment),
    ];
    for (const [name, values] of [
      ["far", [NaN, NaN]],
      ["negative", [NaN]],
      ["positions", [0]],
    ] as const) {
      expect([...actual.get(name)!.data]).toEqual(values);
      expect([...expected.get(name)!.data]).toEqual(values);
    }
  });

  test("comparisons see what is stored, whether or not it was", async () => {
    const run = async (output: (b: GraphBuilder, exponential: NodeId) => NodeId, y: Tensor["data"]) => {
      const b = new GraphBuilder();
      b.output("result", output(b, b.exp(b.input("x", { shape: [64] }))));
      const tensor = (data: Tensor["data"]): Tensor => ({ dtype: "real", shape: [1, 64], data });
      const x = tensor(Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)));
      const inputs = new Map([["x", x], ...(y.length > 0 ? [["y", tensor(y)] as const] : [])]);
      const program = programOf(b.finish());
      return (await onBackend(await openBackend(name), program, { ...nothing, inputs })).get("result")!.data;
    };
    const stored = await run((_, exponential) => exponential, new Float32Array(0));
    // Here exp(x) is read by nothing but the comparison: it stays in a register.
    const same = await run((b, exponential) => b.equal(exponential, b.input("y", { shape: [64] })), stored);
    expect([...same]).toEqual(new Array(64).fill(1));
  });

  test.each(["max", "logsumexp"] as const)("%s of rows of -inf, of inf, of NaN and of nothing", async op => {
    const { actual, expected } = await specials(name, (b, x) => {
      const parts = [0, 1, 2, 3].map(k => b.reshape(b[op](b.slice(x, 0, k, 1), { dims: [0] }), [1]));
      return b.concat([...parts, b.reshape(b[op](b.slice(x, 0, 0, 0), { dims: [0] }), [1])], 0);
    });
    expect([...actual.data]).toEqual([...expected.data]);
  });
});
