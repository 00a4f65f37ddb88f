// Programs built by hand for the tests of the reference: no parser, no lowering.

import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import type { Program } from "../../compiler/program/program.ts";

export const t = "t" as AxisId;

const matrix = { left: [0], right: [0, 1], out: [1] };

/** h[t] = tanh(x[t] W + h[t-1] U); outputs h and loss, the sum of h over everything. */
export function elman(inputs: number, units: number): Graph {
  const b = new GraphBuilder([{ id: t, length: null }]);
  const x = b.input("x", { shape: [inputs], axes: [t] });
  const [W, U] = [b.parameter("h.W", [inputs, units]), b.parameter("h.U", [units, units])];
  const h = b.placeholder({ dtype: "real", shape: [units] });
  const before = b.shift(h, b.constant(0, "real", [units]), t, 1);
  const next = b.tanh(b.add(b.contract(x, W, matrix), b.contract(before, U, matrix)));
  b.bind(h, next);
  b.output("h", next);
  b.output("loss", b.sum(next, { dims: [0], axes: [t], batch: true }));
  return b.finish();
}

/** Long short-term memory; outputs loss. Parameters h.W, h.U, h.b, their nodes beside the graph. */
export function lstm(
  inputs: number,
  units: number,
): { graph: Graph; loss: NodeId; parameters: readonly NodeId[] } {
  const b = new GraphBuilder([{ id: t, length: null }]);
  const x = b.input("x", { shape: [inputs], axes: [t] });
  const parameters = [
    b.parameter("h.W", [inputs, 4 * units]),
    b.parameter("h.U", [units, 4 * units]),
    b.parameter("h.b", [4 * units]),
  ];
  const [h, c] = [
    b.placeholder({ dtype: "real", shape: [units] }),
    b.placeholder({ dtype: "real", shape: [units] }),
  ];
  const zero = b.constant(0, "real", [units]);
  const sums = b.add(
    b.add(b.contract(x, parameters[0]!, matrix), b.contract(b.shift(h, zero, t, 1), parameters[1]!, matrix)),
    parameters[2]!,
  );
  const gate = (k: number): NodeId => b.slice(sums, 0, k * units, units);
  const kept = b.mul(b.sigmoid(gate(1)), b.shift(c, zero, t, 1));
  const cell = b.add(kept, b.mul(b.sigmoid(gate(0)), b.tanh(gate(2))));
  const out = b.mul(b.sigmoid(gate(3)), b.tanh(cell));
  b.bind(c, cell);
  b.bind(h, out);
  const loss = b.sum(b.mul(out, out), { dims: [0], axes: [t], batch: true });
  b.output("loss", loss);
  return { graph: b.finish(), loss, parameters };
}

/** A program around a graph, unscheduled: the reference does not look at the schedule. */
export function programOf(graph: Graph, rest: Partial<Program> = {}): Program {
  return {
    name: "Test",
    graph,
    schedule: { graph, steps: [], keeping: new Map() },
    inputs: [],
    parameters: [],
    states: [],
    updates: [],
    results: [...graph.outputs.keys()],
    ...rest,
  };
}
