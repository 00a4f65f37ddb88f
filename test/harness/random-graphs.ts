// Random small recurrence graphs, made from a list of choices so that fast-check can shrink them: a few steps of random
// ops over a pool of values, states that are read through random delays, everything summed up into a loss.

import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { product } from "./graphs.ts";

const units = 2;

/** Takes choices one by one; 0 when they are used up, so that shorter lists mean simpler graphs. */
class Choices {
  readonly #list: readonly number[];
  #at = 0;
  constructor(list: readonly number[]) {
    this.#list = list;
  }
  below(limit: number): number {
    return (this.#list[this.#at++] ?? 0) % limit;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

interface Recurrent {
  readonly slot: NodeId;
  readonly axis: AxisId;
  /** What first read it: the state follows from that, so there is a cycle. */
  user: NodeId | null;
}

/** All values have `units` features, and magnitudes that stay small. */
class Making {
  readonly b = new GraphBuilder();
  readonly c: Choices;
  readonly t = this.b.axis("t", null);
  readonly s = this.b.axis("s", null);
  readonly k = this.b.axis("k", 2);
  readonly pool: NodeId[];
  readonly states: Recurrent[] = [];
  readonly weights = ["U", "V", "W"].map(name => this.b.parameter(name, [units, units]));
  readonly direction: number;
  #site = 0;

  constructor(choices: readonly number[]) {
    this.c = new Choices(choices);
    this.direction = this.c.of([1, 1, -1]);
    const shape = [units];
    const { b, t, s, k } = this;
    this.pool = [
      b.input("x", { shape, axes: [t] }),
      b.input("y", { shape, axes: [t, s] }),
      b.mul(b.parameter("r", shape), b.sin(b.cast(b.index(s), "real"))),
      b.parameter("p", shape),
      b.parameter("q", shape, [k]),
      b.constant([0.5, -1], "real", shape),
    ];
  }

  any(): NodeId {
    return this.c.of(this.pool);
  }

  /** A value of the pool that has the axis. */
  along(axis: AxisId): NodeId {
    const x = this.any();
    return this.b.typeOf(x).axes.includes(axis) ? x : this.b.broadcast(x, { axes: [axis] });
  }

  /** Recurrences and reductions seldom meet on one axis: that has no order. */
  stateAxis(): AxisId {
    return this.c.of([this.t, this.t, this.t, this.t, this.t, this.s, this.k]);
  }

  axis(): AxisId {
    return this.c.of([this.s, this.s, this.s, this.k, this.k, this.k, this.t]);
  }

  zero(): NodeId {
    return this.b.constant(0, "real", [units]);
  }

  /** A new state, read with a delay. */
  state(): NodeId {
    const axis = this.stateAxis();
    const slot = this.b.placeholder({ dtype: "real", shape: [units], axes: [axis], batched: true });
    const state = { slot, axis, user: null };
    this.states.push(state);
    return this.delayed(state);
  }

  delayed({ slot, axis }: Pick<Recurrent, "slot" | "axis">): NodeId {
    const sign = axis === this.t ? this.direction : 1;
    const offset = sign * this.c.of([1, 1, 1, 2, 3]);
    return this.b.shift(slot, this.c.below(3) === 0 ? this.withoutAxis(axis) : this.zero(), axis, offset);
  }

  withoutAxis(axis: AxisId): NodeId {
    const x = this.any();
    return this.b.typeOf(x).axes.includes(axis) ? this.zero() : x;
  }

  step(): NodeId {
    const { b, c } = this;
    const [x, y] = [this.any(), this.any()];
    switch (c.below(18)) {
      case 0:
        return b.tanh(b.add(x, y));
      case 1:
        return b.mul(b.sigmoid(x), y);
      case 2:
        return b.sub(x, b.neg(y));
      case 3:
        return product(b, x, c.of(this.weights));
      case 4:
      case 5:
      case 6: {
        const next = b.tanh(b.add(x, this.state()));
        this.states[this.states.length - 1]!.user = next;
        return next;
      }
      case 7: {
        const state = this.states.length === 0 ? null : c.of(this.states);
        return state === null ? x : b.tanh(b.add(y, this.delayed(state)));
      }
      case 8:
        return b.where(b.greater(x, y), x, b.constant(c.below(2)));
      case 9: {
        const axis = this.axis();
        return b.tanh(b.sum(this.along(axis), { axes: [axis] }));
      }
      case 10: {
        const axis = this.axis();
        const value = b.tanh(this.along(axis));
        return b.expdiff(value, b.logsumexp(value, { axes: [axis] }));
      }
      case 11: {
        const axis = this.axis();
        return b.at(this.along(axis), axis, c.of(["first", "last"]), c.below(2));
      }
      case 12: {
        const axis = this.axis();
        const over = { left: [0], right: [0], out: [0], axes: [axis] };
        return b.tanh(b.contract(this.along(axis), b.tanh(y), over));
      }
      case 13:
        return b.concat([b.slice(x, 0, 1, 1), b.slice(y, 0, 0, 1)], 0);
      case 14:
        return b.mul(x, b.random("uniform", this.#site++ % 2, [units], [this.t]));
      case 15:
        return b.add(x, b.mul(b.constant(c.of([0, 1, -1])), y));
      case 16: {
        const axis = this.axis();
        return b.shift(this.along(axis), this.zero(), axis, c.of([1, -1, 2]));
      }
      default:
        return b.mul(x, b.sigmoid(b.cast(b.index(this.axis()), "real")));
    }
  }

  graph(): Graph {
    const { b, c } = this;
    const steps = 2 + c.below(9);
    for (let i = 0; i < steps; i++) this.pool.push(this.step());
    for (const { slot, axis, user } of this.states) b.bind(slot, b.tanh(b.add(this.along(axis), user!)));
    const states = this.states.map(({ slot, axis }) => b.shift(slot, this.zero(), axis, 1));
    const last = [...states.slice(-2), ...this.pool.slice(-3)];
    const totals = last.map(x => {
      // Not in the padding of any axis, and not counted once for all examples.
      const axes = [this.t, this.s, this.k];
      const all = b.broadcast(b.tanh(x), { axes, batched: true });
      return b.sum(all, { dims: [0], axes, batch: true });
    });
    b.output(
      "loss",
      totals.reduce((sum, total) => b.add(sum, total)),
    );
    b.output("last", this.pool[this.pool.length - 1]!);
    return b.finish();
  }
}

export const randomGraph = (choices: readonly number[]): Graph => new Making(choices).graph();
