// Parameters, optimiser state and results as tensors of a tfjs device.

import type { AxisId, DType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Results, State, Tensor } from "../api.ts";
import type { Buffer, Device } from "./device.ts";
import { product } from "./layout.ts";

/** A parameter or state of a program. */
export interface Variable {
  readonly name: string;
  readonly dtype: DType;
  /** `[...axes, ...shape]` */
  readonly shape: readonly number[];
  /** For states, what they are where no value is given. */
  readonly initial: number | null;
}

/** The program's parameters, then its states. */
export function variablesOf({ graph, parameters, states }: Program): readonly Variable[] {
  const lengths = new Map(graph.axes.map(({ id, length }) => [id, length]));
  const sizes = (axes: readonly AxisId[]): readonly number[] =>
    axes.map(axis => {
      const length = lengths.get(axis) ?? null;
      if (length === null) throw new InternalError("variablesOf", `axis ${axis} has no static length`);
      return length;
    });
  return [
    ...parameters.map(({ name, axes, shape }): Variable => {
      return { name, dtype: "real", shape: [...sizes(axes), ...shape], initial: null };
    }),
    ...states.map(({ name, dtype, axes, shape, initial }): Variable => {
      return { name, dtype, shape: [...sizes(axes), ...shape], initial };
    }),
  ];
}

export class DeviceState implements State {
  readonly names: readonly string[];
  /** In the order of `variablesOf`. */
  readonly buffers: readonly Buffer[];
  readonly #variables: readonly Variable[];
  readonly #device: Device;
  #disposed = false;

  constructor(device: Device, program: Program, values: ReadonlyMap<string, Tensor>) {
    this.#device = device;
    this.#variables = variablesOf(program);
    this.names = this.#variables.map(({ name }) => name);
    const given = this.#variables.map(variable => checked(variable, values.get(variable.name)));
    this.buffers = this.#variables.map(({ dtype, shape, initial }, i) => {
      const buffer = device.allocate(dtype, product(shape));
      const tensor = given[i];
      if (tensor === undefined) buffer.values.fill(initial ?? 0);
      else buffer.values.set(tensor.data);
      return buffer;
    });
  }

  buffer(name: string): Buffer {
    const buffer = this.buffers[this.names.indexOf(name)];
    if (buffer === undefined || this.#disposed) {
      throw new InternalError("State", this.#disposed ? "the state is disposed" : `no variable ${name}`);
    }
    return buffer;
  }

  async read(name: string): Promise<Tensor> {
    const { values, dtype } = this.buffer(name);
    return { dtype, shape: this.#variables[this.names.indexOf(name)]!.shape, data: values.slice() };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.buffers) this.#device.free(buffer);
  }
}

function checked({ name, shape, initial }: Variable, tensor: Tensor | undefined): Tensor | undefined {
  if (tensor === undefined) {
    if (initial === null) throw new InternalError("createState", `no value for the parameter ${name}`);
    return undefined;
  }
  if (tensor.shape.join() !== shape.join() || tensor.data.length !== product(shape)) {
    throw new InternalError("createState", `${name} is [${tensor.shape.join()}], not [${shape.join()}]`);
  }
  return tensor;
}

/** Results of one run. */
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
    const kept = this.#kept.get(name);
    if (kept === undefined || this.#disposed) {
      throw new InternalError(
        "Results.read",
        this.#disposed ? "the results are disposed" : `no result ${name}`,
      );
    }
    return { dtype: kept.buffer.dtype, shape: kept.shape, data: kept.buffer.values.slice() };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { buffer } of this.#kept.values()) this.#device.free(buffer);
  }
}
