// The recurrence graph: the compiler's one intermediate representation. A dataflow graph whose cycles all pass
// through `shift` nodes (delays). Graphs are values: a pass returns a new one. What a node means is said by its
// op's record (compiler/ops/); which graphs are legal by the verifier (compiler/ops/verify.ts).

import type { Span } from "../diagnostics/diagnostic.ts";

export type NodeId = number & { readonly __brand: "NodeId" };
export type AxisId = string & { readonly __brand: "AxisId" };

/**
 * A direction along which values are indexed: time, source position, a static axis.
 * `length` is null where it is known at run time only; each example then has its own, and the *extent* is the
 * longest of the batch. A static axis has the same `length` for every example.
 */
export interface Axis {
  readonly id: AxisId;
  readonly length: number | null;
}

/** `real`: float32 (float64 in the reference). `index`: integers. `bool`: truth values. */
export type DType = "real" | "index" | "bool";

/**
 * A node has one tensor of `shape` (its features) at each index of its `axes` and, when `batched`, for each example.
 * A batched node means something at 0 <= i < length(example) only; its padding may hold anything, NaN included.
 * An unbatched node with axes lives on the whole extent. `axes` stand in the order of `Graph.axes`.
 */
export interface NodeType {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly axes: readonly AxisId[];
  readonly batched: boolean;
}

type None = Readonly<Record<never, never>>;

/** What a reduction removes: feature dimensions (ascending), axes, and, for sums only, the batch. */
export interface Reduced {
  readonly dims: readonly number[];
  readonly axes: readonly AxisId[];
  readonly batch: boolean;
  /** Reduced feature dimensions stay, with size 1. */
  readonly keep: boolean;
}

/** The ops and their attributes. A new op starts here; the type checker then lists what it still needs. */
export interface OpAttrs {
  // Sources.
  /** `values` has one entry (fill) or one for each element of `shape`. */
  constant: { readonly dtype: DType; readonly shape: readonly number[]; readonly values: readonly number[] };
  /** A trainable parameter, `h.W`; with static axes it has a value at each of their indices. */
  parameter: { readonly name: string; readonly shape: readonly number[]; readonly axes: readonly AxisId[] };
  /** What the caller feeds: inputs and targets. */
  input: {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly axes: readonly AxisId[];
    readonly batched: boolean;
  };
  /** A value kept between calls that is no trainable parameter: optimiser moments, step counts. Unbatched. */
  state: {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly axes: readonly AxisId[];
  };
  /** Each example's own length along the axis: index, batched, no axes. */
  length: { readonly axis: AxisId };
  /** The position along the axis: index, unbatched. */
  index: { readonly axis: AxisId };
  /** The number of examples: real, unbatched scalar. */
  batchSize: None;
  /** Numbers that depend only on (seed, step, site, example, indices along axes, feature): real, batched. */
  random: {
    readonly distribution: "uniform" | "normal";
    readonly site: number;
    readonly shape: readonly number[];
    readonly axes: readonly AxisId[];
  };

  // Elementwise, one operand.
  neg: None;
  exp: None;
  log: None;
  log1p: None;
  sqrt: None;
  sin: None;
  cos: None;
  tanh: None;
  sigmoid: None;
  softplus: None;
  abs: None;
  sign: None;
  floor: None;
  not: None;
  stopGradient: None;
  cast: { readonly dtype: DType };

  // Elementwise, two operands; features broadcast as in NumPy.
  add: None;
  sub: None;
  mul: None;
  div: None;
  pow: None;
  maximum: None;
  minimum: None;
  /** exp(x - y), and 0 where x is -inf. */
  expdiff: None;
  equal: None;
  notEqual: None;
  less: None;
  lessEqual: None;
  greater: None;
  greaterEqual: None;
  and: None;
  or: None;
  /** where(condition, a, b): a selection, and its adjoint selects too. */
  where: None;
  /** The sum of any number of operands (none: zeros), each broadcast to exactly `type`: an adjoint's accumulator. */
  accumulate: { readonly type: NodeType };

  // Features.
  /** NumPy broadcast of the features to `shape`; adds `axes`; with `batched`, one copy for each example. */
  broadcast: {
    readonly shape: readonly number[];
    readonly axes: readonly AxisId[];
    readonly batched: boolean;
  };
  reshape: { readonly shape: readonly number[] };
  /** Result dimension i is operand dimension perm[i]. */
  transpose: { readonly perm: readonly number[] };
  slice: { readonly dim: number; readonly start: number; readonly size: number };
  /** Zeros before and after along one dimension: the adjoint of slice. */
  pad: { readonly dim: number; readonly before: number; readonly after: number };
  concat: { readonly dim: number };
  /** Position of the first largest value along a feature dimension, which disappears. */
  argmax: { readonly dim: number };
  /** index -> real, with a last dimension of `size` added. */
  oneHot: { readonly size: number };
  /** table [n, ...rest], index [] -> [...rest]; both may have axes and examples. */
  gather: None;
  /** index [], value [...rest] -> [size, ...rest], summed over `axes` and, with `batch`, over the examples. */
  scatterAdd: { readonly size: number; readonly axes: readonly AxisId[]; readonly batch: boolean };
  /** [h, w, c] -> [oh, ow, kh*kw*c]: windows as features, so that a convolution is a contraction. Zeros outside. */
  patches: Window2d;
  /** The adjoint of patches: windows added back, [oh, ow, kh*kw*c] -> [h, w, c]. */
  unpatches: Window2d;

  // Across indices. All of them leave padding out by selection, never by multiplication.
  sum: Reduced;
  max: Reduced;
  /** log(sum(exp(x))), -inf on rows of -inf. */
  logsumexp: Reduced;
  /**
   * An einsum of two operands: feature labels, axes reduced, batch reduced. Every label of an operand stands in the
   * other operand or in `out`. Result axes: the union without `axes`. Along each axis an example's own length counts
   * where a batched operand has the axis, otherwise the extent.
   */
  contract: {
    readonly left: readonly number[];
    readonly right: readonly number[];
    readonly out: readonly number[];
    readonly axes: readonly AxisId[];
    readonly batch: boolean;
  };
  /**
   * (value, initial) -> value[i - offset], or initial[i] where i - offset is outside. offset > 0 delays. Where the
   * node is batched (through either operand), outside is counted by each example's own length.
   */
  shift: { readonly axis: AxisId; readonly offset: number };
  /** value[offset] (`first`) or value[length - 1 - offset] (`last`); 0 where that is outside. Removes the axis. */
  at: { readonly axis: AxisId; readonly from: "first" | "last"; readonly offset: number };
  /** n operands -> one node with the axis, operand j at index j. */
  stack: { readonly axis: AxisId };
}

export interface Window2d {
  /** Of the image: [h, w, c]. */
  readonly image: readonly [number, number, number];
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  /** [top, bottom, left, right] */
  readonly padding: readonly [number, number, number, number];
}

export type OpName = keyof OpAttrs;

/** A node whose `op` narrows its `attrs`. */
export type Node = { readonly [O in OpName]: NodeOf<O> }[OpName];

export interface NodeOf<O extends OpName> {
  readonly id: NodeId;
  readonly op: O;
  readonly inputs: readonly NodeId[];
  readonly attrs: OpAttrs[O];
  readonly type: NodeType;
  /** The source it came from; adjoints take the span of the node they differentiate. */
  readonly span: Span | null;
  /** The equation it belongs to, as written: "h", "h.W"; for dumps and profiles. */
  readonly label: string;
}

export interface Graph {
  readonly axes: readonly Axis[];
  /** In ascending order of id; cycles refer forward. */
  readonly nodes: ReadonlyMap<NodeId, Node>;
  /** What the graph computes, by name; nodes that no output reaches are dead. */
  readonly outputs: ReadonlyMap<string, NodeId>;
}
