// Whole training steps with clipping and Adam on the cpu backend against the reference, step by step: what is kept
// from one run to the next (state, packed weights, bindings) must not go stale.

import { expect, test } from "vitest";
import type { Backend, Tensor } from "../../backends/api.ts";
import { reference } from "../../backends/reference/index.ts";
import { cpu } from "../../backends/tfjs/cpu.ts";
import type { Program } from "../../compiler/program/program.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { attention, bidirectional, gru, languageModel, lstm, twoLevel } from "../harness/graphs.ts";
import { tolerances } from "../harness/tolerances.ts";
import { programOf, roundedToFloat32, trainingStepOf } from "./run.ts";

/** Losses and final parameters after some steps on batches of changing lengths. */
async function train(backend: Backend, program: Program): Promise<ReadonlyMap<string, Tensor>> {
  const executable = await backend.compile(program);
  const first = roundedToFloat32(randomEnvironment(program.graph, { batch: 6, extent: 5 }));
  const state = executable.createState(new Map([...first.parameters, ...first.states]));
  const read = new Map<string, Tensor>();
  for (let step = 0; step < 8; step++) {
    const { lengths, ...data } = roundedToFloat32(
      randomEnvironment(program.graph, { seed: step, batch: 6, extent: 5 - (step % 2) }),
    );
    const own = new Map([...lengths].map(([axis, each]) => [axis, Int32Array.from(each)]));
    const results = await executable.run({ ...data, lengths: own, step }, state);
    read.set(`loss at ${step}`, await results.read("loss"));
    results.dispose();
  }
  for (const name of state.names) read.set(name, await state.read(name));
  state.dispose();
  executable.dispose();
  return read;
}

test.each(Object.entries({ lstm, gru, bidirectional, attention, twoLevel, languageModel }))(
  "eight steps of %s",
  async (_, make) => {
    const program = { ...programOf(trainingStepOf(make())), results: ["loss"] };
    const [actual, expected] = [await train(cpu, program), await train(reference, program)];
    expect(actual.size).toBeGreaterThan(10);
    expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32Steps);
  },
);
