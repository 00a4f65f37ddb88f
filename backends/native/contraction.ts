// The einsum of two operands: which dimensions it is about, and that padding takes no part in it. How it is computed is
// products.ts's.

import type { AxisId, NodeId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import { unionAxes } from "../../compiler/ops/shapes.ts";
import { type Context, crossedAxes } from "./context.ts";
import type { Dim } from "./ops.ts";
import {
  arranged,
  axisKey,
  batchKey,
  combined,
  type Factor,
  type Key,
  labelKey,
  summed,
  type Task,
} from "./products.ts";
import type { Value } from "./values.ts";

export function contract({ attrs, inputs, type }: NodeOf<"contract">, context: Context): Value {
  const types = inputs.map(id => context.typeOf(id));
  const crossed = crossedAxes({ axes: unionAxes(types) }, attrs);
  const padded = crossed.filter(axis => types.some(type => type.batched && type.axes.includes(axis)));
  return einsum({ ...attrs, inputs, type, padded }, context);
}

/**
 * The sum of a product of elements as the einsum that it is, so that products over more dimensions than either operand
 * has are never there as a whole; null where it is another sum, or its operand is wanted anyway.
 */
export function sumOfProduct({ inputs, attrs, type }: NodeOf<"sum">, context: Context): Value | null {
  const factor = context.graph.nodes.get(inputs[0]!)!;
  if (factor.op !== "mul" || context.usersOf(factor.id).length > 1) return null;
  if (factor.inputs.some(id => context.find(id) === null)) return null;
  const rank = factor.type.shape.length;
  // A factor of fewer features has the last ones.
  const labels = factor.inputs.map(id => {
    const own = context.typeOf(id).shape.length;
    return Array.from({ length: own }, (_, d) => rank - own + d);
  });
  const out = factor.type.shape.flatMap((_, d) => (attrs.dims.includes(d) ? [] : [d]));
  const shape = out.map(d => factor.type.shape[d]!);
  const task: Einsum = {
    ...attrs,
    inputs: factor.inputs,
    left: labels[0]!,
    right: labels[1]!,
    out,
    type: { ...type, shape },
    padded: factor.type.batched ? crossedAxes(factor.type, attrs) : [],
  };
  return context.values.reshaped(einsum(task, context), type.shape);
}

type Einsum = NodeOf<"contract">["attrs"] & {
  readonly inputs: readonly NodeId[];
  readonly type: NodeType;
  /** Axes along which what lies past an example's own length is left out. */
  readonly padded: readonly AxisId[];
};

function einsum(node: Einsum, context: Context): Value {
  const operands = materialised(node, context);
  const { type } = node;
  const free = context.values.sizes.ordered(type.axes.filter(axis => !context.isBound(axis)));
  const out = [...free.map(axisKey), ...(type.batched ? [batchKey] : []), ...node.out.map(labelKey)];
  const sizes = new Map<Key, Dim>();
  const factors = operands.map((value, k) =>
    factorOf(value, k === 0 ? node.left : node.right, context, sizes),
  );
  const task: Task = { context, sizes, out };
  const [x, y] = factors.map((factor, k) => summed(factor, factors[1 - k]!, task));
  return asValue(guarded(combined(x!, y!, task), factors, task), node, free, task);
}

/** A sum over nothing is 0, whatever it would be multiplied with that does not depend on what is summed over. */
function guarded(found: Factor, factors: readonly Factor[], { context: { ops }, out, sizes }: Task): Factor {
  const open = factors.flatMap(({ keys }, k) =>
    keys.flatMap(key => {
      const size = out.includes(key) || factors[1 - k]!.keys.includes(key) ? 1 : sizes.get(key)!;
      return typeof size === "number" ? [] : [size];
    }),
  );
  if (open.length === 0) return found;
  const isAny = open
    .map(size => ops.compare("Greater", size, ops.whole(0)))
    .reduce((a, b) => ops.logical("LogicalAnd", a, b));
  return { ...found, tensor: ops.select(isAny, found.tensor, ops.real(0)) };
}

/** The operands with everything that is summed over, padding set to 0 where it would be added. */
function materialised(attrs: Einsum, context: Context): readonly Value[] {
  const { values, ops } = context;
  const types = attrs.inputs.map(id => context.typeOf(id));
  const read = attrs.inputs.map((id, k) => values.ranked(context.read(id), types[k]!.shape.length));
  const axes = attrs.axes.filter(
    axis => !context.isBound(axis) && read.every(value => !value.axes.includes(axis)),
  );
  const batched = attrs.batch && read.every(value => !value.batched);
  // A sum over what neither has is made in the operand that it belongs to.
  const full = read.map((value, k) => {
    const type = types[k]!;
    const other = read[1 - k]!;
    const [labels, others] = k === 0 ? [attrs.left, attrs.right] : [attrs.right, attrs.left];
    const lacks = (label: number): boolean =>
      !attrs.out.includes(label) && (k === 0 || (other.shape[others.indexOf(label)] ?? 1) === 1);
    return values.full(value, {
      axes: values.sizes.ordered([...value.axes, ...axes.filter(axis => type.axes.includes(axis))]),
      batched: value.batched || (batched && type.batched),
      shape: value.shape.map((size, d) => (size === 1 && lacks(labels[d]!) ? type.shape[d]! : size)),
    });
  });
  return full.map((value, k) => {
    const mask = context.mask(attrs.padded.filter(axis => types[k]!.axes.includes(axis)));
    return values.select(mask, value, values.scalar(ops.real(0)));
  });
}

/** Features that are the same all along a dimension lose it. */
function factorOf(
  value: Value,
  labels: readonly number[],
  { values, ops }: Context,
  sizes: Map<Key, Dim>,
): Factor {
  const keys = [
    ...value.axes.map(axisKey),
    ...(value.batched ? [batchKey] : []),
    ...labels.flatMap((label, d) => (value.shape[d] === 1 ? [] : [labelKey(label)])),
  ];
  const dims = [...values.lead(value), ...value.shape.filter(size => size !== 1)];
  for (const [d, key] of keys.entries()) sizes.set(key, dims[d]!);
  const tensor =
    dims.length === values.dims(value).length
      ? value.tensor
      : ops.reshape(
          value.tensor,
          dims.map(dim => [dim]),
        );
  return { tensor, keys };
}

function asValue(found: Factor, { out, type }: Einsum, free: readonly AxisId[], task: Task): Value {
  const { ops, values } = task.context;
  const keys = task.out.filter(key => found.keys.includes(key));
  const tensor = arranged(found, keys, ops);
  const has = (key: Key): boolean => keys.includes(key);
  const value: Value = {
    tensor,
    axes: free.filter(axis => has(axisKey(axis))),
    batched: has(batchKey),
    shape: out.flatMap((label, d) => (has(labelKey(label)) ? [type.shape[d]!] : [])),
  };
  return values.reshaped(
    value,
    out.map((label, d) => (has(labelKey(label)) ? type.shape[d]! : 1)),
  );
}
