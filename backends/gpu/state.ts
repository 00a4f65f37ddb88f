// Matrices that several may hold, and what is made of them: parameters and optimiser state, and the results of runs.

import type { AxisId, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Results, State, Tensor } from "../api.ts";
import { foreignState, otherVariables, resultsDisposed, stateDisposed, unknownName } from "../misuse.ts";
import { denseStrides } from "../plan/layout.ts";
import { fittingValues, sameVariables, type Variable } from "../variables.ts";
import { lastOf, outerOf, type Reference, texelsIn } from "./cells.ts";
import type { Device, Matrix } from "./device.ts";
import { filledTensor, fromMatrix, type Sizes, toMatrix } from "./transfer.ts";

/** A matrix that is freed when the last holder lets go of it. */
export class Held {
  readonly matrix: Matrix;
  readonly #device: Device;
  #holders = 1;
  #numbers: Promise<Float32Array> | null = null;

  constructor(device: Device, matrix: Matrix) {
    this.#device = device;
    this.matrix = matrix;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    this.#holders--;
    if (this.#holders < 0) throw new InternalError("gpu", "a matrix is released twice");
    if (this.#holders === 0) this.#device.free(this.matrix);
  }

  /** All its numbers; read once, however many values lie in it. */
  read(): Promise<Float32Array> {
    const { rows, texels } = this.matrix;
    this.#numbers ??=
      rows * texels === 0 ? Promise.resolve(new Float32Array(0)) : this.#device.read(this.matrix);
    return this.#numbers;
  }
}

/** The columns of a matrix in which a variable's value lies. */
export interface Columns {
  readonly held: Held;
  /** Texels before the first. */
  readonly column: number;
}

type Stored = Extract<Reference, { kind: "stored" }>;

export class GpuState implements State {
  readonly names: readonly string[];
  readonly device: Device;
  readonly #variables: readonly Variable[];
  readonly #types: ReadonlyMap<string, NodeType>;
  readonly #sizes: Sizes;
  readonly #columns = new Map<string, Columns>();
  #disposed = false;

  /** @param types of the variables, with their axes. */
  constructor(
    device: Device,
    variables: readonly Variable[],
    types: ReadonlyMap<string, NodeType>,
    extents: ReadonlyMap<AxisId, number>,
    values: ReadonlyMap<string, Tensor>,
  ) {
    this.device = device;
    this.#variables = variables;
    this.#types = types;
    this.#sizes = { batch: 1, extents };
    this.names = variables.map(({ name }) => name);
    for (const [i, tensor] of fittingValues(variables, values).entries()) {
      const name = this.names[i]!;
      const type = types.get(name)!;
      const texels = texelsIn(lastOf(type.shape));
      const numbers = toMatrix(type, tensor, this.#sizes);
      const matrix = device.upload(numbers.length / (4 * texels), texels, numbers);
      this.#columns.set(name, { held: new Held(device, matrix), column: 0 });
    }
  }

  checkFor(program: Program, variables: readonly Variable[]): void {
    if (this.#disposed) throw stateDisposed();
    if (!sameVariables(this.#variables, variables)) throw foreignState(program, otherVariables);
  }

  columns(name: string): Columns {
    return this.#columns.get(name)!;
  }

  /** New values of some variables, which this now holds. */
  update(values: ReadonlyMap<string, Columns>): void {
    for (const [name, columns] of values) {
      this.#columns.get(name)!.held.release();
      this.#columns.set(name, columns);
    }
  }

  async read(name: string): Promise<Tensor> {
    if (this.#disposed) throw stateDisposed();
    const columns = this.#columns.get(name);
    if (columns === undefined) throw unknownName(name, "parameter or state", this.names);
    const type = this.#types.get(name)!;
    const { shape, axes } = type;
    const numbers = await columns.held.read();
    const reference = variableReference(type, columns.column);
    const { texels } = columns.held.matrix;
    const tensor = fromMatrix(type, reference, numbers, texels, this.#sizes, new Map());
    return { ...tensor, shape: [...axes.map(axis => this.#sizes.extents.get(axis)!), ...shape] };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { held } of this.#columns.values()) held.release();
  }
}

function variableReference({ axes, shape }: NodeType, column: number): Stored {
  const cell = {
    kind: "variable",
    name: "",
    rows: { axes, batched: false, outer: outerOf(shape) },
    texels: texelsIn(lastOf(shape)),
    rings: [],
    sequences: [],
    node: -1 as never,
  } as const;
  const features = { offset: 0, shape, dims: denseStrides(shape) };
  return { kind: "stored", cell, column, width: lastOf(shape), features };
}

/** A result and what reading it takes. */
export interface Result {
  readonly type: NodeType;
  readonly value: number | { readonly reference: Stored; readonly held: Held; readonly column: number };
}

export class GpuResults implements Results {
  readonly #results: ReadonlyMap<string, Result>;
  readonly #sizes: Sizes;
  readonly #lengths: ReadonlyMap<AxisId, Int32Array>;
  #disposed = false;

  constructor(results: ReadonlyMap<string, Result>, sizes: Sizes, lengths: ReadonlyMap<AxisId, Int32Array>) {
    this.#results = results;
    this.#sizes = sizes;
    this.#lengths = lengths;
  }

  get names(): readonly string[] {
    return [...this.#results.keys()];
  }

  async read(name: string): Promise<Tensor> {
    if (this.#disposed) throw resultsDisposed();
    const result = this.#results.get(name);
    if (result === undefined) throw unknownName(name, "result", this.names);
    const { type, value } = result;
    if (typeof value === "number") return filledTensor(type, value, this.#sizes, this.#lengths);
    const { reference, held, column } = value;
    const numbers = await held.read();
    return fromMatrix(
      type,
      { ...reference, column },
      numbers,
      held.matrix.texels,
      this.#sizes,
      this.#lengths,
    );
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { value } of this.#results.values()) if (typeof value !== "number") value.held.release();
  }
}
