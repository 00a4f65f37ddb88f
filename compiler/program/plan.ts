// Where each value of a static graph lives: one arena, every offset known before the first run, nothing allocated
// while running. A value's place is free again after its last reader; elementwise ops write over an operand that
// nobody reads afterwards. The few large values (whole sequences) get their places first, by size; the many small ones
// then fill the gaps in the order in which they are made.

import type { AxisId, Graph, Node, NodeId, NodeType } from "../graph/graph.ts";
import { sameType } from "../ops/infer.ts";
import { opRecord } from "../ops/table.ts";
import { InternalError } from "../unreachable.ts";
import { Arena, type Stretch } from "./arena.ts";

export interface PlanOptions {
  readonly batch: number;
  /** Of the axes of unknown length. */
  readonly extents: ReadonlyMap<AxisId, number>;
}

export interface MemoryPlan {
  readonly arenaFloats: number;
  /** In floats from the arena's start. What is fed or known (inputs, parameters, states, constants) is not in it. */
  readonly offset: ReadonlyMap<NodeId, number>;
  /** What is to be computed, operands first. */
  readonly order: readonly NodeId[];
}

/** Memory for one value, or for several that are written over each other; used from step `first` to step `last`. */
interface Storage {
  readonly size: number;
  readonly first: number;
  last: number;
}

export function plan(graph: Graph, options: PlanOptions): MemoryPlan {
  const order = executionOrder(graph);
  const storageOf = assignStorage(graph, order, options);
  const place = placeAll([...new Set(storageOf.values())], order.length);
  const offset = new Map<NodeId, number>();
  for (const [id, storage] of storageOf) offset.set(id, place.offset.get(storage)!);
  return { arenaFloats: place.size, offset, order: order.map(({ id }) => id) };
}

/** Whether a value is made by the program, not fed to it or written into it. */
export function isComputed({ op }: Node): boolean {
  return op !== "input" && op !== "parameter" && op !== "state" && op !== "constant";
}

export function floatsOf(graph: Graph, type: NodeType, { batch, extents }: PlanOptions): number {
  let floats = type.batched ? batch : 1;
  for (const size of type.shape) floats *= size;
  for (const axis of type.axes) {
    const extent = graph.axes.find(({ id }) => id === axis)?.length ?? extents.get(axis);
    if (extent === undefined) throw new InternalError("plan", `no extent is given for the axis ${axis}`);
    floats *= extent;
  }
  return floats;
}

/** As the nodes stand, which is operands first in unrolled graphs; graphs with delays have no such order. */
function executionOrder(graph: Graph): readonly Node[] {
  const done = new Set<NodeId>();
  for (const node of graph.nodes.values()) {
    if (!node.inputs.every(input => done.has(input))) {
      throw new InternalError("plan", `%${node.id} stands before its operands: the graph is not unrolled`);
    }
    done.add(node.id);
  }
  return [...graph.nodes.values()].filter(isComputed);
}

function assignStorage(
  graph: Graph,
  order: readonly Node[],
  options: PlanOptions,
): ReadonlyMap<NodeId, Storage> {
  const last = lastReads(graph, order);
  const storageOf = new Map<NodeId, Storage>();
  for (const [step, node] of order.entries()) {
    const over = node.inputs.find(
      id => storageOf.has(id) && last.get(id) === step && mayOverwrite(graph, node, id),
    );
    const end = last.get(node.id)!;
    const taken = over === undefined ? undefined : storageOf.get(over);
    if (taken !== undefined) taken.last = end;
    storageOf.set(node.id, taken ?? { size: floatsOf(graph, node.type, options), first: step, last: end });
  }
  return storageOf;
}

/** The step of each value's last reader (its own, where nobody reads it; none after the end for outputs). */
function lastReads(graph: Graph, order: readonly Node[]): ReadonlyMap<NodeId, number> {
  const last = new Map<NodeId, number>();
  for (const [step, node] of order.entries()) {
    last.set(node.id, step);
    for (const input of node.inputs) last.set(input, step);
  }
  for (const id of graph.outputs.values()) last.set(id, order.length);
  return last;
}

/** Whether each number of the operand is read before the number of the result that takes its place is written. */
function mayOverwrite(graph: Graph, node: Node, operand: NodeId): boolean {
  if (node.op === "reshape") return true;
  return opRecord(node.op).elementwise && sameType(graph.nodes.get(operand)!.type, node.type);
}

/** At most so many values count as large: each is compared with all others. */
const mostLarge = 48;

interface Placed {
  readonly storage: Storage;
  readonly stretch: Stretch;
}

function placeAll(
  storages: readonly Storage[],
  steps: number,
): { readonly offset: ReadonlyMap<Storage, number>; readonly size: number } {
  const large = placeLarge(storages.toSorted((a, b) => b.size - a.size).slice(0, mostLarge));
  const fixed = new Map(large.map(({ storage, stretch }) => [storage, stretch] as const));
  const ascending = large.toSorted((a, b) => a.stretch.start - b.stretch.start);
  const arena = new Arena();
  const offset = new Map<Storage, number>();
  const ending: Stretch[][] = Array.from({ length: steps + 1 }, () => []);
  let step = 0;
  for (const storage of storages) {
    for (; step < storage.first; step++) for (const stretch of ending[step]!) arena.giveBack(stretch);
    let stretch = fixed.get(storage);
    if (stretch === undefined) {
      const promised = ascending.filter(
        ({ storage: { first } }) => first > storage.first && first <= storage.last,
      );
      const start = arena.take(
        storage.size,
        promised.map(other => other.stretch),
      );
      stretch = { start, size: storage.size };
    } else arena.takeAt(stretch);
    offset.set(storage, stretch.start);
    ending[storage.last]!.push(stretch);
  }
  return { offset, size: arena.size };
}

/** First fit, the largest first: each beside the others that are used at the same time. */
function placeLarge(storages: readonly Storage[]): readonly Placed[] {
  const placed: Placed[] = [];
  for (const storage of storages) {
    const beside = placed
      .filter(other => other.storage.first <= storage.last && storage.first <= other.storage.last)
      .toSorted((a, b) => a.stretch.start - b.stretch.start);
    let start = 0;
    for (const { stretch } of beside) {
      if (stretch.start >= start + storage.size) break;
      start = Math.max(start, stretch.start + stretch.size);
    }
    placed.push({ storage, stretch: { start, size: storage.size } });
  }
  return placed;
}
