// Where one row of an operand lies while a kernel goes through time: an address that moves by the same distance each
// step, wherever it can.

import type { Loop } from "../../compiler/schedule/schedule.ts";
import { add, compare, type Operand, select, sub } from "./builder.ts";
import type { Expr, Local } from "./code.ts";
import type { Kernel, Position, Rows } from "./kernel.ts";
import type { Memory, Reference } from "./places.ts";

/** Some steps of one example, or of some that are equally long and follow each other. */
export interface Span {
  readonly row: Local;
  readonly rows: number;
  /** The position of the first step that is computed. */
  readonly begin: Local;
  readonly count: Local;
  /** How many steps each example has in all. */
  readonly length: Local;
}

interface Line {
  readonly at: Local;
  /** Bytes from one example to the next. */
  readonly apart: number;
  /** Bytes that it moves with each position; null where it stays. */
  readonly step: Operand | null;
}

export type Track =
  | { readonly kind: "line"; readonly line: Line }
  /** The line `value` where `offset` positions back is inside, else `initial`. */
  | {
      readonly kind: "delayed";
      readonly offset: number;
      readonly length: Local;
      readonly value: Line;
      readonly initial: Line;
    }
  /** Looked up each step. */
  | { readonly kind: "sought"; readonly reference: Reference; readonly row: Local };

/** A track, some bytes on. */
export interface Cursor {
  /** Whether the address is the same at all steps. */
  readonly stays: boolean;
  /** Adds the code that finds the address at position `t`, `further` examples on. */
  address(t: Operand, further: number): Operand;
  advance(): void;
}

export class Tracks {
  readonly #kernel: Kernel;
  readonly #loop: Loop;

  constructor(kernel: Kernel, loop: Loop) {
    this.#kernel = kernel;
    this.#loop = loop;
  }

  /** Rows at a position. */
  rows(reference: Reference, row: Operand, position: Operand): Rows {
    const { axis } = this.#loop;
    const at: Position = other => (other === axis ? position : this.#kernel.position(other));
    return this.#kernel.rows(reference, row, at);
  }

  track(reference: Reference, span: Span): Track {
    const { memory } = reference;
    if (this.#isLine(memory)) return { kind: "line", line: this.#line(reference, memory, span, 0) };
    if (memory.kind === "delay" && memory.axis === this.#loop.axis) {
      const { offset, value, initial } = memory;
      if (this.#isLine(value) && this.#isLine(initial)) {
        return {
          kind: "delayed",
          offset,
          length: span.length,
          value: this.#line(reference, value, span, offset),
          initial: this.#line(reference, initial, span, 0),
        };
      }
    }
    return { kind: "sought", reference, row: span.row };
  }

  #isLine(memory: Memory): memory is Extract<Memory, { kind: "rows" }> {
    return memory.kind === "rows" && (memory.along.get(this.#loop.axis)?.wrap ?? 0) === 0;
  }

  #line(
    reference: Reference,
    memory: Extract<Memory, { kind: "rows" }>,
    { row, begin }: Span,
    back: number,
  ): Line {
    const at = this.rows({ ...reference, memory }, row, sub(begin, back)).address;
    const step = memory.along.get(this.#loop.axis)?.step ?? null;
    const apart = memory.batched ? memory.rowBytes : 0;
    return { at, apart, step: step === null || step.kind === "const" ? step : this.#kernel.f.let(step) };
  }

  cursor(track: Track, bytes: Operand): Cursor {
    if (track.kind === "line") return this.#along(track.line, bytes);
    if (track.kind === "sought") {
      const { reference, row } = track;
      return {
        stays: false,
        address: (t, further) => add(this.rows(reference, add(row, further), t).address, bytes),
        advance: () => {},
      };
    }
    const [value, initial] = [this.#along(track.value, bytes), this.#along(track.initial, bytes)];
    const { offset, length } = track;
    const isInside = (t: Operand): Expr =>
      offset > 0 ? compare("ge", t, offset) : compare("lt", sub(t, offset), length);
    return {
      stays: false,
      address: (t, further) => select(isInside(t), value.address(t, further), initial.address(t, further)),
      advance: () => {
        value.advance();
        initial.advance();
      },
    };
  }

  #along({ at, apart, step }: Line, bytes: Operand): Cursor {
    const { f } = this.#kernel;
    const pointer = f.let(add(at, bytes));
    const next = this.#loop.direction === "forward" ? add : sub;
    return {
      stays: step === null,
      address: (_, further) => add(pointer, apart * further),
      advance: () => {
        if (step !== null) f.set(pointer, next(pointer, step));
      },
    };
  }
}
