// What the gpu lowering asks of a device: matrices of numbers and programs that compute one from others. WebGL keeps them
// in textures, WebGPU in buffers.

/** `rows` rows of `texels` groups of four numbers. May be empty. */
export interface Matrix {
  readonly rows: number;
  readonly texels: number;
  /** Whether a program that computes four rows at once made it; it cannot be copied then. */
  readonly fours?: boolean;
}

/**
 * A program as text in the device's language. `body` defines
 *
 *     vec4f texel(i32 row, i32 column)
 *
 * which is called for each texel of the result. It may use `readK(row, texel)`, a texel of input K as vec4f (K = 0 ..
 * inputs - 1; both in range), the integers `u[0]`, `u[1]`, .., which are given with each run, and the functions of the
 * device's prelude (prelude.ts says which). With `rows` 4 it defines, in place of `texel`,
 *
 *     mat4f texels(i32 row, i32 column)
 *
 * which is called for each fourth row and gives that texel of four rows, from this one on; some may be behind the last.
 * With `parts` n > 1, which a device may do or not, it defines
 *
 *     array<vec4f, n> texels(i32 row, i32 column)
 *
 * which is called for the texels of the first of n parts of the columns, and gives that texel of each part.
 */
export interface ProgramText {
  readonly rows: 1 | 4;
  /** One where it is left out. */
  readonly parts?: number;
  readonly inputs: number;
  readonly integers: number;
  readonly body: string;
}

/** A program that the device has taken; equal texts make one. */
export interface CompiledProgram {
  readonly text: ProgramText;
}

/** What differs between the languages of devices. */
export interface Dialect {
  /** A new name for a value: `type` is f32, vec4f, i32 or bool. */
  define(type: string, name: string, value: string): string;
  /** The same, to be assigned to later. */
  variable(type: string, name: string, value: string): string;
  /** The head of a loop, up to `{`. */
  loop(name: string, from: string, to: string): string;
  /** A function's head, up to `{`. */
  head(name: string, parameters: readonly (readonly [type: string, name: string])[], result: string): string;
  /** A number of type f32, infinities and NaN included. */
  number(value: number): string;
}

export interface Device {
  readonly dialect: Dialect;
  /** Whether programs may compute several parts of a row at once. */
  readonly takesParts: boolean;
  /** The most inputs of a program. */
  readonly inputs: number;
  /** The most texels in a row, and, since long matrices are folded, the most texels of all. */
  readonly limits: { readonly texels: number; readonly total: number };
  compile(text: ProgramText): CompiledProgram;
  /** A new matrix with what the program computes. Nothing is waited for. */
  run(
    program: CompiledProgram,
    inputs: readonly Matrix[],
    integers: readonly number[],
    rows: number,
    texels: number,
  ): Matrix;
  /**
   * Room whose content is not known.
   *
   * @param block rows that are copied into it at once.
   */
  allocate(rows: number, texels: number, block?: number): Matrix;
  /** A new matrix of `data`, rows x texels x 4 numbers. */
  upload(rows: number, texels: number, data: Float32Array): Matrix;
  /** Copies all rows of `from` into `to` (of as many texels), from row `at` on. */
  copy(from: Matrix, to: Matrix, at: number): void;
  /** All numbers; rejects with `lost` where the device is lost. */
  read(matrix: Matrix): Promise<Float32Array>;
  /** The matrix must not be used afterwards. */
  free(matrix: Matrix): void;
  /** Why the device does not work any more, a DeviceLost or a bug; null as long as all is well. */
  readonly lost: Error | null;
}

/** Where devices come from. */
export interface Devices {
  /** Whose they are, for messages. */
  readonly backend: string;
  /** The device at hand, or a new one where that is lost. Throws a FrondError where there is none. */
  open(): Promise<Device>;
  /** Milliseconds, at the least, between copies of a state that runs change, for the case that the device is lost. */
  readonly copyEvery?: number;
}
