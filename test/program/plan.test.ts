// The memory plan: nothing is written over before its last reader, and little memory is wasted.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Graph, NodeId } from "../../compiler/graph/graph.ts";
import { opRecord } from "../../compiler/ops/table.ts";
import { Arena } from "../../compiler/program/arena.ts";
import {
  floatsOf,
  isComputed,
  type MemoryPlan,
  type PlanOptions,
  plan,
} from "../../compiler/program/plan.ts";
import { schedule } from "../../compiler/schedule/build.ts";
import { unroll } from "../../compiler/unroll/unroll.ts";
import { graphs, lstm } from "../harness/graphs.ts";
import { randomGraph } from "../harness/random-graphs.ts";
import { scheduled, training } from "../harness/schedules.ts";

const optionsFor = (graph: Graph, extent: number): PlanOptions => ({
  batch: 2,
  extents: new Map(graph.axes.map(({ id }) => [id, extent])),
});

function planned(graph: Graph, extent: number): { graph: Graph; options: PlanOptions; result: MemoryPlan } {
  const options = optionsFor(graph, extent);
  const unrolled = unroll(scheduled(graph), options.extents);
  return { graph: unrolled, options, result: plan(unrolled, options) };
}

/** Runs the plan on names instead of numbers: every value must be whole whenever it is read, outputs at the end. */
function problems(
  graph: Graph,
  options: PlanOptions,
  { arenaFloats, offset, order }: MemoryPlan,
): readonly string[] {
  const found: string[] = [];
  const arena = new Int32Array(arenaFloats).fill(-1);
  const stretch = (id: NodeId): [number, number] => {
    const start = offset.get(id)!;
    return [start, start + floatsOf(graph, graph.nodes.get(id)!.type, options)];
  };
  const isWhole = (id: NodeId): boolean => arena.subarray(...stretch(id)).every(name => name === id);
  for (const id of order) {
    const node = graph.nodes.get(id)!;
    const [start, end] = stretch(id);
    for (const input of node.inputs.filter(other => isComputed(graph.nodes.get(other)!))) {
      if (!isWhole(input)) found.push(`%${id} reads %${input}, which is written over`);
      const [from, to] = stretch(input);
      const isOver = from < end && start < to;
      const inPlace =
        from === start && to === end && (opRecord(node.op).elementwise || node.op === "reshape");
      if (isOver && !inPlace) found.push(`%${id} writes over its operand %${input}`);
    }
    arena.fill(id, start, end);
  }
  for (const id of graph.outputs.values()) {
    if (isComputed(graph.nodes.get(id)!) && !isWhole(id)) found.push(`output %${id} is written over`);
  }
  return found;
}

/** The most that is needed at once when nothing is written over and nothing lies between values. */
function mostLive(graph: Graph, options: PlanOptions, { order }: MemoryPlan): number {
  const last = new Map<number, number>();
  for (const [step, id] of order.entries()) {
    last.set(id, step);
    for (const input of graph.nodes.get(id)!.inputs) last.set(input, step);
  }
  for (const id of graph.outputs.values()) last.set(id, order.length);
  const ending: number[] = new Array(order.length + 1).fill(0);
  let [live, most] = [0, 0];
  for (const [step, id] of order.entries()) {
    const size = floatsOf(graph, graph.nodes.get(id)!.type, options);
    live += size;
    ending[last.get(id)!]! += size;
    most = Math.max(most, live);
    live -= ending[step]!;
  }
  return most;
}

describe.each(Object.entries(graphs))("%s", (_, make) => {
  test("no value is written over while it is needed", () => {
    const { graph, options, result } = planned(training(make()), 4);
    expect(problems(graph, options, result)).toEqual([]);
  });
});

test("random graphs", () => {
  const choices = fc.array(fc.nat(1 << 16), { minLength: 4, maxLength: 90, size: "max" });
  fc.assert(
    fc.property(choices, list => {
      const model = randomGraph(list);
      if (schedule(model).kind === "unordered") return;
      const { graph, options, result } = planned(training(model), 3);
      expect(problems(graph, options, result)).toEqual([]);
    }),
    { seed: 5, numRuns: 60 },
  );
});

test("an LSTM's training needs at most 10 % more than what is live at once", () => {
  for (const extent of [20, 100]) {
    const { graph, options, result } = planned(training(lstm(32, 10)), extent);
    expect(result.arenaFloats).toBeLessThan(1.1 * mostLive(graph, options, result));
  }
});

describe("the arena", () => {
  test("gives back what it took, joined with its neighbours", () => {
    const arena = new Arena();
    const starts = [4, 6, 2].map(size => arena.take(size));
    expect(starts).toEqual([0, 4, 10]);
    arena.giveBack({ start: 4, size: 6 });
    arena.giveBack({ start: 0, size: 4 });
    expect(arena.take(10)).toBe(0);
    expect(arena.size).toBe(12);
  });

  test("keeps off what is promised to others", () => {
    const arena = new Arena();
    arena.take(10);
    arena.giveBack({ start: 0, size: 10 });
    expect(arena.take(3, [{ start: 2, size: 4 }])).toBe(6);
    // The end of the last gap and two more.
    expect(arena.take(3, [{ start: 2, size: 4 }])).toBe(9);
    arena.takeAt({ start: 2, size: 4 });
    expect(arena.take(2)).toBe(0);
    expect(() => arena.takeAt({ start: 1, size: 2 })).toThrow("is not free");
    arena.giveBack({ start: 0, size: 2 });
    expect(() => arena.giveBack({ start: 1, size: 3 })).toThrow("is free already");
  });
});
