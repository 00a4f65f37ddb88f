// What of a static axis is read in place: one position of it, and all positions one after the other, which is how `flatten`
// comes here, as a concatenation of each. Loops must not go along the axis, since what they compute stands at one
// position at a time; then the axis is rows of a matrix like others, and its length is known here.

import type { AxisId, Graph, Node, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Step } from "../../compiler/schedule/schedule.ts";
import type { Shown } from "../plan/plan.ts";

/** What a node shows of another value along a static axis. */
export interface Picked {
  readonly axis: AxisId;
  readonly operand: NodeId;
  /** Null for all of them, in the order of the axis. */
  readonly position: number | null;
}

/** Finds what may be read in place. */
export class Picks {
  readonly #graph: Graph;
  /** Of axes that no loop goes along. */
  readonly #lengths: ReadonlyMap<AxisId, number>;

  constructor({ schedule: { graph, steps } }: Program) {
    this.#graph = graph;
    const looped = new Set(axesOfLoops(steps));
    this.#lengths = new Map(
      graph.axes.flatMap(({ id, length }) => (length === null || looped.has(id) ? [] : [[id, length]])),
    );
  }

  of(node: Node): Picked | null {
    if (node.op === "at") return this.#one(node);
    return node.op === "concat" ? this.#all(node) : null;
  }

  /** What the plan is told. */
  shown(node: Node): Shown | null {
    const picked = this.of(node);
    if (picked === null) return null;
    return { operand: picked.operand, by: picked.position === null ? "number" : "features" };
  }

  #one({ attrs: { axis, from, offset }, inputs }: NodeOf<"at">): Picked | null {
    const length = this.#lengths.get(axis);
    if (length === undefined || offset >= length) return null;
    return { axis, operand: inputs[0]!, position: from === "first" ? offset : length - 1 - offset };
  }

  #all({ attrs: { dim }, inputs, type: { shape } }: NodeOf<"concat">): Picked | null {
    const parts = inputs.map(id => this.of(this.#graph.nodes.get(id)!));
    const [first] = parts;
    if (first == null || parts.length !== this.#lengths.get(first.axis)) return null;
    const isOne = parts.every(
      (part, i) => part?.axis === first.axis && part.operand === first.operand && part.position === i,
    );
    const isOutermost = shape.slice(0, dim).every(size => size === 1);
    return isOne && isOutermost ? { ...first, position: null } : null;
  }
}

const axesOfLoops = (steps: readonly Step[]): readonly AxisId[] =>
  steps.flatMap(step => (step.kind === "loop" ? [step.axis, ...axesOfLoops(step.body)] : []));
