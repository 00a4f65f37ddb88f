// Loop nests of elementwise code: for each row, over its features, whole vectors at a time. Values between the
// operations stay in registers; everything is loaded, computed, then stored.

import { collapse, type Nest } from "../plan/layout.ts";
import { add, type FunctionBuilder, load, loadSplat, mul, type Operand, sub } from "./builder.ts";
import type { Expr, Local } from "./code.ts";
import { vectorOf } from "./expressions.ts";
import type { Kernel, Rows } from "./kernel.ts";
import type { Reference } from "./places.ts";

/** An operand and its stride (in numbers) along each dimension of the nest. */
export interface NestOperand {
  readonly reference: Reference;
  readonly dims: readonly number[];
}

export interface NestSpec {
  readonly shape: readonly number[];
  /** Whether there is a row for each example; else one. */
  readonly batched: boolean;
  /** `from` and `to` of the kernel count vectors of the only row, not examples. */
  readonly parted?: boolean;
  readonly loads: readonly NestOperand[];
  readonly stores: readonly NestOperand[];
  /** From the loaded vectors to those to be stored. */
  readonly body: (f: FunctionBuilder, loaded: readonly Expr[]) => readonly Expr[];
  readonly lanes: number;
}

/** Whether a nest of one row may be shared out by its vectors: all operands go on by 1 or stay, stores fill whole rows. */
export function isOneLine({ shape, loads, stores }: Pick<NestSpec, "shape" | "loads" | "stores">): boolean {
  const { sizes, strides } = collapse({
    sizes: shape,
    strides: [...loads, ...stores].map(({ dims }) => dims),
  });
  return (
    sizes.length === 1 &&
    strides.every(([stride]) => stride === 0 || stride === 1) &&
    stores.every(({ reference }) => reference.whole)
  );
}

export function emitNest(kernel: Kernel, spec: NestSpec): void {
  const operands = [...spec.loads, ...spec.stores];
  const nest = collapse({ sizes: spec.shape, strides: operands.map(({ dims }) => dims) });
  if (spec.shape.includes(0)) return;
  const rows = operands.map(({ reference }) => kernel.rows(reference));
  const emitter = new NestEmitter(kernel, spec, nest);
  if (spec.parted) emitter.part(rows);
  else if (nest.sizes.length === 0) emitter.numbers(rows);
  else emitter.features(rows);
}

class NestEmitter {
  readonly #kernel: Kernel;
  readonly #f: FunctionBuilder;
  readonly #spec: NestSpec;
  readonly #nest: Nest;

  constructor(kernel: Kernel, spec: NestSpec, nest: Nest) {
    this.#kernel = kernel;
    this.#f = kernel.f;
    this.#spec = spec;
    this.#nest = nest;
  }

  get #count(): Expr {
    return sub(this.#kernel.to, this.#kernel.from);
  }

  /** Rows of one number each: vectors along the batch where rows lie densely. */
  numbers(rows: readonly Rows[]): void {
    const { batched, lanes } = this.#spec;
    const addresses = rows.map(({ address }) => address);
    const dense = batched && rows.every(({ step }) => step === 0 || step === 4);
    if (!dense) {
      this.#rows(rows, at => this.#single(at));
      return;
    }
    const inner = rows.map(({ step }) => (step === 4 ? 1 : 0));
    const count = this.#f.let(this.#count);
    const hoisted = this.#hoist(addresses, inner);
    const main = this.#f.let(mul(count, 4));
    const whole = this.#f.let(sub(main, 4 * (lanes - 1)));
    const offset = this.#f.let(0);
    this.#f.for(0, whole, 4 * lanes, i => {
      this.#vector(addresses, inner, hoisted, i, null);
      this.#f.set(offset, add(i, 4 * lanes));
    });
    this.#f.for(offset, main, 4, i => this.#vector(addresses, inner, hoisted, i, 1));
  }

  /** Vectors of one long row. */
  part(rows: readonly Rows[]): void {
    const bytes = 4 * this.#spec.lanes;
    const addresses = rows.map(({ address }) => address);
    const inner = this.#nest.strides.map(operand => operand.at(-1) ?? 0);
    const hoisted = this.#hoist(addresses, inner);
    const [from, to] = [mul(this.#kernel.from, bytes), mul(this.#kernel.to, bytes)];
    this.#f.for(from, to, bytes, i => this.#vector(addresses, inner, hoisted, i, null));
  }

  features(rows: readonly Rows[]): void {
    const { sizes, strides } = this.#nest;
    const inner = strides.map(operand => operand.at(-1) ?? 0);
    if (inner.some(stride => stride !== 0 && stride !== 1)) {
      this.#rows(rows, at => this.#dimensions(at, sizes.length, all => this.#single(all)));
      return;
    }
    const bytes = this.#denseRows(rows);
    if (bytes !== null) {
      const addresses = rows.map(({ address }) => address);
      const step = 4 * this.#spec.lanes;
      const total = mul(this.#count, bytes);
      this.#f.for(0, total, step, i => this.#vector(addresses, inner, new Map(), i, null));
      return;
    }
    this.#rows(rows, at =>
      this.#dimensions(at, sizes.length - 1, all => this.#line(all, inner, sizes.at(-1)!)),
    );
  }

  /** The bytes of a row where all operands' rows follow each other alike, so that they are one long line. */
  #denseRows(rows: readonly Rows[]): number | null {
    const { sizes, strides } = this.#nest;
    if (!this.#spec.batched || sizes.length !== 1 || strides.some(operand => operand[0] !== 1)) return null;
    const { lanes } = this.#spec;
    const bytes = 4 * Math.ceil(sizes[0]! / lanes) * lanes;
    return rows.every(({ step }) => step === bytes) ? bytes : null;
  }

  #rows(rows: readonly Rows[], make: (addresses: readonly Local[]) => void): void {
    const addresses = rows.map(({ address }) => address);
    if (!this.#spec.batched) {
      make(addresses);
      return;
    }
    this.#f.for(this.#kernel.from, this.#kernel.to, 1, () => {
      make(addresses);
      for (const { address, step } of rows) if (step !== 0) this.#f.set(address, add(address, step));
    });
  }

  /** Loops over the first `depth` dimensions. */
  #dimensions(addresses: readonly Local[], depth: number, make: (addresses: readonly Local[]) => void): void {
    const { sizes, strides } = this.#nest;
    const enter = (d: number, at: readonly Local[]): void => {
      if (d === depth) {
        make(at);
        return;
      }
      const own = at.map(address => this.#f.let(address));
      this.#f.for(0, sizes[d]!, 1, () => {
        enter(d + 1, own);
        for (const [k, address] of own.entries()) {
          const stride = 4 * (strides[k]![d] ?? 0);
          if (stride !== 0) this.#f.set(address, add(address, stride));
        }
      });
    };
    enter(0, addresses);
  }

  /** A row of `size` numbers, operands going on by 1 or staying. */
  #line(addresses: readonly Local[], inner: readonly number[], size: number): void {
    const { lanes, loads, stores } = this.#spec;
    const mayRound = this.#nest.sizes.length === 1 && stores.every(({ reference }) => reference.whole);
    const rest = mayRound ? 0 : size % lanes;
    const vectors = mayRound ? Math.ceil(size / lanes) : Math.floor(size / lanes);
    const hoisted = this.#hoist(addresses.slice(0, loads.length), inner);
    const vector = (at: Operand, count: number | null): void =>
      this.#vector(addresses, inner, hoisted, at, count);
    if (vectors === 1) vector(0, null);
    else if (vectors > 1) this.#f.for(0, 4 * lanes * vectors, 4 * lanes, i => vector(i, null));
    if (rest > 0) vector(4 * lanes * vectors, rest);
  }

  /** Operands that stay, loaded once. */
  #hoist(addresses: readonly Local[], inner: readonly number[]): Map<number, Local> {
    const hoisted = new Map<number, Local>();
    for (const [k, { reference }] of this.#spec.loads.entries()) {
      if (inner[k] === 0) hoisted.set(k, this.#f.let(loadSplat(vectorOf(reference.dtype), addresses[k]!)));
    }
    return hoisted;
  }

  /** One vector, `at` bytes on; only its first `count` numbers are stored. */
  #vector(
    addresses: readonly Local[],
    inner: readonly number[],
    hoisted: ReadonlyMap<number, Local>,
    at: Operand,
    count: number | null,
  ): void {
    const { loads, stores } = this.#spec;
    const loaded = loads.map(({ reference }, k): Expr => {
      const known = hoisted.get(k);
      if (known !== undefined) return { kind: "local", type: known.type, local: known };
      const local = this.#f.let(load(vectorOf(reference.dtype), add(addresses[k]!, at)));
      return { kind: "local", type: local.type, local };
    });
    const results = this.#spec.body(this.#f, loaded).map(value => this.#f.let(value));
    for (const k of stores.keys()) {
      const stays = inner[loads.length + k] === 0;
      const address = stays ? addresses[loads.length + k]! : add(addresses[loads.length + k]!, at);
      if (count === null && !stays) this.#f.store(address, results[k]!);
      else for (let l = 0; l < (count ?? 1); l++) this.#f.storeLane(address, results[k]!, l, 4 * l);
    }
  }

  /** One number of each operand. */
  #single(addresses: readonly Local[]): void {
    const hoisted = this.#hoist(
      addresses,
      addresses.map(() => 0),
    );
    this.#vector(
      addresses,
      addresses.map(() => 1),
      hoisted,
      0,
      1,
    );
  }
}
