// Where a node is computed: outside of loops, or at one turn of some. Values that outer scopes have are seen at the
// positions of the loops between.

import type { AxisId, NodeId } from "../../compiler/graph/graph.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import type { TurningLoop } from "./turning.ts";
import type { Value, Values } from "./values.ts";

export class Scope {
  readonly outer: Scope | null;
  /** Null outside of loops. */
  readonly loop: { readonly loop: Loop; readonly turning: TurningLoop } | null;
  readonly #values: Values;
  readonly #own = new Map<NodeId, Value>();
  readonly #rows = new Map<NodeId, Value>();

  constructor(values: Values, outer: Scope | null = null, loop: Scope["loop"] = null) {
    this.#values = values;
    this.outer = outer;
    this.loop = loop;
  }

  set(id: NodeId, value: Value): void {
    this.#own.set(id, value);
  }

  /** Values of the scope itself. */
  get own(): ReadonlyMap<NodeId, Value> {
    return this.#own;
  }

  /** The value here of what this scope or one around it has computed. */
  find(id: NodeId): Value | null {
    const known = this.#own.get(id) ?? this.#rows.get(id);
    if (known !== undefined) return known;
    const around = this.outer?.find(id) ?? null;
    if (around === null) return null;
    const here = this.rowOf(around);
    this.#rows.set(id, here);
    return here;
  }

  /** What a value of the scope around is at this turn. */
  rowOf(value: Value): Value {
    if (this.loop === null) return value;
    return this.#values.row(value, this.loop.loop.axis, this.loop.turning.at);
  }

  /** What a value of `from`, which is this scope or around it, is here. */
  seen(value: Value, from: Scope): Value {
    if (from === this || this.outer === null) return value;
    return this.rowOf(this.outer.seen(value, from));
  }

  /** The scope of the innermost loop over the axis; null where none is around. */
  over(axis: AxisId): Scope | null {
    if (this.loop?.loop.axis === axis) return this;
    return this.outer?.over(axis) ?? null;
  }
}
