// Every adjoint rule against central differences, twice: second derivatives differentiate the rules' own nodes.
// Three examples of lengths 4, 2 and 0 along t, so that own length, extent and the empty sequence all occur.

import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import type { AxisId, NodeId, OpName, Window2d } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { ops } from "../../compiler/ops/table.ts";
import { type Case, checkAdjoint, index, type Leaf, real } from "./check.ts";

const [t, s, k] = ["t", "s", "k"] as [AxisId, AxisId, AxisId];
const sequences = {
  batch: 3,
  axes: { t: null, s: null, k: 2 },
  lengths: { t: [4, 2, 0], s: [1, 3, 2] },
};
const sequence = (name: string, ...shape: number[]): Leaf => ({
  name,
  shape: [3, 4, ...shape],
  axes: [t],
  batched: true,
});
const shared = (name: string, ...shape: number[]): Leaf => ({ name, shape: [4, ...shape], axes: [t] });
const single = (name: string, ...shape: number[]): Leaf => ({ name, shape });
const each = (name: string, ...shape: number[]): Leaf => ({ name, shape: [3, ...shape], batched: true });

type Build = Case["build"];
const one =
  (op: (b: GraphBuilder, x: NodeId) => NodeId): Build =>
  (b, [x]) =>
    op(b, x!);
const two =
  (op: (b: GraphBuilder, x: NodeId, y: NodeId) => NodeId): Build =>
  (b, [x, y]) =>
    op(b, x!, y!);

/** Lists of leaves for one operand and for two: alone, along an axis, batched, broadcast against each other. */
const pairs: readonly (readonly [Leaf, Leaf])[] = [
  [single("x", 3), single("y", 3)],
  [single("x", 2, 3), single("y", 3)],
  [sequence("x", 2), single("y")],
  [shared("x", 2), each("y", 1)],
  [sequence("x", 1), shared("y", 2)],
];

describe("elementwise, one operand", () => {
  const cases: readonly (readonly [
    string,
    (b: GraphBuilder, x: NodeId) => NodeId,
    readonly [number, number],
  ])[] = [
    ["neg", (b, x) => b.neg(x), [-1, 1]],
    ["exp", (b, x) => b.exp(x), [-1, 1]],
    ["log", (b, x) => b.log(x), [0.5, 2]],
    ["log1p", (b, x) => b.log1p(x), [-0.5, 2]],
    ["sqrt", (b, x) => b.sqrt(x), [0.5, 2]],
    ["sin", (b, x) => b.sin(x), [-2, 2]],
    ["cos", (b, x) => b.cos(x), [-2, 2]],
    ["tanh", (b, x) => b.tanh(x), [-2, 2]],
    ["sigmoid", (b, x) => b.sigmoid(x), [-2, 2]],
    ["softplus", (b, x) => b.softplus(x), [-2, 2]],
    ["abs", (b, x) => b.mul(b.abs(x), x), [0.2, 1]],
    ["sign", (b, x) => b.mul(b.sign(x), x), [0.2, 1]],
    ["cast", (b, x) => b.mul(x, b.cast(x, "real")), [-1, 1]],
    ["accumulate", (b, x) => b.mul(b.accumulate(b.typeOf(x), [x, x]), x), [-1, 1]],
  ];
  test.each(cases)("%s", (_, op, range) => {
    checkAdjoint({ leaves: [{ ...single("x", 4), range }], build: one(op) });
    checkAdjoint({ ...sequences, leaves: [{ ...sequence("x", 2), range }], build: one(op) });
  });
});

describe("elementwise, two operands", () => {
  const cases: readonly (readonly [string, (b: GraphBuilder, x: NodeId, y: NodeId) => NodeId, number])[] = [
    ["add", (b, x, y) => b.mul(b.add(x, y), y), -1],
    ["sub", (b, x, y) => b.mul(b.sub(x, y), y), -1],
    ["mul", (b, x, y) => b.mul(x, y), -1],
    ["div", (b, x, y) => b.div(x, y), 0.6],
    ["pow", (b, x, y) => b.pow(x, y), 0.6],
    ["maximum", (b, x, y) => b.mul(b.maximum(x, b.mul(y, y)), y), -1],
    ["minimum", (b, x, y) => b.mul(b.minimum(x, b.mul(y, y)), y), -1],
    ["expdiff", (b, x, y) => b.expdiff(x, y), -1],
    ["where", (b, x, y) => b.where(b.less(x, y), b.mul(x, y), b.sin(x)), -1],
  ];
  test.each(cases)("%s", (_, op, low) => {
    for (const pair of pairs) {
      const leaves = pair.map(leaf => ({ ...leaf, range: [low, 1.7] as const }));
      checkAdjoint({ ...sequences, leaves, build: two(op) });
    }
  });
});

describe("features", () => {
  const square = (b: GraphBuilder, x: NodeId): NodeId => b.mul(x, x);
  const cases: readonly (readonly [string, Build])[] = [
    ["broadcast", (b, [x]) => b.broadcast(square(b, b.reshape(x!, [1, 2, 3])), { shape: [4, 2, 3] })],
    ["broadcast to examples", (b, [x]) => b.broadcast(square(b, x!), { axes: [t, k], batched: true })],
    ["reshape", (b, [x]) => b.reshape(square(b, x!), [3, 2])],
    ["transpose", (b, [x]) => b.transpose(square(b, b.reshape(x!, [2, 1, 3])), [1, 2, 0])],
    ["slice", (b, [x]) => b.slice(square(b, x!), 1, 1, 2)],
    ["pad", (b, [x]) => b.pad(square(b, x!), 1, 1, 2)],
    ["concat", (b, [x]) => b.concat([square(b, x!), b.sin(x!), x!], 0)],
  ];
  test.each(cases)("%s", (_, build) => {
    checkAdjoint({ ...sequences, leaves: [single("x", 2, 3)], build });
    checkAdjoint({ ...sequences, leaves: [sequence("x", 2, 3)], build });
    checkAdjoint({ ...sequences, leaves: [shared("x", 2, 3)], build });
  });
});

describe("lookup", () => {
  const positions = index([3, 4], [0, 2, 2, 1, 3, 3, 9, -1, 7, 7, 7, 7]);
  const position = (b: GraphBuilder): NodeId => b.input("i", { dtype: "index", axes: [t] });
  test.each([
    ["a table for all", single("x", 4, 2)],
    ["a table for each example", each("x", 4, 2)],
    ["a table for each step", shared("x", 4)],
  ])("gather from %s", (_, leaf) => {
    const build: Build = (b, [x]) => {
      const row = b.gather(x!, position(b));
      return b.mul(row, row);
    };
    checkAdjoint({ ...sequences, leaves: [leaf], fixed: { i: positions }, build });
  });
  test.each([
    ["nothing", {}],
    ["the axis", { axes: [t] }],
    ["the axis and the batch", { axes: [t], batch: true }],
    ["positions outside of the table", { axes: [t], size: 2 }],
  ])("scatterAdd over %s", (_, over) => {
    const build: Build = (b, [x]) => {
      const table = b.scatterAdd(position(b), x!, { size: 4, ...over });
      return b.mul(table, table);
    };
    checkAdjoint({ ...sequences, leaves: [sequence("x", 2)], fixed: { i: positions }, build });
  });
});

describe("windows", () => {
  const window: Window2d = { image: [3, 4, 2], kernel: [2, 3], stride: [1, 2], padding: [1, 0, 1, 1] };
  test("patches", () => {
    const build: Build = (b, [x]) => b.patches(b.mul(x!, x!), window);
    checkAdjoint({ batch: 3, leaves: [each("x", 3, 4, 2)], build });
  });
  test("unpatches", () => {
    const build: Build = (b, [x]) => b.unpatches(b.mul(x!, x!), window);
    checkAdjoint({ leaves: [single("x", 3, 2, 12)], build });
  });
});

describe("reductions", () => {
  const over = [
    { dims: [0] },
    { dims: [0, 1], keep: true },
    { dims: [1], axes: [t] },
    { axes: [t] },
  ] as const;
  const kinds = ["sum", "max", "logsumexp"] as const;
  const cases = kinds.flatMap(op => over.map(what => [op, what] as const));
  test.each(cases)("%s over %j", (op, what) => {
    const build: Build = (b, [x]) => {
      const y = b[op](b.mul(x!, x!), what);
      // Of the example of length 0 the maximum is -inf: only its branch is cut.
      const finite = b.where(b.greater(y, b.constant(-Infinity)), y, b.constant(0));
      return op === "max" ? b.mul(finite, finite) : b.sin(finite);
    };
    checkAdjoint({ ...sequences, leaves: [sequence("x", 2, 3)], build });
    checkAdjoint({ ...sequences, leaves: [shared("x", 2, 3)], build });
  });
  test.each([{ batch: true }, { batch: true, axes: [t] }, { batch: true, dims: [0] }])(
    "sum over %j",
    what => {
      const build: Build = (b, [x]) => b.sin(b.sum(b.mul(x!, x!), what));
      checkAdjoint({ ...sequences, leaves: [sequence("x", 2)], build });
    },
  );
});

describe("contract", () => {
  const matrix = { left: [0], right: [0, 1], out: [1] };
  const cases: readonly (readonly [string, readonly Leaf[], Parameters<GraphBuilder["contract"]>[2]])[] = [
    ["vector by matrix", [sequence("x", 3), single("y", 3, 2)], matrix],
    ["matrix by vector", [single("x", 2, 3), each("y", 3)], { left: [1, 0], right: [0], out: [1] }],
    ["dot product", [sequence("x", 3), shared("y", 3)], { left: [0], right: [0], out: [] }],
    ["outer product", [each("x", 2), shared("y", 3)], { left: [0], right: [1], out: [1, 0] }],
    ["diagonal", [single("x", 3, 2), single("y", 2, 3)], { left: [0, 1], right: [1, 0], out: [0] }],
    ["an axis of both", [sequence("x", 3), sequence("y", 3, 2)], { ...matrix, axes: [t] }],
    ["an axis of the batched one", [sequence("x", 3), single("y", 3, 2)], { ...matrix, axes: [t] }],
    ["an axis of the shared one", [shared("x", 3), each("y", 3, 2)], { ...matrix, axes: [t] }],
    ["the batch", [sequence("x", 3), each("y", 3, 2)], { ...matrix, batch: true }],
    ["the batch, one shared", [shared("x", 3), each("y", 3, 2)], { ...matrix, batch: true }],
    [
      "axis and batch",
      [sequence("x", 2), shared("y", 3)],
      { left: [0], right: [1], out: [0, 1], axes: [t], batch: true },
    ],
  ];
  test.each(cases)("%s", (_, leaves, how) => {
    const build: Build = (b, [x, y]) => b.sin(b.contract(b.mul(x!, x!), y!, how));
    checkAdjoint({ ...sequences, leaves, build });
  });
  test("two axes of different examples", () => {
    const other: Leaf = { name: "y", shape: [3, 3, 2], axes: [s], batched: true };
    const build: Build = (b, [x, y]) =>
      b.sin(b.contract(x!, y!, { left: [0], right: [0], out: [], axes: [s] }));
    checkAdjoint({ ...sequences, leaves: [sequence("x", 2), other], build });
  });
});

describe("crossing", () => {
  const offsets = [1, 2, -1, -3, 5] as const;
  const kinds: readonly (readonly [string, Leaf, Leaf])[] = [
    ["batched", sequence("x", 2), sequence("y", 2)],
    ["batched with a shared initial value", sequence("x", 2), single("y", 2)],
    ["shared with a batched initial value", shared("x", 2), each("y", 2)],
    ["shared", shared("x", 2), shared("y", 2)],
  ];
  test.each(kinds.flatMap(kind => offsets.map(offset => [kind[0], offset, kind[1], kind[2]] as const)))(
    "shift, %s, by %i",
    (_, offset, x, y) => {
      const build: Build = (b, [value, initial]) =>
        b.sin(b.shift(b.mul(value!, value!), b.mul(initial!, initial!), t, offset));
      checkAdjoint({ ...sequences, leaves: [x, y], build });
    },
  );
  const ends = [
    ["first", 0],
    ["first", 2],
    ["last", 0],
    ["last", 1],
    ["last", 6],
  ] as const;
  test.each(ends)("at %s %i", (from, offset) => {
    const build: Build = (b, [x]) => b.sin(b.at(b.mul(x!, x!), t, from, offset));
    checkAdjoint({ ...sequences, leaves: [sequence("x", 2)], build });
    checkAdjoint({ ...sequences, leaves: [shared("x", 2)], build });
  });
  test("stack", () => {
    const build: Build = (b, [x, y]) => b.sin(b.stack([b.mul(x!, x!), y!], k));
    checkAdjoint({ ...sequences, leaves: [sequence("x", 2), single("y", 2)], build });
  });
  test("shift and at along a static axis", () => {
    const leaf: Leaf = { name: "x", shape: [2, 3], axes: [k] };
    const build: Build = (b, [x]) => {
      const before = b.shift(b.mul(x!, x!), b.constant(1, "real", [3]), k, 1);
      return b.mul(b.at(before, k, "last"), b.at(x!, k, "last"));
    };
    checkAdjoint({ ...sequences, leaves: [leaf], build });
  });
});

describe("singular points", () => {
  /** The gradient with respect to x of the sum of what `build` makes. */
  function gradient(values: readonly number[], build: (b: GraphBuilder, x: NodeId) => NodeId): number[] {
    const b = new GraphBuilder();
    const x = b.input("x", { shape: [values.length], batched: false });
    b.output("loss", b.sum(build(b, x), { dims: [0] }));
    const graph = b.finish();
    const { graph: derived, gradients } = differentiate(graph, graph.outputs.get("loss")!, [x]);
    const out = GraphBuilder.from(derived);
    out.output("gradient", gradients.get(x)!);
    const inputs = new Map([["x", real([values.length], values)]]);
    return [...evaluateGraph(out.finish(), { batch: 1, inputs }).get("gradient")!.data];
  }
  const guarded =
    (f: (b: GraphBuilder, x: NodeId) => NodeId) =>
    (b: GraphBuilder, x: NodeId): NodeId =>
      b.where(b.greater(x, b.constant(0)), f(b, x), b.constant(0));

  test.each([
    ["sqrt", guarded((b, x) => b.sqrt(x)), [0, 0, 0.25]],
    ["log", guarded((b, x) => b.log(x)), [0, 0, 0.25]],
    ["log(1 + x)", guarded((b, x) => b.log1p(b.sub(x, b.constant(1)))), [0, 0, 0.25]],
    ["1 / x", guarded((b, x) => b.div(b.constant(1), x)), [0, 0, -0.0625]],
    ["x / x", guarded((b, x) => b.div(x, x)), [0, 0, 0]],
    ["x^0.5", guarded((b, x) => b.pow(x, b.constant(0.5))), [0, 0, 0.25]],
  ] as const)("`where` shields %s where it is not taken", (_, build, expected) => {
    expect(gradient([0, -1, 4], build).map(x => x + 0)).toEqual([...expected]);
  });
  test("`where` shields an overflow of exp", () => {
    const build = (b: GraphBuilder, x: NodeId): NodeId =>
      b.where(b.less(x, b.constant(10)), b.exp(x), b.constant(0));
    expect(gradient([1000, 0], build)).toEqual([0, 1]);
  });
  test("abs has derivative 0 at 0", () => expect(gradient([0, -2], (b, x) => b.abs(x))).toEqual([0, -1]));
  test("x^0, x^1 and x^2 at 0", () => {
    expect(gradient([0], (b, x) => b.pow(x, b.constant(0)))).toEqual([0]);
    expect(gradient([0], (b, x) => b.pow(x, b.constant(1)))).toEqual([1]);
    expect(gradient([0], (b, x) => b.pow(x, b.constant(2)))).toEqual([0]);
  });
  test("powers of 0 do not depend on a positive exponent", () => {
    expect(gradient([1, 2, 0.5], (b, x) => b.pow(b.constant(0), x))).toEqual([0, 0, 0]);
  });
  test("ties of maximum and minimum share halves", () => {
    expect(gradient([3, 5], (b, x) => b.maximum(x, b.constant(3)))).toEqual([0.5, 1]);
    expect(gradient([3, 5], (b, x) => b.minimum(x, b.constant(3)))).toEqual([0.5, 0]);
  });
  test("max shares among ties", () => {
    expect(gradient([2, 3, 3, 3], (b, x) => b.max(x, { dims: [0], keep: true }))).toEqual([
      0,
      1 / 3,
      1 / 3,
      1 / 3,
    ]);
  });
  test("rows of -inf have the softmax and the gradient 0, not NaN", () => {
    const none = [-Infinity, -Infinity];
    const weight = (b: GraphBuilder, x: NodeId): NodeId =>
      b.expdiff(x, b.logsumexp(x, { dims: [0], keep: true }));
    expect(gradient(none, weight).map(x => x + 0)).toEqual([0, 0]);
    expect(gradient(none, (b, x) => b.logsumexp(x, { dims: [0], keep: true }))).toEqual([0, 0]);
    expect(gradient([-Infinity, 2], (b, x) => b.logsumexp(x, { dims: [0], keep: true }))).toEqual([0, 1]);
  });
  test("an adjoint that happens to be 0 cuts no second derivative", () => {
    // (sqrt(x) - 2)^2 at 4: the first derivative is 0, the second 1/8.
    const b = new GraphBuilder();
    const x = b.input("x", { batched: false });
    const off = b.sub(b.sqrt(x), b.constant(2));
    b.output("loss", b.mul(off, off));
    const first = differentiate(b.finish(), b.outputs.get("loss")!, [x]);
    const second = differentiate(first.graph, first.gradients.get(x)!, [x]);
    const out = GraphBuilder.from(second.graph);
    out.output("second", second.gradients.get(x)!);
    const values = evaluateGraph(out.finish(), { batch: 1, inputs: new Map([["x", real([], [4])]]) });
    expect(values.get("second")!.data[0]).toBeCloseTo(1 / 8, 12);
  });
});

test("ops without a derivative say why", () => {
  const none = (Object.keys(ops) as OpName[]).filter(op => typeof ops[op].adjoint !== "function");
  expect(none.sort()).toEqual(
    [
      ...["constant", "parameter", "input", "state", "length", "index", "batchSize", "random"],
      ...["sign", "floor", "not", "stopGradient", "argmax", "oneHot"],
      ...["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual", "and", "or"],
    ].sort(),
  );
});
