// Sums, maxima and logsumexp over features, axes and the batch, and sums of rows by their number. What lies past an
// example's own length is left out by selection, before anything is added.

import type { NodeOf, OpName, Reduced } from "../../compiler/graph/graph.ts";
import { type Context, crossedAxes, type Lower } from "./context.ts";
import { sumOfProduct } from "./contraction.ts";
import type { Tensor } from "./graph.ts";
import type { Value } from "./values.ts";

export const reductions = {
  sum: (node, context) => {
    const product = sumOfProduct(node, context);
    if (product !== null) return product;
    const x = cleaned(node, context, 0);
    const places = placesOf(x, node.attrs, context);
    const sum = columnSums(x, places, context) ?? context.ops.reduce("Sum", x.tensor, places);
    return without(x, sum, node.attrs, context);
  },
  max: (node, context) => {
    const x = cleaned(node, context, Number.NEGATIVE_INFINITY);
    return without(
      x,
      context.ops.reduce("Max", x.tensor, placesOf(x, node.attrs, context)),
      node.attrs,
      context,
    );
  },
  logsumexp: (node, context) => {
    const x = cleaned(node, context, Number.NEGATIVE_INFINITY);
    const kept = logSum(x.tensor, placesOf(x, node.attrs, context), context);
    const left = without(x, kept, node.attrs, context);
    const dims = context.values.dims(left).map(dim => [dim]);
    return { ...left, tensor: context.ops.reshape(kept, dims) };
  },
  scatterAdd,
} satisfies { readonly [O in OpName]?: Lower<O> };

type Reduction = NodeOf<"sum"> | NodeOf<"max"> | NodeOf<"logsumexp">;

/** The operand with all the dimensions that are reduced, and `neutral` in the padding. */
function cleaned({ inputs, attrs }: Reduction, context: Context, neutral: number): Value {
  const { ops, values } = context;
  const type = context.typeOf(inputs[0]!);
  const x = values.ranked(context.read(inputs[0]!), type.shape.length);
  const free = attrs.axes.filter(axis => !context.isBound(axis));
  const present = values.full(x, {
    axes: values.sizes.ordered([...x.axes, ...free]),
    batched: x.batched || attrs.batch,
    shape: x.shape.map((size, d) => (attrs.dims.includes(d) ? type.shape[d]! : size)),
  });
  const mask = type.batched ? context.mask(crossedAxes(type, attrs)) : null;
  return values.select(mask, present, values.scalar(ops.real(neutral)));
}

/** The reduced dimensions' places. */
function placesOf(x: Value, { dims, axes, batch }: Reduced, { values }: Context): readonly number[] {
  const lead = values.lead(x).length;
  return [
    ...x.axes.flatMap((axis, d) => (axes.includes(axis) ? [d] : [])),
    ...(batch ? [lead - 1] : []),
    ...dims.map(dim => lead + dim),
  ];
}

/** `reduced` as a value: what is left of `x`. */
function without(x: Value, reduced: Tensor, over: Reduced, { values }: Context): Value {
  const left: Value = {
    tensor: reduced,
    axes: x.axes.filter(axis => !over.axes.includes(axis)),
    batched: x.batched && !over.batch,
    shape: x.shape.filter((_, d) => !over.dims.includes(d)),
  };
  if (!over.keep) return left;
  return values.reshaped(
    left,
    x.shape.map((size, d) => (over.dims.includes(d) ? 1 : size)),
  );
}

/** Rows are added by a product with ones, which TensorFlow does two to five times as fast; null for other sums. */
function columnSums(x: Value, places: readonly number[], { ops, values }: Context): Tensor | null {
  const dims = values.dims(x);
  const isLeading = places.every((place, d) => place === d) && places.length < dims.length;
  if (!isLeading || places.length === 0 || x.axes.length === 0) return null;
  const [summed, left] = [dims.slice(0, places.length), dims.slice(places.length)];
  const rows = summed.reduce((size, dim) => ops.times(size, dim), 1);
  const ones = ops.broadcast(ops.real(1), [1, rows]);
  const sums = ops.product(ones, ops.reshape(x.tensor, [summed, left]), { a: false, b: false }, false);
  return ops.reshape(
    sums,
    left.map(dim => [dim]),
  );
}

/** Reduced dimensions stay, with size 1. Where the largest value is infinite it is the answer: the differences are NaN. */
function logSum(x: Tensor, places: readonly number[], { ops }: Context): Tensor {
  const top = ops.reduce("Max", x, places, true);
  const hasLevel = ops.isFinite(top);
  const level = ops.select(hasLevel, top, ops.real(0));
  const sum = ops.reduce("Sum", ops.unary("Exp", ops.binary("Sub", x, level)), places, true);
  return ops.select(hasLevel, ops.binary("AddV2", level, ops.unary("Log", sum)), top);
}

function scatterAdd(node: NodeOf<"scatterAdd">, context: Context): Value {
  const { ops, values } = context;
  const { size, axes, batch } = node.attrs;
  const types = node.inputs.map(id => context.typeOf(id));
  const position = context.read(node.inputs[0]!);
  const value = values.featured(context.read(node.inputs[1]!), types[1]!.shape);
  const free = axes.filter(axis => !context.isBound(axis));
  const space = values.union([position, value]);
  const all = { axes: values.sizes.ordered([...space.axes, ...free]), batched: space.batched || batch };
  const crossed = types.flatMap(type => (type.batched ? crossedAxes(type, node.attrs) : []));
  const mask = context.mask([...new Set(crossed)]);
  if (all.axes.every(axis => !axes.includes(axis)) && !batch) {
    return spread(values.select(mask, position, values.scalar(ops.whole(-1))), value, size, context);
  }
  const numbers = values.full(numbered(position, mask, all, node, context), { ...all, shape: [] });
  const rows = values.full(value, { ...all, shape: value.shape });
  const kept = {
    axes: all.axes.filter(axis => !axes.includes(axis)),
    batched: all.batched && !batch,
    shape: [size, ...value.shape],
  };
  const lead = values.lead(all);
  const sums = ops.segmentSum(
    ops.reshape(rows.tensor, [lead, value.shape]),
    ops.reshape(numbers.tensor, [lead]),
    values.lead(kept).reduce<Parameters<typeof ops.times>[0]>((count, dim) => ops.times(count, dim), size),
  );
  return {
    ...kept,
    tensor: ops.reshape(
      sums,
      values.dims(kept).map(dim => [dim]),
    ),
  };
}

/** Nothing is added up: each value stands at its position among zeros. */
function spread(position: Value, value: Value, size: number, { ops, values }: Context): Value {
  const range: Value = {
    tensor: ops.reshape(ops.range(size), [[size], ...value.shape.map(() => [1])]),
    axes: [],
    batched: false,
    shape: [size, ...value.shape.map(() => 1)],
  };
  const isThere = values.pointwise([position, range], ([p, q]) => ops.compare("Equal", p!, q!));
  return values.select(isThere, values.ranked(value, value.shape.length + 1), values.scalar(ops.real(0)));
}

/** For each row the number of the sum that it belongs to; -1 for padding and for positions outside. */
function numbered(
  position: Value,
  mask: Value | null,
  all: Pick<Value, "axes" | "batched">,
  { attrs: { size, axes, batch } }: NodeOf<"scatterAdd">,
  { ops, values }: Context,
): Value {
  const [zero, none] = [values.scalar(ops.whole(0)), values.scalar(ops.whole(-1))];
  const end = values.scalar(ops.whole(size));
  const notBelow = values.pointwise([position, zero], ([p, q]) => ops.compare("GreaterEqual", p!, q!));
  const below = values.pointwise([position, end], ([p, q]) => ops.compare("Less", p!, q!));
  const conditions = [notBelow, below, ...(mask === null ? [] : [mask])];
  const isMeant = conditions.reduce((a, b) =>
    values.pointwise([a, b], ([p, q]) => ops.logical("LogicalAnd", p!, q!)),
  );
  const kept = [
    ...all.axes.filter(axis => !axes.includes(axis)).map(axis => ({ axes: [axis], batched: false })),
    ...(all.batched && !batch ? [{ axes: [], batched: true }] : []),
  ];
  let number = zero;
  for (const dim of kept) {
    const [extent] = values.lead(dim);
    const here: Value = { ...dim, shape: [], tensor: ops.range(extent!) };
    number = values.pointwise([number, values.scalar(ops.scalar(extent!)), here], ([n, e, h]) =>
      ops.binary("AddV2", ops.binary("Mul", n!, e!), h!),
    );
  }
  const whole = values.pointwise([number, end, position], ([n, e, p]) =>
    ops.binary("AddV2", ops.binary("Mul", n!, e!), p!),
  );
  return values.select(isMeant, whole, none);
}
