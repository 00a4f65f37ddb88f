// What the compiler makes of an LSTM, read off its dumps: products outside the loops, one product in each loop, no
// sequence kept that nobody needs; and every dump parses back to what it shows.

import { describe, expect, test } from "vitest";
import type { Graph, NodeId } from "../../compiler/graph/graph.ts";
import { printGraph } from "../../compiler/graph/text.ts";
import type { CompiledModel } from "../../compiler/index.ts";
import { readGraph } from "../../compiler/ops/read.ts";
import { parseProgram, printProgram } from "../../compiler/program/text.ts";
import type { Loop, Schedule, Step } from "../../compiler/schedule/schedule.ts";
import { storedFloats } from "../../compiler/schedule/storage.ts";
import { parseSchedule, printSchedule } from "../../compiler/schedule/text.ts";
import { compileNamed, compileText, modelNames } from "../harness/models.ts";
import { withoutArena } from "../harness/schedules.ts";

const units = 128;

const tagger = (cell: string): CompiledModel =>
  compileText(
    "tagger.frond",
    `model Tagger(features: size = 10, units: size = ${units}, classes: size = 10) {
  axis t
  input  x[t]: real[features]
  target y[t]: index(classes)
  h[t]      = ${cell}[t](x[t], units)
  logits[t] = dense(h[t], classes)
  output p[t]     = softmax(logits[t])
  loss            = mean[t](crossEntropy(logits[t], y[t]))
  metric accuracy = mean[t](argmax(p[t]) == y[t])
  train { optimizer: adam(rate: 1e-3), clip: norm(1.0), batch: 32, epochs: 5 }
}
`,
  );

const loopsOf = (steps: readonly Step[]): readonly Loop[] =>
  steps.flatMap(step => (step.kind === "loop" ? [step, ...loopsOf(step.body)] : []));

const computed = (steps: readonly Step[]): readonly NodeId[] =>
  steps.flatMap(step => (step.kind === "loop" ? [] : [step.node]));

const products = (graph: Graph, ids: readonly NodeId[]): readonly NodeId[] =>
  ids.filter(id => {
    const node = graph.nodes.get(id)!;
    return node.op === "contract" && node.attrs.left.some(label => node.attrs.right.includes(label));
  });

/** Weight gradients: contractions over the batch and the axis that give a matrix. */
const weightGradients = (graph: Graph, ids: readonly NodeId[]): readonly NodeId[] =>
  ids.filter(id => {
    const node = graph.nodes.get(id)!;
    return (
      node.op === "contract" && node.attrs.batch && node.attrs.axes.length > 0 && node.type.shape.length === 2
    );
  });

describe("the LSTM's training step", () => {
  const { graph, schedule } = tagger("lstm").train();
  const loops = loopsOf(schedule.steps);

  test("has one loop forward and one backward", () => {
    expect(loops.map(loop => [loop.axis, loop.direction])).toEqual([
      ["t", "forward"],
      ["t", "backward"],
    ]);
  });

  test("has one product in each loop", () => {
    for (const loop of loops) expect(products(graph, computed(loop.body))).toHaveLength(1);
  });

  test("has the input product and the weight gradients outside", () => {
    const outside = computed(schedule.steps);
    expect(products(graph, outside).map(id => printOperands(graph, id))).toContainEqual([
      "input x",
      "parameter h.W",
    ]);
    const shapes = weightGradients(graph, outside).map(id => graph.nodes.get(id)!.type.shape);
    expect(shapes).toContainEqual([10, 4 * units]);
    expect(shapes).toContainEqual([units, 4 * units]);
    for (const loop of loops) expect(weightGradients(graph, computed(loop.body))).toEqual([]);
  });

  test("keeps no needless sequence", () => {
    // h, and what backward needs of the gates and the cell; the gates' gradients for the weight gradients. The rest
    // is of the size of the classes.
    const kept = storedFloats(schedule) / units;
    expect(kept).toBeLessThan(14.1 + 5);
    const forward = sequences(schedule, loops[0]!);
    expect(forward).toBeLessThanOrEqual(6 * units);
    expect(sequences(schedule, loops[1]!)).toBeLessThanOrEqual(4 * units);
  });
});

test.each([
  ["fast", 14],
  ["lean", 6],
  ["least", 2],
] as const)(
  "at the level %s, the LSTM's training step stores %d vectors an example and step",
  (level, vectors) => {
    const { schedule } = tagger("lstm").train(undefined, level);
    // Besides, what is of the size of the classes; at fast, the adjoint of h by the way of the logits.
    const rest = storedFloats(schedule) / units - vectors;
    expect(rest).toBeGreaterThanOrEqual(0);
    expect(rest).toBeLessThan(level === "fast" ? 2 : 1);
  },
);

const printOperands = (graph: Graph, id: NodeId): readonly string[] =>
  graph.nodes.get(id)!.inputs.map(input => {
    const node = graph.nodes.get(input)!;
    return node.op === "input" || node.op === "parameter" ? `${node.op} ${node.attrs.name}` : node.op;
  });

/** Floats per example and step that a loop keeps as whole sequences. */
function sequences({ graph, keeping }: Schedule, loop: Loop): number {
  return computed(loop.body)
    .filter(id => keeping.get(id)?.get(loop.axis)?.kind === "sequence")
    .reduce((sum, id) => sum + graph.nodes.get(id)!.type.shape.reduce((a, b) => a * b, 1), 0);
}

test.each([
  ["gru", 1, 1],
  ["gruBefore", 2, 2],
  ["elman", 1, 1],
])("%s has %d products in its forward loop and %d in its backward loop", (cell, forward, backward) => {
  const { graph, schedule } = tagger(cell).train();
  const counts = loopsOf(schedule.steps).map(loop => products(graph, computed(loop.body)).length);
  expect(counts).toEqual([forward, backward]);
});

describe.each(["infer", "train"] as const)("dumps of what %ss parse back", mode => {
  test.each(
    ["lstm", "attention", "grid", "static-heads", "dropout"].filter(name => modelNames.includes(name)),
  )("%s", name => {
    const model = compileNamed(name);
    for (const stage of ["graph", "adjoint", "unrolled"] as const) {
      const text = model.dump(stage, { mode });
      const read = readGraph(text);
      expect(read.ok && printGraph(read.graph), stage).toBe(withoutArena(text));
    }
    const scheduled = model.dump("schedule", { mode });
    const schedule = parseSchedule(scheduled);
    expect(schedule.ok && printSchedule(schedule.schedule)).toBe(scheduled);
    const written = model.dump("program", { mode });
    const program = parseProgram(written);
    expect(program.ok && printProgram(program.program)).toBe(written);
  });
});

test("a program's text that is not one is refused with its line", () => {
  const text = compileNamed("elman").dump("program");
  const broken = parseProgram(text.replace(/^input .*$/m, 'input {"name":'));
  expect(broken).toMatchObject({ ok: false, line: 2 });
  const partial = parseProgram(text.replace(/^input .*$/m, 'input {"name": "x"}'));
  expect(partial).toEqual({ ok: false, line: 2, problem: "`input` lacks `role`" });
  const cut = parseProgram(text.replace("\nschedule\n", "\n"));
  expect(cut.ok).toBe(false);
});
