// Pass `common`: equal values are computed once.
//
// Needs nothing. Guarantees that no two nodes have the same op, attributes, type and operands, recurrences included:
// two LSTMs with the same parameters and inputs become one. Random nodes stay apart by their site, which is an
// attribute. Do not run it after recompute (compiler/schedule/), which doubles nodes on purpose. Method: partition
// refinement (partition.ts); of equal nodes the oldest stays.

import type { Graph, Node, NodeId } from "../graph/graph.ts";
import { wire } from "../schedule/wiring.ts";
import { partition } from "./partition.ts";
import type { Pass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";

export const common: Pass = {
  name: "common",
  doc: "Equal values are computed once (common subexpressions, equal recurrences).",
  run: mergeEqual,
};

const commutative: ReadonlySet<string> = new Set([
  ...["add", "mul", "maximum", "minimum", "and", "or", "equal", "notEqual"],
]);

function mergeEqual(graph: Graph): Graph {
  const wiring = wire(graph);
  const known = new Map<string, number>();
  const colours = new Int32Array(wiring.nodes.length);
  const symmetric = new Uint8Array(wiring.nodes.length);
  for (const [v, node] of wiring.nodes.entries()) {
    const key = colourOf(node);
    const colour = known.get(key) ?? known.size;
    known.set(key, colour);
    colours[v] = colour;
    if (commutative.has(node.op)) symmetric[v] = 1;
  }
  const block = partition(wiring.operands, wiring.users, { colours, symmetric });
  const oldest = new Map<number, NodeId>();
  const rewriter = new Rewriter(graph);
  for (const [v, { id }] of wiring.nodes.entries()) {
    const first = oldest.get(block[v]!);
    if (first === undefined) oldest.set(block[v]!, id);
    else rewriter.replace(id, first);
  }
  return rewriter.changes === 0 ? graph : rewriter.finish();
}

/** Everything that equal nodes share but for their operands. JSON has no -0, infinities or NaN: those are spelt out. */
function colourOf({ op, attrs, type, inputs }: Node): string {
  const fields = JSON.stringify(attrs, (_, value: unknown) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)) ? spell(value) : value,
  );
  const { dtype, shape, axes, batched } = type;
  return `${op} ${inputs.length} ${fields} ${dtype} ${shape.join()} ${axes.join()} ${batched}`;
}

const spell = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));
