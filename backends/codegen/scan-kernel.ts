// The code of a scan (scan.ts): one function for all steps. Each row goes through time with some vectors at once, or a
// few rows do where rows are short: as many vectors as hide how long operations wait for each other. Time is cut into
// parts, so that rows, which are neighbours in memory, are read soon one after the other.

import type { NodeId } from "../../compiler/graph/graph.ts";
import { product } from "../plan/layout.ts";
import {
  add,
  binary,
  compare,
  type FunctionBuilder,
  least,
  mul,
  type Operand,
  select,
  sub,
} from "./builder.ts";
import type { Local } from "./code.ts";
import type { Kernel, Rows } from "./kernel.ts";
import type { Scan } from "./scan.ts";
import { type Block, type Row, ScanBlock } from "./scan-block.ts";
import { isNarrow, vectorsAtOnce } from "./scan-width.ts";
import { type Span, Tracks } from "./tracks.ts";

/** Steps of a part: few where a step is wide, so that not too many places of memory are read in turn. */
const partSteps = { narrow: 64, wide: 8 } as const;
/** Rows side by side. */
const rowsAtOnce = [4, 2] as const;

export class ScanKernel {
  readonly #kernel: Kernel;
  readonly #f: FunctionBuilder;
  readonly #scan: Scan;
  readonly #lanes: number;
  readonly #ownSum: (id: NodeId) => number;
  readonly #tracks: Tracks;
  /** Vectors of the last dimension, and the numbers in the last of them. */
  readonly #vectors: number;
  readonly #rest: number;

  constructor(kernel: Kernel, scan: Scan, lanes: number, ownSum: (id: NodeId) => number) {
    this.#kernel = kernel;
    this.#f = kernel.f;
    this.#scan = scan;
    this.#lanes = lanes;
    this.#ownSum = ownSum;
    this.#tracks = new Tracks(kernel, scan.loop);
    const size = scan.sizes.at(-1) ?? 1;
    this.#vectors = Math.ceil(size / lanes);
    this.#rest = size - (this.#vectors - 1) * lanes;
  }

  get #forward(): boolean {
    return this.#scan.loop.direction === "forward";
  }

  /** Whether examples have lengths of their own. */
  get #isRagged(): boolean {
    const { loop, batched } = this.#scan;
    return batched && this.#kernel.around.staticLength(loop.axis) === null;
  }

  emit(): void {
    const f = this.#f;
    const extent = f.let(this.#kernel.extent(this.#scan.loop.axis));
    const steps = f.let(
      select(isNarrow(this.#scan, this.#kernel, this.#lanes), partSteps.narrow, partSteps.wide),
    );
    const last = f.let(mul(binary("divU", sub(extent, 1), steps), steps));
    f.for(0, extent, steps, start =>
      this.#part({ low: this.#forward ? start : f.let(sub(last, start)), steps }, extent),
    );
  }

  /** All rows at the steps of a part, the first of which is at `low`. */
  #part({ low, steps }: { readonly low: Local; readonly steps: Local }, extent: Local): void {
    const { from, to, around } = this.#kernel;
    const f = this.#f;
    const { axis } = this.#scan.loop;
    const lengthOf = (row: Operand): Local =>
      this.#isRagged ? f.let(this.#kernel.length(axis, row)) : extent;
    const rows = (row: Local, many: number): void => {
      const length = lengthOf(row);
      const count = f.let(least(f.let(sub(length, low)), steps));
      f.if(compare("gt", count, 0), () => {
        const begin = this.#forward ? low : f.let(add(low, sub(count, 1)));
        this.#rows({ row, rows: many, begin, count, length });
      });
    };
    const single = this.#vectors * product(this.#scan.sizes.slice(0, -1));
    // Neighbours are equally long where the first and the last are; that needs sorted lengths.
    const isSorted = !this.#isRagged || axis === around.primary;
    const fitting = rowsAtOnce.filter(many => many * single <= vectorsAtOnce(this.#scan));
    if (!this.#scan.batched || !isSorted || fitting.length === 0) {
      f.for(from, to, 1, row => rows(row, 1));
      return;
    }
    const row = f.let(from);
    const take = ([many, ...fewer]: readonly number[]): void => {
      if (many === undefined) {
        rows(row, 1);
        f.set(row, add(row, 1));
        return;
      }
      const last = f.let(add(row, many - 1));
      // The table of lengths is not read behind its end.
      const length = lengthOf(f.let(select(compare("lt", last, to), last, row)));
      const isGroup = binary("and", compare("lt", last, to), compare("eq", lengthOf(row), length));
      f.if(
        isGroup,
        () => {
          rows(row, many);
          f.set(row, add(row, many));
        },
        () => take(fewer),
      );
    };
    f.if(compare("lt", row, to), () =>
      f.doWhile(() => {
        take(fitting);
        return compare("lt", row, to);
      }),
    );
  }

  #rows(span: Span): void {
    const { operands, stores, carried, sums, sizes } = this.#scan;
    const f = this.#f;
    const tracks = this.#tracks;
    const { begin, count } = span;
    const ahead = sub(count, 1);
    const end = f.let(this.#forward ? add(begin, ahead) : sub(begin, ahead));
    const row: Row = {
      span,
      operands: operands.map(({ reference }) => tracks.track(reference, span)),
      stores: stores.map(({ reference }) => tracks.track(reference, span)),
      carried: carried.map(({ reference, kept }) => ({
        from: tracks.rows(reference, span.row, begin),
        to: kept === null ? null : tracks.rows(kept, span.row, end),
      })),
      sums: sums.map(({ node, reference }): Rows => {
        const { address, step } = tracks.rows(reference, span.row, begin);
        return { address: f.let(add(address, mul(this.#kernel.ownSum, this.#ownSum(node)))), step };
      }),
    };
    const outer = sizes.slice(0, -1);
    const enter = (indices: readonly Local[]): void => {
      const size = outer[indices.length];
      if (size === undefined) this.#line(row, indices);
      else f.for(0, size, 1, index => enter([...indices, index]));
    };
    enter([]);
  }

  /** All blocks along the last dimension. */
  #line(row: Row, indices: readonly Local[]): void {
    const lanes = this.#lanes;
    const width = vectorsAtOnce(this.#scan);
    const emit = (block: Omit<Block, "indices">): void =>
      new ScanBlock(this.#f, this.#scan, lanes, row, { ...block, indices }).emit(this.#tracks);
    // The last vector of all is written number by number unless it is full.
    const full = this.#rest < lanes ? this.#vectors - 1 : this.#vectors;
    const blocks = Math.floor(full / width);
    const isInner = indices.reduce<Operand>((all, index) => binary("or", all, index), 0);
    const first = (at: Operand): Operand =>
      indices.length === 0 && at === 0 ? 1 : compare("eq", binary("or", isInner, at), 0);
    const bytes = 4 * lanes * width;
    const whole = (at: Operand): void => emit({ at, vectors: width, rest: lanes, first: first(at) });
    if (blocks === 1) whole(0);
    else if (blocks > 1) this.#f.for(0, blocks * bytes, bytes, whole);
    const left = this.#vectors - blocks * width;
    if (left > 0) {
      emit({ at: blocks * bytes, vectors: left, rest: this.#rest, first: blocks > 0 ? 0 : first(0) });
    }
  }
}
