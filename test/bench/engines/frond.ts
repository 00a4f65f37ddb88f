// Frond itself, on one of its backends: the model compiled as any program of a user would be, on feeds made before.

import type { CompileOptions, Tensor } from "../../../backends/api.ts";
import { backends, openBackend } from "../../../backends/registry.ts";
import { withStates } from "../../../runtime/states.ts";
import { checkedSteps, type Engine, picked } from "../engine.ts";
import type { Work } from "../work.ts";

/** The backends to be measured; the interpreter is slow on purpose. */
export const frondBackends: readonly string[] = backends
  .map(({ name }) => name)
  .filter(name => name !== "reference");

export function frondEngine(name: string, options: CompileOptions = {}): Engine {
  return {
    probe: async () => {
      const availability = await backends.find(backend => backend.name === name)!.probe();
      if (availability.available) return availability;
      return { available: false, reason: `${availability.reason}; ${availability.remedy}` };
    },
    open: work => open(name, options, work),
  };
}

async function open(name: string, options: CompileOptions, { case: one, program, tensors }: Work) {
  const backend = await openBackend(name);
  const executable = await backend.compile(program, options);
  const state = executable.createState(withStates(tensors, program));
  const inputs = new Map(program.inputs.map(input => [input.name, tensors.get(input.name)!] as const));
  const result = one.task === "train" ? "loss" : "output.p";
  let step = 0;
  const run = async (): Promise<Tensor["data"]> => {
    const feeds = { batch: one.batch, inputs, lengths: new Map(), seed: 0, step: step++ };
    const results = await executable.run(feeds, state);
    const { data } = await results.read(result);
    results.dispose();
    return data;
  };
  const check: number[] = [];
  if (one.task === "infer") check.push(...picked(await run()));
  else for (let at = 0; at < checkedSteps; at++) check.push((await run())[0]!);
  const close = () => {
    state.dispose();
    executable.dispose();
  };
  return { check, run, close };
}
