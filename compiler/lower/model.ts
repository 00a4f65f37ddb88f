// What lowering a model gives: its recurrence graph and, beside it, what a graph cannot say (how parameters start,
// how the model wants to be trained and how it generates).

import type { Span } from "../diagnostics/diagnostic.ts";
import type { AxisId, DType, Graph, NodeId } from "../graph/graph.ts";
import type { LayerCall, TypedEquation } from "../semantics/typed.ts";

/** `train` keeps dropout and the like; `infer` makes them the identity. Parameters are the same in both. */
export type Mode = "train" | "infer";

export interface InputSpec {
  readonly name: string;
  readonly role: "input" | "target";
  readonly dtype: DType;
  /** Fed as `[batch, ...axes, ...shape]`. */
  readonly shape: readonly number[];
  readonly axes: readonly AxisId[];
  /** For `index(n)`: legal values are 0..n-1. Null for other types. */
  readonly classes: number | null;
  readonly span: Span | null;
}

/** How a parameter starts. Drawn by runtime/initializers.ts from (seed, name), the same on every backend. */
export type Initializer =
  | { readonly kind: "fill"; readonly value: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "normal"; readonly mean: number; readonly deviation: number }
  /** Glorot & Bengio 2010; fan-in and fan-out are the first and last dimension's (convolutions: times the window). */
  | { readonly kind: "glorotUniform" | "glorotNormal" | "heUniform" | "heNormal" | "lecunNormal" }
  /** Saxe et al. 2014: rows or columns orthonormal, times gain. */
  | { readonly kind: "orthogonal"; readonly gain: number }
  | { readonly kind: "identity"; readonly gain: number }
  /** Parts along the last dimension, each with its size there. */
  | {
      readonly kind: "concat";
      readonly parts: readonly { readonly size: number; readonly init: Initializer }[];
    };

export interface ParameterSpec {
  /** `h.W`: unique, as in checkpoints. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Static axes come first in the stored tensor: `[...axes, ...shape]`. */
  readonly axes: readonly AxisId[];
  readonly init: Initializer;
  readonly span: Span | null;
}

export type OptimizerConfig =
  | { readonly kind: "sgd"; readonly rate: number; readonly momentum: number; readonly nesterov: boolean }
  | {
      readonly kind: "adam";
      readonly rate: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
    };

export interface TrainConfig {
  readonly optimizer: OptimizerConfig;
  /** Clip by global norm (Pascanu et al. 2013), or null. */
  readonly clipNorm: number | null;
  readonly batch: number;
  readonly epochs: number;
}

/** `generate out[t+1] = .. from a until ..`: the graph's outputs `generate.NAME` and `generate.until`. */
export interface GenerateSpec {
  /** The input that the generated value is fed back into. */
  readonly input: string;
  readonly axis: AxisId;
  readonly from: number;
  readonly hasUntil: boolean;
}

/**
 * Outputs of `graph`:
 * `output.NAME` (any type); `loss` (unbatched scalar, what is minimised; absent without a loss);
 * `loss.total`, `loss.count` and `metric.NAME.total`, `metric.NAME.count` (unbatched scalars: sums over the batch's
 * examples, or steps for a micro average, so that totals over a data set are exact); `generate.NAME`, `generate.until`.
 */
export interface LoweredModel {
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: readonly InputSpec[];
  readonly parameters: readonly ParameterSpec[];
  readonly outputs: readonly string[];
  readonly metrics: readonly string[];
  readonly train: TrainConfig | null;
  readonly generate: readonly GenerateSpec[];
  /** Named nodes of the source (`h`, `c`, `enc.key`), for debugging and `frond dump`. */
  readonly names: ReadonlyMap<string, NodeId>;
  /** The checked equations behind the nodes' labels, for messages. */
  readonly equations: ReadonlyMap<string, TypedEquation>;
  /** The calls of each layer, by the path before its parameters' names: `h`, `d.embedding`. Several share one. */
  readonly layers: ReadonlyMap<string, readonly LayerCall[]>;
}
