// What a backend is. The compiler and the runtime know backends by these types only; a backend knows the compiled
// program and never the language.

import type { Span } from "../compiler/diagnostics/diagnostic.ts";
import type { AxisId, DType } from "../compiler/graph/graph.ts";
import type { Program } from "../compiler/program/program.ts";

/** Row-major. `real`: Float32Array, or Float64Array where precision matters; `index`: Int32Array; `bool`: Uint8Array. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

export type Availability =
  | { readonly available: true; readonly detail: string }
  /** Why not, and what would make it so; one line each. */
  | { readonly available: false; readonly reason: string; readonly remedy: string };

export interface CompileOptions {
  /**
   * By a factor k = 2, 3, ..: each turn of an innermost loop computes k steps; 1 (or left out) leaves loops as they
   * are. `full`: straight code without loops, made for the extents of each call and kept for the next calls with the
   * same; worth it for short sequences of few lengths.
   */
  readonly unroll?: "full" | number;
  /**
   * Threads that share the work, 1 when left out. Backends that have no threads of their own, and places where memory
   * cannot be shared, use one. Results differ between numbers of threads by rounding only, and are bit-identical for
   * the same number.
   */
  readonly threads?: number;
  /** Lets the executable say where time goes, where the backend can: on one thread, and somewhat slower. */
  readonly profile?: boolean;
}

/** Time spent on the nodes of an equation that come from one place in the source. */
export interface ProfileEntry {
  /** As nodes have it: `h.o`. */
  readonly label: string;
  /** Null for what the optimiser adds. */
  readonly span: Span | null;
  /**
   * `forward`: what results are computed from; `update`: what the optimiser adds; `backward`: all else, above all
   * adjoints; `packing`: matrices put in the order in which a product of the equation reads them.
   */
  readonly part: "forward" | "backward" | "update" | "packing";
  readonly milliseconds: number;
}

/** One call's data. */
export interface Feeds {
  /** Examples. None is allowed: results have no rows then, totals are 0, and so is a loss. */
  readonly batch: number;
  /** `[batch, ...axes, ...shape]`, padded to the longest example; what stands in the padding does not matter. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** For each axis of unknown length, each example's own; left out: the array's whole dimension. */
  readonly lengths: ReadonlyMap<AxisId, Int32Array>;
  /** Random numbers depend on (seed, step) and the place. */
  readonly seed: number;
  readonly step: number;
}

/**
 * Parameters and optimiser state, where the backend wants them. Outlives the executable that made it, and serves all
 * executables of that backend whose programs have the same parameters and states.
 */
export interface State {
  readonly names: readonly string[];
  read(name: string): Promise<Tensor>;
  dispose(): void;
}

/**
 * What a run computed; it stays on the device until read, whatever becomes of the executable. Batched values read as
 * `[batch, ...axes, ...shape]`, zeros in the padding.
 */
export interface Results {
  readonly names: readonly string[];
  read(name: string): Promise<Tensor>;
  dispose(): void;
}

export interface Executable {
  /**
   * @param values for every parameter and state of the program, `[...axes, ...shape]`.
   * @throws FrondError with everything that is missing, unknown or does not fit.
   */
  createState(values: ReadonlyMap<string, Tensor>): State;
  /**
   * Runs once; the program's updates are made to `state` only when the whole run has succeeded.
   *
   * Rejects with a FrondError where the feeds do not fit the program, or the state is none of its own or disposed of.
   */
  run(feeds: Feeds, state: State): Promise<Results>;
  /**
   * Bytes that a run with this batch and these extents (of axes of unknown length) needs: values between operations,
   * inputs, results, copies of weights; parameters and states themselves are not counted. The most it can be: examples
   * may be shorter than the extents. Nothing is allocated; null where it is not known. A promise where the executable is
   * somewhere else.
   */
  memory(batch: number, extents: ReadonlyMap<AxisId, number>): number | null | Promise<number | null>;
  /**
   * Where the time of all runs since the last call of this went. What a run does around the program's own code, such as
   * taking in feeds, is not in it. Absent where no profile was asked for, or there is none: of straight code, or on this
   * backend.
   */
  profile?(): readonly ProfileEntry[];
  /** Gives back the memory; using the executable afterwards is refused. States and results live on. */
  dispose(): void;
}

export interface Backend {
  readonly name: string;
  readonly doc: string;
  /** Available, or why not and what would make it so. Opens heavy dependencies only here and in compile. */
  probe(): Promise<Availability>;
  compile(program: Program, options?: CompileOptions): Promise<Executable>;
}
