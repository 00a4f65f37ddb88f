// A kernel: a function that computes rows `from` .. `to` of the batch at one position along every axis. What runs
// through positions is its caller (tasks.ts).

import type { AxisId } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { add, binary, compare, FunctionBuilder, load, mul, type Operand, sub } from "./builder.ts";
import type { Expr, Func, Local } from "./code.ts";
import type { Frame } from "./frame.ts";
import type { Along, Memory, Reference } from "./places.ts";

/** An axis whose own lengths decide which rows take part: the batch is sorted by them. */
export type Primary = AxisId | null;

/** What kernels know of the program. */
export interface Surroundings {
  readonly frame: Frame;
  readonly primary: Primary;
  /** Compile-time length of a static axis, else null. */
  staticLength(axis: AxisId): number | null;
}

/** Where rows lie: the address of the first, and the bytes from one to the next. */
export interface Rows {
  readonly address: Local;
  readonly step: number | Local;
}

export type Position = (axis: AxisId) => Operand;

export class Kernel {
  readonly f: FunctionBuilder;
  readonly from: Local;
  readonly to: Local;
  readonly around: Surroundings;
  /** Bytes to add to the address of a running sum, of which each thread has its own. */
  ownSum: Operand = 0;
  readonly #at = new Map<AxisId, Operand>();

  /** @param axes those whose positions are parameters, in order */
  constructor(name: string, axes: readonly AxisId[], around: Surroundings) {
    this.f = new FunctionBuilder(name);
    this.around = around;
    for (const axis of axes) this.#at.set(axis, this.f.param());
    this.from = this.f.param();
    this.to = this.f.param();
  }

  finish(): Func {
    return this.f.finish();
  }

  /** From here on the kernel is at these positions of axes that are none of its parameters. */
  fix(positions: ReadonlyMap<AxisId, number>): void {
    for (const [axis, index] of positions) this.#at.set(axis, index);
  }

  position: Position = axis => {
    const at = this.#at.get(axis);
    if (at === undefined) throw new InternalError("codegen", `no position along ${axis} in ${this.f.name}`);
    return at;
  };

  /** The extent of an axis. */
  extent(axis: AxisId): Operand {
    return this.around.staticLength(axis) ?? this.around.frame.extent(axis);
  }

  /** Examples that have a step at this position of the primary axis; they come first. */
  active(position: Operand): Expr {
    return load("i32", add(this.around.frame.active, mul(position, 4)));
  }

  /** An example's own length. */
  length(axis: AxisId, row: Operand): Expr {
    return load("i32", add(this.around.frame.lengths(axis), mul(row, 4)));
  }

  /** Rows of a reference from `row` on (the kernel's first), its features' offset included. */
  rows(
    { memory, features }: Reference,
    row: Operand = this.from,
    at: Position = this.position,
    further = 0,
  ): Rows {
    const address = this.f.local("i32");
    const step = stepOf(memory) ?? this.f.local("i32");
    this.#locate(memory, row, at, 4 * (features.offset + further), { address, step });
    return { address, step };
  }

  #locate(memory: Memory, row: Operand, at: Position, offset: number, { address, step }: Rows): void {
    const { f } = this;
    if (memory.kind === "rows") {
      let where: Operand = memory.base;
      for (const [axis, along] of memory.along) where = add(where, mul(wrapped(at(axis), along), along.step));
      if (memory.batched) where = add(where, mul(row, memory.rowBytes));
      f.set(address, add(where, memory.offset + offset));
      if (typeof step !== "number") f.set(step, memory.batched ? memory.rowBytes : 0);
      return;
    }
    const { axis, value, initial } = memory;
    const source = f.let(sub(at(axis), memory.offset));
    const shifted: Position = other => (other === axis ? source : at(other));
    f.if(
      this.#isInside(memory, source, row),
      () => this.#locate(value, row, shifted, offset, { address, step }),
      () => this.#locate(initial, row, at, offset, { address, step }),
    );
  }

  /** Whether a delay's value has the position `source`, for all rows of this call. */
  #isInside(
    { axis, offset, batched }: Extract<Memory, { kind: "delay" }>,
    source: Local,
    row: Operand,
  ): Expr {
    if (offset > 0) return compare("ge", source, 0);
    // Callers call for rows that agree (cutsOf).
    if (batched && axis === this.around.primary) return compare("lt", row, this.active(source));
    return compare("lt", source, this.extent(axis));
  }
}

function wrapped(position: Operand, { wrap }: Along): Operand {
  if (wrap === 0) return position;
  const isPowerOfTwo = (wrap & (wrap - 1)) === 0;
  return isPowerOfTwo ? binary("and", position, wrap - 1) : binary("remU", position, wrap);
}

/** The bytes between rows where they are known: a delay's value and initial value may differ. */
export function stepOf(memory: Memory): number | null {
  if (memory.kind === "rows") return memory.batched ? memory.rowBytes : 0;
  const [value, initial] = [stepOf(memory.value), stepOf(memory.initial)];
  return value === initial ? value : null;
}

/**
 * Advances along the primary axis end with each example: for every advance by k, the rows with a step k positions on
 * read one memory, the others another. The distances k at which rows part, largest first.
 */
export function cutsOf(memories: readonly Memory[], primary: Primary): readonly number[] {
  const cuts = new Set<number>();
  const visit = (memory: Memory, ahead: number): void => {
    if (memory.kind === "rows") return;
    const further = memory.axis === primary ? ahead - memory.offset : ahead;
    if (memory.axis === primary && memory.batched && memory.offset < 0 && further > 0) cuts.add(further);
    visit(memory.value, further);
    visit(memory.initial, ahead);
  };
  for (const memory of memories) visit(memory, 0);
  return [...cuts].sort((a, b) => b - a);
}

/** Whether rows at all positions of these axes follow one another without gaps: [axes.., batch]. */
export function isContiguous(memory: Memory, axes: readonly AxisId[]): boolean {
  if (memory.kind !== "rows") return false;
  const own = memory.order.filter(axis => axes.includes(axis));
  if (!memory.batched) return own.length === 0;
  return (
    memory.order.slice(-axes.length).join() === axes.join() &&
    axes.every(axis => memory.along.get(axis)?.wrap === 0)
  );
}
