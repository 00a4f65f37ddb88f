// The shape of an op's record. One record says all there is to know of an op: what it means, its type, its
// derivative, its value in float64 and its cost. The table (table.ts) is total over OpName.

import type { AxisId, DType, Graph, NodeId, NodeOf, NodeType, OpAttrs, OpName } from "../graph/graph.ts";
import type { GraphBuilder } from "./builder.ts";

/** A point of an index space: the position along each axis. */
export type Point = ReadonlyMap<AxisId, number>;

/** A value at one point: `[rows, ...shape]` row-major, rows = the batch for batched nodes and 1 for others. */
export interface Value {
  readonly rows: number;
  readonly data: Float64Array;
}

/** What an evaluation may know beside its operands. */
export interface Evaluation {
  readonly graph: Graph;
  readonly batch: number;
  /** The longest example's length; a static axis's length. */
  extent(axis: AxisId): number;
  length(axis: AxisId, example: number): number;
  /** The value fed or kept under that name, at that point; rows as the type says. */
  fed(kind: "parameter" | "input" | "state", name: string, point: Point): Value;
  /** The draw for one feature of one example. */
  draw(node: NodeOf<"random">, point: Point, example: number, feature: number): number;
}

/** An operand needed at a point. */
export interface Read {
  readonly input: number;
  readonly point: Point;
}

export interface Cost {
  /** Floating-point operations for one example at one index. */
  readonly flops: number;
}

export interface OpRecord<O extends OpName> {
  /** One sentence, with shapes. */
  readonly doc: string;
  /** Number of operands, or the least number where more are allowed. */
  readonly arity: number | { readonly atLeast: number };
  /**
   * The result's type. Must be monotone in the operands' axes and `batched` (they are found as a least fixpoint over
   * cycles) and must not refuse a missing axis: that is the verifier's, by `check`.
   */
  readonly type: (inputs: readonly NodeType[], attrs: OpAttrs[O]) => NodeType;
  /** What is wrong with a node of this op, or null. Called with final types. */
  readonly check: (inputs: readonly NodeType[], attrs: OpAttrs[O], type: NodeType) => string | null;
  /**
   * The adjoint with respect to operand `k`, given the node's adjoint; null where the derivative is zero or there is
   * none (a written value). The result may have more axes, examples or features than the operand: autodiff reduces it.
   * It must not have fewer features.
   */
  readonly adjoint:
    | { readonly none: string }
    | ((builder: GraphBuilder, node: NodeOf<O>, k: number, adjoint: NodeId) => NodeId | null);
  /** The operands needed for the value at a point; left out: every operand once, at the same point. */
  readonly reads?: (node: NodeOf<O>, point: Point, evaluation: Evaluation) => readonly Read[];
  /** The value at a point, `[rows, ...shape]`; `reads` holds the operands in the order of `reads()`. */
  readonly evaluate: (
    node: NodeOf<O>,
    point: Point,
    evaluation: Evaluation,
    reads: readonly Value[],
  ) => Float64Array;
  readonly cost: (node: NodeOf<O>, inputs: readonly NodeType[]) => Cost;
  /** Traits that passes ask for. */
  readonly elementwise: boolean;
}

export type OpTable = { readonly [O in OpName]: OpRecord<O> };

/** Whether values of a dtype can be calculated with. */
export const isNumeric = (dtype: DType): boolean => dtype !== "bool";
