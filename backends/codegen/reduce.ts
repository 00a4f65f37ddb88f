// Reductions as loop nests: sums, maxima and logsumexp of one operand or of the products of two, over features, axes
// and the batch. Padding is never read: loops end at each example's own length.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { collapse, type Nest, product } from "../plan/layout.ts";
import {
  add,
  binary,
  compare,
  expr,
  type FunctionBuilder,
  f32,
  lane,
  load,
  loadSplat,
  type Operand,
  select,
  splat,
  sub,
  unary,
} from "./builder.ts";
import type { Expr, Local } from "./code.ts";
import { walkIndices } from "./indices.ts";
import type { Kernel } from "./kernel.ts";
import * as math from "./math.ts";
import type { Reference } from "./places.ts";

/** An operand and its strides (in numbers) along the kept and the reduced feature dimensions. */
export interface ReduceOperand {
  readonly reference: Reference;
  readonly batched: boolean;
  readonly axes: readonly AxisId[];
  readonly kept: readonly number[];
  readonly reduced: readonly number[];
}

export interface ReduceSpec {
  readonly op: "sum" | "max" | "logsumexp";
  /** One, or two whose products are summed. */
  readonly operands: readonly ReduceOperand[];
  readonly out: {
    readonly reference: Reference;
    readonly batched: boolean;
    readonly dims: readonly number[];
  };
  /** Sizes of the kept and the reduced feature dimensions. */
  readonly kept: readonly number[];
  readonly reduced: readonly number[];
  /** Reduced axes that the kernel runs through. */
  readonly axes: readonly AxisId[];
  readonly batch: boolean;
  /** Adds to what is there. */
  readonly accumulate: boolean;
  readonly lanes: number;
}

/** Sums along one row that go on side by side. */
const chains = 4;

/** Accumulators of a block of kept features: enough to hide what an addition takes. */
const blockVectors = 8;

export function emitReduction(kernel: Kernel, spec: ReduceSpec): void {
  if (spec.kept.includes(0)) return;
  new Reduction(kernel, spec).emit();
}

/** What is summed up at one place: where each operand's row begins. */
type Addresses = readonly Local[];

class Reduction {
  readonly #kernel: Kernel;
  readonly #f: FunctionBuilder;
  readonly #spec: ReduceSpec;
  readonly #kept: Nest;
  readonly #reduced: Nest;

  constructor(kernel: Kernel, spec: ReduceSpec) {
    this.#kernel = kernel;
    this.#f = kernel.f;
    this.#spec = spec;
    const { operands, out } = spec;
    this.#kept = collapse({ sizes: spec.kept, strides: [...operands.map(({ kept }) => kept), out.dims] });
    this.#reduced = collapse({ sizes: spec.reduced, strides: operands.map(({ reduced }) => reduced) });
  }

  emit(): void {
    const { out } = this.#spec;
    const target = this.#kernel.rows(out.reference);
    this.#f.set(target.address, add(target.address, this.#kernel.ownSum));
    const each = (row: Operand | null): void => this.#dimensions(target.address, at => this.#place(at, row));
    if (!out.batched) {
      each(null);
      return;
    }
    this.#f.for(this.#kernel.from, this.#kernel.to, 1, row => {
      each(row);
      this.#f.set(target.address, add(target.address, target.step));
    });
  }

  /** Loops over the kept dimensions, but for the last where vectors go along it. */
  #dimensions(target: Local, make: (place: Place) => void): void {
    const { sizes, strides } = this.#kept;
    const rank = sizes.length - (this.#vectorsAlong === "kept" ? 1 : 0);
    const count = this.#spec.operands.length;
    const enter = (d: number, offsets: readonly Local[], at: Local): void => {
      if (d === rank) {
        make({ offsets, target: at });
        return;
      }
      const own = offsets.map(offset => this.#f.let(offset));
      const to = this.#f.let(at);
      this.#f.for(0, sizes[d]!, 1, () => {
        enter(d + 1, own, to);
        for (const [k, offset] of own.entries()) this.#advance(offset, strides[k]![d] ?? 0);
        this.#advance(to, strides[count]![d] ?? 0);
      });
    };
    enter(
      0,
      this.#spec.operands.map(() => this.#f.let(0)),
      target,
    );
  }

  #advance(address: Local, stride: number): void {
    if (stride !== 0) this.#f.set(address, add(address, 4 * stride));
  }

  /** Which dimension vectors go along: a kept one, a reduced one, or none. */
  get #vectorsAlong(): "kept" | "reduced" | "none" {
    const isEven = (stride: number | undefined): boolean => stride === 0 || stride === 1;
    const { strides } = this.#kept;
    const last = strides.map(operand => operand.at(-1));
    const operands = this.#spec.operands.length;
    if (this.#kept.sizes.length > 0 && last[operands] === 1 && last.every(isEven)) return "kept";
    const inner = this.#reduced.strides.map(operand => operand.at(-1));
    const fits = inner.every(isEven) && inner.includes(1);
    return this.#reduced.sizes.length > 0 && fits ? "reduced" : "none";
  }

  #place(place: Place, row: Operand | null): void {
    const along = this.#vectorsAlong;
    if (along !== "kept") {
      this.#single(place, row, along === "reduced");
      return;
    }
    const { lanes, out } = this.#spec;
    const size = this.#kept.sizes.at(-1)!;
    const mayRound = out.reference.whole && this.#kept.sizes.length === 1;
    const vectors = mayRound ? Math.ceil(size / lanes) : Math.floor(size / lanes);
    const rest = mayRound ? 0 : size % lanes;
    const blocks = Math.floor(vectors / blockVectors);
    const bytes = 4 * lanes;
    if (blocks > 0) {
      const step = bytes * blockVectors;
      const emit = (at: Operand): void => this.#block(place, row, at, blockVectors, null);
      if (blocks === 1) emit(0);
      else this.#f.for(0, blocks * step, step, emit);
    }
    const left = vectors % blockVectors;
    if (left > 0) this.#block(place, row, blocks * bytes * blockVectors, left, null);
    if (rest > 0) this.#block(place, row, vectors * bytes, 1, rest);
  }

  /** `vectors` vectors of kept features, `at` bytes on; of the last only `count` numbers are stored. */
  #block(
    { offsets, target }: Place,
    row: Operand | null,
    at: Operand,
    vectors: number,
    count: number | null,
  ): void {
    const { operands, lanes } = this.#spec;
    const inner = this.#kept.strides.map(operand => operand.at(-1) ?? 0);
    const totals = this.#reduce(vectors, row, (addresses, visit) => {
      this.#reducedLoops(addresses, here => {
        const heads = here.map((address, k) =>
          this.#f.let(add(add(address, offsets[k]!), inner[k] === 1 ? at : 0)),
        );
        const fixed = heads.map((head, k) => (inner[k] === 1 ? null : this.#f.let(loadSplat("f32x", head))));
        for (let v = 0; v < vectors; v++) {
          visit(
            v,
            this.#multiplied(operands.map((_, k) => fixed[k] ?? load("f32x", heads[k]!, 4 * lanes * v))),
          );
        }
      });
    });
    const to = this.#f.let(add(target, at));
    for (const [v, total] of totals.entries()) this.#write(to, total, 4 * lanes * v, count);
  }

  #multiplied(values: readonly (Expr | Local)[]): Expr {
    const [a, b] = values;
    return b === undefined ? expr(a!) : binary("mul", a!, b);
  }

  #write(to: Local, total: Local, offset: number, count: number | null): void {
    const whole = count === null;
    const value = this.#spec.accumulate
      ? this.#f.let(add(whole ? load("f32x", to, offset) : this.#before(to, offset, count), total))
      : total;
    if (whole) this.#f.store(to, value, offset);
    else for (let l = 0; l < count; l++) this.#f.storeLane(to, value, l, offset + 4 * l);
  }

  #before(to: Local, offset: number, count: number): Expr {
    return count === 1 ? loadSplat("f32x", to, offset) : load("f32x", to, offset);
  }

  /** One number: vectors along a reduced dimension, or none at all. */
  #single({ offsets, target }: Place, row: Operand | null, vectors: boolean): void {
    const totals = this.#reduce(1, row, (addresses, visit, horizontal) => {
      const shifted = addresses.map((address, k) => this.#f.let(add(address, offsets[k]!)));
      if (vectors) this.#lines(shifted, visit, horizontal);
      else {
        this.#reducedLoops(shifted, here => {
          visit(0, this.#multiplied(here.map(address => loadSplat("f32x", address))));
        });
      }
    });
    this.#write(target, totals[0]!, 0, 1);
  }

  /** Runs along the last reduced dimension in vectors, what is left number by number. */
  #lines(addresses: Addresses, visit: Visit, horizontal: Visit): void {
    const { lanes } = this.#spec;
    const size = this.#reduced.sizes.at(-1)!;
    const inner = this.#reduced.strides.map(operand => operand.at(-1) ?? 0);
    const vectors = Math.floor(size / lanes);
    const bytes = 4 * lanes;
    this.#reducedLoops(
      addresses,
      here => {
        const value = (at: Operand, whole: boolean): Expr =>
          this.#multiplied(
            here.map((address, k) =>
              inner[k] === 1 && whole
                ? load("f32x", add(address, at))
                : loadSplat("f32x", inner[k] === 1 ? add(address, at) : address),
            ),
          );
        // Several sums at once hide what one addition after the other takes.
        const together = chains * bytes;
        const whole = Math.floor(vectors / chains) * together;
        const step = (at: Operand): void => {
          for (let c = 0; c < chains; c++) horizontal(c, value(add(at, c * bytes), true));
        };
        if (whole === together) step(0);
        else if (whole > 0) this.#f.for(0, whole, together, step);
        for (let at = whole; at < vectors * bytes; at += bytes)
          horizontal((at - whole) / bytes, value(at, true));
        for (let rest = vectors * lanes; rest < size; rest++) visit(0, value(4 * rest, false));
      },
      1,
    );
  }

  /** Loops over the reduced feature dimensions, but for the last `without`. */
  #reducedLoops(addresses: Addresses, make: (addresses: Addresses) => void, without = 0): void {
    const { sizes, strides } = this.#reduced;
    const enter = (d: number, at: Addresses): void => {
      if (d >= sizes.length - without) {
        make(at);
        return;
      }
      const own = at.map(address => this.#f.let(address));
      this.#f.for(0, sizes[d]!, 1, () => {
        enter(d + 1, own);
        for (const [k, address] of own.entries()) this.#advance(address, strides[k]![d] ?? 0);
      });
    };
    enter(0, addresses);
  }

  /**
   * Totals of `count` vectors. `walk` is given the operands' rows at each reduced index and calls `visit` with each
   * term, all lanes of which count for themselves, or, where the total is one number, `horizontal` with the number of a
   * chain and a term whose lanes are part of it.
   */
  #reduce(count: number, row: Operand | null, walk: Walk): readonly Local[] {
    const { op } = this.#spec;
    if (product(this.#spec.reduced) === 0) return this.#constants(count, op === "sum" ? 0 : -Infinity);
    if (op === "sum") return this.#pass(count, row, walk, 0, (total, term) => add(total, term));
    const largest = this.#pass(count, row, walk, -Infinity, (total, term) => binary("max", total, term));
    if (op === "max") return largest;
    const shifted: Walk = (addresses, visit, horizontal) => {
      const exponential = (v: number, term: Expr): Expr => math.exp(this.#f, sub(term, largest[v]!));
      walk(
        addresses,
        (v, term) => visit(v, exponential(v, term)),
        // Along a row there is one total.
        (chain, term) => horizontal(chain, exponential(0, term)),
      );
    };
    const sums = this.#pass(count, row, shifted, 0, (total, term) => add(total, term));
    return sums.map((sum, v) => {
      const top = largest[v]!;
      // Where the largest value is infinite or NaN it is the answer: the differences are NaN.
      const bounded = compare("lt", unary("abs", top), splat(f32(Number.POSITIVE_INFINITY)));
      return this.#f.let(select(bounded, add(top, math.log(this.#f, sum)), top));
    });
  }

  #constants(count: number, value: number): Local[] {
    return Array.from({ length: count }, () => this.#f.let(splat(f32(value))));
  }

  #pass(count: number, row: Operand | null, walk: Walk, start: number, combine: Combine): readonly Local[] {
    const { lanes } = this.#spec;
    const totals = this.#constants(count, start);
    const wide = this.#constants(count === 1 ? chains : 0, start);
    let isWide = false;
    const into = (locals: readonly Local[]) => (v: number, term: Expr) =>
      this.#f.set(locals[v]!, combine(locals[v]!, term));
    this.#indices(row, addresses => {
      walk(addresses, into(totals), (v, term) => {
        isWide = true;
        into(wide)(v, term);
      });
    });
    if (!isWide) return totals;
    const sum = this.#f.let(wide.map(expr).reduce((one, other) => combine(one, other)));
    let all = expr(totals[0]!);
    for (let l = 0; l < lanes; l++) all = combine(all, splat(lane(sum, l)));
    return [this.#f.let(all)];
  }

  #indices(row: Operand | null, make: (addresses: Addresses) => void): void {
    const { operands } = this.#spec;
    walkIndices(this.#kernel, this.#spec, row, (example, position) => {
      make(operands.map(({ reference }) => this.#kernel.rows(reference, example, position).address));
    });
  }
}

interface Place {
  /** Bytes to add to each operand's row. */
  readonly offsets: readonly Local[];
  readonly target: Local;
}

type Visit = (v: number, term: Expr) => void;
type Walk = (addresses: Addresses, visit: Visit, horizontal: Visit) => void;
type Combine = (total: Operand, term: Expr) => Expr;
