// Matrices that several may hold, such as the parameters that lie in one side by side.

import { InternalError } from "../../compiler/unreachable.ts";
import type { Device, Matrix } from "./device.ts";

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

/** The columns of a matrix in which a value lies. */
export interface Columns {
  readonly held: Held;
  /** Texels before the first. */
  readonly column: number;
}
