// Levels of saving memory: every program computes the same at each of them, and stores less or as much.

import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import { levels, type Program } from "../../compiler/index.ts";
import { storedFloats } from "../../compiler/schedule/storage.ts";
import { float32Backends } from "../harness/backends.ts";
import { outputsError } from "../harness/differences.ts";
import { compileNamed, environmentOf, modelNames } from "../harness/models.ts";
import { orderProblems } from "../harness/schedules.ts";
import { tolerances } from "../harness/tolerances.ts";
import { onBackend, trainingConfig, trainOn } from "../harness/training.ts";

const savings = levels.filter(level => level !== "fast");

describe.each(modelNames)("%s", name => {
  const model = compileNamed(name);

  test("stores no more at a later level", () => {
    const programsAt: readonly ((level: (typeof levels)[number]) => Program)[] = [
      level => model.train(trainingConfig, level),
      level => model.infer(level),
    ];
    for (const at of programsAt) {
      const stored = levels.map(level => storedFloats(at(level).schedule));
      for (const [i, floats] of stored.entries())
        expect(floats).toBeLessThanOrEqual(stored[i - 1] ?? Infinity);
    }
  });

  test.each(savings)("%s: gradients are the same, and everything is there in time", async level => {
    const [fast, program] = [model.gradients(), model.gradients(level)];
    expect(program.inputs).toEqual(fast.inputs);
    expect(program.results).toEqual(fast.results);
    expect(orderProblems(program.schedule)).toEqual([]);
    const environment = environmentOf(fast, { extent: 5 });
    const expected = evaluateGraph(fast.graph, environment, fast.results);
    const again = evaluateGraph(program.graph, environment, fast.results);
    expect(outputsError(again, expected)).toBeLessThan(tolerances.rearranged);
    for (const backend of float32Backends) {
      const actual = await onBackend(await openBackend(backend), program, environment);
      expect(outputsError(actual, expected), backend).toBeLessThan(tolerances.float32);
    }
  });

  test.each(savings)("%s: trains alike", async level => {
    const [fast, program] = [model.train(trainingConfig), model.train(trainingConfig, level)];
    const environments = [4, 6, 5].map((extent, step) => environmentOf(fast, { seed: 7 + step, extent }));
    const reference = await openBackend("reference");
    const expected = await trainOn(reference, fast, environments);
    expect(outputsError(await trainOn(reference, program, environments), expected)).toBeLessThan(
      tolerances.rearranged,
    );
    for (const backend of float32Backends) {
      const actual = await trainOn(await openBackend(backend), program, environments);
      expect(outputsError(actual, expected), backend).toBeLessThan(tolerances.float32Steps);
    }
  });
});
