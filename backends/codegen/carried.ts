// What a loop computes for its next iteration only: in the last one it can be left out. Of a recurrent cell's backward
// loop that is the product that carries the adjoint on; with a single step nothing of it is left.

import type { Graph, NodeId } from "../../compiler/graph/graph.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import type { Item, Plan } from "../plan/plan.ts";

export class Carried {
  readonly #graph: Graph;
  readonly #plan: Plan;
  readonly #users = new Map<NodeId, NodeId[]>();
  readonly #outputs: ReadonlySet<NodeId>;

  constructor(graph: Graph, plan: Plan) {
    this.#graph = graph;
    this.#plan = plan;
    this.#outputs = new Set(graph.outputs.values());
    for (const { id, inputs } of graph.nodes.values()) {
      for (const input of inputs) {
        const users = this.#users.get(input);
        if (users === undefined) this.#users.set(input, [id]);
        else users.push(id);
      }
    }
  }

  /** Whether an item of the loop's body is read by later iterations only. */
  isForNext(item: Item, loop: Loop): boolean {
    if (item.kind === "loop" || loop.factor !== 1) return false;
    const made = item.kind === "fused" ? item.stores : [item.node];
    return made.every(id => this.#isReadLater(id, loop));
  }

  #isReadLater(id: NodeId, loop: Loop): boolean {
    if (this.#outputs.has(id)) return false;
    return (this.#users.get(id) ?? []).every(user => {
      const { op, attrs, inputs } = this.#graph.nodes.get(user)!;
      if (op !== "shift" || attrs.axis !== loop.axis || inputs[1] === id) return false;
      return this.#plan.home.get(user)?.includes(loop) === true;
    });
  }
}
