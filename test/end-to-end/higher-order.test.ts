// Derivatives of derivatives: the gradient's squared norm, and the parameters after a whole training step with clipping
// and Adam or momentum, differentiated once more and compared with central differences.

import { describe, expect, test } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import type { TrainConfig } from "../../compiler/index.ts";
import { drawUniform } from "../../compiler/ops/random.ts";
import { gradientError, outputsError } from "../harness/differences.ts";
import { squaresOf } from "../harness/higher.ts";
import { compileNamed, environmentOf } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";

describe("second derivatives", () => {
  test.each(["elman", "lstm", "gru", "attention", "grid", "ctc", "dropout", "bidirectional"])("%s", name => {
    const program = compileNamed(name).gradients();
    const second = squaresOf(
      program.graph,
      program.results.filter(result => result !== "loss"),
    );
    const environment = environmentOf({ ...program, graph: second });
    expect(gradientError(second, environment, { limit: 6 })).toBeLessThan(tolerances.differences);
  });
});

const optimizers: Readonly<Record<string, TrainConfig["optimizer"]>> = {
  adam: { kind: "adam", rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-3 },
  momentum: { kind: "sgd", rate: 0.1, momentum: 0.9, nesterov: false },
  nesterov: { kind: "sgd", rate: 0.1, momentum: 0.9, nesterov: true },
  sgd: { kind: "sgd", rate: 0.1, momentum: 0, nesterov: false },
};

describe.each(Object.entries(optimizers))("through a training step with %s", (_, optimizer) => {
  test.each(["lstm", "attention"])("%s", name => {
    // Small enough a norm that clipping is at work, and a step in the middle of training.
    const program = compileNamed(name).train({ optimizer, clipNorm: 0.05, batch: 3, epochs: 1 });
    const step = squaresOf(
      program.graph,
      program.updates.map(({ output }) => output),
    );
    const plain = environmentOf({ ...program, graph: step });
    const environment = { ...plain, states: new Map([...plain.states].map(midway)) };
    expect(gradientError(step, environment, { limit: 6 })).toBeLessThan(tolerances.differences);
  });
});

/** States as after some steps: positive, since Adam takes the root of its second moment. */
const midway = ([name, tensor]: readonly [string, Tensor]): readonly [string, Tensor] => [
  name,
  {
    ...tensor,
    data: Float64Array.from(
      tensor.data,
      (_, feature) =>
        0.1 + 0.5 * drawUniform({ seed: 3, step: 0, site: name.length, example: 0, position: 0, feature }),
    ),
  },
];

test("clipping scales to the norm, and only down", () => {
  const model = compileNamed("lstm");
  const gradients = model.gradients();
  const environment = environmentOf(gradients);
  const values = evaluateGraph(gradients.graph, environment, [...gradients.results]);
  const names = gradients.parameters.map(({ name }) => name);
  const norm = Math.hypot(...names.flatMap(name => Array.from(values.get(`gradient.${name}`)!.data)));
  const sgd = { kind: "sgd", rate: 1, momentum: 0, nesterov: false } as const;
  for (const [clipNorm, scale] of [
    [norm / 4, 1 / 4],
    [norm * 4, 1],
  ] as const) {
    const program = model.train({ optimizer: sgd, clipNorm, batch: 3, epochs: 1 });
    const after = evaluateGraph(
      program.graph,
      environment,
      names.map(name => `update.${name}`),
    );
    const moved = new Map(
      names.map(name => {
        const before = environment.parameters.get(name)!;
        const gradient = values.get(`gradient.${name}`)!.data;
        const data = Float64Array.from(before.data, (value, i) => value - scale * gradient[i]!);
        return [`update.${name}`, { ...before, data }] as const;
      }),
    );
    expect(outputsError(after, moved)).toBeLessThan(tolerances.rearranged);
  }
});
