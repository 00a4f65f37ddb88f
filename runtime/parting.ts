// Where two backends part: the first value, in the order of computation, that differs though its operands agree. Inside
// a loop the order is that of its steps, so that a wrong value is told from those that it has spoilt a step later.

import type { AxisId, Graph, Node, NodeId } from "../compiler/graph/graph.ts";
import type { Schedule, Step } from "../compiler/schedule/schedule.ts";
import { apart, distance, type Pair } from "./errors.ts";
import { elementCount } from "./tensor.ts";

export interface Parting {
  readonly node: Node;
  /** The element with the largest difference among those that are computed first. */
  readonly at: number;
  readonly place: Place;
  readonly values: readonly [number, number];
  readonly shape: readonly number[];
  /** Of that element, and the largest of all elements, relative to the tensor's scale. */
  readonly error: number;
  readonly largest: number;
}

/** Where an element stands. */
export interface Place {
  /** Null for what is the same for all examples. */
  readonly example: number | null;
  readonly positions: readonly (readonly [AxisId, number])[];
  readonly feature: readonly number[];
}

/** Null where all pairs agree. @param scales what errors are relative to. */
export function firstParting(
  { graph, steps }: Pick<Schedule, "graph" | "steps">,
  pairs: ReadonlyMap<NodeId, Pair>,
  scales: ReadonlyMap<NodeId, number>,
  tolerance: number,
): Parting | null {
  const homes = homesOf(steps);
  let first: { readonly when: When; readonly parting: Parting } | null = null;
  for (const [id, pair] of pairs) {
    const scale = scales.get(id)!;
    const { error } = apart(pair, scale);
    if (error <= tolerance) continue;
    const node = graph.nodes.get(id)!;
    const home = homes.get(id) ?? { order: -1, loops: [], isSum: false };
    const { when, at } = earliest(node, home, pair, scale * tolerance);
    if (first !== null && !isBefore(when, first.when)) continue;
    const values = [pair[0].data[at] ?? Number.NaN, pair[1].data[at] ?? Number.NaN] as const;
    const { shape } = pair[0];
    const here = error === Number.POSITIVE_INFINITY ? error : distance(...values) / scale;
    const place = placeOf(node, shape, at);
    first = { when, parting: { node, at, place, values, shape, error: here, largest: error } };
  }
  return first?.parting ?? null;
}

/** Where a node is computed: its place in the innermost list of steps, and the loops around it, the outermost first. */
interface Home {
  readonly order: number;
  readonly loops: readonly {
    readonly order: number;
    readonly axis: AxisId;
    readonly direction: "forward" | "backward";
  }[];
  /** It is complete only when the innermost loop has ended. */
  readonly isSum: boolean;
}

function homesOf(steps: readonly Step[]): ReadonlyMap<NodeId, Home> {
  const homes = new Map<NodeId, Home>();
  const walk = (list: readonly Step[], loops: Home["loops"]): void => {
    for (const [order, step] of list.entries()) {
      if (step.kind === "loop") {
        const { axis, direction, body } = step;
        walk(body, [...loops, { order, axis, direction }]);
      } else homes.set(step.node, { order, loops, isSum: step.kind === "accumulate" });
    }
  };
  walk(steps, []);
  return homes;
}

/** When an element is computed: orders of steps and numbers of turns, the outermost first. */
type When = readonly number[];

function isBefore(a: When, b: When): boolean {
  const i = a.findIndex((part, i) => part !== b[i]);
  return i >= 0 && a[i]! < (b[i] ?? Number.POSITIVE_INFINITY);
}

/** Of the elements that differ by more than `allowed`: those computed first, and of these the most different. */
function earliest(
  node: Node,
  home: Home,
  [a, b]: Pair,
  allowed: number,
): { readonly when: When; readonly at: number } {
  const { shape } = a;
  let found: { when: When; at: number; difference: number } | null = null;
  for (let at = 0; at < a.data.length; at++) {
    const difference = distance(a.data[at]!, b.data[at] ?? Number.NaN);
    if (difference <= allowed) continue;
    const when = whenOf(node, home, shape, at);
    const isFirst = found === null || isBefore(when, found.when);
    if (isFirst || (difference > found!.difference && !isBefore(found!.when, when)))
      found = { when, at, difference };
  }
  return found ?? { when: whenOf(node, home, shape, 0), at: 0 };
}

function whenOf({ type }: Node, { order, loops, isSum }: Home, shape: readonly number[], at: number): When {
  const when: number[] = [];
  for (const [depth, loop] of loops.entries()) {
    const dim = type.axes.indexOf(loop.axis);
    const extent = shape[dim + Number(type.batched)] ?? 1;
    const index = dim < 0 ? 0 : indexAlong(shape, dim + Number(type.batched), at);
    const turn = loop.direction === "forward" ? index : extent - 1 - index;
    when.push(loop.order, isSum && depth === loops.length - 1 ? Number.POSITIVE_INFINITY : turn);
  }
  return [...when, order];
}

/** The index along a dimension of an element in row-major order. */
const indexAlong = (shape: readonly number[], dim: number, at: number): number =>
  Math.floor(at / elementCount(shape.slice(dim + 1))) % shape[dim]!;

export function placeOf({ type }: Pick<Node, "type">, shape: readonly number[], at: number): Place {
  const indices = shape.map((_, dim) => indexAlong(shape, dim, at));
  const features = indices.length - type.shape.length;
  const positions = indices.slice(Number(type.batched), features);
  return {
    example: type.batched ? (indices[0] ?? 0) : null,
    positions: type.axes.map((axis, i) => [axis, positions[i] ?? 0] as const),
    feature: indices.slice(features),
  };
}

/** The pair that is furthest apart; null where there are none. */
export function furthest(
  graph: Graph,
  pairs: ReadonlyMap<NodeId, Pair>,
  scales: ReadonlyMap<NodeId, number>,
): { readonly node: Node; readonly error: number } | null {
  let most: { readonly node: Node; readonly error: number } | null = null;
  for (const [id, pair] of pairs) {
    const { error } = apart(pair, scales.get(id)!);
    if (most === null || error > most.error) most = { node: graph.nodes.get(id)!, error };
  }
  return most;
}
