// Programs and what their stages show.

import { describe, expect, test } from "vitest";
import type { AxisId, Graph } from "../../compiler/graph/graph.ts";
import { printGraph } from "../../compiler/graph/text.ts";
import { readGraph } from "../../compiler/ops/read.ts";
import { buildProgram, prepareModel, stages } from "../../compiler/program/pipeline.ts";
import { plan } from "../../compiler/program/plan.ts";
import { parseProgram, printProgram } from "../../compiler/program/text.ts";
import { parseSchedule, printSchedule } from "../../compiler/schedule/text.ts";
import { unroll } from "../../compiler/unroll/unroll.ts";
import { lstm, withGradients } from "../harness/graphs.ts";
import { loopsOf, withoutArena } from "../harness/schedules.ts";

const model = prepareModel(lstm(4, 2), { verify: true });
const parts = {
  name: "Lstm.train",
  model,
  graph: withGradients(model),
  inputs: [],
  parameters: [],
  states: [],
  updates: [{ target: "h.W", output: "gradient.h.W" }],
  results: ["loss", "h"],
};
const extents = new Map([["t" as AxisId, 3]]);

describe("an LSTM's program", () => {
  const observed: string[] = [];
  const built = buildProgram(parts, { verify: true, observe: ({ name }) => observed.push(name) });
  if (built.kind !== "built") throw new Error("no order");

  test("is scheduled on its own graph", () => {
    expect(built.program.schedule.graph).toBe(built.program.graph);
    expect(loopsOf(built.program.schedule.steps).length).toBe(2);
    expect(built.program.results).toEqual(["loss", "h"]);
    expect(observed.length).toBeGreaterThan(4);
  });

  test.each(stages)("stage %s parses back to the same text", stage => {
    const text = built.dump(stage, extents);
    expect(reprinted(stage, text)).toBe(withoutArena(text));
  });

  test("the unrolled graph stands below the size of its memory", () => {
    const [first] = built.dump("unrolled", extents).split("\n");
    const { arenaFloats, offset } = plan(unroll(built.program.schedule, extents), { batch: 1, extents });
    expect(first).toBe(`# arena: ${arenaFloats} floats for batch 1, ${offset.size} values`);
    expect(arenaFloats).toBeGreaterThan(3 * 4 * 2);
  });

  test("the unrolled graph has no delay left", () => {
    expect(built.dump("unrolled", extents)).not.toMatch(/ = shift\(.*offset: -/);
  });
});

function reprinted(stage: (typeof stages)[number], text: string): string {
  if (stage === "schedule") {
    const parsed = parseSchedule(text);
    return parsed.ok ? printSchedule(parsed.schedule) : `${parsed.line}: ${parsed.problem}`;
  }
  if (stage === "program") {
    const parsed = parseProgram(text);
    return parsed.ok ? printProgram(parsed.program) : `${parsed.line}: ${parsed.problem}`;
  }
  const parsed = readGraph(text);
  return parsed.ok ? printGraph(parsed.graph) : `${parsed.line}: ${parsed.problem}`;
}

test("a cycle without an order is returned, not thrown", () => {
  const text = `axis t
%0 = input() {name: "x", dtype: "real", shape: [], axes: ["t"], batched: true} : real @ t batched
%1 = shift(%3, %0) {axis: "t", offset: 1} : real @ t batched
%2 = shift(%3, %0) {axis: "t", offset: -1} : real @ t batched
%3 = add(%1, %2) : real @ t batched
output y = %3
`;
  const parsed = readGraph(text);
  const graph: Graph = parsed.ok ? parsed.graph : { axes: [], nodes: new Map(), outputs: new Map() };
  expect(buildProgram({ ...parts, graph }).kind).toBe("unordered");
});
