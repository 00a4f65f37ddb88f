// One method an op: what the builder (builder.ts) offers on top of `node`. What an op means is said by its record.

import type { AxisId, DType, NodeId, NodeType, OpAttrs, OpName, Reduced, Window2d } from "../graph/graph.ts";

/** What a reduction removes; what is left out is not reduced. */
export type ReducedOptions = Partial<Reduced>;

export abstract class Operations {
  /** Adds a node. */
  abstract node<O extends OpName>(op: O, inputs: readonly NodeId[], attrs: OpAttrs[O]): NodeId;
  abstract typeOf(id: NodeId): NodeType;
  /** The axes once each, in the order of their declaration. */
  protected abstract ordered(axes: readonly AxisId[]): readonly AxisId[];

  #reduced({ dims = [], axes = [], batch = false, keep = false }: ReducedOptions): Reduced {
    return { dims: dims.toSorted((a, b) => a - b), axes: this.ordered(axes), batch, keep };
  }

  /** One number fills `shape`; several are its elements, row-major. */
  constant(value: number | readonly number[], dtype: DType = "real", shape: readonly number[] = []): NodeId {
    return this.node("constant", [], { dtype, shape, values: typeof value === "number" ? [value] : value });
  }
  parameter(name: string, shape: readonly number[], axes: readonly AxisId[] = []): NodeId {
    return this.node("parameter", [], { name, shape, axes: this.ordered(axes) });
  }
  input(
    name: string,
    type: { dtype?: DType; shape?: readonly number[]; axes?: readonly AxisId[]; batched?: boolean },
  ): NodeId {
    const { dtype = "real", shape = [], axes = [], batched = true } = type;
    return this.node("input", [], { name, dtype, shape, axes: this.ordered(axes), batched });
  }
  state(
    name: string,
    type: { dtype?: DType; shape?: readonly number[]; axes?: readonly AxisId[] } = {},
  ): NodeId {
    const { dtype = "real", shape = [], axes = [] } = type;
    return this.node("state", [], { name, dtype, shape, axes: this.ordered(axes) });
  }
  length(axis: AxisId): NodeId {
    return this.node("length", [], { axis });
  }
  index(axis: AxisId): NodeId {
    return this.node("index", [], { axis });
  }
  batchSize(): NodeId {
    return this.node("batchSize", [], {});
  }
  random(
    distribution: "uniform" | "normal",
    site: number,
    shape: readonly number[] = [],
    axes: readonly AxisId[] = [],
  ): NodeId {
    return this.node("random", [], { distribution, site, shape, axes: this.ordered(axes) });
  }

  neg(x: NodeId): NodeId {
    return this.node("neg", [x], {});
  }
  exp(x: NodeId): NodeId {
    return this.node("exp", [x], {});
  }
  log(x: NodeId): NodeId {
    return this.node("log", [x], {});
  }
  log1p(x: NodeId): NodeId {
    return this.node("log1p", [x], {});
  }
  sqrt(x: NodeId): NodeId {
    return this.node("sqrt", [x], {});
  }
  sin(x: NodeId): NodeId {
    return this.node("sin", [x], {});
  }
  cos(x: NodeId): NodeId {
    return this.node("cos", [x], {});
  }
  tanh(x: NodeId): NodeId {
    return this.node("tanh", [x], {});
  }
  sigmoid(x: NodeId): NodeId {
    return this.node("sigmoid", [x], {});
  }
  softplus(x: NodeId): NodeId {
    return this.node("softplus", [x], {});
  }
  abs(x: NodeId): NodeId {
    return this.node("abs", [x], {});
  }
  sign(x: NodeId): NodeId {
    return this.node("sign", [x], {});
  }
  floor(x: NodeId): NodeId {
    return this.node("floor", [x], {});
  }
  not(x: NodeId): NodeId {
    return this.node("not", [x], {});
  }
  stopGradient(x: NodeId): NodeId {
    return this.node("stopGradient", [x], {});
  }
  cast(x: NodeId, dtype: DType): NodeId {
    return this.node("cast", [x], { dtype });
  }

  add(a: NodeId, b: NodeId): NodeId {
    return this.node("add", [a, b], {});
  }
  sub(a: NodeId, b: NodeId): NodeId {
    return this.node("sub", [a, b], {});
  }
  mul(a: NodeId, b: NodeId): NodeId {
    return this.node("mul", [a, b], {});
  }
  div(a: NodeId, b: NodeId): NodeId {
    return this.node("div", [a, b], {});
  }
  pow(a: NodeId, b: NodeId): NodeId {
    return this.node("pow", [a, b], {});
  }
  maximum(a: NodeId, b: NodeId): NodeId {
    return this.node("maximum", [a, b], {});
  }
  minimum(a: NodeId, b: NodeId): NodeId {
    return this.node("minimum", [a, b], {});
  }
  expdiff(x: NodeId, y: NodeId): NodeId {
    return this.node("expdiff", [x, y], {});
  }
  equal(a: NodeId, b: NodeId): NodeId {
    return this.node("equal", [a, b], {});
  }
  notEqual(a: NodeId, b: NodeId): NodeId {
    return this.node("notEqual", [a, b], {});
  }
  less(a: NodeId, b: NodeId): NodeId {
    return this.node("less", [a, b], {});
  }
  lessEqual(a: NodeId, b: NodeId): NodeId {
    return this.node("lessEqual", [a, b], {});
  }
  greater(a: NodeId, b: NodeId): NodeId {
    return this.node("greater", [a, b], {});
  }
  greaterEqual(a: NodeId, b: NodeId): NodeId {
    return this.node("greaterEqual", [a, b], {});
  }
  and(a: NodeId, b: NodeId): NodeId {
    return this.node("and", [a, b], {});
  }
  or(a: NodeId, b: NodeId): NodeId {
    return this.node("or", [a, b], {});
  }
  where(condition: NodeId, a: NodeId, b: NodeId): NodeId {
    return this.node("where", [condition, a, b], {});
  }
  accumulate(type: NodeType, inputs: readonly NodeId[] = []): NodeId {
    return this.node("accumulate", inputs, {
      type: { ...type, axes: this.ordered(type.axes) },
    });
  }

  /** What is left out stays as it is. */
  broadcast(
    x: NodeId,
    to: { shape?: readonly number[]; axes?: readonly AxisId[]; batched?: boolean },
  ): NodeId {
    const { shape = this.typeOf(x).shape, axes = [], batched = false } = to;
    return this.node("broadcast", [x], { shape, axes: this.ordered(axes), batched });
  }
  reshape(x: NodeId, shape: readonly number[]): NodeId {
    return this.node("reshape", [x], { shape });
  }
  transpose(x: NodeId, perm: readonly number[]): NodeId {
    return this.node("transpose", [x], { perm });
  }
  slice(x: NodeId, dim: number, start: number, size: number): NodeId {
    return this.node("slice", [x], { dim, start, size });
  }
  pad(x: NodeId, dim: number, before: number, after: number): NodeId {
    return this.node("pad", [x], { dim, before, after });
  }
  concat(parts: readonly NodeId[], dim: number): NodeId {
    return this.node("concat", parts, { dim });
  }
  argmax(x: NodeId, dim: number): NodeId {
    return this.node("argmax", [x], { dim });
  }
  oneHot(x: NodeId, size: number): NodeId {
    return this.node("oneHot", [x], { size });
  }
  gather(table: NodeId, index: NodeId): NodeId {
    return this.node("gather", [table, index], {});
  }
  scatterAdd(
    index: NodeId,
    value: NodeId,
    to: { size: number; axes?: readonly AxisId[]; batch?: boolean },
  ): NodeId {
    const { size, axes = [], batch = false } = to;
    return this.node("scatterAdd", [index, value], { size, axes: this.ordered(axes), batch });
  }
  patches(x: NodeId, window: Window2d): NodeId {
    return this.node("patches", [x], window);
  }
  unpatches(x: NodeId, window: Window2d): NodeId {
    return this.node("unpatches", [x], window);
  }

  sum(x: NodeId, over: ReducedOptions): NodeId {
    return this.node("sum", [x], this.#reduced(over));
  }
  max(x: NodeId, over: ReducedOptions): NodeId {
    return this.node("max", [x], this.#reduced(over));
  }
  logsumexp(x: NodeId, over: ReducedOptions): NodeId {
    return this.node("logsumexp", [x], this.#reduced(over));
  }
  contract(
    a: NodeId,
    b: NodeId,
    over: {
      left: readonly number[];
      right: readonly number[];
      out: readonly number[];
      axes?: readonly AxisId[];
      batch?: boolean;
    },
  ): NodeId {
    const { left, right, out, axes = [], batch = false } = over;
    return this.node("contract", [a, b], { left, right, out, axes: this.ordered(axes), batch });
  }
  shift(value: NodeId, initial: NodeId, axis: AxisId, offset: number): NodeId {
    return this.node("shift", [value, initial], { axis, offset });
  }
  at(x: NodeId, axis: AxisId, from: "first" | "last", offset = 0): NodeId {
    return this.node("at", [x], { axis, from, offset });
  }
  stack(parts: readonly NodeId[], axis: AxisId): NodeId {
    return this.node("stack", parts, { axis });
  }
}
