// Writes the body of one draw's program: what it reads, the integers it is given, and where in its inputs a value's
// elements are, given the positions of axes, the example and the features as expressions.

import type { AxisId } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { product } from "../plan/layout.ts";
import { lastStride } from "./aligned.ts";
import type { Cell, Reference, RowShape } from "./cells.ts";
import type { Dialect, ProgramText } from "./device.ts";
import { unflattened } from "./features.ts";
import { type Input, type Integer, integerKey, sameInput } from "./inputs.ts";
import { quarter, sum, times } from "./sums.ts";

/** Where a program is: expressions for the position along each axis and for the example. */
export interface Env {
  readonly positions: ReadonlyMap<AxisId, string>;
  readonly example: string;
}

/** A value of the program. One number, or four that stand side by side along the last dimension. */
export type Width = 1 | 4;

export const typeOf = (width: Width): string => (width === 1 ? "f32" : "vec4f");

/** Lines between braces. */
interface Scope {
  readonly lines: string[];
  readonly names: Set<string>;
  readonly variables: Set<string>;
  /** Names of values. */
  readonly known: Map<string, string>;
  /** Whether what is written inside stays inside. */
  readonly fence: boolean;
}

const newScope = (fence: boolean): Scope => ({
  lines: [],
  names: new Set(),
  variables: new Set(),
  known: new Map(),
  fence,
});

/** What may be computed at once: four rows, several parts of a row. */
export interface Together {
  readonly fours: boolean;
  readonly parts: boolean;
}

export class Emitter {
  readonly dialect: Dialect;
  /** Rows that are computed at once, and parts of a row. */
  rows: 1 | 4 = 1;
  parts = 1;
  /** Whether that may be more than one. */
  readonly may: Together;
  readonly inputs: Input[] = [];
  readonly integers: Integer[] = [];
  /** Axes of the loops around. */
  readonly bound: ReadonlySet<AxisId>;
  /** Axes along which some example is shorter than the extent. */
  readonly ragged: ReadonlySet<AxisId>;
  readonly #keys = new Map<string, number>();
  readonly #functions: string[] = [];
  #scopes: Scope[] = [];
  #names = 0;

  constructor(dialect: Dialect, bound: ReadonlySet<AxisId>, ragged: ReadonlySet<AxisId>, may: Together) {
    this.may = may;
    this.dialect = dialect;
    this.bound = bound;
    this.ragged = ragged;
  }

  finish(): ProgramText {
    const body = this.#functions.join("\n");
    const { rows, parts } = this;
    return { rows, parts, inputs: this.inputs.length, integers: this.integers.length, body };
  }

  /** Writes a function; `make` writes its lines. */
  function(
    name: string,
    parameters: readonly (readonly [type: string, name: string])[],
    result: string,
    make: () => string,
  ): void {
    const outside = this.#scopes;
    const scope = newScope(true);
    for (const [, parameter] of parameters) scope.names.add(parameter);
    this.#scopes = [scope];
    const value = make();
    const lines = [this.dialect.head(name, parameters, result), ...scope.lines, `return ${value};`, "}"];
    this.#functions.push(lines.join("\n"));
    this.#scopes = outside;
  }

  line(text: string): void {
    this.#scopes.at(-1)!.lines.push(text);
  }

  name(stem: string): string {
    // `i32` and `f32` are types.
    if (this.#names === 32) this.#names++;
    return `${stem}${this.#names++}`;
  }

  /**
   * A name for a value. Plain names and numbers stay what they are; what is known already keeps its name. The value is
   * computed outside of loops where it can be, but in no condition.
   */
  let(type: string, value: string, stem = "t"): string {
    if (/^[\w.]+$/.test(value)) return value;
    const { depth, changes } = this.#placeOf(value);
    if (!changes) {
      for (const { known } of this.#scopes.slice(depth)) {
        const name = known.get(value);
        if (name !== undefined) return name;
      }
    }
    const name = this.name(stem);
    const scope = this.#scopes[depth]!;
    scope.lines.push(this.dialect.define(type, name, value));
    scope.names.add(name);
    if (!changes) scope.known.set(value, name);
    return name;
  }

  /** The scope in which a value can be computed, and whether it has a part that changes. */
  #placeOf(value: string): { readonly depth: number; readonly changes: boolean } {
    const used = new Set(value.match(/[A-Za-z_]\w*/g));
    const changes = this.#scopes.some(({ variables }) => [...variables].some(name => used.has(name)));
    if (changes) return { depth: this.#scopes.length - 1, changes };
    const needs = this.#scopes.findLastIndex(
      ({ names, fence }) => fence || [...names].some(name => used.has(name)),
    );
    return { depth: Math.max(0, needs), changes };
  }

  /** A sum of integers. What a loop does not change is added up before it: not all compilers of shaders do so. */
  sum(...terms: readonly string[]): string {
    const depths = terms.map(term => this.#placeOf(term).depth);
    const levels = [...new Set(depths)].sort((a, b) => a - b);
    return levels.reduce((total, depth, i) => {
      const here = sum(total, ...terms.filter((_, k) => depths[k] === depth));
      return i === levels.length - 1 ? here : this.let("i32", here, "r");
    }, "0");
  }

  variable(type: string, value: string, stem = "s"): string {
    const name = this.name(stem);
    this.line(this.dialect.variable(type, name, value));
    this.#scopes.at(-1)!.names.add(name);
    this.#scopes.at(-1)!.variables.add(name);
    return name;
  }

  loop(from: string, to: string, make: (i: string) => void): void {
    const end = this.let("i32", to, "n");
    const i = this.name("i");
    const scope = newScope(false);
    scope.names.add(i);
    this.#scopes.push(scope);
    make(i);
    this.#scopes.pop();
    for (const line of [this.dialect.loop(i, from, end), ...scope.lines, "}"]) this.line(line);
  }

  if(condition: string, make: () => void): void {
    const scope = newScope(true);
    this.#scopes.push(scope);
    make();
    this.#scopes.pop();
    for (const line of [`if (${condition}) {`, ...scope.lines, "}"]) this.line(line);
  }

  /** A number in all places. */
  number(value: number, width: Width): string {
    return this.splat(this.dialect.number(value), width);
  }

  splat(value: string, width: Width): string {
    return width === 1 ? value : `vec4f(${value})`;
  }

  integer(wanted: Integer): string {
    const key = integerKey(wanted);
    const known = this.#keys.get(key);
    if (known !== undefined) return `u[${known}]`;
    this.integers.push(wanted);
    this.#keys.set(key, this.integers.length - 1);
    return `u[${this.integers.length - 1}]`;
  }

  extent(axis: AxisId): string {
    return this.integer({ kind: "extent", axis });
  }

  /** The number of an input. */
  input(wanted: Input): number {
    const at = this.inputs.findIndex(other => sameInput(other, wanted));
    if (at >= 0) return at;
    this.inputs.push(wanted);
    return this.inputs.length - 1;
  }

  /** The positions of rows of that shape, of which `row` is one. */
  rowEnv(row: string, shape: RowShape): { readonly env: Env; readonly outer: string } {
    const positions = new Map<AxisId, string>();
    for (const axis of this.bound) positions.set(axis, this.integer({ kind: "position", axis }));
    let rest = row;
    const take = (size: string, last: boolean): string => {
      if (last) return rest;
      const part = this.let("i32", `${rest} % ${size}`, "p");
      rest = this.let("i32", `${rest} / ${size}`, "p");
      return part;
    };
    const free = shape.axes.filter(axis => !this.bound.has(axis));
    const count = free.length + Number(shape.batched);
    const outer = shape.outer === 1 ? "0" : take(`${shape.outer}`, count === 0);
    const example = shape.batched ? take(this.integer({ kind: "batch" }), free.length === 0) : "0";
    for (const [d, axis] of free.toReversed().entries()) {
      positions.set(axis, take(this.extent(axis), d === free.length - 1));
    }
    return { env: { positions, example }, outer };
  }

  /** An example's own length; the extent where all have it. */
  lengthOf(axis: AxisId, example: string): string {
    if (!this.ragged.has(axis)) return this.extent(axis);
    const input = this.input({ kind: "lengths", axis });
    return `i32(read${input}(${example}, 0).x)`;
  }

  /** A value's element at these features, or four from there on; see `isAligned`. */
  load(reference: Reference, env: Env, features: readonly string[], width: Width): string {
    return this.#load(reference, env, features, width, new Map());
  }

  #load(
    reference: Reference,
    env: Env,
    features: readonly string[],
    width: Width,
    back: ReadonlyMap<AxisId, number>,
  ): string {
    if (reference.kind === "fill") return this.number(reference.value, width);
    if (reference.kind === "stored") return this.#stored(reference, env, features, width, back);
    if (reference.kind !== "delay") return this.#picked(reference, env, features, width, back);
    const { axis, offset, perExample, value, initial } = reference;
    const at = env.positions.get(axis);
    if (at === undefined) throw new InternalError("gpu", `no position along ${axis}`);
    const source = this.let("i32", `${at} - ${offset}`.replace("- -", "+ "), "p");
    const end = perExample ? this.lengthOf(axis, env.example) : this.extent(axis);
    const moved = new Map(env.positions).set(axis, source);
    const further = this.bound.has(axis) ? new Map(back).set(axis, (back.get(axis) ?? 0) + offset) : back;
    const here = this.#load(value, { ...env, positions: moved }, features, width, further);
    const outside = this.#load(initial, env, features, width, back);
    const inside = this.let("bool", `${source} >= 0 && ${source} < ${end}`, "b");
    return this.let(typeOf(width), `select${width}(${outside}, ${here}, ${inside})`);
  }

  #picked(
    picked: Extract<Reference, { kind: "position" | "positions" }>,
    env: Env,
    features: readonly string[],
    width: Width,
    back: ReadonlyMap<AxisId, number>,
  ): string {
    const { axis, value } = picked;
    const at = (position: string): Env => ({ ...env, positions: new Map(env.positions).set(axis, position) });
    if (picked.kind === "position") return this.#load(value, at(`${picked.at}`), features, width, back);
    const each = product(picked.shape);
    const flat = this.let("i32", this.#place(0, 1, picked.features, features).at, "c");
    const inner = unflattened(this, picked.shape, this.let("i32", `${flat} % ${each}`, "c"));
    // The same number for all four is one number.
    const own = lastStride(picked.features) === 0 ? 1 : width;
    const found = this.#load(value, at(this.let("i32", `${flat} / ${each}`, "p")), inner, own, back);
    return own === width ? found : this.splat(found, width);
  }

  #stored(
    {
      cell,
      column,
      width: numbers,
      features: { offset, shape, dims },
    }: Extract<Reference, { kind: "stored" }>,
    env: Env,
    features: readonly string[],
    width: Width,
    back: ReadonlyMap<AxisId, number>,
  ): string {
    const input = this.input({ kind: "cell", cell, back: ofCell(cell, back) });
    const { outer, at } = this.#place(numbers, cell.rows.outer, { offset, shape, dims }, features);
    const row = this.#row(cell.rows, env, outer, input);
    const start = [this.integer({ kind: "column", input }), `${column}`];
    if (width === 4 && lastStride({ offset, shape, dims }) === 1) {
      const texel = this.let("i32", this.sum(...start, ...quarter(at)), "c");
      return this.let("vec4f", `read${input}(${row}, ${texel})`);
    }
    const place = this.let("i32", at, "c");
    const texel = /^\d+$/.test(place) ? `${Math.floor(Number(place) / 4)}` : `${place} / 4`;
    const lane = /^\d+$/.test(place) ? `${Number(place) % 4}` : `${place} % 4`;
    const number = `part(read${input}(${row}, ${this.sum(...start, texel)}), ${lane})`;
    return this.splat(this.let("f32", number), width);
  }

  /** The row and number in it of an element, in what is stored as `outer` rows of `numbers` numbers. */
  #place(
    numbers: number,
    outer: number,
    { offset, shape, dims }: { offset: number; shape: readonly number[]; dims: readonly number[] },
    features: readonly string[],
  ): { readonly outer: string; readonly at: string } {
    const terms = dims.flatMap((stride, d) =>
      stride === 0 || shape[d] === 1 ? [] : [{ stride, index: features[d]!, most: (shape[d]! - 1) * stride }],
    );
    const text = (list: typeof terms, by: number, start: number): string =>
      sum(
        ...(start === 0 ? [] : [`${start}`]),
        ...list.map(({ stride, index }) => times(index, stride / by)),
      ) || "0";
    if (outer === 1) return { outer: "0", at: text(terms, 1, offset) };
    const across = terms.filter(({ stride }) => stride % numbers === 0);
    const along = terms.filter(({ stride }) => stride % numbers !== 0);
    const most = along.reduce((total, term) => total + term.most, offset % numbers);
    if (most < numbers) {
      const row = text(across, numbers, Math.floor(offset / numbers));
      return { outer: row, at: text(along, 1, offset % numbers) };
    }
    const flat = this.let("i32", text(terms, 1, offset), "c");
    return {
      outer: this.let("i32", `${flat} / ${numbers}`, "c"),
      at: this.let("i32", `${flat} % ${numbers}`, "c"),
    };
  }

  #row({ axes, batched, outer }: RowShape, env: Env, feature: string, input: number): string {
    let row: readonly string[] = [];
    const next = (size: string, index: string): void => {
      const before = this.sum(...row);
      row = row.length === 0 ? [index] : [this.let("i32", `(${before}) * ${size}`, "r"), index];
    };
    for (const axis of axes) {
      // What loops around are at is in the first row.
      if (this.bound.has(axis)) {
        if (row.length > 0) next(this.extent(axis), "0");
        continue;
      }
      const position = env.positions.get(axis);
      if (position === undefined) throw new InternalError("gpu", `no position along ${axis}`);
      next(this.extent(axis), position);
    }
    if (batched) next(this.integer({ kind: "batch" }), env.example);
    if (outer > 1) next(`${outer}`, feature);
    const base = this.integer({ kind: "row", input });
    return this.let("i32", this.sum(base, ...row), "r");
  }
}

const ofCell = (cell: Cell, back: ReadonlyMap<AxisId, number>): ReadonlyMap<AxisId, number> =>
  new Map(
    [...back].filter(
      ([axis, offset]) =>
        offset !== 0 && (cell.rows.axes.includes(axis) || cell.rings.some(ring => ring.axis === axis)),
    ),
  );
