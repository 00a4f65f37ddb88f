// A program: what a backend compiles. A scheduled graph and the names by which the world outside feeds and reads it.

import type { AxisId, DType, Graph } from "../graph/graph.ts";
import type { InputSpec, ParameterSpec } from "../lower/model.ts";
import type { Schedule } from "../schedule/schedule.ts";

/** A value kept between calls that is no parameter: optimiser moments (zeros at first), the step count. */
export interface StateSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly axes: readonly AxisId[];
  /** The value at the first call, in every element. */
  readonly initial: number;
}

/** After a successful run, the parameter or state `target` takes the value of the graph's output `output`. */
export interface Update {
  readonly target: string;
  readonly output: string;
}

export interface Program {
  /** `Tagger`, `Tagger.train`, for messages. */
  readonly name: string;
  readonly graph: Graph;
  readonly schedule: Schedule;
  readonly inputs: readonly InputSpec[];
  readonly parameters: readonly ParameterSpec[];
  readonly states: readonly StateSpec[];
  readonly updates: readonly Update[];
  /** Outputs of the graph that can be read after a run; those of `updates` are not among them. */
  readonly results: readonly string[];
}
