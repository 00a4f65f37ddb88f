// Ops that look along an axis, for all of its positions at once: delays of what is known already, `at`, `stack`. Delays
// of what a loop carries from turn to turn are carried.ts's.

import type { AxisId, NodeOf, OpName } from "../../compiler/graph/graph.ts";
import type { Context, Lower } from "./context.ts";
import type { Dim } from "./ops.ts";
import type { Value } from "./values.ts";

export const crossing = {
  shift: (node, context) => {
    const { values } = context;
    const [value, initial] = node.inputs.map((id, k) =>
      values.featured(context.read(id), context.typeOf(node.inputs[k]!).shape),
    );
    return shifted(node, value!, initial!, context);
  },
  at: (node, context) => {
    const x = context.read(node.inputs[0]!);
    const { axis, from } = node.attrs;
    const isOwn = node.type.batched && context.isRagged(axis);
    if (!x.axes.includes(axis)) return within(node, x, context);
    if (isOwn && from === "last") return ownLast(node, x, context);
    const found = oneOf(node, x, context);
    return isOwn ? within(node, found, context) : found;
  },
  stack: (node, context) => {
    const { ops, values } = context;
    const parts = node.inputs.map((id, k) =>
      values.featured(context.read(id), context.typeOf(node.inputs[k]!).shape),
    );
    const { axes, batched } = values.union(parts);
    const { shape } = node.type;
    const all = values.sizes.ordered([...axes, node.attrs.axis]);
    const tensors = parts.map(part => values.full(part, { axes, batched, shape }).tensor);
    return { axes: all, batched, shape, tensor: ops.pack(tensors, all.indexOf(node.attrs.axis)) };
  },
} satisfies { readonly [O in OpName]?: Lower<O> };

/** Where `i - offset` is inside, counted by each example's own length where the node is batched. */
export function isInside(node: NodeOf<"shift">, context: Context): Value {
  const { ops, values } = context;
  const { axis, offset } = node.attrs;
  const position = context.position(axis);
  if (offset > 0) {
    const first = values.scalar(ops.whole(offset));
    return values.pointwise([position, first], ([i, k]) => ops.compare("GreaterEqual", i!, k!));
  }
  const own = node.type.batched && context.isRagged(axis);
  const end = own ? context.length(axis) : values.scalar(ops.scalar(context.extent(axis)));
  const ahead = values.pointwise([position], ([i]) => ops.binary("Sub", i!, ops.whole(offset)));
  return values.pointwise([ahead, end], ([i, n]) => ops.compare("Less", i!, n!));
}

function shifted(node: NodeOf<"shift">, value: Value, initial: Value, context: Context): Value {
  const { values } = context;
  const { axis, offset } = node.attrs;
  if (!value.axes.includes(axis)) return values.select(isInside(node, context), value, initial);
  const moved = displaced(value, initial, axis, offset, context);
  const isOwn = offset < 0 && node.type.batched && context.isRagged(axis);
  return isOwn ? values.select(isInside(node, context), moved, initial) : moved;
}

/** The value's part that is inside, and the initial value's where it is not, by the extent. */
function displaced(value: Value, initial: Value, axis: AxisId, offset: number, context: Context): Value {
  const { ops, values } = context;
  const extent = context.extent(axis);
  const outside = ops.smaller(Math.abs(offset), extent);
  const inside = ops.minus(extent, outside);
  const union = values.union([value, initial]);
  const axes = values.sizes.ordered([...union.axes, axis]);
  const whole = { axes, batched: union.batched, shape: value.shape };
  const seen = values.full(value, whole);
  const begin: Dim = offset > 0 ? 0 : outside;
  const kept = values.part(seen, axis, begin, inside);
  const first = initialPart(initial, whole, axis, offset > 0 ? 0 : inside, outside, context);
  const tensor = ops.concat(offset > 0 ? [first, kept] : [kept, first], axes.indexOf(axis));
  return { ...whole, tensor };
}

function initialPart(
  initial: Value,
  whole: Omit<Value, "tensor">,
  axis: AxisId,
  begin: Dim,
  size: Dim,
  { ops, values }: Context,
) {
  if (initial.axes.includes(axis)) return values.part(values.full(initial, whole), axis, begin, size);
  const dims = values.dims(whole).with(whole.axes.indexOf(axis), size);
  return ops.broadcast(values.aligned(initial, { ...whole, rank: whole.shape.length }), dims);
}

/** A value where the position is inside of each example's own length, 0 elsewhere. */
function within(node: NodeOf<"at">, x: Value, context: Context): Value {
  const { ops, values } = context;
  const { axis, offset } = node.attrs;
  const isOwn = node.type.batched && context.isRagged(axis);
  const end = isOwn ? context.length(axis) : values.scalar(ops.scalar(context.extent(axis)));
  const isThere = values.pointwise([end], ([n]) => ops.compare("Less", ops.whole(offset), n!));
  return values.select(isThere, x, values.scalar(ops.zero(x.tensor.dtype)));
}

/** The value at one position for all examples; a sum of it, or of nothing. */
function oneOf(node: NodeOf<"at">, x: Value, context: Context): Value {
  const { ops, values } = context;
  const { axis, from, offset } = node.attrs;
  const extent = context.extent(axis);
  const count = ops.smaller(1, ops.larger(ops.minus(extent, offset), 0));
  const begin = from === "first" ? ops.smaller(offset, extent) : ops.larger(ops.minus(extent, offset + 1), 0);
  return alone(x, values.part(x, axis, begin, count), axis, context);
}

/** The value at each example's own last position, or `offset` before it. */
function ownLast(node: NodeOf<"at">, x: Value, context: Context): Value {
  const { ops, values } = context;
  const { axis, offset } = node.attrs;
  const last = values.pointwise([context.length(axis)], ([n]) =>
    ops.binary("Sub", n!, ops.whole(offset + 1)),
  );
  const isLast = values.pointwise([context.position(axis), last], ([i, j]) => ops.compare("Equal", i!, j!));
  const chosen = values.select(isLast, x, values.scalar(ops.zero(x.tensor.dtype)));
  return alone(chosen, chosen.tensor, axis, context);
}

function alone(x: Value, tensor: Value["tensor"], axis: AxisId, { ops }: Context): Value {
  const op = tensor.dtype === "bool" ? "Any" : "Sum";
  return {
    ...x,
    axes: x.axes.filter(other => other !== axis),
    tensor: ops.reduce(op, tensor, [x.axes.indexOf(axis)]),
  };
}
