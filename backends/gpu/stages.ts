// Sums as draws want them. Each number of a draw's result is one thread of the device, so that a sum of very many numbers
// to a few would leave it idle: first each row is summed, then all positions of an example, then the examples. And a sum
// that grows in a loop takes a draw a step: where what it adds is kept anyway, it is made after the loop.

import type { AxisId, Node, NodeId, NodeOf, OpName, Reduced } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Keeping, Loop, Step } from "../../compiler/schedule/schedule.ts";
import { product } from "../plan/layout.ts";

/** What shows its operand's elements. */
const views: readonly OpName[] = ["slice", "reshape", "transpose", "broadcast", "stopGradient"];

/** Fewer numbers are summed at once. */
const least = 256;

export function sumInStages(program: Program): Program {
  const { graph, steps, keeping } = program.schedule;
  const stages = new Stages(graph.nodes, keeping);
  const made = stages.body(stages.afterLoops(steps), []);
  const schedule = { steps: made, keeping: stages.keeping, graph: { ...graph, nodes: stages.nodes } };
  return { ...program, graph: schedule.graph, schedule };
}

class Stages {
  readonly nodes: Map<NodeId, Node>;
  readonly keeping: Map<NodeId, ReadonlyMap<AxisId, Keeping>>;
  #next: number;

  constructor(nodes: ReadonlyMap<NodeId, Node>, keeping: ReadonlyMap<NodeId, ReadonlyMap<AxisId, Keeping>>) {
    this.nodes = new Map(nodes);
    this.keeping = new Map(keeping);
    this.#next = Math.max(-1, ...nodes.keys()) + 1;
  }

  /** Takes running sums out of loops where all that they add up is kept for all steps. */
  afterLoops(steps: readonly Step[]): readonly Step[] {
    return steps.flatMap((step): readonly Step[] => {
      if (step.kind !== "loop" || step.factor !== 1) return [step];
      const after: Step[] = [];
      const body = step.body.filter(inner => {
        if (inner.kind !== "accumulate") return true;
        const { inputs } = this.nodes.get(inner.node)!;
        if (!inputs.every(id => this.#isKept(id, step.axis))) return true;
        for (const id of inputs) this.#keep(id, step.axis);
        after.push({ ...inner, kind: "compute" });
        return false;
      });
      return [{ ...step, body }, ...after];
    });
  }

  /** Whether a value, or what it is a view of, is there for all positions along a loop's axis. */
  #isKept(id: NodeId, axis: AxisId): boolean {
    const { type, op, inputs } = this.nodes.get(id)!;
    if (!type.axes.includes(axis)) return true;
    const keeping = this.keeping.get(id)?.get(axis);
    if (keeping === undefined || keeping.kind === "sequence") return true;
    return views.includes(op) && this.#isKept(inputs[0]!, axis);
  }

  #keep(id: NodeId, axis: AxisId): void {
    const keeping = this.keeping.get(id);
    if (keeping?.has(axis) !== true) return;
    this.keeping.set(id, new Map(keeping).set(axis, { kind: "sequence" }));
    const { op, inputs } = this.nodes.get(id)!;
    if (views.includes(op)) this.#keep(inputs[0]!, axis);
  }

  body(steps: readonly Step[], loops: readonly Loop[]): readonly Step[] {
    return steps.flatMap((step): readonly Step[] => {
      if (step.kind === "loop") return [{ ...step, body: this.body(step.body, [...loops, step]) }];
      const node = this.nodes.get(step.node)!;
      if (step.kind !== "compute" || node.op !== "sum") return [step];
      const before = this.#before(node, loops);
      return [...before.map(id => ({ ...step, node: id })), step];
    });
  }

  /** Makes the sums that come first; the node itself does the rest. */
  #before(node: NodeOf<"sum">, loops: readonly Loop[]): readonly NodeId[] {
    const made: NodeId[] = [];
    const { shape } = this.nodes.get(node.inputs[0]!)!.type;
    const { dims, axes, batch, keep } = node.attrs;
    const features = product(dims.map(d => shape[d]!));
    const stage = (attrs: Partial<Reduced>): void => {
      const id = this.#add(this.nodes.get(made.at(-1) ?? node.inputs[0]!)!, node, attrs, loops);
      made.push(id);
    };
    if (dims.length > 1 && features >= least) stage({ dims: dims.slice(0, -1) });
    const rows = axes.length > 0 || batch;
    if (dims.length > 0 && rows && features > 1) stage({ dims });
    if (axes.length > 0 && batch) stage({ axes });
    if (made.length === 0) return [];
    // Reduced feature dimensions have stayed, with size 1; the last sum removes them where it has to.
    const rest = axes.length > 0 && batch ? { dims, axes: [], batch, keep } : node.attrs;
    this.nodes.set(node.id, { ...node, inputs: [made.at(-1)!], attrs: rest });
    return made;
  }

  #add(from: Node, { span, label }: Node, attrs: Partial<Reduced>, loops: readonly Loop[]): NodeId {
    const { dims = [], axes = [], batch = false } = attrs;
    const id = this.#next++ as NodeId;
    const shape = from.type.shape.map((size, d) => (dims.includes(d) ? 1 : size));
    const type = {
      ...from.type,
      shape,
      axes: from.type.axes.filter(axis => !axes.includes(axis)),
      batched: from.type.batched && !batch,
    };
    this.nodes.set(id, {
      op: "sum",
      id,
      inputs: [from.id],
      attrs: { dims, axes, batch, keep: true },
      type,
      span,
      label,
    });
    const own = loops.flatMap(({ axis }) => (type.axes.includes(axis) ? [axis] : []));
    if (own.length > 0) this.keeping.set(id, new Map(own.map(axis => [axis, { kind: "step" }] as const)));
    return id;
  }
}
