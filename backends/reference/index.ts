// The reference backend: float64, straight from the graph's meaning. Slow on purpose (nothing is scheduled, fused or
// reused); it is the oracle that the others are measured against. It has no loops, so unrolling by a factor changes
// nothing; unrolled fully, it interprets the static graph.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { sizeOf } from "../../compiler/ops/shapes.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Backend, Executable, Feeds, Results, State, Tensor } from "../api.ts";
import { extentsOfAll, normalizeFeeds } from "../feeds.ts";
import {
  executableDisposed,
  foreignState,
  otherBackend,
  otherVariables,
  stateDisposed,
  unknownName,
  withinMemory,
} from "../misuse.ts";
import { CopiedResults, copyOf } from "../results.ts";
import { compileUnrolled } from "../unrolled.ts";
import { fittingValues, sameVariables, type Variable, variablesOf } from "../variables.ts";
import { emptyArray, tensorOf } from "./evaluate.ts";
import { Interpreter } from "./interpreter.ts";

export const reference: Backend = {
  name: "reference",
  doc: "plain float64 interpreter of the recurrence graph: the oracle of the tests",
  probe: async () => ({ available: true, detail: "float64, plain JavaScript" }),
  compile: async (program, options = {}) =>
    compileUnrolled(program, options, scheduled => new ReferenceExecutable(scheduled)),
};

class ReferenceState implements State {
  readonly names: readonly string[];
  readonly #variables: readonly Variable[];
  #tensors: ReadonlyMap<string, Tensor> | null;

  constructor(variables: readonly Variable[], values: ReadonlyMap<string, Tensor>) {
    this.#variables = variables;
    this.names = variables.map(({ name }) => name);
    const fitting = fittingValues(variables, values);
    this.#tensors = new Map(this.names.map((name, i) => [name, inFloat64(fitting[i]!)] as const));
  }

  /** The values now. Refuses when disposed of, and for a program with other variables. */
  valuesFor(program: Program, variables: readonly Variable[]): ReadonlyMap<string, Tensor> {
    if (this.#tensors === null) throw stateDisposed();
    if (!sameVariables(this.#variables, variables)) throw foreignState(program, otherVariables);
    return this.#tensors;
  }

  update(values: ReadonlyMap<string, Tensor>): void {
    if (this.#tensors === null) throw stateDisposed();
    this.#tensors = new Map([...this.#tensors, ...values]);
  }

  async read(name: string): Promise<Tensor> {
    if (this.#tensors === null) throw stateDisposed();
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw unknownName(name, "parameter or state", this.names);
    return copyOf(tensor);
  }

  dispose(): void {
    this.#tensors = null;
  }
}

class ReferenceExecutable implements Executable {
  readonly #program: Program;
  readonly #variables: readonly Variable[];
  #disposed = false;

  constructor(program: Program) {
    this.#program = program;
    this.#variables = variablesOf(program);
  }

  createState(values: ReadonlyMap<string, Tensor>): State {
    if (this.#disposed) throw executableDisposed(this.#program);
    return new ReferenceState(this.#variables, values);
  }

  async run(feeds: Feeds, state: State): Promise<Results> {
    const { graph, parameters, states, updates, results } = this.#program;
    if (this.#disposed) throw executableDisposed(this.#program);
    if (!(state instanceof ReferenceState)) throw foreignState(this.#program, otherBackend);
    const values = state.valuesFor(this.#program, this.#variables);
    const kept = ({ name }: { readonly name: string }) => [name, values.get(name)!] as const;
    const fed = normalizeFeeds(this.#program, feeds);
    return withinMemory(this.#program, fed.batch, () => {
      const interpreter = new Interpreter(graph, {
        ...fed,
        parameters: new Map(parameters.map(kept)),
        states: new Map(states.map(kept)),
      });
      const compute = (output: string): Tensor => tensorOf(interpreter, graph.outputs.get(output)!);
      const read = new Map(results.map(name => [name, compute(name)] as const));
      const updated = new Map(updates.map(({ target, output }) => [target, compute(output)] as const));
      // Only now, when nothing can fail any more.
      state.update(updated);
      return new CopiedResults(read);
    });
  }

  /** Every value at every point stays until the end, in float64, and outputs are copied; what JavaScript adds to an array is not counted. */
  memory(batch: number, open: ReadonlyMap<AxisId, number>): number {
    if (this.#disposed) throw executableDisposed(this.#program);
    const extents = extentsOfAll(this.#program, batch, open);
    const { nodes, outputs } = this.#program.graph;
    let numbers = 0;
    for (const { type } of [...nodes.values(), ...[...outputs.values()].map(id => nodes.get(id)!)]) {
      const points = sizeOf(type.axes.map(axis => extents.get(axis)!));
      numbers += points * (type.batched ? batch : 1) * sizeOf(type.shape);
    }
    return numbers * Float64Array.BYTES_PER_ELEMENT;
  }

  dispose(): void {
    this.#disposed = true;
  }
}

function inFloat64(tensor: Tensor): Tensor {
  const data = emptyArray(tensor.dtype, tensor.data.length);
  data.set(tensor.data);
  return { ...tensor, data };
}
