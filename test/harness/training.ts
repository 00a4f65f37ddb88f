// Runs a training step over several batches on a backend: losses and what the state is in the end.

import type { Backend, CompileOptions, Executable, Feeds, Tensor } from "../../backends/api.ts";
import type { PlainEnvironment } from "../../backends/reference/evaluate.ts";
import type { Program } from "../../compiler/program/program.ts";

/** How models are trained where it is only asked whether backends do it alike. */
export const trainingConfig = {
  optimizer: { kind: "adam", rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-3 },
  clipNorm: 1,
  batch: 3,
  epochs: 1,
} as const;

export const feedsOf = ({ batch, inputs, lengths, seed, step }: Required<PlainEnvironment>): Feeds => ({
  batch,
  inputs,
  lengths: new Map([...lengths].map(([axis, own]) => [axis, Int32Array.from(Array.from(own))])),
  seed,
  step,
});

/** A value for each of the program's variables; zeros for parameters that its graph does not read, and for states. */
export function valuesOf(
  program: Program,
  { parameters, states }: Required<PlainEnvironment>,
): ReadonlyMap<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const { name, shape, axes } of [...program.parameters, ...program.states]) {
    const lengths = axes.map(axis => program.graph.axes.find(({ id }) => id === axis)?.length ?? 1);
    const sizes = [...lengths, ...shape];
    const data = new Float64Array(sizes.reduce((a, b) => a * b, 1));
    values.set(name, parameters.get(name) ?? states.get(name) ?? { dtype: "real", shape: sizes, data });
  }
  return values;
}

/** One step on each environment, from the first one's values on; `STEP.RESULT` of every step and the variables. */
export async function trainOn(
  backend: Backend,
  program: Program,
  environments: readonly Required<PlainEnvironment>[],
  options: CompileOptions = {},
): Promise<ReadonlyMap<string, Tensor>> {
  const executable = await backend.compile(program, options);
  const state = executable.createState(valuesOf(program, environments[0]!));
  const read = new Map<string, Tensor>();
  for (const [step, environment] of environments.entries()) {
    const results = await executable.run({ ...feedsOf(environment), step }, state);
    for (const name of program.results) read.set(`${step}.${name}`, await results.read(name));
    results.dispose();
  }
  for (const name of state.names) read.set(name, await state.read(name));
  state.dispose();
  executable.dispose();
  return read;
}

/** The program's results on a backend, which keeps nothing of it. */
export async function onBackend(
  backend: Backend,
  program: Program,
  environment: Required<PlainEnvironment>,
  options: CompileOptions = {},
): Promise<ReadonlyMap<string, Tensor>> {
  const executable = await backend.compile(program, options);
  try {
    return await runWith(executable, program, environment);
  } finally {
    executable.dispose();
  }
}

/** Runs with one executable that have nothing else in common; `RUN.RESULT` of each. */
export async function runsOn(
  backend: Backend,
  program: Program,
  environments: readonly Required<PlainEnvironment>[],
  options: CompileOptions = {},
): Promise<ReadonlyMap<string, Tensor>> {
  const executable = await backend.compile(program, options);
  const read = new Map<string, Tensor>();
  try {
    for (const [run, environment] of environments.entries()) {
      const results = await runWith(executable, program, environment);
      for (const [name, tensor] of results) read.set(`${run}.${name}`, tensor);
    }
    return read;
  } finally {
    executable.dispose();
  }
}

/** Runs once, with a state of its own, and reads everything. */
export async function runWith(
  executable: Executable,
  program: Program,
  environment: Required<PlainEnvironment>,
): Promise<ReadonlyMap<string, Tensor>> {
  const state = executable.createState(valuesOf(program, environment));
  try {
    const results = await executable.run(feedsOf(environment), state);
    const read = new Map<string, Tensor>();
    for (const name of program.results) read.set(name, await results.read(name));
    results.dispose();
    return read;
  } finally {
    state.dispose();
  }
}
