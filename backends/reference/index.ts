// The reference backend: float64, straight from the graph's meaning. Slow on purpose (nothing is scheduled, fused or
// reused); it is the oracle that the others are measured against.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Backend, Executable, Feeds, Results, State, Tensor } from "../api.ts";
import { normalizeFeeds } from "../feeds.ts";
import { emptyArray, tensorOf } from "./evaluate.ts";
import { Interpreter } from "./interpreter.ts";

export const reference: Backend = {
  name: "reference",
  doc: "plain float64 interpreter of the recurrence graph: the oracle of the tests",
  probe: async () => ({ available: true, detail: "float64, plain JavaScript" }),
  compile: async program => new ReferenceExecutable(program),
};

/** Tensors by name, until disposed. */
class Tensors implements Results, State {
  tensors: ReadonlyMap<string, Tensor>;
  constructor(tensors: ReadonlyMap<string, Tensor>) {
    this.tensors = tensors;
  }
  get names(): readonly string[] {
    return [...this.tensors.keys()];
  }
  async read(name: string): Promise<Tensor> {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new InternalError("reference", `there is no value ${name} (any more)`);
    return { ...tensor, data: tensor.data.slice() };
  }
  dispose(): void {
    this.tensors = new Map();
  }
}

class ReferenceExecutable implements Executable {
  readonly #program: Program;
  constructor(program: Program) {
    this.#program = program;
  }

  createState(values: ReadonlyMap<string, Tensor>): State {
    checkState(this.#program, values);
    return new Tensors(new Map([...values].map(([name, tensor]) => [name, inFloat64(tensor)] as const)));
  }

  async run(feeds: Feeds, state: State): Promise<Results> {
    if (!(state instanceof Tensors)) throw new InternalError("reference", "the state is another backend's");
    const { graph, parameters, states, updates, results } = this.#program;
    const kept = ({ name }: { readonly name: string }) => [name, state.tensors.get(name)!] as const;
    const interpreter = new Interpreter(graph, {
      ...normalizeFeeds(this.#program, feeds),
      parameters: new Map(parameters.map(kept)),
      states: new Map(states.map(kept)),
    });
    const compute = (output: string): Tensor => tensorOf(interpreter, graph.outputs.get(output)!);
    const read = new Map(results.map(name => [name, compute(name)] as const));
    const updated = updates.map(({ target, output }) => [target, compute(output)] as const);
    // Only now, when nothing can fail any more.
    state.tensors = new Map([...state.tensors, ...updated]);
    return new Tensors(read);
  }

  dispose(): void {}
}

function inFloat64(tensor: Tensor): Tensor {
  const data = emptyArray(tensor.dtype, tensor.data.length);
  data.set(tensor.data);
  return { ...tensor, data };
}

function checkState(program: Program, values: ReadonlyMap<string, Tensor>): void {
  const lengthOf = new Map(program.graph.axes.map(({ id, length }) => [id, length ?? 0] as const));
  const wanted = [
    ...program.parameters.map(spec => ({ ...spec, kind: "parameter" })),
    ...program.states.map(spec => ({ ...spec, kind: "state" })),
  ];
  const known = new Set(wanted.map(({ name }) => name));
  const problems = wanted.flatMap(({ name, kind, axes, shape }) => {
    const value = values.get(name);
    if (value === undefined) return [report("F0814", { kind, name }, null)];
    const expected = [...axes.map(axis => lengthOf.get(axis)!), ...shape].join(", ");
    const found = value.shape.join(", ");
    if (found === expected) return [];
    return [report("F0815", { kind, name, found: `[${found}]`, expected: `[${expected}]` }, null)];
  });
  for (const name of values.keys()) {
    if (!known.has(name)) problems.push(report("F0813", { name, kind: "parameter or state" }, null));
  }
  if (problems.length > 0) throw new FrondError(problems);
}
