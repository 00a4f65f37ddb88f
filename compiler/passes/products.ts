// Pass `products`: inside a recurrence, products of one value with several parameters become one product.
//
// x @ A and x @ B, read in the same step of a loop, are slices of x @ concat(A, B): one pass over x, one larger matrix,
// built once and not in every step. So each level of a GRU written with separate matrices has one product. Needs
// `common` before it (the x must be one node). Best run before differentiation: the adjoint of the slices is then one
// concatenation, and the products backwards are one, too. Guarantees fewer contractions in each loop, never more.
// Method: groups of contractions in one cycle with the same operand and labels, where the others are made of
// parameters and constants only and have one free label.

import type { Graph, Node, NodeId, NodeOf } from "../graph/graph.ts";
import { components } from "../schedule/components.ts";
import { wire } from "../schedule/wiring.ts";
import type { Pass } from "./pass.ts";
import { operandsFirst, Rewriter } from "./rewriter.ts";

export const products: Pass = {
  name: "products",
  doc: "Products of one value with several parameters become one product inside recurrences.",
  run: mergeProducts,
};

interface Factor {
  readonly node: NodeOf<"contract">;
  /** The operand that the group shares, and the other. */
  readonly shared: NodeId;
  readonly fixed: NodeId;
  /** The other operand's dimension that stands in the result alone, and where it stands there. */
  readonly fixedDim: number;
  readonly outDim: number;
}

function mergeProducts(graph: Graph): Graph {
  const rewriter = new Rewriter(graph);
  for (const group of groupsOf(graph)) {
    if (group.length > 1) mergeGroup(rewriter, group);
  }
  return rewriter.changes === 0 ? graph : rewriter.finish();
}

function groupsOf(graph: Graph): readonly (readonly Factor[])[] {
  const fixed = fixedNodes(graph);
  const cycle = cyclesOf(graph);
  const groups = new Map<string, Factor[]>();
  for (const node of graph.nodes.values()) {
    const home = cycle.get(node.id);
    if (node.op !== "contract" || home === undefined) continue;
    for (const side of [0, 1] as const) {
      const factor = factorOf(graph, node, side, fixed);
      if (factor === null) continue;
      const key = `${home} ${factor.shared} ${side} ${shapeKey(graph, factor)}`;
      const list = groups.get(key);
      if (list === undefined) groups.set(key, [factor]);
      else list.push(factor);
      break;
    }
  }
  return [...groups.values()];
}

/** Nodes that depend on parameters and constants only and have no axes. */
function fixedNodes(graph: Graph): ReadonlySet<NodeId> {
  const fixed = new Set<NodeId>();
  for (const node of operandsFirst(graph)) {
    if (node.type.batched || node.type.axes.length > 0) continue;
    if (
      node.inputs.length === 0
        ? node.op === "parameter" || node.op === "constant"
        : node.inputs.every(id => fixed.has(id))
    ) {
      fixed.add(node.id);
    }
  }
  return fixed;
}

/** The number of the cycle that a node is part of, for nodes on cycles. */
function cyclesOf(graph: Graph): ReadonlyMap<NodeId, number> {
  const { nodes, operands } = wire(graph);
  const cycle = new Map<NodeId, number>();
  for (const [number, component] of components(operands).entries()) {
    if (component.length > 1) for (const v of component) cycle.set(nodes[v]!.id, number);
  }
  return cycle;
}

function factorOf(
  graph: Graph,
  node: NodeOf<"contract">,
  side: 0 | 1,
  fixed: ReadonlySet<NodeId>,
): Factor | null {
  const [shared, other] = [node.inputs[side]!, node.inputs[1 - side]!];
  if (!fixed.has(other) || fixed.has(shared)) return null;
  const { left, right, out } = node.attrs;
  const [mine, its] = side === 0 ? [left, right] : [right, left];
  const free = its.filter(label => !mine.includes(label));
  const [label] = free;
  if (label === undefined || free.length !== 1 || graph.nodes.get(other)!.type.shape.length === 0)
    return null;
  return { node, shared, fixed: other, fixedDim: its.indexOf(label), outDim: out.indexOf(label) };
}

/** What a group has in common: everything but the size of the free dimension and the names of labels. */
function shapeKey(graph: Graph, { node, fixed, fixedDim }: Factor): string {
  const names = new Map<number, number>();
  const renamed = [...node.attrs.left, -1, ...node.attrs.right, -1, ...node.attrs.out].map(label => {
    if (label === -1) return "/";
    if (!names.has(label)) names.set(label, names.size);
    return String(names.get(label));
  });
  const others = graph.nodes.get(fixed)!.type.shape.filter((_, d) => d !== fixedDim);
  const { dtype, axes, batched } = node.type;
  return `${renamed.join()} ${others.join()} ${node.attrs.axes.join()} ${node.attrs.batch} ${dtype} ${axes.join()} ${batched}`;
}

function mergeGroup(rewriter: Rewriter, group: readonly Factor[]): void {
  const [first] = group;
  if (first === undefined) return;
  const { node, fixedDim, outDim, shared } = first;
  const parts = group.map(({ fixed }) => fixed);
  const whole = rewriter.add("concat", parts, { dim: fixedDim }, node);
  const inputs = node.inputs[0] === shared ? [shared, whole] : [whole, shared];
  const product = rewriter.add("contract", inputs, node.attrs, node);
  let start = 0;
  for (const factor of group) {
    const size = factor.node.type.shape[outDim]!;
    const slice = rewriter.add("slice", [product], { dim: outDim, start, size }, placeOf(factor.node));
    rewriter.replace(factor.node.id, slice);
    start += size;
  }
}

const placeOf = ({ span, label }: Pick<Node, "span" | "label">): Pick<Node, "span" | "label"> => ({
  span,
  label,
});
