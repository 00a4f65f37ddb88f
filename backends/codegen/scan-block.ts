// The inner loop of a scan (scan-kernel.ts): some vectors on their way through time, side by side, what they carry in
// locals.

import type { NodeId } from "../../compiler/graph/graph.ts";
import { add, expr, type FunctionBuilder, lane, load, loadSplat, mul, type Operand, sub } from "./builder.ts";
import type { Expr, Local } from "./code.ts";
import { filled, vectorOf } from "./expressions.ts";
import type { Rows } from "./kernel.ts";
import { computeMembers } from "./members.ts";
import type { Scan, ScanOperand, ScanSource, ScanSum } from "./scan.ts";
import type { Cursor, Span, Track, Tracks } from "./tracks.ts";

/** Addresses that hold for one row, and where the following rows lie. */
export interface Row {
  readonly span: Span;
  readonly operands: readonly Track[];
  readonly stores: readonly Track[];
  /** Where each carried value is at the begin, and where it is left at the end. */
  readonly carried: readonly { readonly from: Rows; readonly to: Rows | null }[];
  readonly sums: readonly Rows[];
}

/** Neighbouring vectors of the features of a row, or all of those of some rows. */
export interface Block {
  /** Indices of all dimensions but the last. */
  readonly indices: readonly Local[];
  /** Bytes along the last dimension. */
  readonly at: Operand;
  /** Of each row. */
  readonly vectors: number;
  /** Numbers in the last vector. */
  readonly rest: number;
  /** Whether it is the row's first: a condition where that is not known. */
  readonly first: Operand;
}

/** A vector of the block. */
interface Place {
  /** Of how many-th row. */
  readonly row: number;
  readonly v: number;
  /** How many-th of all. */
  readonly number: number;
}

/** A place for an operand's vectors. */
type Address = (row: number) => Operand;

/** Whether vectors go along the last dimension. */
const isEven = (strides: readonly number[]): boolean => strides.at(-1) === 1;

export class ScanBlock {
  readonly #f: FunctionBuilder;
  readonly #scan: Scan;
  readonly #lanes: number;
  readonly #row: Row;
  readonly #block: Block;
  readonly #places: readonly Place[];

  constructor(f: FunctionBuilder, scan: Scan, lanes: number, row: Row, block: Block) {
    this.#f = f;
    this.#scan = scan;
    this.#lanes = lanes;
    this.#row = row;
    this.#block = block;
    const { vectors } = block;
    this.#places = Array.from({ length: row.span.rows * vectors }, (_, number) => ({
      number,
      row: Math.floor(number / vectors),
      v: number % vectors,
    }));
  }

  emit(tracks: Tracks): void {
    const f = this.#f;
    const { operands, stores, carried, sums, loop } = this.#scan;
    const { begin, count } = this.#row.span;
    const cursors = (list: readonly ScanOperand[], own: readonly Track[]): readonly Cursor[] =>
      own.map((track, k) => tracks.cursor(track, this.#offset(list[k]!)));
    const reads = cursors(operands, this.#row.operands);
    const writes = cursors(stores, this.#row.stores);
    const fixed = reads.map((cursor, k) => (cursor.stays ? this.#fixed(operands[k]!, cursor) : null));
    const states = new Map(
      carried.map((one, k) => [one.shift, this.#started(one, this.#row.carried[k]!.from)] as const),
    );
    const totals = sums.map(() => this.#places.map(() => f.let(filled(0, "real"))));
    f.for(0, count, 1, i => {
      const t = f.let(loop.direction === "forward" ? add(begin, i) : sub(begin, i));
      const at = (cursor: Cursor): Address => remembered(row => f.let(cursor.address(t, row)));
      const loaders = reads.map((cursor, k) => {
        const known = fixed[k] ?? null;
        return known === null ? this.#loader(operands[k]!, at(cursor)) : (p: Place) => known[p.number]!;
      });
      const targets = writes.map(at);
      for (const place of this.#places) {
        const find = this.#step(place, loaders, states);
        for (const [k, one] of stores.entries()) {
          this.#store(one, targets[k]!, find(one.source), place);
        }
        for (const [k, { sources }] of sums.entries()) {
          const total = totals[k]![place.number]!;
          f.set(
            total,
            add(
              total,
              sources.map(find).reduce((a, b) => mul(a, b)),
            ),
          );
        }
        for (const { shift, value } of carried) {
          f.set(states.get(shift)![place.number]!, find({ kind: "value", node: value }));
        }
      }
      for (const cursor of [...reads, ...writes]) cursor.advance();
    });
    for (const [k, { kept, strides, shift }] of carried.entries()) {
      const { to } = this.#row.carried[k]!;
      if (kept === null || to === null) continue;
      const target = this.#from({ reference: kept, strides }, to);
      for (const place of this.#places) {
        this.#store({ reference: kept, strides }, target, states.get(shift)![place.number]!, place);
      }
    }
    for (const [k, sum] of sums.entries()) this.#addTo(sum, this.#from(sum, this.#row.sums[k]!), totals[k]!);
  }

  /** Bytes from a row's begin to the block of an operand. */
  #offset({ strides }: ScanOperand): Operand {
    const { indices, at } = this.#block;
    return indices.reduce<Operand>(
      (sum, index, d) => add(sum, mul(index, 4 * strides[d]!)),
      isEven(strides) ? at : 0,
    );
  }

  #from(operand: ScanOperand, { address, step }: Rows): Address {
    const first = this.#f.let(add(address, this.#offset(operand)));
    return row => add(first, mul(step, row));
  }

  /** The vectors of an operand that is the same at all steps. */
  #fixed(operand: ScanOperand, cursor: Cursor): readonly Local[] {
    return this.#places.map(this.#loader(operand, row => cursor.address(0, row)));
  }

  #started(one: ScanOperand, from: Rows): readonly Local[] {
    const read = this.#loader(one, this.#from(one, from));
    return this.#places.map(place => this.#f.let(read(place)));
  }

  /** Gives an operand's vectors. One number for all is read once a row. */
  #loader({ reference, strides }: ScanOperand, address: Address): (place: Place) => Local {
    const f = this.#f;
    const type = vectorOf(reference.dtype);
    if (isEven(strides)) return ({ row, v }) => f.let(load(type, address(row), 4 * this.#lanes * v));
    const all = remembered(row => f.let(loadSplat(type, address(row))));
    return ({ row }) => all(row);
  }

  /** All members at one step. */
  #step(
    place: Place,
    loaders: readonly ((place: Place) => Local)[],
    states: ReadonlyMap<NodeId, readonly Local[]>,
  ): (source: ScanSource) => Expr {
    const loaded = remembered(index => loaders[index]!(place));
    const values = new Map<NodeId, Expr>();
    const find = (source: ScanSource): Expr => {
      if (source.kind === "value") return values.get(source.node)!;
      if (source.kind === "carried") return expr(states.get(source.shift)![place.number]!);
      return expr(loaded(source.index));
    };
    for (const { item, sources } of this.#scan.items) {
      const made = computeMembers(this.#f, this.#scan.graph, item, sources.map(find));
      for (const [id, value] of made) values.set(id, value);
    }
    return find;
  }

  /** Numbers of a vector that are real; behind the last there is rounding, or another value. */
  #count({ v }: Place): number {
    return v === this.#block.vectors - 1 ? this.#block.rest : this.#lanes;
  }

  /** Writes a vector; whole, even where it ends in the rounding of the row, if that is the value's own. */
  #store({ reference, strides }: ScanOperand, address: Address, value: Operand, place: Place): void {
    const { row, v } = place;
    const at = 4 * this.#lanes * v;
    const count = isEven(strides) ? this.#count(place) : 1;
    const isWhole = isEven(strides) && (count === this.#lanes || (reference.whole && strides.length === 1));
    if (isWhole) this.#f.store(address(row), value, at);
    else if (isEven(strides) || v === 0) {
      for (let l = 0; l < count; l++) this.#f.storeLane(address(row), value, l, at + 4 * l);
    }
  }

  /** Adds what the block has summed up to the running sum. */
  #addTo({ over }: ScanSum, address: Address, totals: readonly Local[]): void {
    const f = this.#f;
    const { first } = this.#block;
    const increase = (at: Operand, by: Operand, offset: number): void =>
      f.store(at, add(load(expr(by).type, at, offset), by), offset);
    for (const place of this.#places) {
      const { row, v, number } = place;
      const total = totals[number]!;
      const at = 4 * this.#lanes * v;
      const target = f.let(address(row));
      if (over === "one") {
        if (v === 0 && first !== 0) f.if(first, () => increase(target, lane(total, 0), 0));
      } else if (over === "each" && this.#count(place) === this.#lanes) increase(target, total, at);
      else {
        for (let l = 0; l < this.#count(place); l++) {
          increase(target, lane(total, l), over === "each" ? at + 4 * l : 0);
        }
      }
    }
  }
}

/** The same function, which makes each result once. */
function remembered<T>(make: (key: number) => T): (key: number) => T {
  const known = new Map<number, T>();
  return key => {
    const found = known.get(key) ?? make(key);
    known.set(key, found);
    return found;
  };
}
