// How each op becomes TensorFlow's. The table is total over OpName.

import type { Node, OpName } from "../../compiler/graph/graph.ts";
import type { Context, Lower } from "./context.ts";
import { contract } from "./contraction.ts";
import { crossing } from "./crossing.ts";
import { elementwise } from "./elementwise.ts";
import { features } from "./features.ts";
import { reductions } from "./reductions.ts";
import { sources } from "./sources.ts";
import type { Value } from "./values.ts";

export const lowerings: { readonly [O in OpName]: Lower<O> } = {
  ...sources,
  ...elementwise,
  ...features,
  ...reductions,
  ...crossing,
  contract,
};

export function lower(node: Node, context: Context): Value {
  // The table's entry is that of the node's own op.
  return (lowerings[node.op] as Lower<OpName>)(node, context);
}

/** Whether a node is there before the first step. */
export const isSource = ({ op }: Node): boolean => Object.hasOwn(sources, op);
