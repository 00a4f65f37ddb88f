// One run: which matrices the cells have at the moment, and the walk through draws and loops.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { NormalFeeds } from "../feeds.ts";
import type { Cell } from "./cells.ts";
import type { Device, Matrix } from "./device.ts";
import type { Draw, DrawLoop, DrawStep, Draws } from "./draws.ts";
import { type Columns, Held } from "./held.ts";
import type { Input, Integer } from "./inputs.ts";
import { rowsOf } from "./transfer.ts";

/** What a cell has: a matrix for each slot of its rings. */
interface Kept {
  readonly slots: (Held | null)[];
  readonly column: number;
}

/** Fewer rows are computed one by one. */
const fewest = 3;

export class Run {
  readonly lengths = new Map<AxisId, Held>();
  readonly #device: Device;
  readonly #dummy: Held;
  readonly #fed: NormalFeeds;
  readonly #kept = new Map<Cell, Kept>();
  readonly #at = new Map<AxisId, number>();
  readonly #begun = new Set<Cell>();

  constructor(device: Device, dummy: Held, fed: NormalFeeds) {
    this.#device = device;
    this.#dummy = dummy;
    this.#fed = fed;
  }

  /** A matrix for a source; the run holds it from now on. */
  give(cell: Cell, held: Held, column: number): void {
    this.#kept.set(cell, { slots: [held], column });
  }

  all({ steps, free }: Draws): void {
    for (const [i, step] of steps.entries()) {
      this.#step(step);
      for (const cell of free[i]!) this.#free(cell);
    }
  }

  #step(step: DrawStep): void {
    if (step.kind === "draw") this.#draw(step);
    else this.#loop(step);
  }

  #loop({ loop: { axis, direction }, body, sums }: DrawLoop): void {
    const extent = this.#fed.extents.get(axis)!;
    for (const sum of sums) this.#begun.delete(sum);
    for (let i = 0; i < extent; i++) {
      this.#at.set(axis, direction === "forward" ? i : extent - 1 - i);
      for (const step of body) this.#step(step);
    }
    this.#at.delete(axis);
    for (const sum of sums) if (!this.#begun.has(sum)) this.#clear(sum);
  }

  /** Zeros for a running sum to which nothing was added. */
  #clear(cell: Cell): void {
    const rows = this.#rowsLeft(cell, new Set(this.#at.keys()));
    const zeros = this.#device.upload(rows, cell.texels, new Float32Array(rows * cell.texels * 4));
    this.#put(cell, zeros);
  }

  #draw(draw: Draw): void {
    const { cell, bound, part } = draw;
    const rows = this.#rowsLeft(cell, bound);
    const matrix = rows > 0 ? this.#computed(draw, rows) : this.#device.allocate(0, cell.texels);
    if (part !== null) this.#at.set(part.axis, part.position);
    this.#put(cell, matrix);
    if (part !== null) this.#at.delete(part.axis);
    this.#begun.add(cell);
  }

  #computed({ call, fours, cell }: Draw, rows: number): Matrix {
    const { program, inputs, integers } = rows >= fewest && fours !== null ? fours : call;
    const found = inputs.map(input => this.#find(input));
    const matrices = found.map(({ held }) => (held.matrix.rows === 0 ? this.#dummy.matrix : held.matrix));
    const numbers = integers.map(integer => this.#number(integer, found));
    return this.#device.run(program(), matrices, numbers, rows, cell.texels);
  }

  /** Rows of a cell that no loop around binds. */
  #rowsLeft({ rows }: Cell, bound: ReadonlySet<AxisId>): number {
    return rowsOf({ ...rows, axes: rows.axes.filter(axis => !bound.has(axis)) }, this.#fed);
  }

  #put(cell: Cell, matrix: Matrix): void {
    const kept = this.#keptBy(cell);
    const slot = this.#slot(cell, new Map());
    const before = kept.slots[slot] ?? null;
    if (cell.sequences.length === 0) {
      kept.slots[slot] = new Held(this.#device, matrix);
      before?.release();
      return;
    }
    const all = before ?? this.#room(cell, matrix.rows);
    kept.slots[slot] = all;
    if (matrix.rows > 0) this.#device.copy(matrix, all.matrix, this.#firstRow(cell, new Map()));
    this.#device.free(matrix);
  }

  /** For all positions of a cell, of which `block` rows are computed at once. */
  #room(cell: Cell, block: number): Held {
    const rows = rowsOf(cell.rows, this.#fed);
    return new Held(this.#device, this.#device.allocate(rows, cell.texels, Math.max(1, block)));
  }

  #keptBy(cell: Cell): Kept {
    const known = this.#kept.get(cell);
    if (known !== undefined) return known;
    const made: Kept = { slots: [], column: 0 };
    this.#kept.set(cell, made);
    return made;
  }

  #position(axis: AxisId, back: ReadonlyMap<AxisId, number>): number {
    const at = this.#at.get(axis);
    if (at === undefined) throw new InternalError("gpu", `no loop along ${axis}`);
    return at - (back.get(axis) ?? 0);
  }

  /** The slot of a cell at the position of the loops around, or back from there; -1 where there is none. */
  #slot({ rings }: Cell, back: ReadonlyMap<AxisId, number>): number {
    let slot = 0;
    for (const { axis, slots } of rings) {
      const position = this.#position(axis, back);
      if (position < 0 || position >= this.#fed.extents.get(axis)!) return -1;
      slot = slot * slots + (position % slots);
    }
    return slot;
  }

  /** The first row at the position of the loops around; 0 where that is outside, since nothing is read then. */
  #firstRow({ rows }: Cell, back: ReadonlyMap<AxisId, number>): number {
    let row = 0;
    for (const axis of rows.axes) {
      const extent = this.#fed.extents.get(axis)!;
      const position = this.#at.has(axis) ? this.#position(axis, back) : 0;
      if (position < 0 || position >= extent) return 0;
      row = row * extent + position;
    }
    return row * (rows.batched ? this.#fed.batch : 1) * rows.outer;
  }

  #find(input: Input): Columns & { readonly row: number } {
    if (input.kind === "lengths") return { held: this.lengths.get(input.axis)!, column: 0, row: 0 };
    const { cell, back } = input;
    const kept = this.#kept.get(cell);
    const held = kept?.slots[Math.max(0, this.#slot(cell, back))] ?? this.#dummy;
    return { held, column: kept?.column ?? 0, row: this.#firstRow(cell, back) };
  }

  #number(integer: Integer, inputs: readonly (Columns & { readonly row: number })[]): number {
    switch (integer.kind) {
      case "batch":
        return this.#fed.batch;
      case "extent":
        return this.#fed.extents.get(integer.axis)!;
      case "position":
        return this.#at.get(integer.axis)!;
      case "row":
        return inputs[integer.input]!.row;
      case "column":
        return inputs[integer.input]!.column;
      case "begun":
        return this.#begun.has(integer.cell) ? 1 : 0;
      case "seed":
        return this.#fed.seed | 0;
      case "step":
        return this.#fed.step | 0;
    }
  }

  /** Holds a cell's matrix for someone else. */
  take(cell: Cell, column: number): Columns {
    const kept = this.#kept.get(cell);
    const held = kept?.slots[0] ?? null;
    if (held !== null) return { held: held.hold(), column: column + (kept?.column ?? 0) };
    // Nothing has been computed: a loop had no steps.
    return { held: new Held(this.#device, this.#device.allocate(0, cell.texels)), column };
  }

  #free(cell: Cell): void {
    for (const held of this.#kept.get(cell)?.slots ?? []) held?.release();
    this.#kept.delete(cell);
  }

  /** Lets go of everything. */
  end(): void {
    for (const cell of [...this.#kept.keys()]) this.#free(cell);
    for (const held of this.lengths.values()) held.release();
  }
}
