// What executables say of the memory of a run, without a run, is what the run then takes.

import { expect, test } from "vitest";
import { openBackend } from "../../backends/registry.ts";
import { allocated } from "../../backends/tfjs/device.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { levels } from "../../compiler/index.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { float32Backends } from "../harness/backends.ts";
import { compileNamed, environmentOf, extentsOf, modelNames } from "../harness/models.ts";
import { feedsOf, valuesOf } from "../harness/training.ts";
import { programOf } from "./run.ts";

const t = "t" as AxisId;

const batch = 5;

/** Two examples as long as can be, the others shorter; or all of them. */
const options = { batch, extent: 7, padding: "zero" } as const;

for (const name of modelNames) {
  test(`cpu allocates what it says for ${name}`, async () => {
    const cpu = await openBackend("cpu");
    const model = compileNamed(name);
    const programs = levels.flatMap(level => [
      ...(model.hasLoss ? [model.train(undefined, level)] : []),
      model.infer(level),
    ]);
    for (const program of programs) {
      for (const shortest of [2, 7]) {
        const environment = environmentOf(program, { ...options, shortest });
        const before = allocated.bytes;
        const executable = await cpu.compile(program);
        const compiled = allocated.bytes;
        const said = (await executable.memory(batch, extentsOf(environment)))!;
        expect(allocated.bytes).toBe(compiled);
        const state = executable.createState(valuesOf(program, environment));
        const variables = allocated.bytes - compiled;
        const results = await executable.run(feedsOf(environment), state);
        const taken = allocated.bytes - before - variables;
        expect(taken).toBeLessThanOrEqual(said);
        const isRagged = [...environment.lengths.values()].every(own => new Set(Array.from(own)).size > 1);
        if (isRagged) expect(taken).toBe(said);
        for (const held of [results, state, executable]) held.dispose();
        expect(allocated.bytes).toBe(before);
      }
    }
  });
}

test("straight code knows once it is made, the loops' own code at once", async () => {
  const cpu = await openBackend("cpu");
  const program = compileNamed("lstm").train();
  const environment = environmentOf(program, { ...options, shortest: 2 });
  const extents = extentsOf(environment);
  const straight = await cpu.compile(program, { unroll: "full" });
  expect(straight.memory(batch, extents)).toBe(null);
  const state = straight.createState(valuesOf(program, environment));
  (await straight.run(feedsOf(environment), state)).dispose();
  expect(straight.memory(batch, extents)).toBeGreaterThan(0);
  state.dispose();
  straight.dispose();
});

test("the reference keeps every value at every step in float64", async () => {
  const b = new GraphBuilder([{ id: t, length: null }]);
  b.output("y", b.exp(b.input("x", { shape: [4], axes: [t] })));
  const executable = await (await openBackend("reference")).compile(programOf(b.finish()));
  // Input, exponential and the result.
  expect(executable.memory(5, new Map([[t, 7]]))).toBe(3 * 5 * 7 * 4 * 8);
});

test.each(["reference", ...float32Backends])("%s refuses what cannot be", async name => {
  const executable = await (await openBackend(name)).compile(compileNamed("lstm").infer());
  expect(() => executable.memory(5, new Map())).toThrow("F0810");
  expect(() => executable.memory(0.5, new Map([[t, 7]]))).toThrow("F0904");
  executable.dispose();
  expect(() => executable.memory(5, new Map([[t, 7]]))).toThrow("F0818");
});
