// What tests ask of schedules.

import type { Graph, Node, NodeId, OpName } from "../../compiler/graph/graph.ts";
import { runPasses } from "../../compiler/passes/pass.ts";
import { afterAdjoint, beforeAdjoint } from "../../compiler/passes/pipeline.ts";
import { type ScheduleOptions, scheduleWith } from "../../compiler/schedule/merge.ts";
import type { Loop, Schedule, Step } from "../../compiler/schedule/schedule.ts";
import { withGradients } from "./graphs.ts";

export const distributed: ScheduleOptions = { sink: false, recompute: false };
export const sunk: ScheduleOptions = { sink: "cheap", recompute: false };
export const merged: ScheduleOptions = { sink: "cheap", recompute: "cheap" };
export const looped: ScheduleOptions = { sink: "products", recompute: "cheap" };
export const repeated: ScheduleOptions = { sink: "products", recompute: "products" };

export function scheduled(graph: Graph, options: ScheduleOptions = merged): Schedule {
  const result = scheduleWith(graph, options);
  if (result.kind === "unordered") throw new Error(JSON.stringify(result.problems));
  return result.schedule;
}

/** A model with its gradients, simplified before and after differentiation as programs are. */
export const training = (model: Graph): Graph =>
  runPasses(withGradients(runPasses(model, beforeAdjoint)), afterAdjoint);

export const loopsOf = (steps: readonly Step[]): readonly Loop[] =>
  steps.filter(step => step.kind === "loop");

/** The nodes that are computed directly in a list of steps. */
export function nodesOf({ graph }: Schedule, steps: readonly Step[]): readonly Node[] {
  return steps.flatMap(step => (step.kind === "loop" ? [] : [graph.nodes.get(step.node)!]));
}

export const count = (nodes: readonly Node[], op: OpName): number =>
  nodes.filter(node => node.op === op).length;

/** Checks that every operand is there when it is needed, by walking the steps for extents of `extent`. */
export function orderProblems({ graph, steps }: Schedule, extent = 3): readonly string[] {
  const done = new Map<NodeId, Set<string>>();
  const problems: string[] = [];
  /** All points of the node's axes that agree with what is bound. */
  const points = (node: Node, bound: ReadonlyMap<string, number>): readonly string[] =>
    node.type.axes.reduce<string[]>(
      (list, axis) => {
        const index = bound.get(axis);
        const indices = index === undefined ? Array.from({ length: extent }, (_, i) => i) : [index];
        return list.flatMap(point => indices.map(i => `${point} ${i}`));
      },
      [""],
    );
  const isThere = (id: NodeId, bound: ReadonlyMap<string, number>): boolean =>
    points(graph.nodes.get(id)!, bound).every(point => done.get(id)?.has(point));
  const read = (node: Node, bound: ReadonlyMap<string, number>): void => {
    for (const [k, input] of node.inputs.entries()) {
      let at = bound;
      if (node.op === "shift" && bound.has(node.attrs.axis)) {
        const from = bound.get(node.attrs.axis)! - node.attrs.offset;
        const inside = from >= 0 && from < extent;
        if (k === 0 && !inside) continue;
        if (k === 0) at = new Map(bound).set(node.attrs.axis, from);
      }
      if (!isThere(input, at)) problems.push(`%${node.id} reads %${input} at ${[...at].join(" ")} too early`);
    }
  };
  const finish = (node: Node, bound: ReadonlyMap<string, number>): void => {
    const places = done.get(node.id) ?? new Set();
    for (const point of points(node, bound)) {
      if (places.has(point)) problems.push(`%${node.id} is computed twice at${point}`);
      places.add(point);
    }
    done.set(node.id, places);
  };
  const walk = (list: readonly Step[], bound: ReadonlyMap<string, number>): void => {
    for (const step of list) {
      if (step.kind === "loop") {
        for (let i = 0; i < extent; i++) {
          const index = step.direction === "forward" ? i : extent - 1 - i;
          walk(step.body, new Map(bound).set(step.axis, index));
        }
        for (const inner of step.body) {
          if (inner.kind === "accumulate") finish(graph.nodes.get(inner.node)!, bound);
        }
      } else {
        const node = graph.nodes.get(step.node)!;
        read(node, bound);
        if (step.kind === "compute") finish(node, bound);
      }
    }
  };
  walk(steps, new Map());
  for (const id of graph.outputs.values())
    if (!isThere(id, new Map())) problems.push(`output %${id} is not there`);
  return problems;
}

/** A dump of a static graph without the comment on top. */
export const withoutArena = (text: string): string => text.replace(/^# arena: .*\n/, "");
