// Where the operands of a scan's members come from (scan.ts): computed in the same step, carried over from the one
// before, or read from memory. A register holds a vector of a value as it was computed: what sees it otherwise does
// not fit.

import type { Node, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { constantFill } from "../plan/fusion.ts";
import { denseStrides, product } from "../plan/layout.ts";
import { keepingOf } from "../plan/lifetimes.ts";
import type { Reference } from "./places.ts";
import type { Carried, ScanContext, ScanOperand, ScanSource } from "./scan.ts";

type Origin = Exclude<ScanSource, { kind: "operand" }> | { readonly kind: "outside" };

export class Sources {
  readonly context: ScanContext;
  readonly loop: Loop;
  /** The features of the scan, dimensions of size 1 left out. */
  readonly sizes: readonly number[];
  readonly #members: ReadonlySet<NodeId>;
  readonly #delays: ReadonlySet<NodeId>;
  readonly #operands = new Map<string, ScanOperand>();
  readonly #carried = new Map<NodeId, Carried>();

  /** @param delays shifts among the loop's items, their results kept. */
  constructor(
    context: ScanContext,
    loop: Loop,
    sizes: readonly number[],
    { members, delays }: { readonly members: ReadonlySet<NodeId>; readonly delays: ReadonlySet<NodeId> },
  ) {
    this.context = context;
    this.loop = loop;
    this.sizes = sizes;
    this.#members = members;
    this.#delays = delays;
  }

  /** What has been asked for so far. */
  get operands(): readonly ScanOperand[] {
    return [...this.#operands.values()];
  }
  get carried(): readonly Carried[] {
    return [...this.#carried.values()];
  }

  #node(id: NodeId): Node {
    return this.context.graph.nodes.get(id)!;
  }

  /** Where a value is found, `dims` of which are the dimensions of a nest of `shape`; null: not in a register. */
  source(id: NodeId, shape: readonly number[], dims: readonly number[]): ScanSource | null {
    const origin = this.originOf(id);
    if (origin === null) return null;
    const { places } = this.context;
    const reference = places.of(id);
    const strides = shape.flatMap((size, d) =>
      size === 1 ? [] : [dims[d]! < 0 ? 0 : reference.features.dims[dims[d]!]!],
    );
    if (origin.kind !== "outside") return this.#isWhole(origin, reference, strides) ? origin : null;
    const all = strides.length === 0 ? this.sizes.map(() => 0) : strides;
    const key = `${id} ${all.join()}`;
    if (!this.#operands.has(key)) this.#operands.set(key, { reference, strides: all });
    return { kind: "operand", index: [...this.#operands.keys()].indexOf(key) };
  }

  /** Whether what is read of a member is what its register holds: all of it, in order, or its only number. */
  #isWhole(
    origin: Exclude<Origin, { kind: "outside" }>,
    { features }: Reference,
    strides: readonly number[],
  ): boolean {
    const isValue = origin.kind === "value";
    const root = isValue ? origin.node : this.#carried.get(origin.shift)!.value;
    if (product(this.#node(root).type.shape) === 1) return strides.every(stride => stride === 0);
    const start = isValue ? this.context.places.of(root).features.offset : 0;
    const isInOrder = strides.length > 0 && strides.join() === denseStrides(this.sizes).join();
    return isInOrder && features.offset === start;
  }

  /** What a value is a view of: a member, a member one step ago, or something from outside; null: none of these. */
  originOf(id: NodeId): Origin | null {
    if (this.#members.has(id)) return { kind: "value", node: id };
    const { plan } = this.context;
    const operand = this.#delays.has(id) ? this.#node(id).inputs[0]! : plan.viewed.get(id);
    if (operand === undefined) {
      return (plan.home.get(id) ?? []).includes(this.loop) ? null : { kind: "outside" };
    }
    const node = this.#node(id);
    if (node.op !== "shift") return this.originOf(operand);
    const [value, initial] = [this.originOf(operand), this.originOf(node.inputs[1]!)];
    if (initial?.kind !== "outside") return null;
    if (node.attrs.axis !== this.loop.axis || value?.kind === "outside")
      return this.#delays.has(id) ? null : { kind: "outside" };
    const step = this.loop.direction === "forward" ? 1 : -1;
    if (value?.kind !== "value" || node.attrs.offset !== step) return null;
    return this.#carry(node, value.node) ? { kind: "carried", shift: id } : null;
  }

  /** Makes a member's value one that the shift carries, if its operand is the whole of it. */
  #carry(node: NodeOf<"shift">, value: NodeId): boolean {
    if (this.#carried.has(node.id)) return true;
    const { places } = this.context;
    const [whole, seen] = [places.of(value), places.of(node.inputs[0]!)];
    const strides = stridesOf(seen);
    const isSame =
      whole.features.offset === seen.features.offset && stridesOf(whole).join() === strides.join();
    if (!isSame || (this.#delays.has(node.id) && !this.#isReadable(node))) return false;
    this.#carried.set(node.id, {
      shift: node.id,
      value,
      reference: this.#delays.has(node.id) ? places.delayed(node) : places.of(node.id),
      strides: this.stridesOf(seen),
      kept: this.isKept(value) ? null : whole,
    });
    return true;
  }

  /** Whether a shift that is no view could be one, read where it begins. */
  #isReadable({ attrs, type, inputs: [value, initial] }: NodeOf<"shift">): boolean {
    const { graph, places, primary } = this.context;
    const isOpen = graph.axes.find(({ id }) => id === attrs.axis)!.length === null;
    if (attrs.offset < 0 && type.batched && isOpen && attrs.axis !== primary) return false;
    if (constantFill(graph, initial!) !== null) return true;
    return places.of(initial!).features.dims.join() === places.of(value!).features.dims.join();
  }

  /** Its strides along the scan's dimensions. */
  stridesOf(reference: Reference): readonly number[] {
    const strides = stridesOf(reference);
    return strides.length === 0 ? this.sizes.map(() => 0) : strides;
  }

  /** Whether a member's value is kept of all steps. */
  isKept(id: NodeId): boolean {
    const { plan, keeping } = this.context;
    const part = plan.parts.get(id);
    return part === undefined
      ? keepingOf(keeping, id, this.loop.axis).kind === "sequence"
      : this.isKept(part.of);
  }
}

/** A reference's strides along its dimensions, but for those of size 1. */
const stridesOf = ({ features: { shape, dims } }: Reference): readonly number[] =>
  dims.filter((_, d) => shape[d] !== 1);
