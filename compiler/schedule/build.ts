// Finds the loops of a recurrence graph: strongly connected components are computed by loops over one of their axes,
// everything else is a vector op (loop distribution, Allen & Kennedy 1987, "Automatic translation of Fortran programs
// to vector form"). Merging back what distribution tears apart is sink.ts's.

import type { AxisId, Graph, NodeId } from "../graph/graph.ts";
import { arcsOf, components, shortCycle } from "./components.ts";
import { keepingOf } from "./keeping.ts";
import { directionOf, type Homes, type LoopInfo, steps } from "./loops.ts";
import type { Schedule } from "./schedule.ts";
import { eachTarget, type Wiring, wire } from "./wiring.ts";

export type Scheduling =
  | { readonly kind: "scheduled"; readonly schedule: Schedule }
  | { readonly kind: "unordered"; readonly problems: readonly CycleProblem[] };

/** A cycle that no loop can compute, and for each of its axes what is in the way. */
export interface CycleProblem {
  /** A short cycle: each node is an operand of the one before it, the first one of the last. */
  readonly cycle: readonly NodeId[];
  /** The axes of loops already chosen around the cycle; their delays are not part of it. */
  readonly within: readonly AxisId[];
  readonly obstacles: readonly AxisObstacle[];
}

export type AxisObstacle =
  /** A node of the cycle has no value at each index of the axis: it reduces over it, or comes before it exists. */
  | { readonly kind: "lacks"; readonly axis: AxisId; readonly node: NodeId }
  /** The cycle needs earlier values (at `delay`) and later ones (at `advance`). */
  | {
      readonly kind: "directions";
      readonly axis: AxisId;
      readonly delay: NodeId;
      readonly advance: NodeId;
    }
  /** Nothing in the cycle moves along the axis. */
  | { readonly kind: "still"; readonly axis: AxisId };

export type Ordering =
  | { readonly kind: "ordered"; readonly homes: Homes }
  | { readonly kind: "unordered"; readonly problems: readonly CycleProblem[] };

/** Schedules what the outputs of `graph` need, with loops only where there are cycles. */
export function schedule(graph: Graph): Scheduling {
  const ordering = findLoops(wire(graph));
  if (ordering.kind === "unordered") return ordering;
  return { kind: "scheduled", schedule: scheduleOf(ordering.homes) };
}

export function scheduleOf(homes: Homes): Schedule {
  return { graph: homes.wiring.graph, steps: steps(homes), keeping: keepingOf(homes) };
}

/** Gives every node its innermost loop, or says which cycles have none. */
export function findLoops(wiring: Wiring): Ordering {
  const { nodes } = wiring;
  const homes: Homes = {
    wiring,
    loops: [],
    home: new Int32Array(nodes.length).fill(-1),
    accumulates: new Uint8Array(nodes.length),
  };
  const finder: Finder = { homes, local: new Int32Array(nodes.length).fill(-1), problems: [] };
  placeCycles(
    finder,
    nodes.map((_, v) => v),
    -1,
  );
  const { problems } = finder;
  return problems.length > 0 ? { kind: "unordered", problems } : { kind: "ordered", homes };
}

interface Finder {
  readonly homes: Homes;
  /** Scratch: a vertex's number among the members of the body at hand, -1 outside of it. */
  readonly local: Int32Array;
  readonly problems: CycleProblem[];
}

/** Finds the cycles among `members`, the nodes of the body of loop `level`, and puts a loop around each. */
function placeCycles(finder: Finder, members: readonly number[], level: number): void {
  const { homes, local, problems } = finder;
  const { wiring, loops, home } = homes;
  const axis = level === -1 ? null : loops[level]!.axis;
  for (const [i, v] of members.entries()) local[v] = i;
  const arcs = arcsOf(
    members.map(v => {
      const list: number[] = [];
      eachTarget(wiring.operands, v, (m, k) => {
        if (local[m] !== -1 && !isAlong(wiring, v, k, axis)) list.push(local[m]!);
      });
      return list;
    }),
  );
  for (const v of members) local[v] = -1;
  const within = axesAround(loops, level);
  for (const component of components(arcs)) {
    const [first] = component;
    const selfArc = arcs.targets.subarray(arcs.start[first!]!, arcs.start[first! + 1]!).includes(first!);
    if (component.length === 1 && !selfArc) continue;
    const cycle = component.map(i => members[i]!);
    const choice = chooseAxis(wiring, cycle, within);
    if (choice.kind === "none") {
      const short = shortCycle(arcs, component).map(i => wiring.nodes[members[i]!]!.id);
      problems.push({ cycle: short, within, obstacles: choice.obstacles });
      continue;
    }
    const loop = loops.push({ axis: choice.axis, direction: choice.direction, parent: level }) - 1;
    for (const v of cycle) home[v] = loop;
    placeCycles(finder, cycle, loop);
  }
}

/** Whether operand k of v is read at another index of the axis. */
function isAlong({ nodes }: Wiring, v: number, k: number, axis: AxisId | null): boolean {
  const node = nodes[v]!;
  return node.op === "shift" && k === 0 && node.attrs.axis === axis;
}

function axesAround(loops: readonly LoopInfo[], level: number): readonly AxisId[] {
  const axes: AxisId[] = [];
  for (let at = level; at !== -1; at = loops[at]!.parent) axes.unshift(loops[at]!.axis);
  return axes;
}

type Choice =
  | { readonly kind: "axis"; readonly axis: AxisId; readonly direction: "forward" | "backward" }
  | { readonly kind: "none"; readonly obstacles: readonly AxisObstacle[] };

/**
 * The first axis, in the graph's order, along which a loop can compute the cycle. Taking the first loses nothing:
 * cutting its delays never spoils an order that the rest has.
 */
function chooseAxis(wiring: Wiring, cycle: readonly number[], within: readonly AxisId[]): Choice {
  const obstacles: AxisObstacle[] = [];
  const members = new Set(cycle);
  for (const { id: axis } of wiring.graph.axes) {
    if (within.includes(axis)) continue;
    if (!cycle.some(v => wiring.nodes[v]!.type.axes.includes(axis))) continue;
    const fit = fitAxis(wiring, cycle, members, axis);
    if (fit === "forward" || fit === "backward") return { kind: "axis", axis, direction: fit };
    obstacles.push(fit);
  }
  return { kind: "none", obstacles };
}

function fitAxis(
  wiring: Wiring,
  cycle: readonly number[],
  members: ReadonlySet<number>,
  axis: AxisId,
): "forward" | "backward" | AxisObstacle {
  const { nodes, operands } = wiring;
  const lacking = cycle.filter(v => !nodes[v]!.type.axes.includes(axis));
  if (lacking.length > 0) {
    // Of the nodes without the axis, the one that took it away says most.
    const reads = (v: number): readonly number[] =>
      [...operands.targets.subarray(operands.start[v]!, operands.start[v + 1]!)].filter(m => members.has(m));
    const reducer = lacking.find(v => reads(v).some(m => nodes[m]!.type.axes.includes(axis)));
    return { kind: "lacks", axis, node: nodes[reducer ?? lacking[0]!]!.id };
  }
  let delay: NodeId | null = null;
  let advance: NodeId | null = null;
  for (const v of cycle) {
    const node = nodes[v]!;
    if (node.op !== "shift" || node.attrs.axis !== axis) continue;
    if (!members.has(operands.targets[operands.start[v]!]!)) continue;
    if (directionOf(node.attrs.offset) === "forward") delay ??= node.id;
    else advance ??= node.id;
  }
  if (delay !== null && advance !== null) return { kind: "directions", axis, delay, advance };
  if (delay !== null) return "forward";
  return advance !== null ? "backward" : { kind: "still", axis };
}
