// Values of the program's nodes as tensors, `[axes.., batch, ...shape]`. A value need not have all that its node has:
// what is the same along an axis, for all examples or along a feature may lack that dimension, or have it with size 1,
// until an op wants it in full. So broadcasts cost nothing.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Tensor } from "./graph.ts";
import type { Dim, Ops } from "./ops.ts";

export interface Value {
  readonly tensor: Tensor;
  /** Those that are dimensions, in the order of `Sizes`; axes of the loops around are none. */
  readonly axes: readonly AxisId[];
  /** Whether there is a dimension for the examples. */
  readonly batched: boolean;
  /** Broadcasts to the node's shape, as in NumPy. */
  readonly shape: readonly number[];
}

/** Which dimensions stand before the features, and how many features there are. */
export interface Space {
  readonly axes: readonly AxisId[];
  readonly batched: boolean;
  readonly rank: number;
}

export type Whole = Omit<Value, "tensor">;

export interface Sizes {
  readonly batch: Dim;
  extent(axis: AxisId): Dim;
  /** Sorts axes: those of outer loops first, so that what a loop reads at one turn lies together. */
  ordered(axes: Iterable<AxisId>): readonly AxisId[];
}

export class Values {
  readonly ops: Ops;
  readonly sizes: Sizes;

  constructor(ops: Ops, sizes: Sizes) {
    this.ops = ops;
    this.sizes = sizes;
  }

  dims({ axes, batched, shape }: Whole): readonly Dim[] {
    return [...this.lead({ axes, batched }), ...shape];
  }

  /** Sizes of the dimensions before the features. */
  lead({ axes, batched }: Pick<Whole, "axes" | "batched">): readonly Dim[] {
    return [...axes.map(axis => this.sizes.extent(axis)), ...(batched ? [this.sizes.batch] : [])];
  }

  union(values: readonly Value[]): Space {
    return {
      axes: this.sizes.ordered(values.flatMap(({ axes }) => axes)),
      batched: values.some(({ batched }) => batched),
      rank: Math.max(0, ...values.map(({ shape }) => shape.length)),
    };
  }

  /** A tensor that broadcasts with others of the space: missing dimensions are put in, but for leading ones. */
  aligned(value: Value, { axes, batched, rank }: Space): Tensor {
    const own = this.dims(value);
    const isThere = [
      ...axes.map(axis => value.axes.includes(axis)),
      ...(batched ? [value.batched] : []),
      ...Array.from({ length: rank }, (_, d) => d >= rank - value.shape.length),
    ];
    if (isThere.filter(there => there).length !== own.length)
      throw new InternalError("Values.aligned", `${value.tensor.name} has more dimensions than the space`);
    const inner = isThere.slice(isThere.indexOf(true));
    const missing = inner.flatMap((there, d) => (there ? [] : [d]));
    if (own.length === 0 || missing.length === 0) return value.tensor;
    if (missing.length === 1) return this.ops.expand(value.tensor, missing[0]!);
    let next = 0;
    return this.ops.reshape(
      value.tensor,
      inner.map(there => (there ? [own[next++]!] : [])),
    );
  }

  /** What works on each element by itself, operands broadcast together. */
  pointwise(operands: readonly Value[], make: (tensors: readonly Tensor[]) => Tensor): Value {
    const space = this.union(operands);
    const tensor = make(operands.map(operand => this.aligned(operand, space)));
    return { tensor, axes: space.axes, batched: space.batched, shape: joined(operands) };
  }

  /** Features with leading sizes of 1, so that there are `rank`. */
  ranked(value: Value, rank: number): Value {
    if (value.shape.length === rank) return value;
    const ones = new Array<number>(rank - value.shape.length).fill(1);
    return this.reshaped(value, [...ones, ...value.shape]);
  }

  /** The same elements under other features, as many as before. */
  reshaped(value: Value, shape: readonly number[]): Value {
    if (value.shape.join() === shape.join()) return value;
    const groups = [...this.lead(value), ...shape].map(dim => [dim]);
    return { ...value, shape, tensor: this.ops.reshape(value.tensor, groups) };
  }

  /** With all the dimensions, and those sizes. */
  full(value: Value, whole: Whole): Value {
    const isFull =
      value.axes.length === whole.axes.length &&
      value.batched === whole.batched &&
      value.shape.join() === whole.shape.join();
    if (isFull) return value;
    const tensor = this.ops.broadcast(
      this.aligned(value, { ...whole, rank: whole.shape.length }),
      this.dims(whole),
    );
    return { ...whole, tensor };
  }

  /** With the features in full, whatever comes before them. */
  featured(value: Value, shape: readonly number[]): Value {
    return this.full(value, { axes: value.axes, batched: value.batched, shape });
  }

  /** The dimensions before the features in another order: that axis first. */
  withFirst(value: Value, axis: AxisId): Value {
    const at = value.axes.indexOf(axis);
    if (at === 0) return value;
    const rank = this.dims(value).length;
    const rest = Array.from({ length: rank }, (_, d) => d).filter(d => d !== at);
    const axes = [axis, ...value.axes.filter(other => other !== axis)];
    return { ...value, axes, tensor: this.ops.transpose(value.tensor, [at, ...rest]) };
  }

  /** In the order of the sizes again. */
  inOrder(value: Value): Value {
    const axes = this.sizes.ordered(value.axes);
    const rest = Array.from({ length: this.dims(value).length - axes.length }, (_, d) => axes.length + d);
    const perm = [...axes.map(axis => value.axes.indexOf(axis)), ...rest];
    return { ...value, axes, tensor: this.ops.transpose(value.tensor, perm) };
  }

  /** What stands at one index of an axis, a vector of one. */
  row(value: Value, axis: AxisId, at: Tensor): Value {
    if (!value.axes.includes(axis)) return value;
    const first = this.withFirst(value, axis);
    return { ...value, axes: first.axes.slice(1), tensor: this.ops.row(first.tensor, at) };
  }

  /** From `begin` on `size` indices of an axis. */
  part(value: Value, axis: AxisId, begin: Dim, size: Dim): Tensor {
    const at = value.axes.indexOf(axis);
    const dims = this.dims(value);
    return this.ops.slice(
      value.tensor,
      dims.map((_, d) => (d === at ? begin : 0)),
      dims.map((_, d) => (d === at ? size : -1)),
    );
  }

  select(condition: Value | null, a: Value, b: Value): Value {
    if (condition === null) return a;
    return this.pointwise([condition, a, b], ([c, x, y]) => this.ops.select(c!, x!, y!));
  }

  scalar(tensor: Tensor): Value {
    return { tensor, axes: [], batched: false, shape: [] };
  }
}

/** The features of all operands broadcast together. */
function joined(operands: readonly Value[]): readonly number[] {
  const rank = Math.max(0, ...operands.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, d) => {
    const sizes = operands.map(({ shape }) => shape[d - rank + shape.length] ?? 1);
    return sizes.find(size => size !== 1) ?? 1;
  });
}
