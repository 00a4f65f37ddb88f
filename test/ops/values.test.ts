// Every op against values worked out by hand.

import { describe, expect, test } from "vitest";
import type { PlainEnvironment } from "../../backends/reference/evaluate.ts";
import type { AxisId, NodeId, OpName } from "../../compiler/graph/graph.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { ops } from "../../compiler/ops/table.ts";
import { apply, index, real, valuesOf } from "./check.ts";

const [t, k] = ["t", "k"] as [AxisId, AxisId];
const inf = Number.POSITIVE_INFINITY;

const tested = new Set<string>();
/** A test named after its op; the last test sees that none was forgotten. */
const op = (name: OpName, body: () => void): void => {
  tested.add(name);
  test(name, body);
};

const scalar = (
  name: OpName,
  build: Parameters<typeof apply>[0],
  ...cases: readonly (readonly number[])[]
): void =>
  op(name, () => {
    for (const numbers of cases) {
      const expected = numbers.at(-1)!;
      const found = apply(build, ...numbers.slice(0, -1));
      if (Number.isFinite(expected)) expect(found).toBeCloseTo(expected, 14);
      else expect(found).toBe(expected);
    }
  });

describe("elementwise on reals", () => {
  scalar("neg", (b, x) => b.neg(x!), [2, -2], [-inf, inf]);
  scalar("exp", (b, x) => b.exp(x!), [0, 1], [1, Math.E], [-inf, 0]);
  scalar("log", (b, x) => b.log(x!), [1, 0], [0, -inf], [-1, Number.NaN]);
  scalar("log1p", (b, x) => b.log1p(x!), [0, 0], [1e-12, 1e-12 - 5e-25], [-1, -inf]);
  scalar("sqrt", (b, x) => b.sqrt(x!), [9, 3], [0, 0]);
  scalar("sin", (b, x) => b.sin(x!), [Math.PI / 6, 0.5]);
  scalar("cos", (b, x) => b.cos(x!), [Math.PI / 3, 0.5]);
  scalar("tanh", (b, x) => b.tanh(x!), [0, 0], [Math.log(2), 0.6], [1000, 1]);
  scalar("sigmoid", (b, x) => b.sigmoid(x!), [0, 0.5], [Math.log(3), 0.75], [-1000, 0], [1000, 1]);
  scalar("softplus", (b, x) => b.softplus(x!), [0, Math.LN2], [1000, 1000], [-1000, 0]);
  scalar("abs", (b, x) => b.abs(x!), [-3, 3], [3, 3]);
  scalar("sign", (b, x) => b.sign(x!), [-3, -1], [0, 0], [5, 1]);
  scalar("floor", (b, x) => b.floor(x!), [-1.5, -2], [1.5, 1]);
  scalar("stopGradient", (b, x) => b.stopGradient(x!), [4, 4]);
  scalar("cast", (b, x) => b.cast(x!, "index"), [-1.5, -1], [2.9, 2]);
  scalar("add", (b, x, y) => b.add(x!, y!), [2, 3, 5]);
  scalar("sub", (b, x, y) => b.sub(x!, y!), [2, 3, -1]);
  scalar("mul", (b, x, y) => b.mul(x!, y!), [2, 3, 6]);
  scalar("div", (b, x, y) => b.div(x!, y!), [3, 2, 1.5], [1, 0, inf]);
  scalar("pow", (b, x, y) => b.pow(x!, y!), [2, 10, 1024], [0, 0, 1], [4, 0.5, 2]);
  scalar("maximum", (b, x, y) => b.maximum(x!, y!), [2, 3, 3], [-inf, 0, 0]);
  scalar("minimum", (b, x, y) => b.minimum(x!, y!), [2, 3, 2], [-inf, 0, -inf]);
  scalar(
    "expdiff",
    (b, x, y) => b.expdiff(x!, y!),
    [1, 1, 1],
    [0, 1, 1 / Math.E],
    [-inf, -inf, 0],
    [-inf, 3, 0],
  );
});

describe("truth", () => {
  scalar(
    "equal",
    (b, x, y) => b.equal(x!, y!),
    [1, 1, 1],
    [1, 2, 0],
    [-inf, -inf, 1],
    [Number.NaN, Number.NaN, 0],
  );
  scalar("notEqual", (b, x, y) => b.notEqual(x!, y!), [1, 1, 0], [1, 2, 1]);
  scalar("less", (b, x, y) => b.less(x!, y!), [1, 2, 1], [2, 2, 0]);
  scalar("lessEqual", (b, x, y) => b.lessEqual(x!, y!), [2, 2, 1], [3, 2, 0]);
  scalar("greater", (b, x, y) => b.greater(x!, y!), [2, 1, 1], [2, 2, 0]);
  scalar("greaterEqual", (b, x, y) => b.greaterEqual(x!, y!), [2, 2, 1], [1, 2, 0]);
  const truth = (b: GraphBuilder, ...values: readonly number[]): NodeId =>
    b.constant(values, "bool", [values.length]);
  const [p, q] = [
    [0, 0, 1, 1],
    [0, 1, 0, 1],
  ] as const;
  op("and", () => expect(valuesOf(b => b.and(truth(b, ...p), truth(b, ...q)))).toEqual([0, 0, 0, 1]));
  op("or", () => expect(valuesOf(b => b.or(truth(b, ...p), truth(b, ...q)))).toEqual([0, 1, 1, 1]));
  op("not", () => expect(valuesOf(b => b.not(truth(b, ...p)))).toEqual([1, 1, 0, 0]));
  op("where", () => {
    const chosen = (b: GraphBuilder): NodeId =>
      b.where(truth(b, 1, 0), b.constant([1, 2], "real", [2]), b.constant([[5], [6]].flat(), "real", [2, 1]));
    expect(valuesOf(chosen)).toEqual([1, 5, 1, 6]);
  });
});

/** 0, 1, 2, .. of a shape. */
const counting = (b: GraphBuilder, ...shape: readonly number[]): NodeId => {
  const count = shape.reduce((n, m) => n * m, 1);
  return b.constant(
    Array.from({ length: count }, (_, i) => i),
    "real",
    shape,
  );
};

describe("features", () => {
  op("constant", () => expect(valuesOf(b => b.constant(7, "index", [3]))).toEqual([7, 7, 7]));
  op("broadcast", () => {
    expect(valuesOf(b => b.broadcast(counting(b, 2, 1), { shape: [2, 2, 2] }))).toEqual([
      0, 0, 1, 1, 0, 0, 1, 1,
    ]);
    expect(valuesOf(b => b.broadcast(counting(b, 2), { batched: true }), { batch: 2 })).toEqual([0, 1, 0, 1]);
  });
  op("reshape", () =>
    expect(valuesOf(b => b.reshape(counting(b, 2, 3), [3, 2]))).toEqual([0, 1, 2, 3, 4, 5]),
  );
  op("transpose", () => {
    expect(valuesOf(b => b.transpose(counting(b, 2, 3), [1, 0]))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(valuesOf(b => b.transpose(counting(b, 1, 2, 3), [2, 0, 1]))).toEqual([0, 3, 1, 4, 2, 5]);
  });
  op("slice", () => expect(valuesOf(b => b.slice(counting(b, 2, 3), 1, 1, 2))).toEqual([1, 2, 4, 5]));
  op("pad", () => expect(valuesOf(b => b.pad(counting(b, 2, 1), 1, 1, 2))).toEqual([0, 0, 0, 0, 0, 1, 0, 0]));
  op("concat", () => {
    expect(valuesOf(b => b.concat([counting(b, 2, 2), counting(b, 2, 1)], 1))).toEqual([0, 1, 0, 2, 3, 1]);
  });
  op("argmax", () => {
    const x = (b: GraphBuilder): NodeId => b.constant([3, 5, 5, 1, 9, 2], "real", [2, 3]);
    expect(valuesOf(b => b.argmax(x(b), 1))).toEqual([1, 1]);
    expect(valuesOf(b => b.argmax(x(b), 0))).toEqual([0, 1, 0]);
  });
  op("oneHot", () => {
    expect(valuesOf(b => b.oneHot(b.constant([2, 0, 5], "index", [3]), 3))).toEqual([
      0, 0, 1, 1, 0, 0, 0, 0, 0,
    ]);
  });
  op("gather", () => {
    expect(valuesOf(b => b.gather(counting(b, 3, 2), b.constant(2, "index")))).toEqual([4, 5]);
    expect(valuesOf(b => b.gather(counting(b, 3), b.constant(3, "index")))).toEqual([Number.NaN]);
  });
  const window = { image: [2, 2, 1], kernel: [2, 2], stride: [1, 1], padding: [0, 0, 1, 0] } as const;
  op("patches", () => {
    expect(valuesOf(b => b.patches(counting(b, 2, 2, 1), window))).toEqual([0, 0, 0, 2, 0, 1, 2, 3]);
  });
  op("unpatches", () => {
    expect(valuesOf(b => b.unpatches(b.constant(1, "real", [1, 2, 4]), window))).toEqual([2, 1, 2, 1]);
  });
});

/** Two examples of lengths 3 and 1 along t, `x` = [[1, 2, 3], [4, NaN, NaN]]: the padding must not be seen. */
const two: PlainEnvironment = {
  batch: 2,
  lengths: new Map([[t, [3, 1]]]),
  inputs: new Map([
    ["x", real([2, 3], [1, 2, 3, 4, Number.NaN, Number.NaN])],
    ["e", real([2], [10, 20])],
    ["i", index([2, 3], [0, 1, 0, 1, 99, 99])],
    ["u", { ...real([3], [1, 10, 100]) }],
  ]),
  parameters: new Map([["p", real([2, 2], [1, 2, 3, 4])]]),
  states: new Map([["s", real([], [0.5])]]),
};
const sequences = (build: (b: GraphBuilder, x: NodeId) => NodeId, environment = two): number[] =>
  valuesOf(b => {
    b.axis("t", null);
    b.axis("k", 2);
    return build(b, b.input("x", { axes: [t] }));
  }, environment);

describe("sources", () => {
  op("input", () => expect(sequences((_, x) => x)).toEqual([1, 2, 3, 4, 0, 0]));
  op("parameter", () => expect(sequences(b => b.parameter("p", [2], [k]))).toEqual([1, 2, 3, 4]));
  op("state", () => expect(sequences(b => b.state("s"))).toEqual([0.5]));
  op("length", () => expect(sequences(b => b.length(t))).toEqual([3, 1]));
  op("index", () => expect(sequences(b => b.index(t))).toEqual([0, 1, 2]));
  op("batchSize", () => expect(sequences(b => b.batchSize())).toEqual([2]));
  op("random", () => {
    const draw = (b: GraphBuilder): NodeId => b.random("uniform", 1, [2], [t]);
    const found = sequences(draw, { ...two, seed: 4 });
    expect(found).toEqual(sequences(draw, { ...two, seed: 4 }));
    expect(found).not.toEqual(sequences(draw, { ...two, seed: 5 }));
    const drawn = found.filter(x => x !== 0);
    expect(new Set(drawn).size).toBe(8);
    const shorter = sequences(draw, { ...two, seed: 4, lengths: new Map([[t, [2, 1]]]) });
    expect(shorter.slice(0, 4)).toEqual(found.slice(0, 4));
  });
});

describe("across indices", () => {
  op("sum", () => {
    expect(sequences((b, x) => b.sum(x, { axes: [t] }))).toEqual([6, 4]);
    expect(sequences((b, x) => b.sum(x, { batch: true }))).toEqual([5, 2, 3]);
    expect(sequences((b, x) => b.sum(x, { axes: [t], batch: true }))).toEqual([10]);
    expect(valuesOf(b => b.sum(counting(b, 2, 3), { dims: [0] }))).toEqual([3, 5, 7]);
    expect(valuesOf(b => b.sum(counting(b, 2, 3), { dims: [1], keep: true }))).toEqual([3, 12]);
  });
  op("max", () => {
    expect(sequences((b, x) => b.max(b.neg(x), { axes: [t] }))).toEqual([-1, -4]);
    expect(valuesOf(b => b.max(counting(b, 2, 3), { dims: [1] }))).toEqual([2, 5]);
  });
  op("logsumexp", () => {
    const logs = (b: GraphBuilder, ...xs: readonly number[]): NodeId =>
      b.logsumexp(b.constant(xs, "real", [xs.length]), { dims: [0] });
    expect(valuesOf(b => logs(b, 1000, 1000))[0]).toBeCloseTo(1000 + Math.LN2, 12);
    expect(valuesOf(b => logs(b, -inf, -inf))).toEqual([-inf]);
    expect(valuesOf(b => logs(b, inf, 0))).toEqual([inf]);
    expect(sequences((b, x) => b.logsumexp(b.log(x), { axes: [t] }))[1]).toBeCloseTo(Math.log(4), 14);
  });
  test("an example of length 0: sum 0, max and logsumexp -inf, at 0", () => {
    const none = { ...two, lengths: new Map([[t, [3, 0]]]) };
    expect(sequences((b, x) => b.sum(x, { axes: [t] }), none)[1]).toBe(0);
    expect(sequences((b, x) => b.max(x, { axes: [t] }), none)[1]).toBe(-inf);
    expect(sequences((b, x) => b.logsumexp(x, { axes: [t] }), none)[1]).toBe(-inf);
    expect(sequences((b, x) => b.at(x, t, "last"), none)[1]).toBe(0);
  });
  op("contract", () => {
    const product = (b: GraphBuilder): NodeId =>
      b.contract(counting(b, 2, 3), counting(b, 3, 2), { left: [0, 1], right: [1, 2], out: [0, 2] });
    expect(valuesOf(product)).toEqual([10, 13, 28, 40]);
    const dot = (b: GraphBuilder, x: NodeId, y: NodeId, batch = false): NodeId =>
      b.contract(x, y, { left: [], right: [], out: [], axes: [t], batch });
    expect(sequences((b, x) => dot(b, x, x))).toEqual([14, 16]);
    expect(sequences((b, x) => dot(b, x, x, true))).toEqual([30]);
    const u = (b: GraphBuilder): NodeId => b.input("u", { axes: [t], batched: false });
    // The batched operand has the axis: own lengths. It has not: the extent.
    expect(sequences((b, x) => dot(b, x, u(b)))).toEqual([321, 4]);
    expect(sequences(b => dot(b, b.input("e", {}), u(b)))).toEqual([1110, 2220]);
  });
  op("shift", () => {
    const minus = (b: GraphBuilder): NodeId => b.constant(-1);
    expect(sequences((b, x) => b.shift(x, minus(b), t, 1))).toEqual([-1, 1, 2, -1, 0, 0]);
    expect(sequences((b, x) => b.shift(x, minus(b), t, -2))).toEqual([3, -1, -1, -1, 0, 0]);
    const u = (b: GraphBuilder): NodeId => b.input("u", { axes: [t], batched: false });
    expect(sequences(b => b.shift(u(b), minus(b), t, -1))).toEqual([10, 100, -1]);
    expect(sequences(b => b.shift(u(b), b.input("e", {}), t, -1))).toEqual([10, 100, 10, 20, 0, 0]);
    // The initial value is taken at the same index.
    expect(sequences((b, x) => b.shift(x, b.neg(x), t, 2))).toEqual([-1, -2, 1, -4, 0, 0]);
  });
  op("at", () => {
    expect(sequences((b, x) => b.at(x, t, "first"))).toEqual([1, 4]);
    expect(sequences((b, x) => b.at(x, t, "last"))).toEqual([3, 4]);
    expect(sequences((b, x) => b.at(x, t, "last", 1))).toEqual([2, 0]);
    expect(sequences((b, x) => b.at(x, t, "first", 1))).toEqual([2, 0]);
  });
  op("stack", () =>
    expect(sequences((b, x) => b.stack([x, b.constant(7)], k))).toEqual(
      // Along t, then k.
      [1, 7, 2, 7, 3, 7, 4, 7, 0, 0, 0, 0],
    ),
  );
  op("scatterAdd", () => {
    const i = (b: GraphBuilder): NodeId => b.input("i", { dtype: "index", axes: [t] });
    expect(sequences((b, x) => b.scatterAdd(i(b), x, { size: 2, axes: [t] }))).toEqual([4, 2, 0, 4]);
    expect(sequences((b, x) => b.scatterAdd(i(b), x, { size: 2, axes: [t], batch: true }))).toEqual([4, 6]);
  });
  op("accumulate", () => {
    const type = { dtype: "real", shape: [2], axes: [t], batched: true } as const;
    const sum = (b: GraphBuilder, x: NodeId): NodeId =>
      b.accumulate(type, [x, b.constant([10, 20], "real", [2])]);
    expect(sequences(sum)).toEqual([11, 21, 12, 22, 13, 23, 14, 24, 0, 0, 0, 0]);
    expect(sequences(b => b.accumulate({ ...type, axes: [], batched: false }))).toEqual([0, 0]);
  });
});

test("every op is tested here", () => {
  expect(Object.keys(ops).filter(name => !tested.has(name))).toEqual([]);
});

test("every op has a doc", () => {
  for (const record of Object.values(ops)) expect(record.doc.length).toBeGreaterThan(1);
});
