// Binds a plan to a batch and extents: every value gets its place, every item becomes calls whose operands, strides
// and tables are fixed. What is bound is kept, so that data of the same extents runs without any of this.

import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import type { AxisId, Graph, Node, NodeId } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { layOut } from "../plan/arena.ts";
import { type Along, denseStrides, type Place, product } from "../plan/layout.ts";
import { keepingOf } from "../plan/lifetimes.ts";
import type { FusedItem, Item, LoopItem, Plan } from "../plan/plan.ts";
import { viewOf } from "../plan/views.ts";
import { type Binder, nestCall, type Operand, rowSpace } from "./binder.ts";
import type { CallAttributes, Device } from "./device.ts";
import { fillBody } from "./elementwise.ts";
import { bodyOf } from "./fused.ts";
import type { KernelName } from "./kernels.ts";
import { bindNode } from "./lowering.ts";
import type { KeptPanels } from "./matmul.ts";
import type { Frame } from "./rows.ts";

/** What decides where everything lies. */
export interface Extents {
  readonly batch: number;
  readonly extents: ReadonlyMap<AxisId, number>;
  readonly ragged: ReadonlySet<AxisId>;
}

/** Numbers of buffers. Parameters and states follow, then constants. */
export const slots = { real: 0, index: 1, bool: 2, scratch: 3, first: 4 } as const;

/** Places that do not depend on extents: constants, parameters and states. */
type FixedPlaces = ReadonlyMap<NodeId, Place>;

/** The room that a binding needs. */
export interface Room {
  /** Elements in the first four buffers. */
  readonly sizes: readonly number[];
  /** Floats in the panels kept for a product. */
  readonly panels: ReadonlyMap<NodeId, number>;
}

export interface Bound extends Room {
  readonly run: () => void;
  /** Where inputs, positions and lengths are put, and results found. */
  readonly place: (id: NodeId) => Place | null;
  /** Points all calls to these buffers. */
  link(buffers: readonly TensorInfo[]): void;
}

type Run = () => void;

/** A call's inputs, and the slots they come from. */
interface Link {
  readonly inputs: Record<string, TensorInfo>;
  readonly slots: readonly number[];
}

export interface BindContext {
  readonly program: Program;
  readonly plan: Plan;
  readonly device: Device;
  readonly frame: Frame;
  readonly fixed: FixedPlaces;
  /** Panels of right operands, kept over all bindings: empty when bound, made larger before a run. */
  readonly panels: Map<NodeId, KeptPanels>;
}

export function bind(context: BindContext, extents: Extents): Bound {
  const binding = new Binding(context, extents, true);
  const run = binding.sequence(context.plan.items, []);
  return {
    ...binding.room(),
    run,
    place: id => binding.find(id),
    link: buffers => binding.link(buffers),
  };
}

/** The room that `bind` would ask for, without the calls and their tables. */
export function measure(context: BindContext, extents: Extents): Room {
  const binding = new Binding(context, extents, false);
  binding.sequence(context.plan.items, []);
  return binding.room();
}

class Binding {
  readonly #context: BindContext;
  readonly #graph: Graph;
  readonly #extents: Extents;
  readonly #axisNumbers: ReadonlyMap<AxisId, number>;
  readonly #places = new Map<NodeId, Place>();
  readonly #links: Link[] = [];
  readonly #totals = [0, 0, 0, 0];
  readonly #panels = new Map<NodeId, number>();
  /** Whether calls are made, or only their room is measured. */
  readonly #calls: boolean;

  constructor(context: BindContext, extents: Extents, calls: boolean) {
    this.#context = context;
    this.#calls = calls;
    this.#graph = context.program.schedule.graph;
    this.#extents = extents;
    this.#axisNumbers = new Map(this.#graph.axes.map(({ id }, i) => [id, i]));
    for (const [id, place] of context.fixed) this.#places.set(id, place);
    this.#layOut();
  }

  room(): Room {
    return { sizes: this.#totals, panels: this.#panels };
  }

  /** Gives every stored value its place in its dtype's block. */
  #layOut(): void {
    const { stored } = this.#context.plan;
    for (const dtype of ["real", "index", "bool"] as const) {
      const mine = stored.filter(({ node }) => this.#node(node).type.dtype === dtype);
      const shapes = mine.map(({ node, loops }) => this.#shapeOf(this.#node(node), loops));
      const claims = mine.map(({ from, to }, i) => ({ size: product(shapes[i]!.sizes), from, to }));
      const { offsets, total } = layOut(claims);
      this.#totals[slots[dtype]] = total;
      for (const [i, { node }] of mine.entries()) {
        const { sizes, axes, type } = { ...shapes[i]!, type: this.#node(node).type };
        const strides = denseStrides(sizes);
        const along = new Map(
          axes.map(({ axis, wrap }, d): [AxisId, Along] => [axis, { step: strides[d]!, wrap }]),
        );
        this.#places.set(node, {
          slot: slots[dtype],
          offset: offsets[i]!,
          axes: along,
          batch: type.batched ? strides[axes.length]! : 0,
          shape: type.shape,
          dims: strides.slice(axes.length + 1),
        });
      }
    }
  }

  /** Axes of the enclosing loops first, so that what one iteration writes lies together. */
  #shapeOf(
    node: Node,
    loops: readonly Loop[],
  ): { readonly sizes: readonly number[]; readonly axes: readonly { axis: AxisId; wrap: number }[] } {
    const axes: { axis: AxisId; wrap: number }[] = [];
    const sizes: number[] = [];
    for (const { axis } of loops) {
      if (!node.type.axes.includes(axis)) continue;
      const keeping = keepingOf(this.#context.program.schedule.keeping, node.id, axis);
      const extent = this.#extent(axis);
      const window = keeping.kind === "sequence" ? extent : (keeping.kind === "ring" ? keeping.slots : 0) + 1;
      if (window === 1) continue;
      const whole = window >= extent;
      axes.push({ axis, wrap: whole ? 0 : window });
      sizes.push(whole ? extent : window);
    }
    for (const axis of node.type.axes) {
      if (loops.some(loop => loop.axis === axis)) continue;
      axes.push({ axis, wrap: 0 });
      sizes.push(this.#extent(axis));
    }
    return { axes, sizes: [...sizes, node.type.batched ? this.#extents.batch : 1, ...node.type.shape] };
  }

  #node(id: NodeId): Node {
    const node = this.#graph.nodes.get(id);
    if (node === undefined) throw new InternalError("bind", `no node %${id}`);
    return node;
  }

  #extent(axis: AxisId): number {
    const extent = this.#extents.extents.get(axis);
    if (extent === undefined) throw new InternalError("bind", `no extent for axis ${axis}`);
    return extent;
  }

  /** The place of a value or view; null for what no step needs. */
  find(id: NodeId): Place | null {
    const known = this.#places.get(id);
    if (known !== undefined) return known;
    const operand = this.#context.plan.viewed.get(id);
    const base = operand === undefined ? null : this.find(operand);
    if (base === null) return null;
    const seen = viewOf(this.#node(id), { offset: base.offset, shape: base.shape, dims: base.dims });
    if (seen === null) throw new InternalError("bind", `%${id} is no view of %${operand}`);
    const place = { ...base, ...seen };
    this.#places.set(id, place);
    return place;
  }

  place(id: NodeId): Place {
    const place = this.find(id);
    if (place === null) {
      const { op, label } = this.#node(id);
      throw new InternalError("bind", `%${id} = ${op} (${label}) is read but has no place`);
    }
    return place;
  }

  sequence(items: readonly Item[], loops: readonly Loop[]): Run {
    const runs = items.flatMap(item => this.#item(item, loops));
    return () => {
      for (let i = 0; i < runs.length; i++) runs[i]!();
    };
  }

  #item(item: Item, loops: readonly Loop[]): readonly Run[] {
    if (item.kind === "loop") return [this.#loop(item, loops)];
    const binder = this.#binder(item.kind === "kernel" ? item : null, loops);
    if (item.kind === "fused") this.#fused(item, binder);
    else bindNode(this.#node(item.node), binder);
    return binder.runs;
  }

  #loop(item: LoopItem, loops: readonly Loop[]): Run {
    const { loop } = item;
    const inner = [...loops, loop];
    const clears = item.accumulated.flatMap(id => this.#clear(id, loops));
    const body = item.body.map(part => ({
      offset: part.kind === "loop" ? 0 : part.offset,
      runs: this.#item(part, inner),
    }));
    const kept = item.body.flatMap(part => {
      const panels = part.kind === "kernel" ? this.#context.panels.get(part.node) : undefined;
      return panels === undefined ? [] : [panels];
    });
    const { at } = this.#context.frame;
    const axis = this.#axisNumbers.get(loop.axis)!;
    const extent = this.#extent(loop.axis);
    const forward = loop.direction === "forward";
    return () => {
      for (const clear of clears) clear();
      for (const panels of kept) panels.fresh = false;
      for (let i = 0; i < extent; i += loop.factor) {
        for (let part = 0; part < body.length; part++) {
          const { offset, runs } = body[part]!;
          if (i + offset >= extent) continue;
          at[axis] = forward ? i + offset : extent - 1 - i - offset;
          for (let k = 0; k < runs.length; k++) runs[k]!();
        }
      }
    };
  }

  /** Sets a running sum to zero. */
  #clear(id: NodeId, loops: readonly Loop[]): readonly Run[] {
    const binder = this.#binder(null, loops);
    const { type } = this.#node(id);
    const place = this.place(id);
    const space = rowSpace(binder, type);
    const strides = [[...space.strides(place), ...place.dims]];
    nestCall(binder, fillBody("0"), { sizes: [...space.sizes, ...type.shape], strides }, [place]);
    return binder.runs;
  }

  #fused(item: FusedItem, binder: Binder): void {
    const { loads, stores } = item;
    const { type } = this.#node(item.nodes[0]!);
    const body = bodyOf(this.#graph, item);
    const space = rowSpace(binder, type);
    const read = loads.map(({ node, dims }) => {
      const place = this.place(node);
      return {
        place,
        strides: [...space.strides(place), ...dims.map(d => (d < 0 ? 0 : (place.dims[d] ?? 0)))],
      };
    });
    const written = stores.map(id => {
      const place = this.place(id);
      return { place, strides: [...space.strides(place), ...place.dims] };
    });
    const operands = [...read, ...written];
    const nest = { sizes: [...space.sizes, ...type.shape], strides: operands.map(({ strides }) => strides) };
    nestCall(binder, body, nest, operands.map(({ place }) => place)); // biome-ignore format: one call
  }

  #binder(item: { readonly node: NodeId; readonly accumulate: boolean } | null, loops: readonly Loop[]) {
    const runs: Run[] = [];
    const bound = loops.map(({ axis }) => axis);
    const innermost = loops.at(-1);
    let scratch = 0;
    const binder: Binder & { readonly runs: Run[] } = {
      runs,
      frame: this.#context.frame,
      batch: this.#extents.batch,
      accumulate: item?.accumulate ?? false,
      bound,
      extent: axis => this.#extent(axis),
      axisNumber: axis => this.#axisNumbers.get(axis)!,
      ragged: axis => this.#extents.ragged.has(axis),
      type: id => this.#node(id).type,
      place: id => this.place(id),
      scratch: size => {
        const offset = scratch;
        scratch += size;
        this.#totals[slots.scratch] = Math.max(this.#totals[slots.scratch]!, scratch);
        return { slot: slots.scratch, offset };
      },
      isInvariant: id => innermost !== undefined && this.#isInvariant(id, innermost),
      keptPanels: size => {
        const { node } = item!;
        this.#panels.set(node, size);
        const kept = this.#context.panels.get(node) ?? { panels: new Float32Array(0), fresh: false };
        this.#context.panels.set(node, kept);
        return kept;
      },
      call: (kernel, operands, spec) => {
        if (this.#calls) runs.push(this.#call(kernel, operands, spec(), bound));
      },
    };
    return binder;
  }

  #isInvariant(id: NodeId, loop: Loop): boolean {
    const { plan } = this.#context;
    for (let at: NodeId | undefined = id; at !== undefined; at = plan.viewed.get(at)) {
      if (plan.home.get(at)?.includes(loop) === true && !plan.viewed.has(at)) return false;
    }
    return !this.place(id).axes.has(loop.axis);
  }

  #call(name: KernelName, operands: readonly Operand[], spec: object, bound: readonly AxisId[]): Run {
    const { device, frame } = this.#context;
    const kernel: KernelFunc = device.kernel(name);
    const { backend } = device;
    const base = Int32Array.from(operands, ({ place }) => place.offset);
    const offsets = Int32Array.from(base);
    const inputs: Record<string, TensorInfo> = {};
    this.#links.push({ inputs, slots: operands.map(({ place }) => place.slot) });
    const attributes: CallAttributes = { operands: operands.length, offsets, spec };
    // biome-ignore lint/suspicious/noExplicitAny: tfjs types attributes as numbers and texts only
    const call = { inputs, backend, attrs: attributes as any };
    const moves = operands.flatMap(({ place, still }, operand) =>
      bound.flatMap(axis => {
        const along = axis === still ? undefined : place.axes.get(axis);
        return along === undefined ? [] : [{ operand, axis: this.#axisNumbers.get(axis)!, ...along }];
      }),
    );
    if (moves.length === 0) {
      return () => {
        kernel(call);
      };
    }
    const { at } = frame;
    return () => {
      offsets.set(base);
      for (let m = 0; m < moves.length; m++) {
        const { operand, axis, step, wrap } = moves[m]!;
        const position = at[axis]!;
        offsets[operand]! += (wrap > 0 ? position % wrap : position) * step;
      }
      kernel(call);
    };
  }

  link(buffers: readonly TensorInfo[]): void {
    for (const { inputs, slots: from } of this.#links) {
      for (const [k, slot] of from.entries()) inputs[k] = buffers[slot]!;
    }
  }
}
