// What a program keeps between its runs: parameters, and the optimiser's states, which begin where they are not known.

import type { Tensor } from "../backends/api.ts";
import type { Program, StateSpec } from "../compiler/program/program.ts";
import { staticShape } from "./axes.ts";
import { zeros } from "./tensor.ts";

/** The values that a program needs: parameters, and states at their first value where none is kept. */
export function withStates(
  values: ReadonlyMap<string, Tensor>,
  program: Program,
): ReadonlyMap<string, Tensor> {
  const needed = new Map<string, Tensor>();
  for (const { name } of program.parameters) needed.set(name, values.get(name)!);
  for (const spec of program.states)
    needed.set(spec.name, values.get(spec.name) ?? initialState(spec, program));
  return needed;
}

function initialState(spec: StateSpec, { graph }: Program): Tensor {
  const tensor = zeros(spec.dtype, staticShape(graph.axes, spec));
  tensor.data.fill(spec.initial);
  return tensor;
}
