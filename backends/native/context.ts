// What the lowering of a node may ask for: its operands as tensors, and where in the index space it is computed.

import type {
  AxisId,
  Graph,
  Node,
  NodeId,
  NodeOf,
  NodeType,
  OpName,
  Reduced,
} from "../../compiler/graph/graph.ts";
import type { Fed } from "./fed.ts";
import type { Tensor } from "./graph.ts";
import type { Dim, Ops } from "./ops.ts";
import type { Scope } from "./scope.ts";
import type { Value, Values, Whole } from "./values.ts";

export interface Context {
  readonly ops: Ops;
  readonly values: Values;
  readonly graph: Graph;
  typeOf(id: NodeId): NodeType;
  /** An operand where the node is computed. */
  read(id: NodeId): Value;
  /** As `read`, of any node; null where it is not there. */
  find(id: NodeId): Value | null;
  /** The nodes that read a node, an output of the graph as null. */
  usersOf(id: NodeId): readonly (Node | null)[];
  /** Whether a loop around is at one position of the axis: no value has a dimension for it here. */
  isBound(axis: AxisId): boolean;
  /** The position along an axis: here, or all of them. */
  position(axis: AxisId): Value;
  extent(axis: AxisId): Dim;
  /** Each example's own length. */
  length(axis: AxisId): Value;
  /** Whether examples may be shorter than the extent. */
  isRagged(axis: AxisId): boolean;
  /** Which examples have those positions along the axes, here or everywhere; null where all have. */
  mask(axes: readonly AxisId[]): Value | null;
  /** What the host puts into the graph before each run, in the order of the boundary. */
  variable(name: string): Tensor;
  input(name: string): Tensor;
  draws(node: NodeOf<"random">): Tensor;
}

export type Lower<O extends OpName> = (node: NodeOf<O>, context: Context) => Value;

/** A program while it is lowered. */
export interface Site {
  readonly ops: Ops;
  readonly values: Values;
  readonly graph: Graph;
  readonly fed: Fed;
  /** Whether examples may be shorter than extents that are not static. */
  readonly ragged: boolean;
  usersOf(id: NodeId): readonly (Node | null)[];
  read(id: NodeId, scope: Scope): Value;
  find(id: NodeId, scope: Scope): Value | null;
  /** Whether the schedule keeps the values at all indices of the axis. */
  keeps(id: NodeId, axis: AxisId): boolean;
  /** Computes a node in a scope that has its operands. */
  set(node: Node, scope: Scope): void;
  /** The same where the scope lacks operands, too; of nodes that can be computed again. */
  bring(id: NodeId, scope: Scope): void;
  contextOf(scope: Scope): Context;
}

/** The dimensions that a value of that type has where it is computed, all of them. */
export function wholeOf(context: Context, { axes, batched, shape }: NodeType): Whole {
  const free = axes.filter(axis => !context.isBound(axis));
  return { axes: context.values.sizes.ordered(free), batched, shape };
}

/** The axes along which positions that are no example's own matter: those reduced, and all where examples are. */
export function crossedAxes(
  { axes }: Pick<NodeType, "axes">,
  over: Pick<Reduced, "axes" | "batch">,
): readonly AxisId[] {
  return over.batch ? axes : axes.filter(axis => over.axes.includes(axis));
}
