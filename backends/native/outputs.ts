// What is fetched of the graph, in the order of the boundary: `[batch, ...axes, ...shape]`.

import type { Node, NodeType } from "../../compiler/graph/graph.ts";
import { type Site, wholeOf } from "./context.ts";
import { ofType, type Tensor } from "./graph.ts";
import type { Scope } from "./scope.ts";
import type { Value } from "./values.ts";

/** The tensor of an output. What is fed cannot be fetched, so of that it is a copy. */
export function fetched(site: Site, node: Node, root: Scope): string {
  const tensor = atBoundary(site, node, root);
  if (!site.fed.names.has(tensor.name)) return tensor.name;
  return site.ops.op("DeepCopy", [tensor], { T: ofType(tensor.dtype) }, tensor.dtype).name;
}

/** Zeros in the padding. */
function atBoundary(site: Site, node: Node, root: Scope): Tensor {
  const { ops, values } = site;
  const { type } = node;
  return ops.for(node, () => {
    const context = site.contextOf(root);
    const whole = values.full(site.read(node.id, root), wholeOf(context, type));
    const mask = type.batched ? context.mask(type.axes) : null;
    return turned(site, values.select(mask, whole, values.scalar(ops.zero(type.dtype))), type);
  });
}

function turned({ ops }: Site, { tensor, axes, batched }: Value, type: NodeType): Tensor {
  const lead = type.axes.map(axis => axes.indexOf(axis));
  const before = axes.length + (batched ? 1 : 0);
  const features = type.shape.map((_, d) => before + d);
  return ops.transpose(tensor, [...(batched ? [axes.length] : []), ...lead, ...features]);
}
