// TensorFlow's ops as methods, with the attributes each wants. Sizes may be known now or when the graph runs. What
// Frond's own ops are made of; knows nothing of them.

import type { DType } from "../../compiler/graph/graph.ts";
import { flag, OpGraph, ofType, type Tensor, whole } from "./graph.ts";

/** A size or position: a number, or a scalar that is known when the graph runs. */
export type Dim = number | Tensor;

const index = ofType("index");

export class Ops extends OpGraph {
  whole(value: number): Tensor {
    return this.constant("index", [], [value]);
  }
  real(value: number): Tensor {
    return this.constant("real", [], [value]);
  }
  zero(dtype: DType): Tensor {
    return this.constant(dtype, [], [0]);
  }
  scalar(dim: Dim): Tensor {
    return typeof dim === "number" ? this.whole(dim) : dim;
  }
  vector(dims: readonly Dim[]): Tensor {
    const known = dims.filter(dim => typeof dim === "number");
    if (known.length === dims.length) return this.constant("index", [dims.length], known);
    return this.pack(
      dims.map(dim => this.scalar(dim)),
      0,
    );
  }

  unary(op: string, x: Tensor): Tensor {
    return this.op(op, [x], { T: ofType(x.dtype) }, x.dtype);
  }
  binary(op: string, a: Tensor, b: Tensor): Tensor {
    return this.op(op, [a, b], { T: ofType(a.dtype) }, a.dtype);
  }
  compare(op: string, a: Tensor, b: Tensor): Tensor {
    return this.op(op, [a, b], { T: ofType(a.dtype) }, "bool");
  }
  logical(op: "LogicalAnd" | "LogicalOr" | "LogicalNot", ...operands: readonly Tensor[]): Tensor {
    return this.op(op, operands, {}, "bool");
  }
  isFinite(x: Tensor): Tensor {
    return this.op("IsFinite", [x], { T: ofType(x.dtype) }, "bool");
  }
  select(condition: Tensor, a: Tensor, b: Tensor): Tensor {
    return this.op("SelectV2", [condition, a, b], { T: ofType(a.dtype) }, a.dtype);
  }
  cast(x: Tensor, to: DType): Tensor {
    if (x.dtype === to) return x;
    return this.op("Cast", [x], { SrcT: ofType(x.dtype), DstT: ofType(to) }, to);
  }
  /** A size as some ops want it; for nothing else. */
  long(dim: Dim): Tensor {
    const attributes = { SrcT: index, DstT: { kind: "type", type: "long" } } as const;
    return this.op("Cast", [this.scalar(dim)], attributes, "index");
  }
  /** Of tensors of one shape. */
  addAll(parts: readonly Tensor[]): Tensor {
    const { dtype } = parts[0]!;
    return this.op("AddN", parts, { T: ofType(dtype), N: whole(parts.length) }, dtype);
  }

  /** Each dimension of the result is a product of some of the operand's, the elements in their order. */
  reshape(x: Tensor, groups: readonly (readonly Dim[])[]): Tensor {
    const sizes = groups.map(group =>
      group.every(dim => typeof dim === "number") ? group.reduce((size, dim) => size * dim, 1) : null,
    );
    const isClear = sizes.filter(size => size === null).length <= 1 && !sizes.includes(0);
    const shape = isClear
      ? this.vector(sizes.map(size => size ?? -1))
      : this.vector(groups.map(group => group.reduce<Dim>((size, dim) => this.times(size, dim), 1)));
    return this.op("Reshape", [x, shape], { T: ofType(x.dtype), Tshape: index }, x.dtype);
  }
  /** A dimension of size 1 is put in at that place. */
  expand(x: Tensor, at: number): Tensor {
    return this.op("ExpandDims", [x, this.whole(at)], { T: ofType(x.dtype), Tdim: index }, x.dtype);
  }
  transpose(x: Tensor, perm: readonly number[]): Tensor {
    if (perm.every((from, to) => from === to)) return x;
    return this.op("Transpose", [x, this.vector(perm)], { T: ofType(x.dtype), Tperm: index }, x.dtype);
  }
  /** `size` -1: all the rest. */
  slice(x: Tensor, begin: readonly Dim[], size: readonly Dim[]): Tensor {
    const inputs = [x, this.vector(begin), this.vector(size)];
    return this.op("Slice", inputs, { T: ofType(x.dtype), Index: index }, x.dtype);
  }
  /** What stands at one index, a vector of one, along the first dimension, which disappears. Mostly the same memory. */
  row(x: Tensor, at: Tensor): Tensor {
    const attributes = { T: ofType(x.dtype), Index: index, shrink_axis_mask: whole(1) };
    return this.op("StridedSlice", [x, at, at, this.vector([1])], attributes, x.dtype);
  }
  concat(parts: readonly Tensor[], dim: number): Tensor {
    const [first] = parts;
    if (parts.length === 1) return first!;
    const attributes = { T: ofType(first!.dtype), N: whole(parts.length), Tidx: index };
    return this.op("ConcatV2", [...parts, this.whole(dim)], attributes, first!.dtype);
  }
  pack(parts: readonly Tensor[], dim: number): Tensor {
    const { dtype } = parts[0]!;
    return this.op("Pack", parts, { T: ofType(dtype), N: whole(parts.length), axis: whole(dim) }, dtype);
  }
  /** Zeros around one dimension of `rank`. */
  pad(x: Tensor, rank: number, dim: number, before: number, after: number): Tensor {
    const sizes = Array.from({ length: rank }, (_, d) => (d === dim ? [before, after] : [0, 0])).flat();
    const inputs = [x, this.constant("index", [rank, 2], sizes), this.zero(x.dtype)];
    return this.op("PadV2", inputs, { T: ofType(x.dtype), Tpaddings: index }, x.dtype);
  }
  broadcast(x: Tensor, dims: readonly Dim[]): Tensor {
    return this.op("BroadcastTo", [x, this.vector(dims)], { T: ofType(x.dtype), Tidx: index }, x.dtype);
  }
  /** 0, 1, .. */
  range(end: Dim): Tensor {
    return this.op("Range", [this.whole(0), this.scalar(end), this.whole(1)], { Tidx: index }, "index");
  }

  reduce(
    op: "Sum" | "Max" | "Min" | "Any" | "All",
    x: Tensor,
    dims: readonly number[],
    keep = false,
  ): Tensor {
    if (dims.length === 0) return x;
    const attributes = {
      ...(x.dtype === "bool" ? {} : { T: ofType(x.dtype) }),
      Tidx: index,
      keep_dims: flag(keep),
    };
    return this.op(op, [x, this.vector(dims)], attributes, x.dtype);
  }
  oneHot(x: Tensor, size: number): Tensor {
    const inputs = [x, this.whole(size), this.real(1), this.real(0)];
    return this.op("OneHot", inputs, { T: ofType("real"), TI: index, axis: whole(-1) }, "real");
  }
  /** Positions must be inside. The first `batchDims` dimensions are those of both. */
  gather(table: Tensor, positions: Tensor, dim: number, batchDims: number): Tensor {
    const attributes = {
      Tparams: ofType(table.dtype),
      Tindices: index,
      Taxis: index,
      batch_dims: whole(batchDims),
    };
    return this.op("GatherV2", [table, positions, this.whole(dim)], attributes, table.dtype);
  }
  /** Adds up those of the first dimension's entries that have the same number; negative ones are left out. */
  segmentSum(x: Tensor, numbers: Tensor, count: Dim): Tensor {
    const attributes = { T: ofType(x.dtype), Tindices: index, Tnumsegments: index };
    return this.op("UnsortedSegmentSum", [x, numbers, this.scalar(count)], attributes, x.dtype);
  }

  /** Of matrices, or of `[batch, rows, columns]`; each may be given transposed. */
  product(
    a: Tensor,
    b: Tensor,
    turned: { readonly a: boolean; readonly b: boolean },
    batched: boolean,
  ): Tensor {
    const type = { T: ofType(a.dtype) };
    return batched
      ? this.op("BatchMatMulV2", [a, b], { ...type, adj_x: flag(turned.a), adj_y: flag(turned.b) }, a.dtype)
      : this.op(
          "MatMul",
          [a, b],
          { ...type, transpose_a: flag(turned.a), transpose_b: flag(turned.b) },
          a.dtype,
        );
  }

  times(a: Dim, b: Dim): Dim {
    if (typeof a === "number" && typeof b === "number") return a * b;
    if (a === 1) return b;
    return b === 1 ? a : this.binary("Mul", this.scalar(a), this.scalar(b));
  }
  minus(a: Dim, b: Dim): Dim {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return b === 0 ? a : this.binary("Sub", this.scalar(a), this.scalar(b));
  }
  smaller(a: Dim, b: Dim): Dim {
    if (typeof a === "number" && typeof b === "number") return Math.min(a, b);
    return this.binary("Minimum", this.scalar(a), this.scalar(b));
  }
  larger(a: Dim, b: Dim): Dim {
    if (typeof a === "number" && typeof b === "number") return Math.max(a, b);
    return this.binary("Maximum", this.scalar(a), this.scalar(b));
  }
}
