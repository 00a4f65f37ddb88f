// Every op on every backend against its float64 evaluation: batched, unbatched, with axes, ragged, with anything in
// the padding, as a vector op and inside a loop.

import { describe, expect, test } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { evaluateGraph, type PlainEnvironment } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import type { AxisId, Graph, NodeId, OpName, Window2d } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { conformingBackends } from "../harness/backends.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { tolerances } from "../harness/tolerances.ts";
import { errorOn, programOf, runOn } from "./run.ts";

/** What the cases below are made of. */
interface Given {
  readonly b: GraphBuilder;
  readonly t: AxisId;
  readonly s: AxisId;
  readonly k: AxisId;
  /** Batched [3, 4] along t, and along t and s. */
  readonly x: NodeId;
  readonly grid: NodeId;
  /** Batched [4] without axes; unbatched [4] along k; unbatched [3, 4]. */
  readonly row: NodeId;
  readonly fixed: NodeId;
  readonly weights: NodeId;
  /** index, 0..2, batched along t. */
  readonly class: NodeId;
  readonly truth: NodeId;
}

function given(): Given {
  const b = new GraphBuilder();
  const [t, s, k] = [b.axis("t", null), b.axis("s", null), b.axis("k", 3)];
  return {
    b,
    t,
    s,
    k,
    x: b.input("x", { shape: [3, 4], axes: [t] }),
    grid: b.input("grid", { shape: [3, 4], axes: [t, s] }),
    row: b.input("row", { shape: [4] }),
    fixed: b.parameter("fixed", [4], [k]),
    weights: b.parameter("weights", [3, 4]),
    class: b.input("class", { dtype: "index", axes: [t] }),
    truth: b.input("truth", { dtype: "bool", axes: [t] }),
  };
}

/** At least 0.1, smooth. */
const positive = (b: GraphBuilder, x: NodeId): NodeId => b.add(b.mul(x, x), b.constant(0.1));

const window: Window2d = { image: [3, 4, 1], kernel: [2, 3], stride: [1, 2], padding: [1, 0, 1, 1] };

/** Results to compare, for each op. */
const cases: { readonly [O in OpName]: (g: Given) => readonly NodeId[] } = {
  constant: ({ b, x }) => [
    b.constant(-2.5, "real", [2]),
    b.constant([1, 2, 3, 4], "index", [2, 2]),
    b.add(x, b.constant([1, 2, 3, 4], "real", [4])),
    b.constant([1, 0], "bool", [2]),
  ],
  parameter: ({ fixed, weights }) => [fixed, weights],
  input: ({ x, grid, row, class: own }) => [x, grid, row, own],
  state: ({ b }) => [b.state("count", { shape: [2] })],
  length: ({ b, t, s }) => [b.length(t), b.add(b.length(t), b.length(s))],
  index: ({ b, t, k, x }) => [b.index(t), b.index(k), b.mul(x, b.cast(b.index(t), "real"))],
  batchSize: ({ b, row }) => [b.mul(row, b.batchSize())],
  random: ({ b, t, s, k }) => [
    b.random("uniform", 1),
    b.random("uniform", 2, [3], [t]),
    b.random("normal", 3, [2, 2], [t, s]),
    b.random("normal", 4, [], [k]),
  ],
  neg: ({ b, x }) => [b.neg(x)],
  exp: ({ b, x }) => [b.exp(x)],
  log: ({ b, x }) => [b.log(positive(b, x))],
  log1p: ({ b, x }) => [b.log1p(positive(b, x))],
  sqrt: ({ b, x }) => [b.sqrt(positive(b, x))],
  sin: ({ b, x }) => [b.sin(x)],
  cos: ({ b, x }) => [b.cos(x)],
  tanh: ({ b, x }) => [b.tanh(x), b.tanh(b.mul(x, b.constant(1e-5)))],
  sigmoid: ({ b, x }) => [b.sigmoid(x)],
  softplus: ({ b, x }) => [b.softplus(x), b.softplus(b.mul(x, b.constant(-20)))],
  abs: ({ b, x, class: own }) => [b.abs(x), b.abs(b.neg(own))],
  sign: ({ b, x }) => [b.sign(x)],
  floor: ({ b, x }) => [b.floor(b.mul(x, b.constant(3)))],
  not: ({ b, truth }) => [b.not(truth)],
  stopGradient: ({ b, x }) => [b.stopGradient(x)],
  cast: ({ b, x, truth, class: own }) => [
    b.cast(b.mul(x, b.constant(3)), "index"),
    b.cast(truth, "real"),
    b.cast(truth, "index"),
    b.cast(own, "bool"),
    b.cast(own, "real"),
  ],
  add: ({ b, x, row, weights, class: own }) => [b.add(x, row), b.add(weights, x), b.add(own, own)],
  sub: ({ b, x, grid }) => [b.sub(x, grid)],
  mul: ({ b, fixed, x }) => [b.mul(fixed, x), b.mul(x, x)],
  div: ({ b, x, row }) => [b.div(x, positive(b, row))],
  pow: ({ b, x }) => [b.pow(positive(b, x), b.constant(1.5)), b.pow(x, b.constant(2))],
  maximum: ({ b, x, row }) => [b.maximum(x, row)],
  minimum: ({ b, x, row }) => [b.minimum(row, x)],
  expdiff: ({ b, x, row }) => [b.expdiff(x, row)],
  equal: ({ b, x, class: own }) => [b.equal(own, b.constant(1, "index")), b.equal(x, x)],
  notEqual: ({ b, class: own }) => [b.notEqual(own, b.constant(1, "index"))],
  less: ({ b, x, row }) => [b.less(x, row)],
  lessEqual: ({ b, x, row }) => [b.lessEqual(x, row)],
  greater: ({ b, x, row }) => [b.greater(x, row)],
  greaterEqual: ({ b, x, row }) => [b.greaterEqual(x, row)],
  and: ({ b, x, row, truth }) => [b.and(b.less(x, row), truth)],
  or: ({ b, x, row, truth }) => [b.or(b.less(x, row), truth)],
  where: ({ b, x, row, truth }) => [b.where(truth, x, row), b.where(b.less(x, row), b.constant(0), x)],
  accumulate: ({ b, t, x, row, weights }) => {
    const type = { dtype: "real", shape: [3, 4], axes: [t], batched: true } as const;
    return [b.accumulate(type), b.accumulate(type, [x]), b.accumulate(type, [row, x, weights])];
  },
  broadcast: ({ b, t, x, row, weights }) => [
    b.broadcast(b.exp(b.slice(x, 1, 0, 1)), { shape: [3, 4] }),
    b.broadcast(row, { shape: [2, 4], axes: [t] }),
    b.broadcast(weights, { batched: true }),
    b.mul(b.broadcast(b.constant(2), { shape: [4] }), row),
  ],
  reshape: ({ b, x, weights }) => [
    b.reshape(x, [2, 6]),
    b.reshape(b.transpose(x, [1, 0]), [12]),
    b.reshape(b.slice(x, 0, 1, 2), [4, 2]),
    b.reshape(b.slice(weights, 1, 1, 2), [6]),
  ],
  transpose: ({ b, x, weights }) => [b.transpose(x, [1, 0]), b.exp(b.transpose(weights, [1, 0]))],
  slice: ({ b, x }) => [b.slice(x, 1, 1, 2), b.exp(b.slice(b.slice(x, 0, 1, 2), 1, 3, 1))],
  pad: ({ b, x }) => [b.pad(x, 0, 1, 2), b.pad(x, 1, 0, 1)],
  concat: ({ b, x, weights, row }) => [b.concat([x, weights, x], 0), b.concat([row, row], 0)],
  argmax: ({ b, x }) => [b.argmax(x, 0), b.argmax(x, 1), b.argmax(b.floor(x), 1)],
  oneHot: ({ b, class: own }) => [b.oneHot(own, 3), b.oneHot(b.constant([0, 5, 1], "index", [3]), 2)],
  gather: ({ b, x, fixed, weights, class: own }) => [
    b.gather(weights, own),
    b.gather(x, own),
    b.gather(fixed, b.constant(3, "index")),
  ],
  scatterAdd: ({ b, t, s, k, x, grid, row, fixed, class: own }) => [
    b.scatterAdd(own, row, { size: 3 }),
    b.scatterAdd(own, x, { size: 3, axes: [t] }),
    b.scatterAdd(own, grid, { size: 3, axes: [s], batch: true }),
    b.scatterAdd(own, x, { size: 2, axes: [t], batch: true }),
    b.scatterAdd(own, row, { size: 3, axes: [t], batch: true }),
    b.scatterAdd(b.constant(1, "index"), fixed, { size: 3, axes: [k] }),
  ],
  patches: ({ b, x }) => [b.patches(b.reshape(x, [3, 4, 1]), window)],
  unpatches: ({ b, x }) => [b.unpatches(b.patches(b.reshape(x, [3, 4, 1]), window), window)],
  sum: ({ b, t, s, k, x, grid, fixed, weights }) => [
    b.sum(x, { dims: [1] }),
    b.sum(x, { dims: [0, 1], keep: true }),
    b.sum(x, { axes: [t] }),
    b.sum(x, { batch: true }),
    b.sum(x, { dims: [0, 1], axes: [t], batch: true }),
    b.sum(grid, { axes: [s] }),
    b.sum(grid, { axes: [t], batch: true }),
    b.sum(fixed, { axes: [k] }),
    b.sum(b.broadcast(weights, { axes: [t] }), { axes: [t] }),
  ],
  max: ({ b, t, s, x, grid, fixed, k }) => [
    b.max(x, { dims: [0] }),
    b.max(x, { dims: [1], keep: true }),
    b.max(grid, { axes: [t, s] }),
    b.max(fixed, { axes: [k] }),
    b.equal(x, b.max(x, { dims: [0, 1], keep: true })),
    b.equal(b.exp(x), b.max(b.exp(x), { axes: [t] })),
  ],
  logsumexp: ({ b, t, s, x, grid }) => [
    b.logsumexp(x, { dims: [1] }),
    b.logsumexp(x, { axes: [t] }),
    b.logsumexp(grid, { dims: [0], axes: [s] }),
    b.logsumexp(b.where(b.less(x, b.constant(0)), b.constant(Number.NEGATIVE_INFINITY), x), { dims: [1] }),
  ],
  contract: contractions,
  shift: ({ b, t, s, k, x, grid, row, fixed, weights }) => [
    b.shift(x, b.broadcast(row, { shape: [3, 4] }), t, 1),
    b.shift(x, weights, t, -2),
    b.shift(grid, x, s, -1),
    b.shift(grid, weights, t, 3),
    b.shift(fixed, row, k, -1),
    b.shift(b.broadcast(weights, { axes: [t] }), b.constant(0, "real", [3, 4]), t, -1),
    b.shift(b.slice(x, 0, 1, 1), b.slice(weights, 0, 0, 1), t, -1),
  ],
  at: ({ b, t, s, k, x, grid, fixed, weights }) => [
    b.at(x, t, "last"),
    b.at(x, t, "first"),
    b.at(x, t, "last", 2),
    b.at(grid, s, "last"),
    b.at(grid, t, "first", 1),
    b.at(fixed, k, "last", 1),
    b.at(b.broadcast(weights, { axes: [t] }), t, "last", 1),
  ],
  stack: ({ b, k, x, weights }) => [b.stack([x, weights, b.exp(x)], k), b.stack([weights, x, x], k)],
};

function contractions({ b, t, s, k, x, grid, row, fixed, weights }: Given): readonly NodeId[] {
  const wide = b.constant(
    Array.from({ length: 36 }, (_, i) => Math.sin(i)),
    "real",
    [4, 9],
  );
  return [
    b.contract(x, wide, { left: [0, 1], right: [1, 2], out: [0, 2] }),
    b.contract(wide, x, { left: [1, 2], right: [0, 1], out: [2, 0] }),
    b.contract(row, wide, { left: [0], right: [0, 1], out: [1] }),
    b.contract(x, x, { left: [0, 1], right: [2, 1], out: [0, 2] }),
    b.contract(x, x, { left: [0, 1], right: [0, 1], out: [] }),
    b.contract(x, grid, { left: [0, 1], right: [0, 3], out: [1, 3], axes: [t], batch: true }),
    b.contract(x, grid, { left: [0, 1], right: [0, 2], out: [2, 1], axes: [t, s], batch: true }),
    b.contract(x, x, { left: [0, 1], right: [0, 2], out: [1, 2], axes: [t], batch: true }),
    b.contract(x, x, { left: [0, 1], right: [0, 2], out: [1, 2], batch: true }),
    b.contract(grid, x, { left: [0, 1], right: [0, 2], out: [1, 2], axes: [s] }),
    b.contract(x, row, { left: [0, 1], right: [1], out: [0], axes: [t], batch: true }),
    b.contract(fixed, row, { left: [0], right: [0], out: [], axes: [k] }),
    b.contract(fixed, x, { left: [1], right: [0, 1], out: [0], axes: [k, t] }),
    b.contract(weights, x, { left: [0, 1], right: [0, 2], out: [1, 2], axes: [t], batch: true }),
    // Sums nothing: computed as elementwise nodes are.
    b.contract(row, x, { left: [2], right: [0, 1], out: [1, 0, 2] }),
    b.contract(x, weights, { left: [0, 1], right: [0, 1], out: [1, 0] }),
    // The result has its operand's shape, but not its order.
    b.contract(b.exp(b.slice(x, 1, 0, 3)), b.slice(weights, 1, 0, 3), {
      left: [0, 1],
      right: [0, 1],
      out: [1, 0],
    }),
    b.contract(b.exp(row), b.exp(row), { left: [0], right: [1], out: [1, 0] }),
  ];
}

function graphOf(op: OpName): Graph {
  const all = given();
  for (const [i, node] of cases[op](all).entries()) all.b.output(`y${i}`, node);
  return all.b.finish();
}

/** The same results inside a loop over t: x is delayed by itself, so that everything after it is on a cycle. */
function loopedGraphOf(op: OpName): Graph | null {
  const all = given();
  const { b, t } = all;
  const fed = b.placeholder({ dtype: "real", shape: [3, 4], axes: [t], batched: true });
  const before = b.shift(fed, b.constant(0, "real", [3, 4]), t, 1);
  const x = b.add(all.x, b.mul(before, b.constant(0.5)));
  const results = cases[op]({ ...all, x }).filter(id => {
    const [type, node] = [b.typeOf(id), b.nodeOf(id)];
    // Looking ahead, too, would leave the cycle without an order.
    if (node.op === "shift" && node.attrs.offset < 0) return false;
    return type.dtype === "real" && type.batched && type.axes.length === 1 && type.axes[0] === t;
  });
  const folded = results.map(id => {
    const { shape } = b.typeOf(id);
    return b.sum(id, { dims: shape.map((_, d) => d) });
  });
  if (folded.length === 0) return null;
  const total = b.tanh(folded.reduce((sum, one) => b.add(sum, one)));
  b.bind(fed, b.add(b.mul(x, b.constant(0.1)), total));
  for (const [i, node] of results.entries()) b.output(`y${i}`, node);
  return b.finish();
}

const names = Object.keys(cases) as OpName[];
const classes = new Map([["class", 3]]);

const everywhere = conformingBackends.flatMap(name => names.map(op => ({ name, op })));

describe.each(everywhere)("$op on $name", ({ name, op }) => {
  test("as a vector op", async () => {
    const graph = graphOf(op);
    for (const shortest of [0, 5]) {
      const environment = randomEnvironment(graph, { batch: 4, extent: 5, shortest, classes });
      expect(await errorOn(name, graph, environment)).toBeLessThan(tolerances.float32);
    }
  });
  test("inside a loop", async () => {
    const graph = loopedGraphOf(op);
    if (graph === null) return;
    for (const shortest of [1, 5]) {
      const environment = randomEnvironment(graph, { batch: 3, extent: 5, shortest, classes });
      expect(await errorOn(name, graph, environment)).toBeLessThan(tolerances.float32);
    }
  });
});

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
  const actual = (await runOn(await openBackend(name), programOf(graph), environment)).get("y")!;
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
      await runOn(await openBackend(name), programOf(graph), environment),
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
      return (await runOn(await openBackend(name), program, { ...nothing, inputs })).get("result")!.data;
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
