// A loop as TensorFlow's executor runs one: what changes from turn to turn goes round through Merge, Switch and
// NextIteration, and leaves by Exit (Yu et al. 2018, "Dynamic control flow in large-scale machine learning", section
// 4.2). Knows how variables go round; what they are for is loops.ts's.

import type { Loop } from "../../compiler/schedule/schedule.ts";
import { enterAttributes, type Frame, flag, ofType, type Tensor, whole } from "./graph.ts";
import type { Dim, Ops } from "./ops.ts";

/** What goes round. */
export interface Variable {
  /** At the begin of a turn. */
  readonly tensor: Tensor;
  /** The node that waits for the next turn's value. */
  readonly merge: number;
  /** After the last turn. */
  readonly last: Tensor;
}

export class TurningLoop {
  readonly frame: Frame;
  /** The index that this turn is at; and as a vector of one. */
  readonly position: Tensor;
  readonly at: Tensor;
  readonly #ops: Ops;
  readonly #outer: Frame;
  readonly #goesOn: Tensor;
  readonly #extent: Dim;

  constructor(ops: Ops, name: string, { direction }: Loop, extent: Dim, outer: Frame) {
    this.#ops = ops;
    this.#outer = outer;
    this.#extent = extent;
    this.frame = { name, outer, pivot: null };
    const isForward = direction === "forward";
    const first = isForward ? ops.whole(0) : ops.scalar(ops.minus(extent, 1));
    const merge = this.#merge(first);
    const inside = isForward
      ? ops.compare("Less", merge.tensor, ops.scalar(extent))
      : ops.compare("GreaterEqual", merge.tensor, ops.whole(0));
    [this.#goesOn] = ops.add("LoopCond", [inside.name], {}, "bool", this.frame) as [Tensor];
    const counter = this.#switch(merge.tensor, merge.number);
    this.position = counter.tensor;
    this.frame.pivot = this.position;
    this.at = ops.expand(this.position, 0);
    this.next(counter, ops.binary(isForward ? "AddV2" : "Sub", this.position, ops.whole(1)));
  }

  /** The index so many before this one, as a vector of one; some index where that is outside. */
  neighbour(offset: number): Tensor {
    const last = this.#ops.minus(this.#extent, 1);
    const index = this.#ops.smaller(this.#ops.larger(this.#ops.minus(this.position, offset), 0), last);
    return this.#ops.expand(this.#ops.scalar(index), 0);
  }

  /** @param initial of the frame around or further out. */
  variable(initial: Tensor): Variable {
    const { tensor, number } = this.#merge(initial);
    return this.#switch(tensor, number);
  }

  /** Says what the variable is at the next turn. */
  next({ merge }: Variable, value: Tensor): void {
    const type = { T: ofType(value.dtype) };
    const own = this.#ops.ofTurn(value, this.frame);
    const [next] = this.#ops.add("NextIteration", [own.name], type, value.dtype, this.frame);
    const node = this.#ops.nodes[merge]!;
    node.inputs = [node.inputs[0]!, next!.name];
  }

  exit({ last }: Variable): Tensor {
    const attributes = { T: ofType(last.dtype) };
    return this.#ops.add("Exit", [last.name], attributes, last.dtype, this.#outer)[0]!;
  }

  /**
   * Memory for a value of each turn, `[extent, ...dims]`, which the turns write one by one. Nothing else makes such
   * memory, and nobody reads an entry before it is written, so that writing in place is safe.
   */
  sequence(dtype: Tensor["dtype"], dims: readonly Dim[]): Variable {
    const shape = this.#ops.ofTurn(this.#ops.vector([this.#extent, ...dims]), this.#outer);
    const attributes = { dtype: ofType(dtype), init: flag(false) };
    const [empty] = this.#ops.add("Empty", [shape.name], attributes, dtype, this.#outer);
    return this.variable(empty!);
  }

  /** Sets this turn's entry of a sequence. */
  write(sequence: Variable, value: Tensor): void {
    const row = this.#ops.expand(value, 0);
    const inputs = [sequence.tensor, this.at, row];
    this.next(sequence, this.#ops.op("InplaceUpdate", inputs, { T: ofType(value.dtype) }, value.dtype));
  }

  #merge(initial: Tensor): { readonly tensor: Tensor; readonly number: number } {
    const { dtype } = initial;
    const start = this.#ops.ofTurn(initial, this.#outer);
    const attributes = enterAttributes(dtype, this.frame, false);
    const [entered] = this.#ops.add("Enter", [start.name], attributes, dtype, this.frame);
    const inputs = [entered!.name, ""];
    const [tensor] = this.#ops.add("Merge", inputs, { T: ofType(dtype), N: whole(2) }, dtype, this.frame);
    return { tensor: tensor!, number: this.#ops.nodes.length - 1 };
  }

  #switch(merged: Tensor, merge: number): Variable {
    const { dtype } = merged;
    const inputs = [merged.name, this.#goesOn.name];
    const type = { T: ofType(dtype) };
    const [last, goesOn] = this.#ops.add("Switch", inputs, type, dtype, this.frame, 2);
    // A Switch runs at the end too, with nothing to give there. What TensorFlow's optimiser lets wait for a turn, it
    // lets wait for an Identity, and it breaks graphs that have none.
    const [tensor] = this.#ops.add("Identity", [goesOn!.name], type, dtype, this.frame);
    return { tensor: tensor!, merge, last: last! };
  }
}
