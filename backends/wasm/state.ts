// Parameters and optimiser state. They live in the memory of the executable that ran with them last, or, before and in
// between, here.

import type { Program } from "../../compiler/program/program.ts";
import type { State, Tensor } from "../api.ts";
import { foreignState, otherVariables, stateDisposed, unknownName } from "../misuse.ts";
import { copyOf } from "../results.ts";
import { fittingValues, sameVariables, type Variable } from "../variables.ts";

/** An executable whose memory holds a state's values. */
export interface Holder {
  readVariable(name: string): Tensor;
}

export class WasmState implements State {
  readonly names: readonly string[];
  readonly #variables: readonly Variable[];
  #values: ReadonlyMap<string, Tensor>;
  #holder: Holder | null = null;
  #disposed = false;

  constructor(variables: readonly Variable[], values: ReadonlyMap<string, Tensor>) {
    this.#variables = variables;
    this.names = variables.map(({ name }) => name);
    const fitting = fittingValues(variables, values);
    this.#values = new Map(fitting.map((tensor, i) => [this.names[i]!, copyOf(tensor)] as const));
  }

  /** Refuses to serve when disposed of, and for a program with other variables. */
  checkFor(program: Program, variables: readonly Variable[]): void {
    if (this.#disposed) throw stateDisposed();
    if (!sameVariables(this.#variables, variables)) throw foreignState(program, otherVariables);
  }

  /** Moves the values to `holder`, which gets them by `write`. */
  moveTo(holder: Holder, write: (values: ReadonlyMap<string, Tensor>) => void): void {
    if (this.#holder === holder) return;
    this.takeBack();
    write(this.#values);
    this.#holder = holder;
  }

  /** Copies the values here: their holder forgets them. */
  takeBack(): void {
    const holder = this.#holder;
    if (holder === null) return;
    if (!this.#disposed) this.#values = new Map(this.names.map(name => [name, holder.readVariable(name)]));
    this.#holder = null;
  }

  async read(name: string): Promise<Tensor> {
    if (this.#disposed) throw stateDisposed();
    const value = this.#values.get(name);
    if (value === undefined) throw unknownName(name, "parameter or state", this.names);
    return this.#holder?.readVariable(name) ?? copyOf(value);
  }

  dispose(): void {
    this.#disposed = true;
    this.#values = new Map();
  }
}
