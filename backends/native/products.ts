// Products of two operands whose dimensions are told apart by keys: of matrices, of many matrices, or of elements. Keys
// of both that are summed are the inner dimension; those that one operand has alone, rows and columns; the others number
// the matrices.

import type { AxisId } from "../../compiler/graph/graph.ts";
import type { Context } from "./context.ts";
import type { Tensor } from "./graph.ts";
import type { Dim } from "./ops.ts";

/** An axis, the batch or a label. */
export type Key = string;

export const axisKey = (axis: AxisId): Key => `axis ${axis}`;
export const batchKey: Key = "batch";
export const labelKey = (label: number): Key => `label ${label}`;

/** An operand whose dimensions are told apart by their keys. */
export interface Factor {
  readonly tensor: Tensor;
  readonly keys: readonly Key[];
}

/** What is to be computed, in terms of keys. */
export interface Task {
  readonly context: Context;
  readonly sizes: ReadonlyMap<Key, Dim>;
  /** The result's keys in its order, those that no operand has included. */
  readonly out: readonly Key[];
}

/** Sums over what the other operand and the result lack. */
export function summed(factor: Factor, other: Factor, { out, context }: Task): Factor {
  const gone = factor.keys.filter(key => !out.includes(key) && !other.keys.includes(key));
  const places = gone.map(key => factor.keys.indexOf(key));
  return {
    tensor: context.ops.reduce("Sum", factor.tensor, places),
    keys: factor.keys.filter(key => !gone.includes(key)),
  };
}

/** The product; its keys are those of the result that an operand has, in any order. */
export function combined(x: Factor, y: Factor, task: Task): Factor {
  const shared = x.keys.filter(key => y.keys.includes(key));
  const inner = shared.filter(key => !task.out.includes(key));
  const rows = x.keys.filter(key => !shared.includes(key));
  const columns = y.keys.filter(key => !shared.includes(key));
  const each = task.out.filter(key => shared.includes(key));
  if (inner.length === 0) return multiplied(x, y, task.out, task);
  if (each.length > 0 && rows.length === 0 && columns.length === 0) {
    const order = [...each, ...inner];
    const { tensor } = multiplied(x, y, order, task);
    const places = inner.map(key => order.indexOf(key));
    return { tensor: task.context.ops.reduce("Sum", tensor, places), keys: each };
  }
  const first = task.out.find(key => rows.includes(key) || columns.includes(key));
  // The side whose own keys come first in the result is the left one; but of many products of vectors by matrices the
  // vectors are, which is twice as fast.
  const isRight = each.length > 0 && columns.length === 0;
  const isLeft = each.length > 0 && rows.length === 0;
  return isRight || (!isLeft && first !== undefined && columns.includes(first))
    ? product(y, x, { each, inner, rows: columns, columns: rows }, task)
    : product(x, y, { each, inner, rows, columns }, task);
}

/** Element by element, dimensions in that order. */
function multiplied(x: Factor, y: Factor, order: readonly Key[], { context: { ops }, sizes }: Task): Factor {
  const keys = order.filter(key => x.keys.includes(key) || y.keys.includes(key));
  const [a, b] = [x, y].map(factor => {
    const own = keys.filter(key => factor.keys.includes(key));
    const tensor = arranged(factor, own, ops);
    const inner = keys.slice(keys.findIndex(key => own.includes(key)));
    if (own.length === 0 || inner.length === own.length) return tensor;
    return ops.reshape(
      tensor,
      inner.map(key => (own.includes(key) ? [sizes.get(key)!] : [])),
    );
  });
  return { tensor: ops.binary("Mul", a!, b!), keys };
}

export const arranged = ({ tensor, keys }: Factor, order: readonly Key[], ops: Context["ops"]): Tensor =>
  ops.transpose(
    tensor,
    order.map(key => keys.indexOf(key)),
  );

interface Groups {
  readonly each: readonly Key[];
  readonly inner: readonly Key[];
  readonly rows: readonly Key[];
  readonly columns: readonly Key[];
}

/** `[each, rows, inner]` by `[each, inner, columns]`. Operands that lie the other way round are given turned. */
function product(x: Factor, y: Factor, { each, inner, rows, columns }: Groups, task: Task): Factor {
  const { ops } = task.context;
  const lies = ({ keys }: Factor, order: readonly Key[]): boolean => order.every((key, d) => keys[d] === key);
  const turned = {
    a: lies(x, [...each, ...inner, ...rows]) && rows.length > 0,
    b: lies(y, [...each, ...columns, ...inner]) && columns.length > 0,
  };
  const lead = each.length > 0 ? [each] : [];
  const a = grouped(x, [...lead, ...(turned.a ? [inner, rows] : [rows, inner])], task);
  const b = grouped(y, [...lead, ...(turned.b ? [columns, inner] : [inner, columns])], task);
  const found = ops.product(a, b, turned, each.length > 0);
  const keys = [...each, ...rows, ...columns];
  const isPlain = [...lead, rows, columns].every(group => group.length === 1);
  const tensor = isPlain
    ? found
    : ops.reshape(
        found,
        keys.map(key => [task.sizes.get(key)!]),
      );
  return { tensor, keys };
}

/** The dimensions of each group as one. */
function grouped(factor: Factor, groups: readonly (readonly Key[])[], { context, sizes }: Task): Tensor {
  const tensor = arranged(factor, groups.flat(), context.ops);
  if (groups.every(group => group.length === 1)) return tensor;
  return context.ops.reshape(
    tensor,
    groups.map(group => group.map(key => sizes.get(key)!)),
  );
}
