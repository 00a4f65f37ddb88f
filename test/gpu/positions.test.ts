// Positions of static axes are read in place: one, and all in a row, whole and through views; and what is read so is right,
// however rows are aligned. What they read stands in matrices of its own, since what is read outside of a program is not
// read in place.

import { expect, test } from "vitest";
import { isElementwise, traitsOf } from "../../backends/gpu/lowering.ts";
import { type Item, makePlan } from "../../backends/plan/plan.ts";
import { prepare } from "../../backends/plan/prepare.ts";
import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { errorOn, programOf } from "../backends/run.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { tolerances } from "../harness/tolerances.ts";
import { onDevices } from "./devices.ts";

interface Given {
  readonly b: GraphBuilder;
  readonly t: AxisId;
  readonly k: AxisId;
  /** [3, 4] along t, batched; along t and k, too. */
  readonly x: NodeId;
  readonly y: NodeId;
  /** [4] along k; [4]. */
  readonly fixed: NodeId;
  readonly row: NodeId;
}

function given(): Given {
  const b = new GraphBuilder();
  const [t, k] = [b.axis("t", null), b.axis("k", 3)];
  const x = b.input("x", { shape: [3, 4], axes: [t] });
  const fixed = b.parameter("fixed", [4], [k]);
  return { b, t, k, x, y: b.tanh(b.mul(x, fixed)), fixed, row: b.parameter("row", [4]) };
}

/** All positions one after the other, from the first on; or of others, or in another order. */
const flat = ({ b, k }: Given, node: NodeId, positions: readonly number[] = [0, 1, 2]): NodeId =>
  b.concat(
    positions.map(i => b.at(node, k, "first", i)),
    0,
  );

const inPlace: Readonly<Record<string, (g: Given) => NodeId>> = {
  "the last but one": ({ b, k, x, fixed }) => b.mul(x, b.at(fixed, k, "last", 1)),
  "of a product": ({ b, k, row, y }) =>
    b.contract(b.at(y, k, "first"), row, { left: [0, 1], right: [1], out: [0] }),
  "a part of one": ({ b, k, y }) => b.neg(b.slice(b.at(y, k, "first", 2), 1, 1, 2)),
  "one, turned": ({ b, k, y }) => b.neg(b.transpose(b.at(y, k, "first", 2), [1, 0])),
  "of what is delayed": ({ b, t, k, x, y }) =>
    b.mul(x, b.at(b.shift(y, b.constant(0.5, "real", [3, 4]), t, 2), k, "first", 1)),
  "of what is delayed along the axis": ({ b, k, x, fixed, row }) =>
    b.mul(x, b.at(b.shift(fixed, row, k, 1), k, "first")),
  "delayed itself": ({ b, t, k, x, y }) => b.mul(x, b.shift(b.at(y, k, "first", 1), x, t, 1)),
  "all of a parameter": g => g.b.neg(flat(g, g.fixed)),
  "all, and a part of all": g => g.b.add(g.b.slice(flat(g, g.y), 0, 0, 8), g.b.slice(flat(g, g.y), 0, 1, 8)),
  "all, columns alone": g => g.b.neg(g.b.slice(flat(g, g.y), 1, 1, 2)),
  "all, one column everywhere": g =>
    g.b.neg(g.b.broadcast(g.b.slice(flat(g, g.y), 1, 2, 1), { shape: [9, 4] })),
  "all, turned": g => g.b.neg(g.b.transpose(flat(g, g.y), [1, 0])),
  "all in other rows": g => g.b.neg(g.b.reshape(flat(g, g.y), [6, 6])),
  "all in one row": g => g.b.neg(g.b.reshape(flat(g, g.y), [36])),
  "all of two columns": g => g.b.neg(flat(g, g.b.slice(g.y, 1, 1, 2))),
  "all as a matrix": g =>
    g.b.contract(flat(g, g.y), g.row, { left: [0, 1], right: [1], out: [0], axes: [g.t], batch: true }),
  "all with all": g =>
    g.b.contract(flat(g, g.y), flat(g, g.b.slice(g.y, 1, 1, 2)), {
      left: [0, 1],
      right: [0, 2],
      out: [1, 2],
      axes: [g.t],
    }),
  "all of numbers": g => g.b.neg(flat(g, g.b.reshape(g.b.sum(g.y, { dims: [0, 1] }), [1]))),
};

const copied: Readonly<Record<string, (g: Given) => NodeId>> = {
  outside: ({ b, k, x, fixed }) => b.mul(x, b.at(fixed, k, "last", 3)),
  "of an axis of unknown length": ({ b, t, x, y }) => b.neg(b.at(b.mul(x, y), t, "last", 1)),
  "along which a loop goes": ({ b, k, x, row }) => {
    const own = b.placeholder({ dtype: "real", shape: [4], axes: [k], batched: false });
    b.bind(own, b.tanh(b.add(b.shift(own, b.constant(0, "real", [4]), k, 1), row)));
    return b.mul(x, b.at(own, k, "first", 1));
  },
  "the other way round": g => g.b.neg(flat(g, g.y, [2, 1, 0])),
  "some of them": g => g.b.neg(flat(g, g.y, [0, 1])),
};

function graphOf(make: (g: Given) => NodeId): Graph {
  const all = given();
  all.b.output("result", make(all));
  return all.b.finish();
}

function copies(graph: Graph): number {
  const program = prepare(programOf(graph), { isElementwise, sinks: false });
  const count = (items: readonly Item[]): number =>
    items.reduce((sum, item) => {
      if (item.kind === "loop") return sum + count(item.body);
      if (item.kind === "fused") return sum;
      const { op } = program.schedule.graph.nodes.get(item.node)!;
      return sum + Number(op === "at" || op === "concat");
    }, 0);
  return count(makePlan(program, traitsOf(program)).items);
}

test.each(Object.entries(inPlace))("no draw for %s", (_, make) => {
  expect(copies(graphOf(make))).toBe(0);
});

test.each(Object.entries(copied))("a draw for what is %s", (_, make) => {
  expect(copies(graphOf(make))).toBeGreaterThan(0);
});

await onDevices(name => {
  test.each(Object.entries({ ...inPlace, ...copied }))("%s", async (_, make) => {
    const graph = graphOf(make);
    for (const shortest of [0, 5]) {
      const environment = randomEnvironment(graph, { batch: 4, extent: 5, shortest });
      expect(await errorOn(name, graph, environment)).toBeLessThan(tolerances.float32);
    }
  });
});
