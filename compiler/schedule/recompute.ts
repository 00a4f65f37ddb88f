// Chooses what loops keep for other loops. Backward loops need much of what forward loops compute; most of it follows
// from a little by cheap arithmetic, so only a minimum cut of the dataflow between them is stored and the rest is
// computed again where it is needed (Griewank 1992 in spirit; as a cut: Chen et al. 2016, "Training deep nets with
// sublinear memory cost", and the partitioners of today's compilers). Where memory counts for more than time, products
// are computed again too, and only what delays carry has to be stored. It rewrites the graph: what is computed again
// becomes nodes of its own. Run no common-subexpression pass afterwards: it would undo this.

import type { AxisId, Graph, Node, NodeId } from "../graph/graph.ts";
import { FlowNetwork, unbounded } from "./flow.ts";
import { childToward, type Homes } from "./loops.ts";
import { floatsPerStep, isLocal, workOf } from "./traits.ts";
import { eachTarget, type Wiring } from "./wiring.ts";

/** What may be computed again: cheap arithmetic, or products and everything else that can be, index by index. */
export type Repeated = "cheap" | "products";

/** `homes` is the graph's own schedule, after sinking. */
export function recompute(homes: Homes, repeated: Repeated): Graph {
  const needs = outsideReads(homes, repeated);
  if (needs.length === 0) return homes.wiring.graph;
  const kept = new Set(paidFor(homes, repeated));
  for (const within of new Set(needs.map(need => need.within))) {
    const group = needs.filter(need => need.within === within);
    for (const v of chooseStored(homes, group, within, kept)) kept.add(v);
  }
  return rewrite(homes, needs, v => kept.has(v));
}

/** Loop `loop` (0.., at the top) or vector op (-1) `reader` reads `value`, which is computed elsewhere. */
interface Need {
  readonly reader: number;
  readonly loop: number;
  readonly slot: number;
  readonly value: number;
  /**
   * The loop's axis where products may be computed again: they join values of different axes, and what lacks the
   * loop's is out of its reach. Null where cheap work only is.
   */
  readonly within: AxisId | null;
}

const topLoop = ({ loops, home }: Homes, v: number): number => childToward(loops, -1, home[v]!);

/** What top-level loops read of values made elsewhere that have the loop's axis. */
function outsideReads(homes: Homes, repeated: Repeated): readonly Need[] {
  const { wiring, loops } = homes;
  const needs: Need[] = [];
  for (let reader = 0; reader < wiring.nodes.length; reader++) {
    const loop = topLoop(homes, reader);
    eachTarget(wiring.operands, reader, (value, slot) => {
      const node = wiring.nodes[value]!;
      if (topLoop(homes, value) === loop || isFree(node)) return;
      if (loop === -1 ? isMovableView(homes, value) : node.type.axes.includes(loops[loop]!.axis)) {
        const within = repeated === "products" && loop !== -1 ? loops[loop]!.axis : null;
        needs.push({ reader, loop, slot, value, within });
      }
    });
  }
  return needs;
}

/** Known without storing anything more. */
const isFree = (node: Node): boolean => workOf(node) === "source" || node.type.axes.length === 0;

/**
 * A view in a loop that is no smaller than what it shows: elsewhere it is better made again from that. One that a delay
 * reads may show itself at another index.
 */
function isMovableView(homes: Homes, v: number): boolean {
  const { wiring, home } = homes;
  const node = wiring.nodes[v]!;
  if (home[v] === -1 || workOf(node) !== "view" || wiring.output[v] === 1) return false;
  if (isDelayed(wiring, v)) return false;
  const base = wiring.nodes[wiring.operands.targets[wiring.operands.start[v]!]!]!;
  const { graph } = wiring;
  if (base.type.axes.length !== node.type.axes.length) return false;
  return floatsPerStep(graph, base.type) <= floatsPerStep(graph, node.type);
}

/**
 * Values that are in memory as a whole whatever the loops need: outputs, results of vector ops that are not computed
 * again, and all that vector ops read.
 */
function paidFor(homes: Homes, repeated: Repeated): ReadonlySet<number> {
  const { wiring } = homes;
  const paid = new Set<number>();
  for (const [v, node] of wiring.nodes.entries()) {
    if (wiring.output[v] === 1) paid.add(v);
    if (topLoop(homes, v) !== -1 || workOf(node) !== "heavy") continue;
    if (repeated === "cheap" || !isLocal(node)) paid.add(v);
    eachTarget(wiring.operands, v, m => paid.add(m));
  }
  for (const v of paid) {
    if (topLoop(homes, v) === -1 && workOf(wiring.nodes[v]!) === "heavy") continue;
    if (topLoop(homes, v) === -1 || isMovableView(homes, v)) eachTarget(wiring.operands, v, m => paid.add(m));
  }
  for (const v of paid) if (isMovableView(homes, v)) paid.delete(v);
  return paid;
}

/** The cheapest set of values from which everything needed can be computed again; what is `kept` costs nothing. */
function chooseStored(
  homes: Homes,
  needs: readonly Need[],
  within: AxisId | null,
  kept: ReadonlySet<number>,
): ReadonlySet<number> {
  const { wiring } = homes;
  const network = new FlowNetwork();
  const source = network.vertex();
  const sink = network.vertex();
  const vertices = new Map<number, number>();
  const pending: number[] = [];
  /** The vertex before the arc that stands for storing v; the one after it is the next. */
  const vertexOf = (v: number): number => {
    let known = vertices.get(v);
    if (known === undefined) {
      known = network.vertex();
      network.vertex();
      vertices.set(v, known);
      pending.push(v);
    }
    return known;
  };
  for (const { loop, value } of needs) if (loop !== -1) network.arc(vertexOf(value) + 1, sink, unbounded);
  for (let v = pending.pop(); v !== undefined; v = pending.pop()) {
    const at = vertexOf(v);
    const node = wiring.nodes[v]!;
    network.arc(at, at + 1, kept.has(v) || isFree(node) ? 0 : weightOf(wiring.graph, node));
    if (kept.has(v) || !isRepeatable(node, within) || isDelayed(wiring, v))
      network.arc(source, at, unbounded);
    else {
      eachTarget(wiring.operands, v, m => {
        if (!isBeside(homes, v, m, within)) network.arc(vertexOf(m) + 1, at, unbounded);
      });
    }
  }
  const before = network.minimumCut(source, sink);
  const stored = new Set<number>();
  for (const [v, at] of vertices) if (before.has(at) && !before.has(at + 1)) stored.add(v);
  return stored;
}

/** Any number above what loops over one axis keep does: it says that a value over two axes weighs more. */
const nominalExtent = 64;

function weightOf(graph: Graph, { type }: Node): number {
  const dynamic = graph.axes.filter(({ id, length }) => length === null && type.axes.includes(id)).length;
  return floatsPerStep(graph, type) * nominalExtent ** Math.max(0, dynamic - 1);
}

/** Whether m is a whole vector value over fewer axes than v, or other ones: it is kept, whatever is chosen for v. */
function isBeside({ wiring, home }: Homes, v: number, m: number, within: AxisId | null): boolean {
  if (home[m] !== -1) return false;
  const { axes } = wiring.nodes[m]!.type;
  return axes.length < wiring.nodes[v]!.type.axes.length || (within !== null && !axes.includes(within));
}

function isRepeatable(node: Node, within: AxisId | null): boolean {
  const kind = workOf(node);
  const isCheap = kind === "pointwise" || kind === "view";
  if (within === null) return isCheap;
  return node.type.axes.includes(within) && (isCheap || (kind === "heavy" && isLocal(node)));
}

/** Whether a delay reads the value: at another index it would have to be computed again in turn, without end. */
function isDelayed(wiring: Wiring, v: number): boolean {
  const { nodes, operands, users } = wiring;
  let delayed = false;
  eachTarget(users, v, reader => {
    if (nodes[reader]!.op === "shift" && operands.targets[operands.start[reader]!] === v) delayed = true;
  });
  return delayed;
}

/** Gives each reading loop its own copy of what it computes again. */
function rewrite(homes: Homes, needs: readonly Need[], isKept: (v: number) => boolean): Graph {
  const { wiring } = homes;
  const { graph } = wiring;
  const nodes = new Map(graph.nodes);
  let next = Math.max(-1, ...graph.nodes.keys()) + 1;
  const copies = new Map<string, NodeId>();
  const copyFor = (v: number, need: Need): NodeId => {
    const node = wiring.nodes[v]!;
    if (isFree(node) || (need.loop === -1 ? !isMovableView(homes, v) : isKept(v))) return node.id;
    const key = `${need.loop} ${v}`;
    const known = copies.get(key);
    if (known !== undefined) return known;
    const inputs: NodeId[] = [];
    eachTarget(wiring.operands, v, m => {
      inputs.push(isBeside(homes, v, m, need.within) ? wiring.nodes[m]!.id : copyFor(m, need));
    });
    const id = next++ as NodeId;
    nodes.set(id, { ...node, id, inputs });
    copies.set(key, id);
    return id;
  };
  for (const need of needs) {
    const { reader, slot, value } = need;
    const copy = copyFor(value, need);
    if (copy === wiring.nodes[value]!.id) continue;
    const id = wiring.nodes[reader]!.id;
    const node = nodes.get(id)!;
    nodes.set(id, { ...node, inputs: node.inputs.map((input, k) => (k === slot ? copy : input)) });
  }
  return { ...graph, nodes };
}
