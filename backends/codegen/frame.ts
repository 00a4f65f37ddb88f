// The frame: a table of 32-bit integers at a fixed place of memory that the host fills before each run. Everything that
// generated code does not know when it is compiled stands there: batch, extents, where values lie in the arena.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { load } from "./builder.ts";
import type { Expr } from "./code.ts";

/** What the entries are computed from; all addresses and distances are in bytes. */
export interface FrameSource {
  readonly batch: number;
  extent(axis: AxisId): number;
  /** Where a value with memory in the arena begins, by its number. */
  base(value: number): number;
  /** Table of each example's own length: i32 an example. */
  lengths(axis: AxisId): number;
  /** Table of how many examples have a step at each position of the primary axis; zeros follow. */
  readonly active: number;
  /** Table of each row's own number among the examples as they were fed. */
  readonly examples: number;
  /** Whether all examples are as long as the batch's longest, along every axis. */
  readonly full: boolean;
  /** Whether matrices made of parameters alone are packed already, by a run with the same values. */
  readonly packed: boolean;
  readonly seed: number;
  readonly step: number;
}

export type Entry = (source: FrameSource) => number;

export class Frame {
  readonly address: number;
  readonly #entries: Entry[] = [];
  readonly #numbers = new Map<string, number>();
  /** Numbers of entries that differ between runs of equal batch and extents. */
  readonly #changing: number[] = [];

  /** @param address in bytes */
  constructor(address: number) {
    this.address = address;
  }

  /** The value of an entry, as code; entries of one name are one. */
  entry(name: string, entry: Entry): Expr {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#entries.push(entry) - 1;
      this.#numbers.set(name, number);
    }
    return load("i32", 0, this.address + 4 * number);
  }

  #changes(name: string, entry: Entry): Expr {
    const before = this.#entries.length;
    const value = this.entry(name, entry);
    if (this.#entries.length > before) this.#changing.push(before);
    return value;
  }

  get batch(): Expr {
    return this.entry("batch", ({ batch }) => batch);
  }
  extent(axis: AxisId): Expr {
    return this.entry(`extent ${axis}`, source => source.extent(axis));
  }
  lengths(axis: AxisId): Expr {
    return this.entry(`lengths ${axis}`, source => source.lengths(axis));
  }
  get active(): Expr {
    return this.entry("active", ({ active }) => active);
  }
  get examples(): Expr {
    return this.entry("examples", ({ examples }) => examples);
  }
  get full(): Expr {
    return this.#changes("full", ({ full }) => (full ? 1 : 0));
  }
  get packed(): Expr {
    return this.#changes("packed", ({ packed }) => (packed ? 1 : 0));
  }
  get seed(): Expr {
    return this.#changes("seed", ({ seed }) => seed);
  }
  get step(): Expr {
    return this.#changes("step", ({ step }) => step);
  }

  /** The table for a run. */
  values(source: FrameSource): Int32Array {
    return Int32Array.from(this.#entries, entry => entry(source));
  }

  /** Brings a table up to date for another run of the same batch and extents. */
  refresh(values: Int32Array, source: FrameSource): void {
    for (const number of this.#changing) values[number] = this.#entries[number]!(source);
  }

  get entries(): number {
    return this.#entries.length;
  }
}
