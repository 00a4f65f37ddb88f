// Contractions as draws. The usual ones are products, four numbers of a row at a time: each round reads four terms of the
// left operand and, of the right, four rows of four columns (or four columns of four terms where it lies transposed), so
// that five reads make sixteen products. Sums of outer products over examples and axes read two texels for four.
// Everything else is a loop over single numbers.

import type { NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import { isAligned } from "./aligned.ts";
import type { Cell, Cells, Reference } from "./cells.ts";
import { type Emitter, type Env, typeOf, type Width } from "./emit.ts";
import { runningSum } from "./reduce.ts";
import { type Place, reduceOver, writeElements, writeFours, writeTexels } from "./rows.ts";

interface Side {
  readonly reference: Reference;
  readonly type: NodeType;
  readonly labels: readonly number[];
}

export function writeContract(
  emitter: Emitter,
  cells: Cells,
  cell: Cell,
  node: NodeOf<"contract">,
  accumulate: boolean,
): void {
  const contraction = new Contraction(emitter, cells, cell, node, accumulate);
  const { shape } = node.type;
  const kind = contraction.kind();
  if (kind === "numbers") writeElements(emitter, cell, shape, (env, out) => contraction.numbers(env, out));
  // What is copied to its place has single rows.
  else if (emitter.may.fours && cell.sequences.length === 0 && contraction.mayTakeFours(kind)) {
    writeFours(emitter, cell, shape, places => contraction.fours(kind, places));
  } else writeTexels(emitter, cell, shape, (env, features) => contraction.texel(kind, { env, features }));
}

/** How the last label of the result, n, and one that is summed, k, lie in the operands. */
type Kind =
  /** k last in one, n last in the other. */
  | "straight"
  /** k last in both; n anywhere in the other. */
  | "transposed"
  /** n last in one, not in the other: any sum. */
  | "outer"
  | "numbers";

/** An element of the result at an index of what is summed: its labels' indices. */
interface Inner {
  readonly env: Env;
  readonly at: ReadonlyMap<number, string>;
}

const lanes = ["x", "y", "z", "w"] as const;

class Contraction {
  readonly #emitter: Emitter;
  readonly #cells: Cells;
  readonly #cell: Cell;
  readonly #node: NodeOf<"contract">;
  readonly #accumulate: boolean;
  /** The second has the result's last label. */
  readonly #sides: readonly [Side, Side];
  readonly #n: number | undefined;
  readonly #summed: readonly number[];
  /** The summed label that is walked by fours. */
  readonly #k: number | undefined;

  constructor(emitter: Emitter, cells: Cells, cell: Cell, node: NodeOf<"contract">, accumulate: boolean) {
    this.#emitter = emitter;
    this.#cells = cells;
    this.#cell = cell;
    this.#node = node;
    this.#accumulate = accumulate;
    const { left, right, out } = node.attrs;
    const [a, b] = node.inputs.map((id, k) => ({
      reference: cells.of(id),
      type: cells.node(id).type,
      labels: k === 0 ? left : right,
    })) as [Side, Side];
    this.#n = out.at(-1);
    this.#sides = this.#n !== undefined && !b.labels.includes(this.#n) ? [b, a] : [a, b];
    this.#summed = [...new Set([...left, ...right])].filter(label => !out.includes(label));
    const last = this.#sides[0].labels.at(-1);
    this.#k = last !== undefined && this.#summed.includes(last) ? last : undefined;
  }

  kind(): Kind {
    const [a, b] = this.#sides;
    const n = this.#n;
    if (n === undefined || a.labels.includes(n) || this.#hasTwice() || this.#sizeOf(n) === 1)
      return "numbers";
    const fits = (side: Side, label: number) => side.labels.at(-1) === label && isAligned(side.reference);
    const k = this.#k;
    if (k !== undefined && this.#sizeOf(k) > 1 && b.labels.includes(k) && fits(a, k)) {
      if (fits(b, n)) return "straight";
      if (fits(b, k)) return "transposed";
    }
    return fits(b, n) ? "outer" : "numbers";
  }

  #hasTwice(): boolean {
    return this.#sides.some(({ labels }) => new Set(labels).size < labels.length);
  }

  #sizeOf(label: number): number {
    for (const { labels, type } of this.#sides) {
      if (labels.includes(label)) return type.shape[labels.indexOf(label)]!;
    }
    return 1;
  }

  /** Whether four rows of the result share what is read of the second operand, or of the first. */
  mayTakeFours(kind: Exclude<Kind, "numbers">): boolean {
    const [a, b] = this.#sides;
    const { axes, batch } = this.#node.attrs;
    if (kind !== "outer") {
      const isMatrix = !b.type.batched && b.type.axes.length === 0 && this.#rowsOf(b) === 0;
      return isMatrix && axes.length === 0 && !batch;
    }
    const [m] = this.#node.attrs.out;
    const { type } = this.#node;
    return (
      type.shape.length === 2 &&
      !type.batched &&
      type.axes.length === 0 &&
      a.labels.at(-1) === m &&
      isAligned(a.reference)
    );
  }

  /** How many labels of the result but the last an operand has. */
  #rowsOf({ labels }: Side): number {
    return this.#node.attrs.out.slice(0, -1).filter(label => labels.includes(label)).length;
  }

  texel(kind: Exclude<Kind, "numbers">, place: Place): string {
    return this.#texels(kind, [place])[0]!;
  }

  /** A texel of each of four rows. */
  fours(kind: Exclude<Kind, "numbers">, places: readonly Place[]): readonly string[] {
    return kind === "outer" ? this.#outerFours(places) : this.#texels(kind, places);
  }

  #texels(kind: Exclude<Kind, "numbers">, places: readonly Place[]): readonly string[] {
    const f = this.#emitter;
    const totals = places.map(({ env, features }) => f.variable("vec4f", this.#start(env, features, 4)));
    const k = kind === "outer" ? undefined : this.#k;
    const labels = this.#summed.filter(label => label !== k);
    this.#reduce(labels, places, inner => {
      if (kind !== "outer") this.#rounds(kind, totals, inner);
      else {
        for (const [i, { env, at }] of inner.entries()) {
          const x = this.#load(0, env, at, 1);
          f.line(`${totals[i]} = ${totals[i]} + ${f.splat(x, 4)} * ${this.#load(1, env, at, 4)};`);
        }
      }
    });
    return totals;
  }

  /** Four rows of a sum of outer products are four neighbours in the first operand. */
  #outerFours(places: readonly Place[]): readonly string[] {
    const f = this.#emitter;
    const totals = places.map(({ env, features }) => f.variable("vec4f", this.#start(env, features, 4)));
    this.#reduce(this.#summed, places.slice(0, 1), ([first]) => {
      const { env, at } = first!;
      const x = f.let("vec4f", this.#load(0, env, at, 4), "x");
      const y = this.#load(1, env, at, 4);
      for (const [i, lane] of lanes.entries()) f.line(`${totals[i]} = ${totals[i]} + ${x}.${lane} * ${y};`);
    });
    return totals;
  }

  /** Adds the products along k, four at a time; the last round may have fewer. */
  #rounds(kind: "straight" | "transposed", totals: readonly string[], places: readonly Inner[]): void {
    const f = this.#emitter;
    const [k, n] = [this.#k!, this.#n!];
    const size = this.#sizeOf(k);
    const round = (first: string, terms: number): void => {
      const rows = places.map(({ env, at }) => this.#load(0, env, new Map(at).set(k, first), 4));
      const { env, at } = places[0]!;
      const some = lanes.slice(0, terms);
      if (kind === "straight") {
        const row = f.let("i32", first, "k");
        const right = some.map((_, i) => this.#load(1, env, new Map(at).set(k, `${row} + ${i}`), 4));
        for (const [r, x] of rows.entries()) {
          const products = some.map((lane, i) => `${x}.${lane} * ${right[i]}`);
          f.line(`${totals[r]} = ${[totals[r], ...products].join(" + ")};`);
        }
        return;
      }
      const right = lanes.map((_, i) =>
        this.#load(1, env, new Map(at).set(n, `${at.get(n)} + ${i}`).set(k, first), 4),
      );
      for (const [r, x] of rows.entries()) {
        const columns = right.map(y =>
          terms === 4 ? `dot(${x}, ${y})` : some.map(lane => `${x}.${lane} * ${y}.${lane}`).join(" + "),
        );
        f.line(`${totals[r]} = ${totals[r]} + vec4f(${columns.join(", ")});`);
      }
    };
    const whole = Math.floor(size / 4);
    if (whole > 0) f.loop("0", `${whole}`, i => round(`${i} * 4`, 4));
    if (size % 4 > 0) round(`${whole * 4}`, size % 4);
  }

  numbers(env: Env, out: readonly string[]): string {
    const f = this.#emitter;
    const total = f.variable("f32", this.#start(env, out, 1));
    this.#reduce(this.#summed, [{ env, features: out }], ([inner]) => {
      const { env: here, at } = inner!;
      const [x, y] = [this.#load(0, here, at, 1), this.#load(1, here, at, 1)];
      f.line(`${total} = ${total} + ${x} * ${y};`);
    });
    return total;
  }

  #start(env: Env, out: readonly string[], width: Width): string {
    if (!this.#accumulate) return this.#emitter.number(0, width);
    return runningSum(this.#emitter, this.#cells, this.#cell, this.#node.id, env, out, width);
  }

  /** Loops over what is summed, for several elements of the result at once. */
  #reduce(
    labels: readonly number[],
    places: readonly Place[],
    make: (places: readonly Inner[]) => void,
  ): void {
    const { attrs } = this.#node;
    const reducing = {
      axes: attrs.axes,
      batch: attrs.batch,
      sizes: labels.map(label => this.#sizeOf(label)),
      operands: this.#sides.map(({ type }) => type),
    };
    reduceOver(this.#emitter, places[0]!.env, reducing, (env, indices) => {
      const summed = labels.map((label, d) => [label, indices[d]!] as const);
      make(
        places.map((place, i) => {
          const given = attrs.out.map((label, d) => [label, place.features[d]!] as const);
          // Nothing but the first differs where axes or examples are summed.
          return { env: i === 0 ? env : place.env, at: new Map([...given, ...summed]) };
        }),
      );
    });
  }

  #load(side: 0 | 1, env: Env, at: ReadonlyMap<number, string>, width: Width): string {
    const { reference, labels } = this.#sides[side];
    const features = labels.map(label => at.get(label)!);
    return this.#emitter.let(typeOf(width), this.#emitter.load(reference, env, features, width));
  }
}
