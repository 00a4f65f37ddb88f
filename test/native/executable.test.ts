// What is particular to native, on the real library: states and results beside TensorFlow's tensors, what is left
// behind, and what TensorFlow refuses. That it computes what the others do is tested where they are.

import { describe, expect, test } from "vitest";
import type { Executable, Tensor } from "../../backends/api.ts";
import { NativeExecutable } from "../../backends/native/executable.ts";
import { native } from "../../backends/native/index.ts";
import type { Binding } from "../../backends/native/tfjs-node.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import type { Program } from "../../compiler/program/program.ts";
import { programOf, trainingStepOf } from "../backends/run.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { elman, gru, lstm, withGradients } from "../harness/graphs.ts";
import { compileNamed, environmentOf } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { feedsOf, onBackend, runWith, valuesOf } from "../harness/training.ts";
import { installed, runs, why } from "./installed.ts";

const t = "t" as AxisId;

const held = (): { readonly tensors: number; readonly models: number } => {
  const { binding } = installed();
  return { tensors: binding.getNumOfTensors(), models: binding.getNumOfSavedModels() };
};

/** A training step that gives its loss. */
const training = (): Program => ({ ...programOf(trainingStepOf(lstm(4))), results: ["loss"] });

const tensor = (...data: number[]): Tensor => ({
  dtype: "real",
  shape: [data.length],
  data: Float32Array.from(data),
});

/** The addon with other functions: its own cannot be assigned to. */
const bindingWith = (own: Partial<Binding>): Binding =>
  Object.create(installed().binding, Object.getOwnPropertyDescriptors(own));

const nothing = { batch: 1, inputs: new Map(), lengths: new Map(), seed: 0, step: 0 };

describe.runIf(runs)(`native${why}`, () => {
  test("what 1,000 steps of changing lengths leave behind is what 10 do; nothing, when all is disposed of", async () => {
    const before = held();
    const program = training();
    const executable = await native.compile(program);
    const environment = randomEnvironment(program.graph, { batch: 3, extent: 6, shortest: 6 });
    const state = executable.createState(valuesOf(program, environment));
    const losses: number[] = [];
    const steps = async (from: number, to: number): Promise<void> => {
      for (let step = from; step < to; step++) {
        const lengths = new Map([[t, Int32Array.of(1 + (step % 6), 3, 1 + ((step * 5) % 6))]]);
        const results = await executable.run({ ...feedsOf(environment), lengths, step }, state);
        losses.push((await results.read("loss")).data[0]!);
      }
    };
    await steps(0, 10);
    const early = held();
    const memory = process.memoryUsage().rss;
    await steps(10, 1000);
    expect(held()).toEqual(early);
    // Megabytes, of which JavaScript's garbage is some.
    expect((process.memoryUsage().rss - memory) / 2 ** 20).toBeLessThan(100);
    // It learns, so the steps did something.
    expect(losses.at(-6)!).toBeLessThan(losses[0]! / 2);
    for (const one of [state, state, executable, executable]) one.dispose();
    expect(held()).toEqual(before);
  });

  test("a state serves training and inference in turn, and outlives both", async () => {
    const model = compileNamed("lstm");
    const [train, infer] = [model.train(), model.infer()];
    // Their parameters are the same, but not their states: those of inference are a part.
    const gradients = model.gradients();
    const environment = environmentOf(gradients, { extent: 4 });
    const [one, other] = [await native.compile(gradients), await native.compile(infer)];
    const state = one.createState(valuesOf(gradients, environment));
    const first = await (await one.run(feedsOf(environment), state)).read("loss");
    const inferred = environmentOf(infer, { extent: 4 });
    const outputs = await other.run(feedsOf(inferred), state);
    one.dispose();
    other.dispose();
    const again = await native.compile(gradients);
    expect(await (await again.run(feedsOf(environment), state)).read("loss")).toEqual(first);
    expect((await outputs.read("output.p")).data.length).toBeGreaterThan(0);
    again.dispose();
    const trainer = await native.compile(train);
    await expect(trainer.run(feedsOf(environmentOf(train)), state)).rejects.toThrow("F0819");
    for (const left of [state, trainer]) left.dispose();
  });

  test("updates that exchange two values see the old ones", async () => {
    const b = new GraphBuilder();
    const [p, q] = [b.parameter("p", [2]), b.parameter("q", [2])];
    b.output("update.p", q);
    b.output("update.q", p);
    b.output("seen", p);
    const executable = await native.compile({ ...programOf(b.finish()), results: ["seen"] });
    const state = executable.createState(
      new Map([
        ["p", tensor(1, 2)],
        ["q", tensor(3, 4)],
      ]),
    );
    const results = await executable.run(nothing, state);
    expect([...(await state.read("p")).data]).toEqual([3, 4]);
    expect([...(await state.read("q")).data]).toEqual([1, 2]);
    await executable.run(nothing, state);
    expect([...(await state.read("p")).data]).toEqual([1, 2]);
    expect([...(await results.read("seen")).data]).toEqual([1, 2]);
    state.dispose();
    executable.dispose();
  });

  test("values and results are copies", async () => {
    const b = new GraphBuilder();
    b.output("same", b.input("x", { shape: [3] }));
    b.output("p", b.parameter("p", [3]));
    const executable = await native.compile(programOf(b.finish()));
    const [given, fed] = [tensor(1, 2, 3), Float32Array.of(4, 5, 6)];
    const state = executable.createState(new Map([["p", given]]));
    given.data.fill(0);
    const x: Tensor = { dtype: "real", shape: [1, 3], data: fed };
    const results = await executable.run({ ...nothing, inputs: new Map([["x", x]]) }, state);
    fed.fill(0);
    (await results.read("same")).data.fill(0);
    state.dispose();
    executable.dispose();
    expect([...(await results.read("same")).data]).toEqual([4, 5, 6]);
    expect([...(await results.read("p")).data]).toEqual([1, 2, 3]);
  });

  test("a run that is refused changes no parameter and leaves nothing", async () => {
    const program = training();
    const executable = await native.compile(program);
    const environment = randomEnvironment(program.graph, { batch: 2, extent: 3 });
    const state = executable.createState(valuesOf(program, environment));
    const feeds = feedsOf(environment);
    await executable.run(feeds, state);
    const [before, start] = [await state.read("h.U"), held()];
    await expect(executable.run({ ...feeds, inputs: new Map() }, state)).rejects.toThrow("F0801");
    expect(await state.read("h.U")).toEqual(before);
    expect(held()).toEqual(start);
    state.dispose();
    executable.dispose();
  });

  test("one executable for every batch and extent, the empty ones included", async () => {
    const program = programOf(withGradients(elman()));
    const executable = await native.compile(program);
    for (const [batch, extent, shortest] of [
      [1, 1, 1],
      [7, 9, 0],
      [2, 0, 0],
      [0, 4, 4],
      [7, 2, 0],
      // The same batch and extent, equal lengths and ragged ones in turn.
      [4, 5, 5],
      [4, 5, 0],
      [4, 5, 5],
    ] as const) {
      const environment = randomEnvironment(program.graph, { batch, extent, shortest });
      const alone = await native.compile(program);
      expect(await runWith(executable, program, environment)).toEqual(
        await runWith(alone, program, environment),
      );
      alone.dispose();
    }
    executable.dispose();
  });

  test("what there is no room for is refused: results, and what is between", async () => {
    const b = new GraphBuilder();
    b.output("wide", b.broadcast(b.input("x", { shape: [300_000] }), { shape: [10_000, 300_000] }));
    const x: Tensor = { dtype: "real", shape: [1, 300_000], data: new Float32Array(300_000) };
    const program = programOf(b.finish());
    // TensorFlow looks for memory for ten seconds before it says so.
    const small = bindingWith({
      runSavedModel: () => {
        throw new Error(
          "Session fail to run with error: OOM when allocating tensor with shape[300000,300000]",
        );
      },
    });
    const narrow: Program = { ...program, results: [] };
    const updated = { ...narrow, updates: [{ target: "p", output: "wide" }] };
    for (const executable of [await native.compile(program), new NativeExecutable(small, updated)]) {
      const state = executable.createState(new Map());
      const { tensors } = held();
      await expect(executable.run({ ...nothing, inputs: new Map([["x", x]]) }, state)).rejects.toThrow(
        "F0905",
      );
      expect(held().tensors).toBe(tensors);
      state.dispose();
      executable.dispose();
    }
  });

  test("an error of TensorFlow's names the node of the program", async () => {
    const b = new GraphBuilder();
    const sizes = [2, 1, 2, 1, 2, 1];
    const [x, y] = [b.parameter("x", sizes), b.parameter("y", sizes.map(size => 3 - size))]; // biome-ignore format: a pair
    b.withPlace({ label: "h.z" }, () => b.output("sum", b.sub(x, y)));
    const executable = await native.compile(programOf(b.finish()));
    const of = (shape: readonly number[]): Tensor => ({ dtype: "real", shape, data: new Float32Array(8) });
    const state = executable.createState(new Map([["x", of(sizes)], ["y", of(sizes.map(size => 3 - size))]])); // biome-ignore format: values
    await expect(executable.run(nothing, state)).rejects.toThrow(
      /native: %\d+ = sub \(h\.z\): .*not supported/,
    );
    state.dispose();
    executable.dispose();
  });

  test("a loop that TensorFlow's optimiser has broken runs as straight code", async () => {
    const program = training();
    const { binding } = installed();
    let refused = 0;
    let looped: number | null = null;
    const broken = bindingWith({
      loadSavedModel: (folder, tags) => {
        const id = binding.loadSavedModel(folder, tags);
        looped ??= id;
        return id;
      },
      runSavedModel: (...given) => {
        if (given[0] !== looped) return binding.runSavedModel(...given);
        refused++;
        throw new Error("Session fail to run with error: Retval[0] does not have value");
      },
    });
    const environment = randomEnvironment(program.graph, { batch: 2, extent: 3 });
    const lossOn = async (executable: Executable): Promise<number> => {
      const state = executable.createState(valuesOf(program, environment));
      (await executable.run(feedsOf(environment), state)).dispose();
      const results = await executable.run(feedsOf(environment), state);
      for (const one of [state, executable]) one.dispose();
      return (await results.read("loss")).data[0]!;
    };
    const straight = await lossOn(new NativeExecutable(broken, program));
    expect(straight).toBeCloseTo(await lossOn(await native.compile(program)), 5);
    // Not tried again by the second step.
    expect(refused).toBe(1);
  });

  test("unrolled by a factor it is the same graph", async () => {
    const program = programOf(withGradients(gru()));
    const environment = randomEnvironment(program.graph, { batch: 3, extent: 5 });
    const [plain, unrolled] = [await native.compile(program), await native.compile(program, { unroll: 3 })];
    expect(await runWith(unrolled, program, environment)).toEqual(await runWith(plain, program, environment));
    for (const one of [plain, unrolled]) one.dispose();
  });

  test("numbers are drawn as everywhere", async () => {
    const program = compileNamed("dropout").gradients();
    const environment = environmentOf(program, { extent: 5 });
    const { reference } = await import("../../backends/reference/index.ts");
    const [actual, expected] = [
      await onBackend(native, program, environment),
      await onBackend(reference, program, environment),
    ];
    expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32);
  });
});
