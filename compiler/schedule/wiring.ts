// A graph's live nodes with dense numbers, operands and users in compressed rows: what the analyses work on, where
// maps keyed by id would cost most of the time. Numbers are local to one Wiring; ids are what leaves an analysis.

import type { Graph, Node, NodeId } from "../graph/graph.ts";
import { InternalError } from "../unreachable.ts";
import type { Arcs } from "./components.ts";

export interface Wiring {
  readonly graph: Graph;
  /** Nodes that outputs reach, in ascending order of id. */
  readonly nodes: readonly Node[];
  readonly number: ReadonlyMap<NodeId, number>;
  /** From a node to its operands, operand k in slot start + k. */
  readonly operands: Arcs;
  /** From a node to the nodes that read it, once for each operand slot. */
  readonly users: Arcs;
  /** 1 where the node is an output of the graph. */
  readonly output: Uint8Array;
}

export function wire(graph: Graph): Wiring {
  const live = liveNodes(graph);
  const nodes: Node[] = [];
  const number = new Map<NodeId, number>();
  for (const [id, node] of graph.nodes) {
    if (!live.has(id)) continue;
    number.set(id, nodes.length);
    nodes.push(node);
  }
  const operands = operandArcs(nodes, number);
  const output = new Uint8Array(nodes.length);
  for (const id of graph.outputs.values()) output[number.get(id)!] = 1;
  return { graph, nodes, number, operands, users: reversed(operands), output };
}

/** The nodes that the outputs reach. */
export function liveNodes(graph: Graph): ReadonlySet<NodeId> {
  const live = new Set<NodeId>(graph.outputs.values());
  // A Set hands out what is added while it is walked.
  for (const id of live) {
    const node = graph.nodes.get(id);
    if (node === undefined) throw new InternalError("liveNodes", `%${id} is not in the graph`);
    for (const input of node.inputs) live.add(input);
  }
  return live;
}

function operandArcs(nodes: readonly Node[], number: ReadonlyMap<NodeId, number>): Arcs {
  const start = new Int32Array(nodes.length + 1);
  for (let v = 0; v < nodes.length; v++) start[v + 1] = start[v]! + nodes[v]!.inputs.length;
  const targets = new Int32Array(start[nodes.length]!);
  let slot = 0;
  for (const node of nodes) for (const input of node.inputs) targets[slot++] = number.get(input)!;
  return { size: nodes.length, start, targets };
}

function reversed({ size, start, targets }: Arcs): Arcs {
  const from = new Int32Array(size + 1);
  for (const target of targets) from[target + 1]!++;
  for (let v = 0; v < size; v++) from[v + 1]! += from[v]!;
  const sources = new Int32Array(targets.length);
  const cursor = Int32Array.from(from);
  for (let v = 0; v < size; v++) {
    for (let slot = start[v]!; slot < start[v + 1]!; slot++) sources[cursor[targets[slot]!]!++] = v;
  }
  return { size, start: from, targets: sources };
}

/** Calls `visit` with each operand of vertex v and its slot number k. */
export function eachTarget(arcs: Arcs, v: number, visit: (target: number, k: number) => void): void {
  const from = arcs.start[v]!;
  for (let slot = from; slot < arcs.start[v + 1]!; slot++) visit(arcs.targets[slot]!, slot - from);
}

/** Vertices, operands first, but for operands that `isSkipped`: those of delays, where the order is to run along cycles. */
export function operandsFirst(
  { nodes, operands: { start, targets } }: Wiring,
  isSkipped: (v: number, k: number) => boolean,
): readonly number[] {
  const order: number[] = [];
  const met = new Uint8Array(nodes.length);
  const cursor = Int32Array.from(start);
  for (let root = 0; root < nodes.length; root++) {
    if (met[root] === 1) continue;
    met[root] = 1;
    const path = [root];
    while (path.length > 0) {
      const v = path[path.length - 1]!;
      const slot = cursor[v]!++;
      if (slot === start[v + 1]!) {
        order.push(v);
        path.pop();
      } else if (met[targets[slot]!] === 0 && !isSkipped(v, slot - start[v]!)) {
        met[targets[slot]!] = 1;
        path.push(targets[slot]!);
      }
    }
  }
  return order;
}

/** Operands that come by a delay or an advance: every cycle has one. */
export const isShifted = ({ nodes }: Wiring, v: number, k: number): boolean =>
  nodes[v]!.op === "shift" && k === 0;
