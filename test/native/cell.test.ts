// LSTM cells as TensorFlow's own op: which loops are one is found by what they compute, and the results are the same.

import { describe, expect, test } from "vitest";
import { native } from "../../backends/native/index.ts";
import { lowerProgram } from "../../backends/native/program.ts";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { variablesOf } from "../../backends/variables.ts";
import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import type { Program } from "../../compiler/program/program.ts";
import { programOf, schedulings } from "../backends/run.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { dot, product, withGradients } from "../harness/graphs.ts";
import { tolerances } from "../harness/tolerances.ts";
import { onBackend } from "../harness/training.ts";
import { runs, why } from "./installed.ts";

interface Form {
  readonly units?: number;
  /** -1: from the end. */
  readonly direction?: 1 | -1;
  /** Where the gates i, f, g, o stand. */
  readonly order?: readonly number[];
  /** Operands the other way round, the recurrent product first. */
  readonly turned?: boolean;
  readonly bias?: "none" | "one" | "two";
  readonly initial?: "zeros" | "parameters" | "inputs";
  /** Something more that the loop computes, of h and c before and the sum. */
  readonly more?: (b: GraphBuilder, h: NodeId, c: NodeId, z: NodeId) => NodeId;
  /** The sum of the gates is a result. */
  readonly shown?: boolean;
}

function cell(form: Form): Graph {
  const { units = 3, direction = 1, order = [0, 1, 2, 3], turned = false, bias = "one" } = form;
  const b = new GraphBuilder();
  const t: AxisId = b.axis("t", null);
  const x = b.input("x", { shape: [2], axes: [t] });
  const start = (name: string): NodeId => {
    if (form.initial === "parameters") return b.parameter(name, [units]);
    return form.initial === "inputs" ? b.input(name, { shape: [units] }) : b.constant(0, "real", [units]);
  };
  const both = (op: "add" | "mul", p: NodeId, q: NodeId): NodeId => (turned ? b[op](q, p) : b[op](p, q));
  const slot = (): NodeId => b.placeholder({ dtype: "real", shape: [units] });
  const [h, c] = [slot(), slot()];
  const [before, kept] = [b.shift(h, start("h0"), t, direction), b.shift(c, start("c0"), t, direction)];
  const recurrent = product(b, before, b.parameter("U", [units, 4 * units]));
  let z = both("add", product(b, x, b.parameter("W", [2, 4 * units])), recurrent);
  if (bias !== "none") z = both("add", z, b.parameter("b", [4 * units]));
  if (bias === "two") z = both("add", z, b.parameter("b2", [4 * units]));
  if (form.more !== undefined) z = form.more(b, before, kept, z);
  const [i, f, g, o] = order.map(k => b.slice(z, 0, k * units, units)) as [NodeId, NodeId, NodeId, NodeId];
  const cell = both("add", both("mul", b.sigmoid(f), kept), both("mul", b.sigmoid(i), b.tanh(g)));
  const out = both("mul", b.sigmoid(o), b.tanh(cell));
  b.bind(c, cell);
  b.bind(h, out);
  b.output("loss", b.sum(b.add(dot(b, out, out), dot(b, out, cell)), { axes: [t], batch: true }));
  b.output("h", out);
  if (form.shown) b.output("z", z);
  return withGradients(b.finish());
}

const ops = (program: Program): readonly string[] => {
  const names = variablesOf(program).map(({ name }) => name);
  return lowerProgram(program, names, false).nodes.map(({ op }) => op);
};

const cells: Readonly<Record<string, Form>> = {
  "as in the library": {},
  "operands the other way round": { turned: true },
  "without a bias": { bias: "none" },
  "from parameters": { initial: "parameters" },
  "from values of each example": { initial: "inputs", turned: true },
  "256 units": { units: 256 },
};

const padded = (b: GraphBuilder, value: NodeId): NodeId => b.concat([value, value, value, value], 0);

const others: Readonly<Record<string, Form>> = {
  "from the end": { direction: -1 },
  "gates in another order": { order: [1, 0, 2, 3] },
  "gates that share a part": { order: [0, 1, 2, 2] },
  "two biases": { bias: "two" },
  "a peephole": { more: (b, _, c, z) => b.add(z, padded(b, c)) },
  "a residue": { more: (b, h, _, z) => b.add(z, padded(b, h)) },
  "a scaled sum": { more: (b, _h, _c, z) => b.mul(z, b.constant(2)) },
  "the sum is read": { shown: true },
  "as many units as make turns cheap": { units: 260 },
};

/** Every way of scheduling leaves a forward loop that is the cell. */
describe.each(Object.entries(cells))("%s", (_, form) => {
  const graph = cell(form);

  test("is one op", () => {
    const found = ops(programOf(graph));
    expect(found.filter(op => op === "BlockLSTMV2")).toHaveLength(1);
    // The loop of the gradient is left.
    expect(found.filter(op => op === "LoopCond")).toHaveLength(1);
  });

  test.runIf(runs).each(schedulings)(`is the same as the loop: %o${why}`, async options => {
    for (const shape of [
      { batch: 3, extent: 4, shortest: 0 },
      { batch: 2, extent: 3, shortest: 3 },
      { batch: 2, extent: 0, shortest: 0 },
      { batch: 0, extent: 2 },
    ]) {
      const environment = randomEnvironment(graph, { padding: "mixed", ...shape });
      const actual = await onBackend(native, programOf(graph, options), environment);
      // Gradients of 256 units are small differences of large terms.
      expect(
        outputsError(actual, evaluateGraph(graph, environment), 0.01),
        JSON.stringify(shape),
      ).toBeLessThan(tolerances.float32);
    }
  });
});

describe.each(Object.entries(others))("%s", (_, form) => {
  const graph = cell(form);

  test("is no such cell", () => {
    expect(ops(programOf(graph))).not.toContain("BlockLSTMV2");
  });

  test.runIf(runs)(`is right as a loop${why}`, async () => {
    const environment = randomEnvironment(graph, { batch: 3, extent: 4, shortest: 0 });
    const actual = await onBackend(native, programOf(graph), environment);
    expect(outputsError(actual, evaluateGraph(graph, environment), 0.01)).toBeLessThan(tolerances.float32);
  });
});
