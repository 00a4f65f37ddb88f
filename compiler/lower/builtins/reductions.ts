// Reductions and normalisations, over features or over axes. Over an axis whose length only run time knows, each
// example's own length counts: the operand is broadcast to the examples first, and a later tidying drops the
// broadcast where it already has them.

import type { NodeId } from "../../graph/graph.ts";
import type { GraphBuilder, ReducedOptions } from "../../ops/builder.ts";
import { InternalError } from "../../unreachable.ts";
import type { BoundAxis } from "../instance.ts";
import type { BuiltinLowering, BuiltinUse } from "./use.ts";

/** The operand with a value at every index, and for every example, over which it will be reduced. */
function spread(use: BuiltinUse, x: NodeId, batch = false): NodeId {
  const { axes, builder } = use;
  if (axes.length === 0) return x;
  const batched = batch || axes.some(({ length }) => length === null);
  return builder.broadcast(x, { axes: axes.map(({ id }) => id), batched });
}

/** All features, or the axes in brackets. */
function reduced(use: BuiltinUse, x: NodeId): ReducedOptions {
  const { axes, builder } = use;
  if (axes.length > 0) return { axes: axes.map(({ id }) => id) };
  return { dims: builder.typeOf(x).shape.map((_, dim) => dim) };
}

/** How many indices the axes have together: each example's own number where an axis is dynamic. */
function countIndices(builder: GraphBuilder, axes: readonly BoundAxis[]): NodeId {
  const known = axes.reduce((product, { length }) => product * (length ?? 1), 1);
  const lengths = axes
    .filter(({ length }) => length === null)
    .map(({ id }) => builder.cast(builder.length(id), "real"));
  const factors = known === 1 && lengths.length > 0 ? lengths : [builder.constant(known), ...lengths];
  return factors.reduce((product, factor) => builder.mul(product, factor));
}

/** sum / max(count, 1): 0 for an example without steps. */
function mean(use: BuiltinUse): NodeId {
  const { builder, axes } = use;
  const x = use.real(0);
  const total = builder.sum(spread(use, x), reduced(use, x));
  if (axes.length === 0) {
    const count = builder.typeOf(x).shape.reduce((product, size) => product * size, 1);
    return builder.div(total, builder.constant(count));
  }
  const count = countIndices(builder, axes);
  const dynamic = axes.some(({ length }) => length === null);
  return builder.div(total, dynamic ? builder.maximum(count, builder.constant(1)) : count);
}

/** The sum over all steps of all examples, and their number. */
export function microTotals(use: BuiltinUse): { readonly total: NodeId; readonly count: NodeId } {
  const { builder, axes } = use;
  const over = { axes: axes.map(({ id }) => id), batch: true };
  const total = builder.sum(spread(use, use.real(0), true), over);
  // Along the axes that stay, only examples that reach an index count there.
  const own = countIndices(builder, axes);
  const each = builder.broadcast(own, { axes: use.resultAxes, batched: true });
  return { total, count: builder.sum(each, { batch: true }) };
}

function microMean(use: BuiltinUse): NodeId {
  const { builder } = use;
  const { total, count } = microTotals(use);
  return builder.div(total, builder.maximum(count, builder.constant(1)));
}

/** The largest or smallest: of several element by element, or over features or axes. */
function extreme(use: BuiltinUse, sign: 1 | -1): NodeId {
  const { builder } = use;
  if (use.count > 1) {
    return use.args.reduce((a, b) => (sign === 1 ? builder.maximum(a, b) : builder.minimum(a, b)));
  }
  // The op takes reals: positions are exact in them.
  const x = use.real(0);
  const turned = sign === 1 ? x : builder.neg(x);
  const largest = builder.max(spread(use, turned), reduced(use, x));
  const result = sign === 1 ? largest : builder.neg(largest);
  return use.dtype === "real" ? result : builder.cast(result, use.dtype);
}

/** Of several: stacked along a new last dimension, so that rows of -inf stay right. */
function logsumexp(use: BuiltinUse): NodeId {
  const { builder } = use;
  if (use.count === 1) return builder.logsumexp(spread(use, use.arg(0)), reduced(use, use.arg(0)));
  const { shape } = use;
  const columns = use.args.map(node => builder.reshape(builder.broadcast(node, { shape }), [...shape, 1]));
  return builder.logsumexp(builder.concat(columns, shape.length), { dims: [shape.length] });
}

/** logsumexp over the last dimension (kept with size 1) or over the axes (broadcast back by what uses it). */
function normalizer(use: BuiltinUse, x: NodeId): NodeId {
  const { builder, axes } = use;
  if (axes.length > 0) return builder.logsumexp(x, { axes: axes.map(({ id }) => id) });
  const last = builder.typeOf(x).shape.length - 1;
  if (last < 0) throw new InternalError(use.expression.name, "a scalar cannot be normalised");
  return builder.logsumexp(x, { dims: [last], keep: true });
}

const normalized =
  (combine: (builder: GraphBuilder, x: NodeId, normalizer: NodeId) => NodeId): BuiltinLowering =>
  use => {
    const x = spread(use, use.arg(0));
    return combine(use.builder, x, normalizer(use, x));
  };

export const reductionLowerings = {
  max: use => extreme(use, 1),
  min: use => extreme(use, -1),
  logsumexp,
  sum: use => {
    const x = use.real(0);
    return use.builder.sum(spread(use, x), reduced(use, x));
  },
  mean,
  microMean,
  softmax: normalized((b, x, total) => b.expdiff(x, total)),
  logSoftmax: normalized((b, x, total) => b.sub(x, total)),
} as const satisfies Record<string, BuiltinLowering>;
