// Loops that need no function call a step: all they do is arithmetic, feature by feature, so that each feature of each
// example runs through time on its own, what it carries in a register. Here such loops are recognised, by their items
// alone; scan-kernel.ts is their code. What does not fit runs step by step (generate.ts).

import type { AxisId, Graph, Node, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { collapse, denseStrides, product } from "../plan/layout.ts";
import { type FusedItem, type KernelItem, keepingOf, type LoopItem, type Plan } from "../plan/plan.ts";
import type { Places, Reference } from "./places.ts";

/** What is read or written row by row, and its stride (in numbers) along each dimension of the scan. */
export interface ScanOperand {
  readonly reference: Reference;
  readonly strides: readonly number[];
}

/** Where an operand of a member comes from. */
export type ScanSource =
  /** Computed before it in the same step. */
  | { readonly kind: "value"; readonly node: NodeId }
  /** What the shift has carried over from the step before. */
  | { readonly kind: "carried"; readonly shift: NodeId }
  | { readonly kind: "operand"; readonly index: number };

/** A value of the step before: `reference` is the delayed value, initial value included. */
export interface Carried extends ScanOperand {
  readonly shift: NodeId;
  readonly value: NodeId;
  /** Where the last step leaves it for a later part of the scan; null where every step is kept anyway. */
  readonly kept: Reference | null;
}

/** A running sum of the product of its sources. */
export interface ScanSum extends ScanOperand {
  readonly node: NodeId;
  readonly sources: readonly ScanSource[];
  /** `each`: an element of the sum for each feature. `features`: features are summed too. `one`: it has none. */
  readonly over: "each" | "features" | "one";
}

export interface Scan {
  readonly graph: Graph;
  readonly loop: Loop;
  readonly batched: boolean;
  /** The features that all rows have, or one number: dimensions that no operand walks evenly are apart. */
  readonly sizes: readonly number[];
  readonly items: readonly { readonly item: FusedItem; readonly sources: readonly ScanSource[] }[];
  readonly operands: readonly ScanOperand[];
  readonly carried: readonly Carried[];
  readonly stores: readonly (ScanOperand & { readonly node: NodeId })[];
  readonly sums: readonly ScanSum[];
}

/** What is known of the program around the loop. */
export interface ScanContext {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly places: Places;
  readonly keeping: Parameters<typeof keepingOf>[0];
  readonly primary: AxisId | null;
  /** Axes of the loops around. */
  readonly bound: readonly AxisId[];
}

/** The loop as a scan, or null where it is none. */
export function scanOf(context: ScanContext, item: LoopItem): Scan | null {
  return new Recognition(context, item).scan();
}

type Origin = Exclude<ScanSource, { kind: "operand" }> | { readonly kind: "outside" };

class Recognition {
  readonly #context: ScanContext;
  readonly #item: LoopItem;
  readonly #members = new Set<NodeId>();
  readonly #operands = new Map<string, ScanOperand>();
  readonly #carried = new Map<NodeId, Carried>();
  #sizes: readonly number[] = [];

  constructor(context: ScanContext, item: LoopItem) {
    this.#context = context;
    this.#item = item;
  }

  get #loop(): Loop {
    return this.#item.loop;
  }

  #node(id: NodeId): Node {
    return this.#context.graph.nodes.get(id)!;
  }

  scan(): Scan | null {
    const { graph } = this.#context;
    if (this.#loop.factor !== 1) return null;
    const nests: FusedItem[] = [];
    const kernels: KernelItem[] = [];
    for (const item of this.#item.body) {
      if (item.kind === "loop" || (item.kind === "kernel" && !item.accumulate)) return null;
      if (item.kind === "fused") nests.push(item);
      else kernels.push(item);
    }
    if (nests.length === 0 || !nests.every(nest => this.#isAligned(nest))) return null;
    for (const { nodes } of nests) for (const id of nodes) this.#members.add(id);
    const batched = nests.some(nest => this.#typeOf(nest).batched);
    const items = nests.map(item => ({ item, sources: this.#sourcesOf(item) }));
    const sums = kernels.map(({ node }) => this.#sumOf(this.#node(node), batched));
    const stores = nests.flatMap(nest => this.#storesOf(nest));
    const isRead = items.every(({ sources }) => sources !== null) && !sums.includes(null);
    const isWritten = stores.every(({ node }) => this.#node(node).type.batched === batched);
    if (!isRead || !isWritten) return null;
    return this.#collapsed({
      graph,
      loop: this.#loop,
      batched,
      sizes: this.#sizes,
      items: items as Scan["items"],
      operands: [...this.#operands.values()],
      carried: [...this.#carried.values()],
      stores,
      sums: sums as Scan["sums"],
    });
  }

  #typeOf({ nodes: [first] }: FusedItem): Node["type"] {
    return this.#node(first!).type;
  }

  /** Whether a nest has one number a row, or the features of all other nests, and no axes of its own. */
  #isAligned(nest: FusedItem): boolean {
    const { shape, axes } = this.#typeOf(nest);
    const sizes = longer(shape);
    const known = [...this.#context.bound, this.#loop.axis];
    if (sizes.includes(0) || !axes.includes(this.#loop.axis)) return false;
    if (!axes.every(axis => known.includes(axis))) return false;
    if (sizes.length > 0 && this.#sizes.length === 0) this.#sizes = sizes;
    return sizes.length === 0 || sizes.join() === this.#sizes.join();
  }

  #sourcesOf({ nodes, loads }: FusedItem): readonly ScanSource[] | null {
    const { shape } = this.#node(nodes[0]!).type;
    const sources = loads.map(({ node, dims }) => this.#source(node, shape, dims));
    return sources.includes(null) ? null : (sources as readonly ScanSource[]);
  }

  /** Where a value is found, `dims` of which are the dimensions of a nest of `shape`; null: not in a register. */
  #source(id: NodeId, shape: readonly number[], dims: readonly number[]): ScanSource | null {
    const origin = this.#originOf(id);
    if (origin === null) return null;
    const { places } = this.#context;
    const reference = places.of(id);
    const strides = shape.flatMap((size, d) =>
      size === 1 ? [] : [dims[d]! < 0 ? 0 : reference.features.dims[dims[d]!]!],
    );
    if (origin.kind !== "outside") {
      const [root, start] = origin.kind === "value" ? [origin.node, origin.node] : [this.#carried.get(origin.shift)!.value, null];
      const isOne = product(this.#node(root).type.shape) === 1;
      if (isOne) return strides.every(stride => stride === 0) ? origin : null;
      const offset = start === null ? 0 : places.of(start).features.offset;
      const isSame = reference.features.offset === offset && strides.join() === denseStrides(this.#sizes).join();
      return isSame && strides.length > 0 ? origin : null;
    }
    const all = strides.length === 0 ? this.#sizes.map(() => 0) : strides;
    const key = `${id} ${all.join()}`;
    if (!this.#operands.has(key)) this.#operands.set(key, { reference, strides: all });
    return { kind: "operand", index: [...this.#operands.keys()].indexOf(key) };
  }

  /** What a value is a view of: a member, a member one step ago, or something from outside; null: none of these. */
  #originOf(id: NodeId): Origin | null {
    if (this.#members.has(id)) return { kind: "value", node: id };
    const { plan } = this.#context;
    const operand = plan.viewed.get(id);
    if (operand === undefined) {
      return (plan.home.get(id) ?? []).includes(this.#loop) ? null : { kind: "outside" };
    }
    const node = this.#node(id);
    if (node.op !== "shift") return this.#originOf(operand);
    const [value, initial] = [this.#originOf(operand), this.#originOf(node.inputs[1]!)];
    if (initial?.kind !== "outside") return null;
    if (node.attrs.axis !== this.#loop.axis || value?.kind === "outside") return { kind: "outside" };
    const step = this.#loop.direction === "forward" ? 1 : -1;
    if (value?.kind !== "value" || node.attrs.offset !== step) return null;
    return this.#carry(id, operand, value.node) ? { kind: "carried", shift: id } : null;
  }

  /** Makes a member's value one that is carried, if `operand` is the whole of it. */
  #carry(shift: NodeId, operand: NodeId, value: NodeId): boolean {
    if (this.#carried.has(shift)) return true;
    const { places } = this.#context;
    const [whole, seen] = [places.of(value), places.of(operand)];
    const strides = stridesOf(seen);
    const isSame = whole.features.offset === seen.features.offset && stridesOf(whole).join() === strides.join();
    if (!isSame) return false;
    this.#carried.set(shift, {
      shift,
      value,
      reference: places.of(shift),
      strides: strides.length === 0 ? this.#sizes.map(() => 0) : strides,
      kept: this.#isKept(value) ? null : whole,
    });
    return true;
  }

  /** Whether a member's value is kept of all steps. */
  #isKept(id: NodeId): boolean {
    const { plan, keeping } = this.#context;
    const part = plan.parts.get(id);
    return part === undefined
      ? keepingOf(keeping, id, this.#loop.axis).kind === "sequence"
      : this.#isKept(part.of);
  }

  #storesOf({ stores }: FusedItem): Scan["stores"] {
    return stores
      .filter(id => this.#isKept(id))
      .map(node => {
        const reference = this.#context.places.of(node);
        const strides = stridesOf(reference);
        return { node, reference, strides: strides.length === 0 ? this.#sizes.map(() => 0) : strides };
      });
  }

  #sumOf(node: Node, batched: boolean): ScanSum | null {
    if ((node.op !== "sum" && node.op !== "contract") || node.type.dtype !== "real") return null;
    const { graph, bound, primary, places } = this.#context;
    const types = node.inputs.map(input => this.#node(input).type);
    const known = [...bound, this.#loop.axis];
    // An example may have ended along other axes.
    const isOpen = (axis: AxisId): boolean =>
      axis !== primary && graph.axes.find(({ id }) => id === axis)!.length === null;
    const isWhole = types.some(type => type.batched && type.axes.includes(this.#loop.axis)) === batched;
    if (!isWhole || bound.some(isOpen) || types.some(({ axes }) => !axes.every(a => known.includes(a)))) return null;
    if (!node.attrs.axes.every(axis => known.includes(axis)) || (batched ? node.type.batched === node.attrs.batch : node.attrs.batch)) return null;
    const labels = labelsOf(node, types.map(({ shape }) => shape));
    const shape = labels.map(({ size }) => size);
    const sizes = longer(shape);
    if (sizes.length > 0 && sizes.join() !== this.#sizes.join()) return null;
    const kept = labels.filter(({ size, kept }) => size > 1 && kept).length;
    if (kept > 0 && kept < sizes.length) return null;
    const sources = node.inputs.map((input, k) =>
      this.#source(input, shape, labels.map(({ dims }) => dims[k]!)),
    );
    if (sources.includes(null)) return null;
    const reference = places.of(node.id);
    const over = sizes.length === 0 ? "one" : kept > 0 ? "each" : "features";
    const strides = over === "each" ? stridesOf(reference) : this.#sizes.map(() => 0);
    return { node: node.id, sources: sources as readonly ScanSource[], over, reference, strides };
  }

  /** With as few dimensions as there can be; null where vectors cannot go along the last one. */
  #collapsed(scan: Scan): Scan | null {
    const all = [...scan.operands, ...scan.carried, ...scan.stores, ...scan.sums];
    const { sizes, strides } = collapse({ sizes: scan.sizes, strides: all.map(one => one.strides) });
    if (strides.some(own => (own.at(-1) ?? 0) > 1)) return null;
    let next = 0;
    const take = <T extends ScanOperand>(list: readonly T[]): readonly T[] =>
      list.map(one => ({ ...one, strides: strides[next++]! }));
    return {
      ...scan,
      sizes,
      operands: take(scan.operands),
      carried: take(scan.carried),
      stores: take(scan.stores),
      sums: take(scan.sums),
    };
  }
}

/** A label of a sum: its size, the dimension of each operand that it is (-1: none), whether the result has it. */
interface Label {
  readonly size: number;
  readonly dims: readonly number[];
  readonly kept: boolean;
}

/** The feature labels of a sum, those of the result first. */
function labelsOf(
  { op, attrs }: NodeOf<"sum"> | NodeOf<"contract">,
  shapes: readonly (readonly number[])[],
): readonly Label[] {
  if (op === "sum") {
    const labels = shapes[0]!.map((size, d) => ({ size, dims: [d], kept: !attrs.dims.includes(d) }));
    return labels.toSorted((a, b) => Number(b.kept) - Number(a.kept));
  }
  const { left, right, out } = attrs;
  return [...new Set([...out, ...left, ...right])].map(label => {
    const dims = [left.indexOf(label), right.indexOf(label)];
    const size = dims[0]! < 0 ? shapes[1]![dims[1]!]! : shapes[0]![dims[0]!]!;
    return { size, dims, kept: out.includes(label) };
  });
}

const longer = (shape: readonly number[]): readonly number[] => shape.filter(size => size !== 1);

/** A reference's strides along its dimensions, but for those of size 1. */
const stridesOf = ({ features: { shape, dims } }: Reference): readonly number[] =>
  dims.filter((_, d) => shape[d] !== 1);
