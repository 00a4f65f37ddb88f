// Cycles tied through placeholders, the least fixpoint of axes and `batched`, and what the verifier refuses.

import { describe, expect, test } from "vitest";
import type { AxisId, Graph, Node, NodeId } from "../../compiler/graph/graph.ts";
import { parseGraph, printType } from "../../compiler/graph/text.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { readGraph } from "../../compiler/ops/read.ts";
import { verify } from "../../compiler/ops/verify.ts";

const [t, s] = ["t", "s"] as [AxisId, AxisId];

/** h[t] = f(h[t-1]) from `initial`. */
function recurrence(b: GraphBuilder, initial: NodeId, step: (h: NodeId) => NodeId): NodeId {
  const { dtype, shape } = b.typeOf(initial);
  const h = b.placeholder({ dtype, shape });
  const next = step(b.shift(h, initial, t, 1));
  b.bind(h, next);
  return next;
}

const start = (): GraphBuilder =>
  new GraphBuilder([
    { id: t, length: null },
    { id: s, length: null },
  ]);
const typeIn = (graph: Graph, id: NodeId): string => printType(graph.nodes.get(id)!.type);

describe("types on cycles", () => {
  test("a recurrence without inputs is unbatched", () => {
    const b = start();
    const h = recurrence(b, b.constant(1), h => b.mul(h, b.constant(2)));
    expect(typeIn(b.finish(), h)).toBe("real @ t");
  });
  test("an input inside makes the whole cycle batched, axes in the graph's order", () => {
    const b = start();
    const x = b.input("x", { axes: [s], shape: [3] });
    const h = recurrence(b, b.constant(0, "real", [3]), h => b.tanh(b.add(h, x)));
    const graph = b.finish();
    expect(typeIn(graph, h)).toBe("real[3] @ t, s batched");
    expect(
      [...graph.nodes.values()].filter(({ op }) => op === "shift").map(({ type }) => printType(type)),
    ).toEqual(["real[3] @ t, s batched"]);
  });
  test("a batched initial value is enough", () => {
    const b = start();
    const h = recurrence(b, b.input("x", {}), h => b.neg(h));
    expect(typeIn(b.finish(), h)).toBe("real @ t batched");
  });
  test("chains of placeholders", () => {
    const b = start();
    const type = { dtype: "real", shape: [] } as const;
    const [p, q] = [b.placeholder(type), b.placeholder(type)];
    b.bind(p, q);
    b.bind(q, b.input("x", { axes: [t] }));
    const y = b.neg(p);
    b.output("y", p);
    const graph = b.finish();
    expect(typeIn(graph, y)).toBe("real @ t batched");
    expect(graph.nodes.get(graph.outputs.get("y")!)?.op).toBe("input");
  });
  test("100,000 nodes", () => {
    const b = start();
    let x = b.input("x", { axes: [t] });
    const h = recurrence(b, b.constant(0), before => {
      let y = b.add(x, before);
      for (let i = 0; i < 50_000; i++) y = b.neg(y);
      return y;
    });
    x = h;
    for (let i = 0; i < 50_000; i++) x = b.add(x, h);
    const before = performance.now();
    expect(typeIn(b.finish(), x)).toBe("real @ t batched");
    expect(performance.now() - before).toBeLessThan(3000);
  });
});

describe("our own mistakes", () => {
  const fails = (what: RegExp, make: (b: GraphBuilder) => void): void => {
    const b = start();
    expect(() => {
      make(b);
      b.finish();
    }).toThrow(what);
  };
  test("an unbound placeholder", () =>
    fails(/placeholder %0 \(h\) was never bound/, b => {
      b.neg(b.placeholder({ dtype: "real", shape: [] }, { label: "h" }));
    }));
  test("a cycle without delay", () =>
    fails(/a cycle without delay: %1 = neg \(h\) -> %2 = exp \(h\)|%2 = exp \(h\) -> %1 = neg \(h\)/, b =>
      b.withPlace({ label: "h" }, () => {
        const p = b.placeholder({ dtype: "real", shape: [] });
        b.bind(p, b.exp(b.neg(p)));
      }),
    ));
  test("a cycle through an initial value", () =>
    fails(/a cycle without delay/, b => {
      const p = b.placeholder({ dtype: "real", shape: [] });
      b.bind(p, b.shift(b.input("x", { axes: [t] }), p, t, 1));
    }));
  test("a placeholder for itself", () =>
    fails(/stands for itself/, b => {
      const p = b.placeholder({ dtype: "real", shape: [] });
      b.bind(p, p);
      b.neg(p);
    }));
  test("shapes that do not broadcast", () =>
    fails(/\[3\] and \[4\] do not broadcast/, b => {
      b.add(b.constant(0, "real", [3]), b.constant(0, "real", [4]));
    }));
  test("an axis that is not declared", () =>
    fails(/axis u is not declared/, b => {
      b.index("u" as AxisId);
    }));
});

test("a place holds for what is made inside, and can be given for a single node", () => {
  const b = start();
  b.withPlace({ label: "outer" }, () => {
    const x = b.input("x", {});
    b.withPlace({ label: "inner" }, () => b.neg(x));
    b.node("exp", [x], {}, { label: "own" });
    b.sin(x);
  });
  expect([...b.finish().nodes.values()].map(({ label }) => label)).toEqual([
    "outer",
    "inner",
    "own",
    "outer",
  ]);
});

test("continuing a graph keeps ids, axes and outputs", () => {
  const b = start();
  b.output("y", b.input("x", { axes: [t] }));
  const graph = b.finish();
  const again = GraphBuilder.from(graph);
  expect(again.finish()).toEqual(graph);
  expect(again.neg(graph.outputs.get("y")!)).toBe(1);
});

describe("the verifier", () => {
  const sound = `axis t
axis k = 2
%0 = input() {name: "x", dtype: "real", shape: [3], axes: ["t"], batched: true} : real[3] @ t batched
%1 = parameter() {name: "W", shape: [3], axes: ["k"]} : real[3] @ k
%2 = mul(%0, %1) : real[3] @ t, k batched  # y
%3 = sum(%2) {dims: [0], axes: ["k"], batch: false, keep: false} : real @ t batched
output y = %3
`;
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    ["a missing operand", "mul(%0, %1)", "mul(%0, %9)", /%2 = mul \(y\): reads %9, which is not there/],
    ["too few operands", "mul(%0, %1)", "mul(%0)", /has 1 operands, takes 2/],
    [
      "a wrong type",
      "mul(%0, %1) : real[3] @ t, k",
      "mul(%0, %1) : real[3] @ k",
      /its rule says real\[3\] @ t, k/,
    ],
    [
      "axes out of order",
      "real[3] @ t, k batched",
      "real[3] @ k, t batched",
      /its rule says real\[3\] @ t, k/,
    ],
    ["an axis that is not there", 'axes: ["k"], batch', 'axes: ["u"], batch', /axis u is not declared/],
    ["a dimension that is not there", "dims: [0]", "dims: [1]", /there is no dimension 1|its rule says/],
    ["a dynamic axis of a parameter", "axis k = 2", "axis k", /axis k of a parameter is not static/],
    ["an axis declared twice", "axis k = 2", "axis k = 2\naxis t", /axis t: declared twice/],
    ["an output of nothing", "output y = %3", "output y = %7", /output y: there is no node %7/],
    ["descending ids", "%1 = parameter", "%3 = parameter", /stands twice|reads %1/],
    ["a doubled axis", 'axes: ["k"], batch', 'axes: ["k", "k"], batch', /doubled/],
  ];
  test("accepts what is sound", () => expect(readGraph(sound).ok).toBe(true));
  test.each(cases)("finds %s", (_, from, to, problem) => {
    const broken = sound.replace(from, to);
    expect(broken).not.toBe(sound);
    const read = readGraph(broken);
    expect(read.ok ? "" : read.problem).toMatch(problem);
  });
  test("finds ids out of order and keys that are not the node's", () => {
    const parsed = parseGraph(sound);
    if (!parsed.ok) throw new Error(parsed.problem);
    const nodes = [...parsed.graph.nodes];
    expect(verify({ ...parsed.graph, nodes: new Map(nodes.toReversed()) }).join()).toMatch(/ids must ascend/);
    const renamed = new Map<NodeId, Node>([...nodes, [9 as NodeId, nodes[0]![1]]]);
    expect(verify({ ...parsed.graph, nodes: renamed }).join()).toMatch(/stands under the id %9/);
  });
});
