// What needs no library: the bytes of a graph, which nodes are made and in which frame, and the numbers that are drawn.

import { describe, expect, test } from "vitest";
import { drawn } from "../../backends/native/draws.ts";
import { savedModel } from "../../backends/native/graph-def.ts";
import { Ops } from "../../backends/native/ops.ts";
import { TurningLoop } from "../../backends/native/turning.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { drawNumber } from "../../compiler/ops/random.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("a graph as protocol buffers", () => {
  const bytes = savedModel([
    {
      name: "x",
      op: "Placeholder",
      inputs: [],
      attributes: { dtype: { kind: "type", type: "real" }, shape: { kind: "shape", dims: [null, 3] } },
    },
    {
      name: "c",
      op: "Const",
      inputs: ["^x"],
      attributes: { value: { kind: "tensor", dtype: "index", shape: [], values: [-2] } },
    },
  ]);
  const node = (text: string): string => Buffer.from(text).toString("hex");
  expect(hex(bytes)).toContain(`0a0178${"120b"}${node("Placeholder")}`);
  // A dimension that is not known is -1, in ten bytes.
  expect(hex(bytes)).toContain("120b08ffffffffffffffffff01120208031".slice(0, -1));
  expect(hex(bytes)).toContain(`1a02${node("^x")}`);
  // The tensor: its type, no dimensions, four bytes.
  expect(hex(bytes)).toContain("080312002204feffffff");
  expect(hex(bytes).startsWith("0801")).toBe(true);
});

describe("a graph", () => {
  const loopIn = (ops: Ops): TurningLoop =>
    new TurningLoop(ops, "loop0", { kind: "loop", axis: "t" as AxisId, direction: "forward", factor: 1, body: [] }, 3, ops.root); // biome-ignore format: a loop

  test("makes nothing twice", () => {
    const ops = new Ops();
    const x = ops.placeholder("x", "real", [null]);
    expect(ops.unary("Exp", x)).toBe(ops.unary("Exp", x));
    expect(ops.unary("Exp", x)).not.toBe(ops.unary("Log", x));
    expect(ops.real(0)).not.toBe(ops.real(-0));
    expect(ops.real(Number.NaN)).not.toBe(ops.real(Number.NEGATIVE_INFINITY));
  });

  test("computes outside of a loop what does not depend on it", () => {
    const ops = new Ops();
    const x = ops.placeholder("x", "real", [null]);
    const loop = loopIn(ops);
    const state = loop.variable(x);
    const product = ops.binary("Mul", ops.unary("Exp", x), state.tensor);
    expect(ops.unary("Exp", x).frame).toBe(ops.root);
    expect(product.frame).toBe(loop.frame);
    const inputs = ops.nodes.find(({ name }) => name === product.name)!.inputs;
    expect(ops.nodes.find(({ name }) => name === inputs[0])?.op).toBe("Enter");
  });

  test("lets nothing go round that is always there", () => {
    const ops = new Ops();
    const loop = loopIn(ops);
    loop.next(loop.variable(ops.real(1)), ops.real(2));
    const named = (name: string) => ops.nodes.find(node => node.name === name)!;
    const next = ops.nodes.findLast(({ op }) => op === "NextIteration")!;
    const value = named(next.inputs[0]!);
    expect(named(value.inputs[0]!).op).toBe("Enter");
    expect(value.inputs[1]).toBe(`^${loop.position.name}`);
  });

  test("gives every loop variable a next value", () => {
    const ops = new Ops();
    const loop = loopIn(ops);
    const state = loop.variable(ops.real(1));
    loop.next(state, ops.unary("Tanh", state.tensor));
    const last = loop.exit(state);
    expect(last.frame).toBe(ops.root);
    for (const { op, inputs } of ops.nodes) if (op === "Merge") expect(inputs[1]).toMatch(/^NextIteration/);
  });
});

test.each(["uniform", "normal"] as const)("%s numbers are those of the definition", distribution => {
  const b = new GraphBuilder();
  const [t, s] = [b.axis("t", null), b.axis("s", null)];
  const id = b.random(distribution, 7, [2, 2], [t, s]);
  b.output("r", id);
  const node = b.finish().nodes.get(id)!;
  if (node.op !== "random") throw new Error("no random node");
  const extents = new Map([
    [t, 3],
    [s, 2],
  ]);
  const none = { inputs: new Map(), lengths: new Map() };
  for (const [seed, step] of [
    [1, 2],
    [4294967295, 2147483648],
  ] as const) {
    const { data, shape } = drawn(node, { ...none, batch: 2, extents, seed, step });
    expect(shape).toEqual([2, 3, 2, 2, 2]);
    const expected = Array.from(data, (_, i) => {
      const [feature, j, k, example] = [
        i % 4,
        Math.floor(i / 4) % 2,
        Math.floor(i / 8) % 3,
        Math.floor(i / 24),
      ];
      const position = (Math.imul(k, 0x9e3779b1) + j) >>> 0;
      return Math.fround(drawNumber(distribution, { seed, step, site: 7, example, position, feature }));
    });
    expect([...data]).toEqual(expected);
  }
});
