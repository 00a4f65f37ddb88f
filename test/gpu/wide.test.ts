// What is made of more matrices than a draw reads: sums, concatenations and stacks, as vector ops and in loops.

import { expect, test } from "vitest";
import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { errorOn } from "../backends/run.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { tolerances } from "../harness/tolerances.ts";
import { onDevices } from "./devices.ts";

const many = 40;

type Make = (b: GraphBuilder, parts: readonly NodeId[], t: AxisId) => NodeId;

/** Of [3, 4] along t, batched. */
const cases: Readonly<Record<string, Make>> = {
  concat: (b, parts) => b.concat(parts, 0),
  "concat of columns": (b, parts) => b.concat(parts, 1),
  "concat of delays": (b, parts, t) =>
    b.concat(
      parts.map((part, i) => b.shift(part, parts[(i + 1) % many]!, t, 1)),
      0,
    ),
  stack: (b, parts) => b.stack(parts, b.axis("k", many)),
  "a part of a stack": (b, parts) =>
    b.neg(b.slice(b.stack(parts.map(part => b.transpose(part, [1, 0])), b.axis("k", many)), 0, 1, 2)), // biome-ignore format: one value
  accumulate: (b, parts, t) =>
    b.accumulate({ dtype: "real", shape: [3, 4], axes: [t], batched: true }, parts),
  "accumulate with more": (b, parts, t) => {
    const type = { dtype: "real", shape: [3, 4], axes: [t], batched: true } as const;
    return b.tanh(b.mul(b.accumulate(type, parts), b.accumulate(type, [...parts, ...parts])));
  },
};

/** Each in a matrix of its own. */
function parts(b: GraphBuilder, x: NodeId): readonly NodeId[] {
  return Array.from({ length: many }, (_, i) => {
    const matrix = b.constant(
      Array.from({ length: 16 }, (_, j) => Math.sin(i + 3 * j) / 2),
      "real",
      [4, 4],
    );
    return b.contract(x, matrix, { left: [0, 1], right: [1, 2], out: [0, 2] });
  });
}

function graphOf(make: Make): Graph {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const x = b.input("x", { shape: [3, 4], axes: [t] });
  b.output("result", make(b, parts(b, x), t));
  return b.finish();
}

/** The same with x delayed by itself. */
function loopedGraphOf(make: Make): Graph {
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const fed = b.placeholder({ dtype: "real", shape: [3, 4], axes: [t], batched: true });
  const before = b.shift(fed, b.constant(0, "real", [3, 4]), t, 1);
  const x = b.add(b.input("x", { shape: [3, 4], axes: [t] }), before);
  const result = make(b, parts(b, x), t);
  const { shape, axes } = b.typeOf(result);
  const others = axes.filter(axis => axis !== t);
  const total = b.sum(result, { dims: shape.map((_, d) => d), axes: others });
  b.bind(fed, b.tanh(b.add(b.mul(x, b.constant(0.1)), b.mul(total, b.constant(0.01)))));
  b.output("result", result);
  b.output("state", fed);
  return b.finish();
}

await onDevices(name => {
  test.each(Object.entries(cases))(`${many} operands: %s`, async (_, make) => {
    for (const graph of [graphOf(make), loopedGraphOf(make)]) {
      const environment = randomEnvironment(graph, { batch: 3, extent: 4, shortest: 1 });
      expect(await errorOn(name, graph, environment)).toBeLessThan(tolerances.float32);
    }
  });
});
