// Where values lie on the device, decided before the batch and the lengths are known. A *cell* is what one draw computes
// again and again: a matrix, or one for each slot of a ring. Its rows are [axes.., batch, outer features], its columns the
// last feature dimension, rounded up to whole texels of four. Several values that one draw computes stand side by side in
// the columns of one cell.

import type { AxisId, Graph, Node, NodeId, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { constantFill } from "../plan/fusion.ts";
import { denseStrides, type Features, product } from "../plan/layout.ts";
import { keepingOf } from "../plan/lifetimes.ts";
import type { FusedItem, Item, Plan } from "../plan/plan.ts";
import { viewOf } from "../plan/views.ts";
import { inlineReductions } from "./inline.ts";
import { Picks } from "./picks.ts";
import { matricesOf } from "./split.ts";

/** Slots along an axis of a loop: the last so many positions are kept. */
export interface Ring {
  readonly axis: AxisId;
  readonly slots: number;
}

/** Rows of a matrix. */
export interface RowShape {
  /** Outermost first. */
  readonly axes: readonly AxisId[];
  readonly batched: boolean;
  /** Rows of features: all dimensions but the last. */
  readonly outer: number;
}

export interface Cell {
  readonly kind: "computed" | "source" | "variable" | "constant";
  /** For messages; the name of a variable. */
  readonly name: string;
  readonly rows: RowShape;
  readonly texels: number;
  readonly rings: readonly Ring[];
  /** Of `rows.axes` those of which a draw computes one position, which is copied to its place: of loops around, mostly. */
  readonly sequences: readonly AxisId[];
}

/** Where a value is read. Features are counted in numbers, from the begin of the value's own columns. */
export type Reference =
  | { readonly kind: "fill"; readonly value: number; readonly shape: readonly number[] }
  | {
      readonly kind: "stored";
      readonly cell: Cell;
      /** Texels before the value's own in its cell. */
      readonly column: number;
      /** Numbers in a row of the value's own. */
      readonly width: number;
      readonly features: Features;
    }
  /** At index i of the axis, `value` at i - offset, or `initial` where that is outside. */
  | {
      readonly kind: "delay";
      readonly axis: AxisId;
      readonly offset: number;
      /** Whether an example's own length is the end. */
      readonly perExample: boolean;
      readonly value: Reference;
      readonly initial: Reference;
    }
  /** `value` at one position of the axis. */
  | { readonly kind: "position"; readonly axis: AxisId; readonly at: number; readonly value: Reference }
  /** `value` at all positions of the axis, one after the other: number n is number n % each at position n / each. */
  | {
      readonly kind: "positions";
      readonly axis: AxisId;
      readonly value: Reference;
      /** Of the value, at one position. */
      readonly shape: readonly number[];
      readonly features: Features;
    };

export const texelsIn = (numbers: number): number => Math.max(1, Math.ceil(numbers / 4));

/** A row's numbers; of a number without dimensions, one. */
export const lastOf = (shape: readonly number[]): number => shape.at(-1) ?? 1;
export const outerOf = (shape: readonly number[]): number => product(shape.slice(0, -1));

/** The stores of one draw, side by side, and a concatenation of some that needs no draw of its own. */
export interface Bundle {
  readonly cell: Cell;
  readonly stores: readonly NodeId[];
}

interface Spot {
  readonly cell: Cell;
  readonly column: number;
}

/** Of one draw. */
export interface CellLimits {
  readonly inputs: number;
  readonly texels: number;
}

export class Cells {
  readonly #program: Program;
  readonly graph: Graph;
  readonly #plan: Plan;
  readonly #spots = new Map<NodeId, Spot>();
  readonly #references = new Map<NodeId, Reference>();
  readonly #bundles = new Map<FusedItem, readonly Bundle[]>();
  readonly #limits: CellLimits;
  readonly #sources = new Map<NodeId, Cell>();
  readonly #loops: ReadonlyMap<NodeId, readonly Loop[]>;
  readonly #picks: Picks;
  /** Concatenations that their operands already make. */
  readonly joined = new Set<NodeId>();
  /** Reductions to a number that the only nest which reads them computes itself. */
  readonly inlined: ReadonlySet<NodeId>;

  constructor(program: Program, plan: Plan, limits: CellLimits) {
    this.#limits = limits;
    this.#program = program;
    this.graph = program.schedule.graph;
    this.#plan = plan;
    this.#picks = new Picks(program);
    this.#loops = new Map(plan.stored.map(({ node, loops }) => [node, loops]));
    this.inlined = inlineReductions(this.graph, plan.items);
    this.#walk(plan.items);
  }

  #walk(items: readonly Item[]): void {
    for (const [i, item] of items.entries()) {
      if (item.kind === "loop") this.#walk(item.body);
      else if (item.kind === "fused") this.#bundle(item, items.slice(i + 1));
      else if (!this.#spots.has(item.node) && !this.inlined.has(item.node)) this.#alone(item.node);
    }
  }

  #alone(id: NodeId): void {
    const node = this.node(id);
    const apart = node.op === "stack" && this.#isWide(node) ? [node.attrs.axis] : [];
    const cell = this.#cell([id], texelsIn(lastOf(node.type.shape)), node.label, apart);
    this.#spots.set(id, { cell, column: 0 });
  }

  /** Whether a draw cannot read all operands. */
  #isWide({ inputs }: Node): boolean {
    const read = inputs.flatMap(input => [...matricesOf(this.graph, this.#plan, input)]);
    return new Set(read).size > this.#limits.inputs;
  }

  #bundle(item: FusedItem, after: readonly Item[]): void {
    const concats = after.flatMap(next => (this.#joins(item, next) ? [next.node] : []));
    const parts = concats.flatMap(id => this.node(id).inputs);
    const each = texelsIn(lastOf(this.node(item.stores[0]!).type.shape));
    const units = [
      ...concats.map(id => ({ concat: id, stores: this.node(id).inputs })),
      ...item.stores.filter(id => !parts.includes(id)).map(id => ({ concat: null, stores: [id] })),
    ];
    const bundles = this.#pack(item, units, each).map((packed): Bundle => {
      const stores = packed.flatMap(unit => unit.stores);
      const joined = packed.flatMap(({ concat }) => (concat === null ? [] : [concat]));
      const { label } = this.node(stores[0]!);
      const cell = this.#cell([...stores, ...joined], each * stores.length, label);
      for (const [i, id] of stores.entries()) this.#spots.set(id, { cell, column: i * each });
      for (const id of joined) this.#spots.set(id, this.#spots.get(this.node(id).inputs[0]!)!);
      return { cell, stores };
    });
    this.#bundles.set(item, bundles);
  }

  /** As few draws as there can be with as many inputs and columns as a draw may have. */
  #pack<U extends { readonly stores: readonly NodeId[] }>(
    item: FusedItem,
    units: readonly U[],
    each: number,
  ): readonly (readonly U[])[] {
    const { inputs, texels } = this.#limits;
    const packed: { units: U[]; read: Set<string>; texels: number }[] = [];
    for (const unit of units) {
      const read = this.#readBy(item, unit.stores);
      const wide = each * unit.stores.length;
      const room = packed.find(
        one => one.texels + wide <= texels && new Set([...one.read, ...read]).size <= inputs,
      );
      if (room === undefined) packed.push({ units: [unit], read, texels: wide });
      else {
        room.units.push(unit);
        room.texels += wide;
        for (const key of read) room.read.add(key);
      }
    }
    return packed.map(one => one.units);
  }

  /** What some stores of a nest are computed from: one matrix each. */
  #readBy({ nodes, loads }: FusedItem, stores: readonly NodeId[]): Set<string> {
    const needed = new Set(stores);
    for (const id of nodes.toReversed()) {
      if (needed.has(id)) for (const input of this.node(id).inputs) needed.add(input);
    }
    return new Set(
      loads.flatMap(({ node }) => {
        if (!needed.has(node)) return [];
        const read = this.inlined.has(node) ? this.node(node).inputs[0]! : node;
        return [...matricesOf(this.graph, this.#plan, read)];
      }),
    );
  }

  /** Whether a concatenation is what some stores of a nest are when they stand side by side. */
  #joins(item: FusedItem, next: Item): next is Extract<Item, { kind: "kernel" }> {
    if (next.kind !== "kernel" || next.offset !== item.offset) return false;
    const node = this.node(next.node);
    if (node.op !== "concat" || node.type.shape.length !== 1 || this.joined.has(node.id)) return false;
    const { inputs } = node;
    const taken = new Set([...this.joined].flatMap(id => this.node(id).inputs));
    const joins =
      new Set(inputs).size === inputs.length &&
      inputs.every(id => item.stores.includes(id) && !taken.has(id) && this.#isWhole(id, node.type)) &&
      this.#readBy(item, inputs).size <= this.#limits.inputs;
    if (joins) this.joined.add(node.id);
    return joins;
  }

  #isWhole(id: NodeId, { axes, batched }: NodeType): boolean {
    const { type } = this.node(id);
    return type.shape[0]! % 4 === 0 && type.batched === batched && type.axes.join() === axes.join();
  }

  /**
   * The cell of some values with the same rows: kept as long as any of them has to be.
   *
   * @param apart axes of which a draw computes one position.
   */
  #cell(ids: readonly NodeId[], texels: number, name: string, apart: readonly AxisId[] = []): Cell {
    const { type } = this.node(ids[0]!);
    const stored = ids.find(id => this.#loops.has(id));
    const loops = (stored === undefined ? this.#plan.home.get(ids[0]!) : this.#loops.get(stored)) ?? [];
    const rings: Ring[] = [];
    const sequences: AxisId[] = [];
    for (const { axis } of loops) {
      if (!type.axes.includes(axis)) continue;
      const windows = ids.map(id => this.#window(id, axis));
      if (windows.includes(null)) sequences.push(axis);
      else rings.push({ axis, slots: Math.max(...windows.map(window => window!)) });
    }
    sequences.push(...apart);
    const free = type.axes.filter(axis => !apart.includes(axis) && !loops.some(loop => loop.axis === axis));
    const rows = { axes: [...sequences, ...free], batched: type.batched, outer: outerOf(type.shape) };
    return { kind: "computed", name, rows, texels, rings, sequences };
  }

  /** Positions along a loop's axis that have to be kept; null for all. */
  #window(id: NodeId, axis: AxisId): number | null {
    if (!this.#loops.has(id)) return 1;
    const keeping = keepingOf(this.#program.schedule.keeping, id, axis);
    if (keeping.kind === "sequence") return null;
    return keeping.kind === "ring" ? keeping.slots + 1 : 1;
  }

  node(id: NodeId): Node {
    const node = this.graph.nodes.get(id);
    if (node === undefined) throw new InternalError("gpu", `no node %${id}`);
    return node;
  }

  /** The draws of a nest. */
  bundles(item: FusedItem): readonly Bundle[] {
    return this.#bundles.get(item)!;
  }

  /** What a draw computes. */
  cellOf(id: NodeId): Cell {
    return this.#spots.get(id)!.cell;
  }

  /** Inputs, lengths and positions that something reads. */
  get sources(): ReadonlyMap<NodeId, Cell> {
    return this.#sources;
  }

  /** Where a node's value is read. */
  of(id: NodeId): Reference {
    const known = this.#references.get(id);
    if (known !== undefined) return known;
    const made = this.#make(this.node(id));
    this.#references.set(id, made);
    return made;
  }

  #make(node: Node): Reference {
    const fill = constantFill(this.graph, node.id);
    if (fill !== null) return { kind: "fill", value: fill, shape: node.type.shape };
    const operand = this.#plan.viewed.get(node.id);
    if (operand !== undefined) return node.op === "shift" ? this.delayed(node) : this.#view(node, operand);
    const { shape } = node.type;
    const spot = this.#spots.get(node.id) ?? { cell: this.#source(node), column: 0 };
    const features = { offset: 0, shape, dims: denseStrides(shape) };
    return { kind: "stored", ...spot, width: lastOf(shape), features };
  }

  #view(node: Node, operand: NodeId): Reference {
    const value = this.of(operand);
    const picked = this.#picks.of(node);
    if (picked === null) {
      const seen = viewed(node, value);
      if (seen === null) throw new InternalError("gpu", `%${node.id} is no view of its operand`);
      return seen;
    }
    const { shape } = node.type;
    if (value.kind === "fill") return { ...value, shape };
    const { axis, position: at } = picked;
    if (at !== null) return { kind: "position", axis, at, value };
    const features = { offset: 0, shape, dims: denseStrides(shape) };
    return { kind: "positions", axis, value, shape: this.node(operand).type.shape, features };
  }

  /** A shift as its value and its initial value, read in place. */
  delayed(node: Extract<Node, { op: "shift" }>): Reference {
    const [value, initial] = node.inputs.map(id => this.of(id));
    const { axis, offset } = node.attrs;
    const isDynamic = this.graph.axes.find(({ id }) => id === axis)?.length === null;
    const perExample = offset < 0 && node.type.batched && isDynamic;
    return { kind: "delay", axis, offset, perExample, value: value!, initial: initial! };
  }

  /** Of what no draw computes. */
  #source(node: Node): Cell {
    const known = this.#sources.get(node.id);
    if (known !== undefined) return known;
    const { axes, batched, shape } = node.type;
    const variable = node.op === "parameter" || node.op === "state";
    const made: Cell = {
      kind: variable ? "variable" : node.op === "constant" ? "constant" : "source",
      name: variable ? node.attrs.name : node.label,
      rows: { axes, batched, outer: outerOf(shape) },
      texels: texelsIn(lastOf(shape)),
      rings: [],
      sequences: [],
    };
    this.#sources.set(node.id, made);
    return made;
  }
}

/** A view of what a reference shows, or null where it is none; views go through delays to both sides. */
export function viewed(node: Node, base: Reference): Reference | null {
  switch (base.kind) {
    case "fill":
      return { ...base, shape: node.type.shape };
    case "delay": {
      const [value, initial] = [viewed(node, base.value), viewed(node, base.initial)];
      return value === null || initial === null ? null : { ...base, value, initial };
    }
    case "position": {
      const value = viewed(node, base.value);
      return value === null ? null : { ...base, value };
    }
    default: {
      const features = viewOf(node, base.features);
      return features === null ? null : { ...base, features };
    }
  }
}
