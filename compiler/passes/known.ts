// What passes know of a value without running anything.

import type { Node } from "../graph/graph.ts";
import type { Rewriter } from "./rewriter.ts";

/** The one number that a value has everywhere, or null. Looks through arrangements of constants. */
export function fillOf(r: Rewriter, node: Node): number | null {
  switch (node.op) {
    case "constant": {
      const [value] = node.attrs.values;
      return value !== undefined && node.attrs.values.every(other => Object.is(other, value)) ? value : null;
    }
    case "broadcast":
    case "reshape":
    case "transpose":
    case "slice":
      return fillOf(r, r.operand(node, 0));
    case "accumulate":
      return node.inputs.length === 0 ? 0 : null;
    default:
      return null;
  }
}

/** Whether the value is neither infinite nor NaN, whatever is fed. */
export function isAlwaysFinite(r: Rewriter, node: Node): boolean {
  if (node.type.dtype !== "real") return true;
  switch (node.op) {
    case "constant":
      return node.attrs.values.every(value => Number.isFinite(value));
    case "batchSize":
    case "oneHot":
      return true;
    case "cast":
    case "broadcast":
    case "reshape":
    case "transpose":
    case "slice":
      return isAlwaysFinite(r, r.operand(node, 0));
    default:
      return false;
  }
}
