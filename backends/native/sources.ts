// Ops without operands. What the host feeds comes in the order of the boundary, `[batch, ...axes, ...shape]`.

import type { NodeType, OpName } from "../../compiler/graph/graph.ts";
import type { Context, Lower } from "./context.ts";
import type { Tensor } from "./graph.ts";
import type { Value } from "./values.ts";

export const sources = {
  constant: ({ attrs: { dtype, shape, values } }, context) => {
    const isFill = values.length === 1;
    const tensor = context.ops.constant(dtype, isFill ? [] : shape, values);
    return { tensor, axes: [], batched: false, shape: isFill ? [] : shape };
  },
  parameter: (node, context) => fed(node.type, context.variable(node.attrs.name), context),
  state: (node, context) => fed(node.type, context.variable(node.attrs.name), context),
  input: (node, context) => fed(node.type, context.input(node.attrs.name), context),
  length: (node, context) => context.length(node.attrs.axis),
  index: (node, context) => context.position(node.attrs.axis),
  batchSize: (_, { ops, values }) => values.scalar(ops.cast(ops.scalar(values.sizes.batch), "real")),
  random: (node, context) => fed(node.type, context.draws(node), context),
} satisfies { readonly [O in OpName]?: Lower<O> };

/** From the order of the boundary. */
function fed({ axes, batched, shape }: NodeType, tensor: Tensor, { ops, values }: Context): Value {
  const first = batched ? 1 : 0;
  const ordered = values.sizes.ordered(axes);
  const lead = ordered.map(axis => first + axes.indexOf(axis));
  const perm = [...lead, ...(batched ? [0] : []), ...shape.map((_, d) => first + axes.length + d)];
  return { tensor: ops.transpose(tensor, perm), axes: ordered, batched, shape };
}
