// Parameters, optimiser state and results as tensors of a tfjs device.

import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Results, State, Tensor } from "../api.ts";
import { foreignState, otherVariables, resultsDisposed, stateDisposed, unknownName } from "../misuse.ts";
import { fittingValues, sameVariables, type Variable } from "../variables.ts";
import type { Buffer, Device } from "./device.ts";

/** One buffer for each variable; not tied to the executable that made it. */
export class DeviceState implements State {
  readonly names: readonly string[];
  /** In the order of the variables. */
  readonly buffers: readonly Buffer[];
  readonly #variables: readonly Variable[];
  readonly #device: Device;
  #disposed = false;

  constructor(device: Device, variables: readonly Variable[], values: ReadonlyMap<string, Tensor>) {
    this.#device = device;
    this.#variables = variables;
    this.names = variables.map(({ name }) => name);
    this.buffers = fittingValues(variables, values).map(({ dtype, data }) => {
      const buffer = device.allocate(dtype, data.length);
      buffer.values.set(data);
      return buffer;
    });
  }

  /** Refuses to serve when disposed of, and for a program with other variables. */
  checkFor(program: Program, variables: readonly Variable[]): void {
    if (this.#disposed) throw stateDisposed();
    if (!sameVariables(this.#variables, variables)) throw foreignState(program, otherVariables);
  }

  /** Where an update of the variable is written. */
  buffer(name: string): Buffer {
    const buffer = this.buffers[this.names.indexOf(name)];
    if (buffer === undefined) throw new InternalError("DeviceState", `no variable ${name}`);
    return buffer;
  }

  async read(name: string): Promise<Tensor> {
    if (this.#disposed) throw stateDisposed();
    const variable = this.#variables.find(one => one.name === name);
    if (variable === undefined) throw unknownName(name, "parameter or state", this.names);
    return { dtype: variable.dtype, shape: variable.shape, data: this.buffer(name).values.slice() };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.buffers) this.#device.free(buffer);
  }
}

/** Results of one run, in buffers of their own. */
export class Fetched implements Results {
  readonly #device: Device;
  readonly #kept = new Map<string, { readonly shape: readonly number[]; readonly buffer: Buffer }>();
  #disposed = false;

  constructor(device: Device) {
    this.#device = device;
  }

  keep(name: string, { dtype, shape, data }: Tensor): void {
    const buffer = this.#device.allocate(dtype, data.length);
    buffer.values.set(data);
    this.#kept.set(name, { shape, buffer });
  }

  get names(): readonly string[] {
    return [...this.#kept.keys()];
  }

  async read(name: string): Promise<Tensor> {
    if (this.#disposed) throw resultsDisposed();
    const kept = this.#kept.get(name);
    if (kept === undefined) throw unknownName(name, "result", this.names);
    return { dtype: kept.buffer.dtype, shape: kept.shape, data: kept.buffer.values.slice() };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { buffer } of this.#kept.values()) this.#device.free(buffer);
  }
}
