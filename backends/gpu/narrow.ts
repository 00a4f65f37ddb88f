// A draw reads a limited number of matrices. Sums and concatenations of more are made in groups, and those joined; what
// nests read beyond that, split.ts deals with, and stacks, the cells.

import type { AxisId, Graph, Node, NodeId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Keeping, Loop, Step } from "../../compiler/schedule/schedule.ts";
import { type Item, makePlan, type Plan } from "../plan/plan.ts";
import { traitsOf } from "./lowering.ts";
import { matricesOf, splitWide } from "./split.ts";

type Joining = NodeOf<"concat"> | NodeOf<"accumulate">;

/** A program that computes the same and whose draws read at most so many matrices, as planned. */
export function planNarrow(
  program: Program,
  most: number,
): { readonly program: Program; readonly plan: Plan } {
  const { graph } = program.schedule;
  const plan = makePlan(program, traitsOf(program));
  const groups = new Map(
    joiningsOf(graph, plan.items).flatMap(node => {
      const made = groupsOf(graph, plan, node, most);
      return made.length > 1 && made.length < node.inputs.length ? [[node.id, made] as const] : [];
    }),
  );
  if (groups.size === 0) return { program, plan: splitWide(graph, plan, most) };
  // The groups may be many, too.
  return planNarrow(new Grouping(program, groups).finish(), most);
}

function joiningsOf(graph: Graph, items: readonly Item[]): readonly Joining[] {
  const ids = (list: readonly Item[]): readonly NodeId[] =>
    list.flatMap(item => {
      if (item.kind === "loop") return ids(item.body);
      return item.kind === "fused" ? item.nodes : [item.node];
    });
  const nodes = ids(items).map(id => graph.nodes.get(id)!);
  return nodes.filter((node): node is Joining => node.op === "concat" || node.op === "accumulate");
}

/** The operands in their order, as many together as a draw can read. */
function groupsOf(
  graph: Graph,
  plan: Plan,
  { inputs }: Joining,
  most: number,
): readonly (readonly NodeId[])[] {
  const groups: NodeId[][] = [];
  let read = new Set<string>();
  for (const id of inputs) {
    const own = matricesOf(graph, plan, id);
    const both = new Set([...read, ...own]);
    const last = groups.at(-1);
    if (last !== undefined && both.size <= most) {
      last.push(id);
      read = both;
    } else {
      groups.push([id]);
      read = new Set(own);
    }
  }
  return groups;
}

/** Nodes' groups, computed right before them. */
class Grouping {
  readonly #program: Program;
  readonly #groups: ReadonlyMap<NodeId, readonly (readonly NodeId[])[]>;
  readonly #nodes: Map<NodeId, Node>;
  readonly #keeping: Map<NodeId, ReadonlyMap<AxisId, Keeping>>;
  #next: number;

  constructor(program: Program, groups: ReadonlyMap<NodeId, readonly (readonly NodeId[])[]>) {
    const { graph, keeping } = program.schedule;
    this.#program = program;
    this.#groups = groups;
    this.#nodes = new Map(graph.nodes);
    this.#keeping = new Map(keeping);
    this.#next = Math.max(-1, ...graph.nodes.keys()) + 1;
  }

  finish(): Program {
    const { schedule } = this.#program;
    const steps = this.#body(schedule.steps, []);
    const graph = { ...schedule.graph, nodes: this.#nodes };
    return { ...this.#program, graph, schedule: { graph, steps, keeping: this.#keeping } };
  }

  #body(steps: readonly Step[], loops: readonly Loop[]): readonly Step[] {
    return steps.flatMap((step): readonly Step[] => {
      if (step.kind === "loop") return [{ ...step, body: this.#body(step.body, [...loops, step]) }];
      const groups = this.#groups.get(step.node);
      if (groups === undefined) return [step];
      const node = this.#nodes.get(step.node) as Joining;
      const inputs = groups.map(group => (group.length === 1 ? group[0]! : this.#add(node, group, loops)));
      this.#nodes.set(node.id, { ...node, inputs } as Joining);
      const made = inputs.filter(id => !node.inputs.includes(id));
      return [...made.map(id => ({ ...step, node: id })), step];
    });
  }

  #add(node: Joining, inputs: readonly NodeId[], loops: readonly Loop[]): NodeId {
    const id = this.#next++ as NodeId;
    const type = node.op === "concat" ? this.#joined(node, inputs) : node.type;
    this.#nodes.set(id, { ...node, id, inputs, type } as Joining);
    const own = loops.flatMap(({ axis }) => (type.axes.includes(axis) ? [axis] : []));
    if (own.length > 0) this.#keeping.set(id, new Map(own.map(axis => [axis, { kind: "step" }] as const)));
    return id;
  }

  #joined({ attrs: { dim }, type }: NodeOf<"concat">, inputs: readonly NodeId[]): NodeType {
    const size = inputs.reduce((sum, id) => sum + this.#nodes.get(id)!.type.shape[dim]!, 0);
    return { ...type, shape: type.shape.with(dim, size) };
  }
}
