// Functions that take features apart, put them together and look them up; constants with a shape; positions.

import { report } from "../../diagnostics/report.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { BoundAxis } from "../instance.ts";
import type { BuiltinLowering, BuiltinUse } from "./use.ts";

function split(use: BuiltinUse): NodeId {
  const shape = use.shapeOf(0);
  const size = (shape.at(-1) ?? 0) / use.size("n");
  return use.builder.slice(use.arg(0), shape.length - 1, size * use.expression.result, size);
}

/** Along the last dimension; the others broadcast, and a scalar is one feature. */
function concat(use: BuiltinUse): NodeId {
  const { builder, shape } = use;
  const rest = shape.slice(0, -1);
  const parts = use.args.map(node => {
    const own = builder.typeOf(node).shape;
    const wanted = [...rest, own.at(-1) ?? 1];
    const lifted = own.length === 0 ? builder.reshape(node, [1]) : node;
    const same = wanted.every((size, dim) => builder.typeOf(lifted).shape[dim] === size);
    return same ? lifted : builder.broadcast(lifted, { shape: wanted });
  });
  return parts.length === 1 ? parts[0]! : builder.concat(parts, shape.length - 1);
}

function slice(use: BuiltinUse): NodeId {
  const shape = use.shapeOf(0);
  const [start, size, limit] = [use.size("start"), use.size("size"), shape.at(-1) ?? 0];
  if (start < 0 || size < 1 || start + size > limit) {
    use.instance.refuse(report("F0310", { end: start + size, size: limit }, use.expression.span));
  }
  return use.builder.slice(use.arg(0), shape.length - 1, start, size);
}

function transpose(use: BuiltinUse): NodeId {
  const rank = use.shapeOf(0).length;
  const perm = Array.from({ length: rank }, (_, dim) => dim);
  [perm[rank - 1], perm[rank - 2]] = [rank - 2, rank - 1];
  return use.builder.transpose(use.arg(0), perm);
}

/** A static axis becomes features: its values side by side along the last dimension, the first axis outermost. */
function flatten(use: BuiltinUse): NodeId {
  const { builder } = use;
  const x = builder.broadcast(use.arg(0), { axes: use.axes.map(({ id }) => id) });
  const lifted = use.shapeOf(0).length === 0 ? builder.reshape(x, [1]) : x;
  const last = builder.typeOf(lifted).shape.length - 1;
  const flat = (node: NodeId, axes: readonly BoundAxis[]): NodeId => {
    const [axis, ...rest] = axes;
    if (axis === undefined) return node;
    const length = axis.length ?? 0;
    use.instance.lowering.spend(length, use.expression);
    const parts = Array.from({ length }, (_, at) =>
      flat(builder.at(node, axis.id, "first", axis.reversed ? length - 1 - at : at), rest),
    );
    return parts.length === 1 ? parts[0]! : builder.concat(parts, last);
  };
  return flat(lifted, use.axes);
}

/** The position along an axis; in a reversed layer from each example's own end. */
function index(use: BuiltinUse): NodeId {
  const { builder } = use;
  const axis = use.axes[0]!;
  const whole = (value: number): NodeId => builder.constant(value, "index");
  let position = builder.index(axis.id);
  if (axis.reversed) {
    const length = axis.length === null ? builder.length(axis.id) : whole(axis.length);
    position = builder.sub(builder.sub(length, whole(1)), position);
  }
  return axis.first === 0 ? position : builder.add(position, whole(axis.first));
}

function length(use: BuiltinUse): NodeId {
  const axis = use.axes[0]!;
  return axis.length === null ? use.builder.length(axis.id) : use.builder.constant(axis.length, "index");
}

const filled =
  (value: number): BuiltinLowering =>
  use =>
    use.builder.constant(value, "real", use.shape);

export const featureLowerings = {
  split,
  concat,
  slice,
  reshape: use => use.builder.reshape(use.arg(0), use.shape),
  transpose,
  flatten,
  outer: use => use.builder.contract(use.arg(0), use.arg(1), { left: [0], right: [1], out: [0, 1] }),
  gather: use => use.builder.gather(use.arg(0), use.arg(1)),
  oneHot: use => use.builder.oneHot(use.arg(0), use.size("n")),
  argmax: use => use.builder.argmax(use.arg(0), use.shapeOf(0).length - 1),
  zeros: filled(0),
  ones: filled(1),
  fill: use => use.builder.constant(use.number("value"), "real", use.shape),
  index,
  length,
} as const satisfies Record<string, BuiltinLowering>;
