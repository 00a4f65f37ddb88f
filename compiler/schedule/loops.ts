// Which loop computes which node: the form of a schedule in which passes move nodes about. `steps` puts it in order.

import type { AxisId, NodeId } from "../graph/graph.ts";
import { InternalError } from "../unreachable.ts";
import { arcsOf, components } from "./components.ts";
import type { Step } from "./schedule.ts";
import { eachTarget, type Wiring } from "./wiring.ts";

export interface LoopInfo {
  readonly axis: AxisId;
  readonly direction: "forward" | "backward";
  /** The enclosing loop's number, -1 outside of loops. */
  readonly parent: number;
}

/** Nodes are numbers of the wiring, loops positions in `loops`. */
export interface Homes {
  readonly wiring: Wiring;
  readonly loops: LoopInfo[];
  /** The innermost loop that computes the node, -1 outside of loops. */
  readonly home: Int32Array;
  /** 1 where the node is a reduction over its home's axis: complete only after that loop. */
  readonly accumulates: Uint8Array;
}

/** Whether `inner` is `outer` or lies in it; everything lies in -1. */
export function encloses(loops: readonly LoopInfo[], outer: number, inner: number): boolean {
  let at = inner;
  while (at !== outer && at !== -1) at = loops[at]!.parent;
  return at === outer;
}

/** The loop directly below `level` that holds `loop`, or -1 where `loop` is `level` itself or not below it. */
export function childToward(loops: readonly LoopInfo[], level: number, loop: number): number {
  let at = loop;
  while (at !== -1 && loops[at]!.parent !== level) at = loops[at]!.parent;
  return at;
}

/** Whether operand k of node v comes from another iteration of one of the loops from `level` outwards. */
export function isCarried({ wiring, loops, home }: Homes, v: number, k: number, level: number): boolean {
  const node = wiring.nodes[v]!;
  if (node.op !== "shift" || k !== 0) return false;
  const value = wiring.operands.targets[wiring.operands.start[v]!]!;
  for (let at = level; at !== -1; at = loops[at]!.parent) {
    if (loops[at]!.axis !== node.attrs.axis) continue;
    return encloses(loops, at, home[v]!) && encloses(loops, at, home[value]!);
  }
  return false;
}

/** The order in which the shift's operand must be computed for the operand to be there already. */
export const directionOf = (offset: number): "forward" | "backward" => (offset > 0 ? "forward" : "backward");

/** Puts everything in order: operands first, loops where their operands are complete. */
export function steps(homes: Homes): readonly Step[] {
  const { wiring, loops, home } = homes;
  const below: number[][] = Array.from({ length: loops.length + 1 }, () => []);
  for (let v = 0; v < wiring.nodes.length; v++) {
    for (let level = home[v]!; ; level = loops[level]!.parent) {
      below[level + 1]!.push(v);
      if (level === -1) break;
    }
  }
  const vertexOf = new Int32Array(wiring.nodes.length + loops.length);
  return stepsOf(homes, -1, below, vertexOf);
}

/**
 * The steps of one body. A vertex is a node of the body or a loop directly in it, numbered after the nodes.
 * `vertexOf` is scratch: a level fills the entries of its members before it reads them.
 */
function stepsOf(
  homes: Homes,
  level: number,
  below: readonly (readonly number[])[],
  vertexOf: Int32Array,
): readonly Step[] {
  const { wiring, loops, home } = homes;
  const count = wiring.nodes.length;
  const members = below[level + 1]!;
  const thingOf = (v: number): number =>
    home[v] === level ? v : count + childToward(loops, level, home[v]!);
  for (const v of members) vertexOf[thingOf(v)] = -1;
  const things: number[] = [];
  for (const v of members) {
    const thing = thingOf(v);
    if (vertexOf[thing] === -1) vertexOf[thing] = things.push(thing) - 1;
  }
  const arcs: number[][] = things.map(() => []);
  for (const v of members) {
    const from = vertexOf[thingOf(v)]!;
    eachTarget(wiring.operands, v, (m, k) => {
      if (!encloses(loops, level, home[m]!) || isCarried(homes, v, k, level)) return;
      const to = vertexOf[thingOf(m)]!;
      if (to !== from || home[v] === level) arcs[from]!.push(to);
    });
  }
  return components(arcsOf(arcs)).map(component => {
    const thing = things[component[0]!]!;
    if (component.length !== 1 || arcs[component[0]!]!.includes(component[0]!)) {
      throw new InternalError(
        "steps",
        `no order for ${component.map(i => nameOf(homes, things[i]!)).join(", ")}`,
      );
    }
    if (thing < count) return stepOf(homes, thing);
    const { axis, direction } = loops[thing - count]!;
    return { kind: "loop", axis, direction, factor: 1, body: stepsOf(homes, thing - count, below, vertexOf) };
  });
}

function stepOf({ wiring, accumulates }: Homes, v: number): Step {
  const node: NodeId = wiring.nodes[v]!.id;
  return { kind: accumulates[v] === 1 ? "accumulate" : "compute", node, offset: 0 };
}

const nameOf = ({ wiring, loops }: Homes, thing: number): string => {
  const node = wiring.nodes[thing];
  return node === undefined ? `a loop over ${loops[thing - wiring.nodes.length]!.axis}` : `%${node.id}`;
};
