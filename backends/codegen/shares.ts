// Who does what where several threads run a program, and where they must meet. Decided on the plan's items at the top
// level; an item that threads cannot share runs on one of them.

import type { Graph, Node, NodeId } from "../../compiler/graph/graph.ts";
import { product } from "../plan/layout.ts";
import { type Item, ownersOf, type Plan } from "../plan/plan.ts";
import type { Target } from "./inplace.ts";

/**
 * `rows`: each thread with its examples. `parts`: each a part of one value. `one`: the first thread alone. `turn`: a
 * single thread, now this one, now that.
 */
export type Share = "rows" | "parts" | "one" | "turn";

/** What threads do between two places where they may meet. */
export interface Unit<Work> {
  readonly work: Work;
  readonly share: Share;
  /** Values (by the node that owns the memory, or any other name) that it reads and writes. */
  readonly reads: readonly (NodeId | string)[];
  readonly writes: readonly (NodeId | string)[];
}

/** Fewer numbers are not worth sharing out. */
const leastNumbers = 4096;

export class Shares {
  readonly #plan: Plan;
  readonly #graph: Graph;
  readonly #inPlace: ReadonlyMap<NodeId, Target>;
  readonly #isGradient: (node: Node) => boolean;

  constructor(
    plan: Plan,
    graph: Graph,
    inPlace: ReadonlyMap<NodeId, Target>,
    isGradient: (node: Node) => boolean,
  ) {
    this.#plan = plan;
    this.#graph = graph;
    this.#inPlace = inPlace;
    this.#isGradient = isGradient;
  }

  #node(id: NodeId): Node {
    return this.#graph.nodes.get(id)!;
  }

  shareOf(item: Item): Share {
    if (item.kind === "loop") return item.body.every(inner => this.#isRowwise(inner)) ? "rows" : "one";
    const node = this.#node(item.kind === "fused" ? item.nodes[0]! : item.node);
    if (node.type.batched) return "rows";
    if (item.kind === "kernel") return this.#isGradient(node) ? "parts" : "one";
    return this.isParted(item.nodes) ? "parts" : "one";
  }

  /** Whether a nest of one long row is shared out by its vectors. */
  isParted([first]: readonly NodeId[]): boolean {
    const { axes, batched, shape } = this.#node(first!).type;
    return !batched && axes.length === 0 && product(shape) >= leastNumbers;
  }

  /** In loops each thread goes its own way: nothing there may need the others' examples. */
  #isRowwise(item: Item): boolean {
    if (item.kind === "loop") return item.body.every(inner => this.#isRowwise(inner));
    const { type } = this.#node(item.kind === "fused" ? item.nodes[0]! : item.node);
    if (type.batched) return true;
    if (item.kind !== "kernel" || !item.accumulate || type.axes.length > 0) return false;
    // A running sum over the examples: each thread has its own until the end.
    const node = this.#node(item.node);
    return (node.op === "sum" || node.op === "contract") && node.attrs.batch;
  }

  /** The values whose memory an item reads. */
  reads(item: Item): readonly NodeId[] {
    if (item.kind === "loop") return item.body.flatMap(inner => this.reads(inner));
    const operands =
      item.kind === "fused" ? item.loads.map(({ node }) => node) : this.#node(item.node).inputs;
    return operands.flatMap(id => this.owners(id));
  }

  writes(item: Item): readonly NodeId[] {
    if (item.kind === "loop") {
      return [...item.accumulated, ...item.body.flatMap(inner => this.writes(inner))];
    }
    return (item.kind === "fused" ? item.stores : [item.node]).flatMap(id => this.owners(id));
  }

  /** The values in whose memory a value lies; what is written over a parameter lies in that. */
  owners(id: NodeId): readonly NodeId[] {
    return ownersOf(this.#plan, this.#graph, id).map(owner => this.#inPlace.get(owner)?.node ?? owner);
  }
}

/** For each unit whether the threads must meet before it. */
export function meetings(units: readonly Unit<unknown>[]): readonly boolean[] {
  const written = new Map<NodeId | string, Share>();
  const read = new Map<NodeId | string, Share>();
  return units.map(({ share, reads, writes }) => {
    const isOthers = (known: Share | undefined): boolean =>
      known !== undefined && (known !== share || share === "parts" || share === "turn");
    const meet =
      reads.some(id => isOthers(written.get(id))) ||
      writes.some(id => isOthers(written.get(id)) || isOthers(read.get(id)));
    if (meet) {
      written.clear();
      read.clear();
    }
    for (const id of writes) written.set(id, share);
    for (const id of reads)
      if (read.get(id) !== "parts") read.set(id, read.has(id) && read.get(id) !== share ? "parts" : share);
    return meet;
  });
}
