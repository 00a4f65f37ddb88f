// Turns a schedule's loops into straight code for given extents: a static graph without cycles. Every node of a loop
// is stamped out once a step; a delay becomes a wire to an earlier stamp, an advance a selection by each example's own
// length. Vector ops stay as they are and meet the stamps through `at` and `stack`. Linear in the number of steps: the
// types of stamps follow from the node's own type, nothing is inferred again.

import type { AxisId, Graph, Node, NodeId, NodeOf, NodeType } from "../graph/graph.ts";
import type { Loop, Schedule, Step } from "../schedule/schedule.ts";
import { Sheet } from "./sheet.ts";

/**
 * The graph of `schedule` where each axis has the extent given (static axes may be left out). Outputs keep their names
 * and values for all batches whose longest examples have exactly these lengths.
 */
export function unroll(schedule: Schedule, extents: ReadonlyMap<AxisId, number>): Graph {
  const sheet = new Sheet(schedule, extents);
  unrollSteps(sheet, new Map(), schedule.steps);
  for (const [name, id] of schedule.graph.outputs) sheet.output(name, id);
  return sheet.finish();
}

/** The same as a schedule that computes the static graph node by node. */
export function straightened(schedule: Schedule, extents: ReadonlyMap<AxisId, number>): Schedule {
  const graph = unroll(schedule, extents);
  const steps = [...graph.nodes.keys()].map((node): Step => ({ kind: "compute", node, offset: 0 }));
  return { graph, steps, keeping: new Map() };
}

/** What all stamps of a node share. */
interface Stamp {
  readonly attrs: Node["attrs"];
  readonly type: NodeType;
}

function unrollSteps(sheet: Sheet, stamps: Map<NodeId, Stamp>, steps: readonly Step[]): void {
  for (const step of steps) {
    // Offsets other than 0 repeat a node for another index; here every index is visited anyway.
    if (step.kind === "loop") unrollLoop(sheet, stamps, step);
    else if (step.kind === "compute" && step.offset === 0) stampNode(sheet, stamps, step.node);
  }
}

function unrollLoop(sheet: Sheet, stamps: Map<NodeId, Stamp>, loop: Loop): void {
  const extent = sheet.extent(loop.axis);
  for (let i = 0; i < extent; i++) {
    const index = loop.direction === "forward" ? i : extent - 1 - i;
    sheet.within(loop.axis, index, () => unrollSteps(sheet, stamps, loop.body));
  }
  // Sums over the loop's own axis read all its stamps at once.
  for (const step of loop.body) {
    if (step.kind === "accumulate" && step.offset === 0) stampNode(sheet, stamps, step.node);
  }
}

function stampNode(sheet: Sheet, stamps: Map<NodeId, Stamp>, id: NodeId): void {
  const track = sheet.track(id);
  const { node } = track;
  if (node.op === "random") {
    stampWhole(sheet, id);
    return;
  }
  let stamp = stamps.get(id);
  if (stamp === undefined) {
    stamp = { attrs: boundAttributes(sheet, node), type: sheet.boundType(node.type) };
    stamps.set(id, stamp);
  }
  const index = node.op === "shift" ? sheet.bound(node.attrs.axis) : undefined;
  if (node.op === "shift" && index !== undefined) {
    sheet.put(track, sheet.as(shifted(sheet, node, index, stamp.type), stamp.type));
    return;
  }
  const inputs = node.inputs.map(input => sheet.value(input));
  sheet.put(track, sheet.stamp(node, inputs, stamp.attrs, stamp.type));
}

/** A random node is made once with all its axes, at the first step that comes by. */
function stampWhole(sheet: Sheet, id: NodeId): void {
  const track = sheet.track(id);
  const { node } = track;
  const free = (axes: readonly AxisId[]): void => {
    const [axis, ...others] = axes;
    if (axis !== undefined) sheet.within(axis, undefined, () => free(others));
    else if (!track.standIns.has(0)) sheet.put(track, sheet.stamp(node, [], node.attrs, node.type));
  };
  free(node.type.axes);
}

/** Axes in attributes that say what the result has; what is removed by the node is never bound. */
function boundAttributes(sheet: Sheet, node: Node): Node["attrs"] {
  switch (node.op) {
    case "broadcast":
      return { ...node.attrs, axes: node.attrs.axes.filter(axis => sheet.bound(axis) === undefined) };
    case "accumulate":
      return { type: sheet.boundType(node.attrs.type) };
    default:
      return node.attrs;
  }
}

/** The stand-in for a shift along a loop's axis at one index: usually no node of its own. */
function shifted(sheet: Sheet, node: NodeOf<"shift">, index: number, type: NodeType): NodeId {
  const { axis, offset } = node.attrs;
  const [value, initial] = node.inputs as readonly [NodeId, NodeId];
  const from = index - offset;
  if (from < 0 || from >= sheet.extent(axis)) return sheet.value(initial);
  const moved = sheet.within(axis, from, () => sheet.value(value));
  // Earlier indices of a real index are real; later ones only within the example's own length.
  if (offset > 0 || !type.batched || isStatic(sheet, axis)) return moved;
  return sheet.add("where", [sheet.isInside(axis, from), moved, sheet.value(initial)], {}, type, node);
}

const isStatic = (sheet: Sheet, axis: AxisId): boolean =>
  sheet.graph.axes.some(({ id, length }) => id === axis && length !== null);
