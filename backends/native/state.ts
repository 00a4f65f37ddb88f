// Parameters and states as TensorFlow's tensors, outside of any session: a run is fed with them and gives the new ones,
// so a state serves all executables, and changes all at once when a run has succeeded. Nothing is copied for it, the
// tensors that leave one run enter the next; variables of a session would have to be carried from one to the other.

import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { State, Tensor } from "../api.ts";
import { foreignState, otherVariables, stateDisposed, unknownName } from "../misuse.ts";
import { fittingValues, sameVariables, type Variable } from "../variables.ts";
import { dataTypes } from "./graph-def.ts";
import type { Binding, NativeValues, TensorId } from "./tfjs-node.ts";

export class NativeState implements State {
  readonly names: readonly string[];
  readonly #binding: Binding;
  readonly #variables: readonly Variable[];
  /** In the order of the variables; null when disposed of. */
  #ids: TensorId[] | null;

  constructor(binding: Binding, variables: readonly Variable[], values: ReadonlyMap<string, Tensor>) {
    this.#binding = binding;
    this.#variables = variables;
    this.names = variables.map(({ name }) => name);
    this.#ids = fittingValues(variables, values).map(tensor => put(binding, tensor));
  }

  /** The tensors now. Refuses when disposed of, and for a program with other variables. */
  tensorsFor(program: Program, variables: readonly Variable[]): readonly TensorId[] {
    if (this.#ids === null) throw stateDisposed();
    if (!sameVariables(this.#variables, variables)) throw foreignState(program, otherVariables);
    return this.#ids;
  }

  /** Takes tensors over, by the variables' names. */
  update(tensors: ReadonlyMap<string, TensorId>): void {
    const ids = this.#ids;
    if (ids === null) throw new InternalError("NativeState", "it is disposed of");
    for (const [name, id] of tensors) {
      const number = this.names.indexOf(name);
      this.#binding.deleteTensor(ids[number]!);
      ids[number] = id;
    }
  }

  async read(name: string): Promise<Tensor> {
    if (this.#ids === null) throw stateDisposed();
    const number = this.names.indexOf(name);
    const variable = this.#variables[number];
    if (variable === undefined) throw unknownName(name, "parameter or state", this.names);
    const { dtype, shape } = variable;
    return { dtype, shape, data: this.#binding.tensorDataSync(this.#ids[number]!) };
  }

  dispose(): void {
    for (const id of this.#ids ?? []) this.#binding.deleteTensor(id);
    this.#ids = null;
  }
}

/** A copy: TensorFlow uses the array's own memory, and the caller may change it. */
export function put(binding: Binding, { dtype, shape, data }: Tensor): TensorId {
  return binding.createTensor(shape, dataTypes[dtype], copyOf(dtype, data));
}

function copyOf(dtype: Tensor["dtype"], data: Tensor["data"]): NativeValues {
  switch (dtype) {
    case "real":
      return new Float32Array(data);
    case "index":
      return new Int32Array(data);
    case "bool":
      return new Uint8Array(data);
  }
}
