// How wide a scan's steps are, and how many vectors of it go through time side by side.

import type { OpName } from "../../compiler/graph/graph.ts";
import { product } from "../plan/layout.ts";
import { compare, mul, sub } from "./builder.ts";
import type { Expr, Local } from "./code.ts";
import type { Scan } from "./scan.ts";

/** The vectors of a step up to which a scan is always the faster way. */
const narrow = 16;

/** Whether the steps of some rows are narrow. */
export function isNarrow(
  { batched, sizes }: Scan,
  { from, to }: { readonly from: Local; readonly to: Local },
  lanes: number,
): Expr {
  const rows = batched ? sub(to, from) : 1;
  return compare("le", mul(rows, Math.ceil(product(sizes) / lanes)), narrow);
}

const longOps: readonly OpName[] = [
  "exp", "expdiff", "log", "log1p", "pow", "sigmoid", "sin", "cos", "softplus", "tanh",
]; // biome-ignore format: a list

/** Whether operations take long, and wait for each other. */
export const isLong = ({ graph, items }: Scan): boolean =>
  items.some(({ item }) => item.nodes.some(id => longOps.includes(graph.nodes.get(id)!.op)));

/** Vectors side by side: fewer where they have little to wait for, or much to keep in registers. */
export function vectorsAtOnce(scan: Scan): number {
  const members = scan.items.reduce((count, { item }) => count + item.nodes.length, 0);
  if (scan.carried.length + scan.sums.length > 4) return 4;
  return isLong(scan) || members >= 5 ? 8 : 4;
}
