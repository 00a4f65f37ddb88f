// A branch that `where` does not take gets the adjoint 0, and 0 times an infinite derivative would be NaN. The rules
// of ops with singular derivatives therefore compute with a harmless number where the adjoint is 0 *and* the point is
// singular. Elsewhere nothing is cut, so second derivatives stay right where an adjoint happens to be 0; and because
// the number is replaced before it is used, not after, the rules of these rules are safe as well.

import type { NodeId } from "../graph/graph.ts";
import type { GraphBuilder } from "./builder.ts";

/** `x`, but `harmless` where `adjoint` is 0 and `singular` holds. */
export function shield(
  b: GraphBuilder,
  adjoint: NodeId,
  singular: NodeId,
  x: NodeId,
  harmless: number,
): NodeId {
  const unused = b.and(b.equal(adjoint, b.constant(0)), singular);
  return b.where(unused, b.constant(harmless), x);
}

/** Zero or NaN. */
export const isZeroOrNaN = (b: GraphBuilder, x: NodeId): NodeId => b.not(b.greater(b.abs(x), b.constant(0)));

/** Zero, negative or NaN. */
export const isNotPositive = (b: GraphBuilder, x: NodeId): NodeId => b.not(b.greater(x, b.constant(0)));
