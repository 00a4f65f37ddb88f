// Loops that need no function call a step: all they do is arithmetic, feature by feature, so that each feature of each
// example runs through time on its own, what it carries in a register. Here such loops are recognised, by their items
// alone; scan-kernel.ts is their code, scan-run.ts decides whether it runs. What does not fit goes step by step
// (generate.ts).

import type { AxisId, Graph, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { collapse } from "../plan/layout.ts";
import type { keepingOf } from "../plan/lifetimes.ts";
import type { FusedItem, LoopItem, Plan } from "../plan/plan.ts";
import type { Places, Reference } from "./places.ts";
import { Sources } from "./scan-sources.ts";
import { sumOf } from "./scan-sums.ts";

/** What is read or written row by row, and its stride (in numbers) along each dimension of the scan. */
export interface ScanOperand {
  readonly reference: Reference;
  readonly strides: readonly number[];
}

/** Where an operand of a member comes from. */
export type ScanSource =
  /** Computed before it in the same step. */
  | { readonly kind: "value"; readonly node: NodeId }
  /** What the shift has carried over from the step before. */
  | { readonly kind: "carried"; readonly shift: NodeId }
  | { readonly kind: "operand"; readonly index: number };

/** A value of the step before: `reference` is the delayed value, initial value included. */
export interface Carried extends ScanOperand {
  readonly shift: NodeId;
  readonly value: NodeId;
  /** Where the last step leaves it for a later part of the scan; null where every step is kept anyway. */
  readonly kept: Reference | null;
}

/** A running sum of the product of its sources. */
export interface ScanSum extends ScanOperand {
  readonly node: NodeId;
  readonly sources: readonly ScanSource[];
  /** `each`: an element of the sum for each feature. `features`: features are summed too. `one`: it has none. */
  readonly over: "each" | "features" | "one";
}

export interface Scan {
  readonly graph: Graph;
  readonly loop: Loop;
  readonly batched: boolean;
  /** The features that all rows have, or one number: dimensions that no operand walks evenly are apart. */
  readonly sizes: readonly number[];
  readonly items: readonly { readonly item: FusedItem; readonly sources: readonly ScanSource[] }[];
  readonly operands: readonly ScanOperand[];
  readonly carried: readonly Carried[];
  readonly stores: readonly (ScanOperand & { readonly source: ScanSource })[];
  readonly sums: readonly ScanSum[];
}

/** What is known of the program around the loop. */
export interface ScanContext {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly places: Places;
  readonly keeping: Parameters<typeof keepingOf>[0];
  readonly primary: AxisId | null;
  /** Axes of the loops around. */
  readonly bound: readonly AxisId[];
}

/** What a loop's body consists of, if it may be a scan's. */
interface Parts {
  readonly nests: readonly FusedItem[];
  readonly delays: ReadonlySet<NodeId>;
  readonly sums: readonly (NodeOf<"sum"> | NodeOf<"contract">)[];
}

/** The loop as a scan, or null where it is none. */
export function scanOf(context: ScanContext, item: LoopItem): Scan | null {
  const { graph } = context;
  const { loop } = item;
  const parts = loop.factor === 1 ? partsOf(context, item) : null;
  if (parts === null) return null;
  const { nests, delays } = parts;
  const sizes = featuresOf(context, loop, nests);
  if (sizes === null) return null;
  const members = new Set(nests.flatMap(({ nodes }) => nodes));
  const sources = new Sources(context, loop, sizes, { members, delays });
  const batched = nests.some(({ nodes: [first] }) => graph.nodes.get(first!)!.type.batched);
  const items = nests.map(nest => ({ item: nest, sources: operandsOf(sources, nest) }));
  const sums = parts.sums.map(node => sumOf(sources, node, batched));
  const made = [...nests.flatMap(({ stores }) => stores), ...delays].filter(id => sources.isKept(id));
  const stores = made.map(id => storeOf(sources, id, batched));
  const fits = items.every(one => one.sources !== null) && !sums.includes(null) && !stores.includes(null);
  if (!fits) return null;
  return collapsed({
    graph,
    loop,
    batched,
    sizes,
    items: items as Scan["items"],
    operands: sources.operands,
    carried: sources.carried,
    stores: stores as Scan["stores"],
    sums: sums as Scan["sums"],
  });
}

function partsOf({ graph }: ScanContext, { body }: LoopItem): Parts | null {
  const nests: FusedItem[] = [];
  const delays = new Set<NodeId>();
  const sums: (NodeOf<"sum"> | NodeOf<"contract">)[] = [];
  for (const item of body) {
    if (item.kind === "loop") return null;
    if (item.kind === "fused") {
      nests.push(item);
      continue;
    }
    const node = graph.nodes.get(item.node)!;
    if (node.op === "shift") delays.add(node.id);
    else if (item.accumulate && (node.op === "sum" || node.op === "contract")) sums.push(node);
    else return null;
  }
  return nests.length === 0 ? null : { nests, delays, sums };
}

/** The features of all nests but those of one number a row; null where they differ, or have axes of their own. */
function featuresOf(
  { graph, bound }: ScanContext,
  loop: Loop,
  nests: readonly FusedItem[],
): readonly number[] | null {
  const known = [...bound, loop.axis];
  const shapes = new Map<string, readonly number[]>();
  for (const { nodes } of nests) {
    const { shape, axes } = graph.nodes.get(nodes[0]!)!.type;
    if (shape.includes(0) || !axes.includes(loop.axis) || !axes.every(axis => known.includes(axis)))
      return null;
    const sizes = shape.filter(size => size !== 1);
    if (sizes.length > 0) shapes.set(sizes.join(), sizes);
  }
  const [sizes = []] = shapes.values();
  return shapes.size > 1 ? null : sizes;
}

function operandsOf(sources: Sources, { nodes, loads }: FusedItem): readonly ScanSource[] | null {
  const { shape } = sources.context.graph.nodes.get(nodes[0]!)!.type;
  const found = loads.map(({ node, dims }) => sources.source(node, shape, dims));
  return found.includes(null) ? null : (found as readonly ScanSource[]);
}

function storeOf(sources: Sources, id: NodeId, batched: boolean): Scan["stores"][number] | null {
  const { graph, places } = sources.context;
  const source = sources.originOf(id);
  if (source === null || source.kind === "outside") return null;
  if (graph.nodes.get(id)!.type.batched !== batched) return null;
  const reference = places.of(id);
  return { source, reference, strides: sources.stridesOf(reference) };
}

/** With as few dimensions as there can be; null where vectors cannot go along the last one. */
function collapsed(scan: Scan): Scan | null {
  const all = [...scan.operands, ...scan.carried, ...scan.stores, ...scan.sums];
  const { sizes, strides } = collapse({ sizes: scan.sizes, strides: all.map(one => one.strides) });
  if (strides.some(own => (own.at(-1) ?? 0) > 1)) return null;
  let next = 0;
  const take = <T extends ScanOperand>(list: readonly T[]): readonly T[] =>
    list.map(one => ({ ...one, strides: strides[next++]! }));
  return {
    ...scan,
    sizes,
    operands: take(scan.operands),
    carried: take(scan.carried),
    stores: take(scan.stores),
    sums: take(scan.sums),
  };
}
