// The values of a generated input while they come in: what an example started from, then what each round appended.

import type { Tensor } from "../backends/api.ts";
import type { NodeType } from "../compiler/graph/graph.ts";
import type { InputSpec } from "../compiler/lower/model.ts";
import { elementCount, zeros, zerosLike } from "./tensor.ts";

/** A result of a run. */
export interface Value {
  readonly tensor: Tensor;
  readonly type: NodeType;
}

/** Where an example's features at a step begin, in a result that has no axes but those being generated. */
export function startOf({ tensor, type }: Value, example: number, step: number): number {
  const position = [...(type.batched ? [example] : []), ...type.axes.map(() => step)];
  const row = position.reduce((at, index, dim) => at * tensor.shape[dim]! + index, 0);
  return row * elementCount(type.shape);
}

/** One input of a batch; its tensor is `[batch, room, ...shape]`, of which an example may fill a part. */
export class Tape {
  readonly #block: number;
  #tensor: Tensor;
  /** The kind of array that the backend answers with. */
  #answer: Tensor | null = null;

  constructor({ dtype, shape }: InputSpec, batch: number, from: number) {
    this.#block = elementCount(shape);
    const { data } = zeros(dtype, [batch, 1, ...shape]);
    // Wide, so that nothing is rounded on the way back into a backend that computes in float64.
    this.#tensor = {
      dtype,
      shape: [batch, 1, ...shape],
      data: dtype === "real" ? Float64Array.from(data) : data,
    };
    this.#tensor.data.fill(from);
  }

  get tensor(): Tensor {
    return this.#tensor;
  }

  append(example: number, step: number, value: Value): void {
    const room = this.#tensor.shape[1]!;
    if (step >= room) this.#grow(2 * room);
    this.#answer = value.tensor;
    const from = startOf(value, example, step - 1);
    this.#tensor.data.set(value.tensor.data.subarray(from, from + this.#block), this.#at(example, step));
  }

  /** What an example got, into a tensor of `[.., steps, ...shape]`. */
  copy(example: number, count: number, into: Tensor, row: number): void {
    const from = this.#at(example, 1);
    const to = row * into.shape[1]! * this.#block;
    into.data.set(this.#tensor.data.subarray(from, from + count * this.#block), to);
  }

  get answer(): Tensor {
    return this.#answer ?? this.#tensor;
  }

  #at(example: number, step: number): number {
    return (example * this.#tensor.shape[1]! + step) * this.#block;
  }

  #grow(room: number): void {
    const [batch, , ...shape] = this.#tensor.shape;
    const wider = zerosLike(this.#tensor, [batch!, room, ...shape]);
    const [from, to] = [this.#tensor.data.length / batch!, wider.data.length / batch!];
    for (let i = 0; i < batch!; i++)
      wider.data.set(this.#tensor.data.subarray(i * from, (i + 1) * from), i * to);
    this.#tensor = wider;
  }
}
