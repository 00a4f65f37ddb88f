// Compares a compiled model on a backend with PyTorch's golden values (test/golden/README.md): outputs, loss and all
// gradients of layers; parameters after each step of an optimiser. Returns the worst relative errors by name.

import type { Backend, Executable, Feeds, State, Tensor } from "../../backends/api.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { CompiledModel } from "../../runtime/model.ts";
import type {
  GoldenCase,
  GoldenTensor,
  GoldenTensors,
  LayerGolden,
  OptimizerGolden,
  OutputGolden,
} from "../golden/golden.ts";

/** Largest difference over a tensor divided by its largest expected value, by name. */
export type Errors = ReadonlyMap<string, number>;

/** `output.NAME` of every output. */
export async function compareOutputs(
  golden: OutputGolden,
  model: CompiledModel,
  backend: Backend,
): Promise<Errors> {
  const errors = new Map<string, number>();
  await withState(model.infer(), golden.parameters, backend, async (executable, state, program) => {
    const results = await executable.run(feeds(golden, program, 0), state);
    for (const [name, expected] of Object.entries(golden.outputs)) {
      const output = `output.${name}`;
      errors.set(output, relativeError(await results.read(output), expected));
    }
    results.dispose();
  });
  return errors;
}

/** `output.NAME` of every output, `loss`, and `gradient.NAME` of every parameter. */
export async function compareLayer(
  golden: LayerGolden,
  model: CompiledModel,
  backend: Backend,
): Promise<Errors> {
  const errors = new Map(await compareOutputs(golden, model, backend));
  await withState(model.gradients(), golden.parameters, backend, async (executable, state, program) => {
    const results = await executable.run(feeds(golden, program, 0), state);
    errors.set("loss", relativeError(await results.read("loss"), scalar(golden.loss)));
    for (const [name, expected] of Object.entries(golden.gradients)) {
      const output = `gradient.${name}`;
      errors.set(output, relativeError(await results.read(output), expected));
    }
    results.dispose();
  });
  return errors;
}

/** The loss before each step and every parameter after it, as `STEP.loss` and `STEP.NAME`. */
export async function compareSteps(
  golden: OptimizerGolden,
  model: CompiledModel,
  backend: Backend,
): Promise<Errors> {
  const errors = new Map<string, number>();
  await withState(model.train(), golden.parameters, backend, async (executable, state, program) => {
    for (const [step, { loss, parameters }] of golden.steps.entries()) {
      const results = await executable.run(feeds(golden, program, step), state);
      errors.set(`${step}.loss`, relativeError(await results.read("loss"), scalar(loss)));
      results.dispose();
      for (const [name, expected] of Object.entries(parameters)) {
        errors.set(`${step}.${name}`, relativeError(await state.read(name), expected));
      }
    }
  });
  return errors;
}

async function withState(
  program: Program,
  parameters: GoldenTensors,
  backend: Backend,
  use: (executable: Executable, state: State, program: Program) => Promise<void>,
): Promise<void> {
  const executable = await backend.compile(program);
  const values = new Map(Object.entries(parameters).map(([name, value]) => [name, tensor(value)]));
  for (const { name, dtype, shape, initial } of program.states) {
    const data = new Array<number>(shape.reduce((product, size) => product * size, 1)).fill(initial);
    values.set(name, tensor({ dtype: dtype === "index" ? "index" : "real", shape, data }));
  }
  const state = executable.createState(values);
  try {
    await use(executable, state, program);
  } finally {
    state.dispose();
    executable.dispose();
  }
}

function feeds(golden: GoldenCase, program: Program, step: number): Feeds {
  const lengths = new Map(
    Object.entries(golden.lengths).map(([axis, own]) => [axis as AxisId, Int32Array.from(own)]),
  );
  const [batch] = Object.values(golden.lengths).map(own => own.length);
  const inputs = new Map(program.inputs.map(({ name }) => [name, tensor(golden.inputs[name]!)]));
  return { batch: batch!, inputs, lengths, seed: 0, step };
}

const tensor = ({ dtype, shape, data }: GoldenTensor): Tensor =>
  dtype === "index"
    ? { dtype, shape, data: Int32Array.from(data) }
    : { dtype, shape, data: Float64Array.from(data) };

const scalar = (value: number): GoldenTensor => ({ dtype: "real", shape: [], data: [value] });

/** Infinite where shapes differ or a value is NaN, so that it exceeds any tolerance. */
function relativeError(actual: Tensor, expected: GoldenTensor): number {
  if (actual.shape.join() !== expected.shape.join()) return Number.POSITIVE_INFINITY;
  const difference = expected.data.reduce((most, value, i) => {
    const own = Math.abs(value - actual.data[i]!);
    return Number.isNaN(own) ? Number.POSITIVE_INFINITY : Math.max(most, own);
  }, 0);
  const size = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return size === 0 ? difference : difference / size;
}
