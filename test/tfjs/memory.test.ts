// Nothing is left behind: tensors and buffers after many steps are those after a few, and none after disposal. What
// runs share, they share safely.

import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { cpu } from "../../backends/tfjs/cpu.ts";
import { allocated } from "../../backends/tfjs/device.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { programOf } from "../backends/run.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { elman, lstm, withGradients } from "../harness/graphs.ts";
import { runWith } from "../harness/training.ts";

/** What tfjs counts, its engine and its cpu backend, and what Frond's buffers hold. */
function held(): { readonly tensors: number; readonly ids: number; readonly bytes: number } {
  const { numTensors, numDataBuffers } = tf.memory();
  const backend = tf.findBackend("cpu");
  return { tensors: numTensors + numDataBuffers, ids: backend.numDataIds(), bytes: allocated.bytes };
}

/** One gradient step on every parameter. */
function training(graph = withGradients(lstm(4))) {
  const b = GraphBuilder.from(graph);
  for (const node of graph.nodes.values()) {
    if (node.op !== "parameter") continue;
    const gradient = graph.outputs.get(`gradient.${node.attrs.name}`)!;
    b.output(`update.${node.attrs.name}`, b.sub(node.id, b.mul(b.constant(0.05), gradient)));
  }
  return { ...programOf(b.finish()), results: ["loss"] };
}

test("memory after 1,000 steps of changing lengths is memory after 10", async () => {
  const program = training();
  await cpu.compile(training(withGradients(elman()))).then(warm => warm.dispose());
  const before = held();
  const executable = await cpu.compile(program);
  const environment = randomEnvironment(program.graph, { batch: 3, extent: 6, shortest: 6 });
  const state = executable.createState(environment.parameters);
  const losses: number[] = [];
  const steps = async (from: number, to: number): Promise<void> => {
    for (let step = from; step < to; step++) {
      const t = "t" as AxisId;
      const lengths = new Map([[t, Int32Array.of(1 + (step % 6), 3, 1 + ((step * 5) % 6))]]);
      const results = await executable.run({ ...environment, lengths, step }, state);
      losses.push((await results.read("loss")).data[0]!);
      results.dispose();
    }
  };
  await steps(0, 10);
  const early = held();
  await steps(10, 1000);
  expect(held()).toEqual(early);
  // It learns, so the steps did something.
  expect(losses.at(-6)!).toBeLessThan(losses[0]! / 2);
  // Giving back twice is giving back once.
  const results = await executable.run({ ...environment, lengths: new Map() }, state);
  for (const one of [results, results, state, state, executable, executable]) one.dispose();
  expect(held()).toEqual(before);
});

test("a run that fails changes no parameter and leaves nothing", async () => {
  const program = training();
  const executable = await cpu.compile(program);
  const environment = randomEnvironment(program.graph, { batch: 2, extent: 3, shortest: 3, padding: "zero" });
  const state = executable.createState(environment.parameters);
  const feeds = { ...environment, lengths: new Map() };
  await (await executable.run(feeds, state)).dispose();
  const before = await state.read("h.U");
  const start = held();
  await expect(executable.run({ ...feeds, inputs: new Map() }, state)).rejects.toThrow("F0801");
  expect(await state.read("h.U")).toEqual(before);
  expect(held()).toEqual(start);
  await (await executable.run(feeds, state)).dispose();
  expect((await state.read("h.U")).data).not.toEqual(before.data);
  state.dispose();
  executable.dispose();
});

test("a result that there is no room for leaves nothing", async () => {
  const b = new GraphBuilder();
  b.output("small", b.input("x", {}));
  // A view: only the result takes room.
  b.output("large", b.broadcast(b.parameter("p", [1e6]), { batched: true }));
  const program = programOf(b.finish());
  const executable = await cpu.compile(program);
  const p = { dtype: "real", shape: [1e6], data: new Float32Array(1e6) } as const;
  const state = executable.createState(new Map([["p", p]]));
  const x = { dtype: "real", shape: [5000], data: new Float32Array(5000) } as const;
  const feeds = { batch: 5000, inputs: new Map([["x", x]]), lengths: new Map(), seed: 0, step: 0 };
  await expect(executable.run(feeds, state)).rejects.toThrow("F0905");
  const start = held();
  await expect(executable.run(feeds, state)).rejects.toThrow("F0905");
  expect(held()).toEqual(start);
  state.dispose();
  executable.dispose();
});

test("updates that exchange two values see the old ones", async () => {
  const b = new GraphBuilder();
  const [p, q] = [b.parameter("p", [2]), b.parameter("q", [2])];
  b.output("update.p", q);
  b.output("update.q", p);
  const program = programOf(b.finish());
  const executable = await cpu.compile(program);
  const tensor = (...data: number[]) =>
    ({ dtype: "real", shape: [2], data: Float32Array.from(data) }) as const;
  const state = executable.createState(
    new Map([
      ["p", tensor(1, 2)],
      ["q", tensor(3, 4)],
    ]),
  );
  await executable.run({ batch: 1, inputs: new Map(), lengths: new Map(), seed: 0, step: 0 }, state);
  expect([...(await state.read("p")).data]).toEqual([3, 4]);
  expect([...(await state.read("q")).data]).toEqual([1, 2]);
});

test("two states of one executable, and results that outlive the next run", async () => {
  const program = programOf(elman());
  const executable = await cpu.compile(program);
  const environment = randomEnvironment(program.graph, { batch: 2, extent: 3 });
  const first = await runWith(executable, program, environment);
  const other = randomEnvironment(program.graph, { batch: 2, extent: 3, seed: 9 });
  const second = await runWith(executable, program, other);
  expect(second.get("h")!.data).not.toEqual(first.get("h")!.data);
  expect(await runWith(executable, program, environment)).toEqual(first);
  expect(first.get("h")!.data).not.toBe((await runWith(executable, program, environment)).get("h")!.data);
});

test("one executable for every batch and extent, the empty ones included", async () => {
  const program = programOf(withGradients(elman()));
  const executable = await cpu.compile(program);
  for (const [batch, extent, shortest] of [
    [1, 1, 1],
    [7, 9, 0],
    [2, 0, 0],
    [7, 2, 0],
    [1, 1, 1],
    // The same batch and extent, equal lengths and ragged ones in turn.
    [4, 5, 5],
    [4, 5, 0],
    [4, 5, 5],
  ] as const) {
    const environment = randomEnvironment(program.graph, { batch, extent, shortest });
    const alone = await cpu.compile(program);
    expect(await runWith(executable, program, environment)).toEqual(
      await runWith(alone, program, environment),
    );
  }
});
