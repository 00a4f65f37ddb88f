// Nodes that need no memory of their own: the same elements as their operand's, seen through other strides.

import type { Node, NodeOf, NodeType, OpName } from "../../compiler/graph/graph.ts";
import { broadcastDims, type Features, reshapeDims } from "./layout.ts";

/** The operand's features as the node's, or null where strides cannot say it and a copy is needed. */
export type View<O extends OpName> = (node: NodeOf<O>, operand: Features, type: NodeType) => Features | null;

export const views = {
  stopGradient: (_, operand) => operand,
  broadcast: (_, operand, { shape }) => ({
    offset: operand.offset,
    shape,
    dims: broadcastDims(operand, shape),
  }),
  reshape: (_, operand, { shape }) => {
    const dims = reshapeDims(operand, shape);
    return dims === null ? null : { offset: operand.offset, shape, dims };
  },
  transpose: ({ attrs }, operand, { shape }) => ({
    offset: operand.offset,
    shape,
    dims: attrs.perm.map(d => operand.dims[d] ?? 0),
  }),
  slice: ({ attrs }, operand, { shape }) => ({
    offset: operand.offset + attrs.start * (operand.dims[attrs.dim] ?? 0),
    shape,
    dims: operand.dims,
  }),
} satisfies { readonly [O in OpName]?: View<O> };

/** The node as a view of its first operand, or null where it is none. */
export function viewOf(node: Node, operand: Features): Features | null {
  switch (node.op) {
    case "stopGradient":
      return views.stopGradient(node, operand);
    case "broadcast":
      return views.broadcast(node, operand, node.type);
    case "reshape":
      return views.reshape(node, operand, node.type);
    case "transpose":
      return views.transpose(node, operand, node.type);
    case "slice":
      return views.slice(node, operand, node.type);
    default:
      return null;
  }
}
