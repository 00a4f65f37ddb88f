// Runs a program on a tfjs device: feeds in, plan bound to their extents (once for all data of equal extents), calls
// made, results copied out, and, when all that has succeeded, parameters and states updated.

import type { AxisId, DType, Graph, NodeId, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Executable, Feeds, Results, State, Tensor } from "../api.ts";
import { extentsOfAll, type NormalFeeds, normalizeFeeds } from "../feeds.ts";
import { executableDisposed, foreignState, otherBackend, withinMemory } from "../misuse.ts";
import { denseStrides, type Place, product } from "../plan/layout.ts";
import { makePlan } from "../plan/plan.ts";
import { Recent } from "../recent.ts";
import { type Variable, variablesOf } from "../variables.ts";
import { type BindContext, type Bound, bind, measure, slots } from "./bind.ts";
import { type Buffer, type Device, elementBytes, makeValues } from "./device.ts";
import { traits } from "./lowering.ts";
import type { Frame } from "./rows.ts";
import { DeviceState, Fetched } from "./state.ts";
import { copyNest } from "./transfer.ts";

/** Bindings kept, the most recently used ones. */
const bindingsKept = 8;

export class TfjsExecutable implements Executable {
  readonly #device: Device;
  readonly #program: Program;
  readonly #context: BindContext;
  readonly #constants: readonly Buffer[];
  readonly #variables: readonly Variable[];
  readonly #bound = new Recent<Bound>(bindingsKept, bound => this.#linked.delete(bound));
  #blocks: readonly Buffer[];
  /** Behind the context's panels. */
  readonly #panels = new Map<NodeId, Buffer>();
  /** What the calls of a binding point to: grown blocks or another state need new links. */
  readonly #linked = new Map<Bound, { readonly state: DeviceState; readonly blocks: readonly Buffer[] }>();
  #disposed = false;

  constructor(device: Device, program: Program) {
    this.#device = device;
    this.#program = program;
    this.#variables = variablesOf(program);
    const { places, buffers } = fixedPlaces(device, program, this.#variables);
    this.#constants = buffers;
    this.#blocks = blockTypes.map(dtype => device.allocate(dtype, 0));
    const frame: Frame = {
      at: new Int32Array(program.schedule.graph.axes.length),
      lengths: [],
      seed: 0,
      step: 0,
    };
    const plan = makePlan(program, traits);
    this.#context = { program, plan, device, frame, fixed: places, panels: new Map() };
  }

  createState(values: ReadonlyMap<string, Tensor>): State {
    if (this.#disposed) throw executableDisposed(this.#program);
    return new DeviceState(this.#device, this.#variables, values);
  }

  async run(feeds: Feeds, state: State): Promise<Results> {
    if (this.#disposed) throw executableDisposed(this.#program);
    if (!(state instanceof DeviceState)) throw foreignState(this.#program, otherBackend);
    state.checkFor(this.#program, this.#variables);
    const fed = normalizeFeeds(this.#program, feeds);
    return withinMemory(this.#program, fed.batch, () => this.#run(fed, state));
  }

  #run(fed: NormalFeeds, state: DeviceState): Results {
    const bound = this.#bind(fed);
    this.#prepare(bound, state, fed);
    bound.run();
    const results = new Fetched(this.#device);
    try {
      for (const name of this.#program.results) results.keep(name, this.#result(bound, state, name, fed));
      this.#update(bound, state, fed);
    } catch (error) {
      results.dispose();
      throw error;
    }
    return results;
  }

  /** Not counted is what products pack their operands into: all executables of a process share it. */
  memory(batch: number, open: ReadonlyMap<AxisId, number>): number {
    if (this.#disposed) throw executableDisposed(this.#program);
    const extents = extentsOfAll(this.#program, batch, open);
    const unequal = this.#program.graph.axes.filter(({ length }) => length === null && batch > 1);
    const ragged = new Set(unequal.map(({ id }) => id));
    const { sizes, panels } = withinMemory(this.#program, batch, () =>
      measure(this.#context, { batch, extents, ragged }),
    );
    const { nodes, outputs } = this.#program.schedule.graph;
    const results = this.#program.results.map(name => {
      const { type } = nodes.get(outputs.get(name)!)!;
      return elementBytes[type.dtype] * product(boundarySizes(type, batch, extents));
    });
    return [
      ...sizes.map((size, slot) => elementBytes[blockTypes[slot]!] * size),
      ...[...panels.values()].map(size => elementBytes.real * size),
      ...this.#constants.map(({ values }) => values.byteLength),
      ...results,
    ].reduce((total, bytes) => total + bytes, 0);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of [...this.#blocks, ...this.#constants, ...this.#panels.values()])
      this.#device.free(buffer);
    this.#bound.clear();
  }

  #bind({ batch, extents, lengths }: NormalFeeds): Bound {
    const ragged = new Set<AxisId>();
    for (const [axis, own] of lengths) if (own.some(length => length < extents.get(axis)!)) ragged.add(axis);
    const key = `${batch};${[...extents.values()].join()};${[...ragged].join()}`;
    const known = this.#bound.get(key);
    if (known !== undefined) return known;
    const bound = bind(this.#context, { batch, extents, ragged });
    this.#bound.put(key, bound);
    return bound;
  }

  /** Puts everything in place that the steps read. */
  #prepare(bound: Bound, state: DeviceState, fed: NormalFeeds): void {
    for (const [slot, size] of bound.sizes.entries()) {
      if (this.#blocks[slot]!.values.length >= size) continue;
      // The small block goes before the large one comes: there may not be room for both.
      this.#replaceBlock(slot, 0);
      this.#replaceBlock(slot, size);
    }
    for (const [node, size] of bound.panels) this.#growPanels(node, size);
    const links = this.#linked.get(bound);
    if (links?.state !== state || links.blocks !== this.#blocks) {
      bound.link(this.#buffers(state).map(({ info }) => info));
      this.#linked.set(bound, { state, blocks: this.#blocks });
    }
    const { frame } = this.#context;
    frame.seed = fed.seed;
    frame.step = fed.step;
    frame.lengths = this.#program.schedule.graph.axes.map(
      ({ id }) => fed.lengths.get(id) ?? new Int32Array(fed.batch).fill(fed.extents.get(id)!),
    );
    for (const node of this.#program.schedule.graph.nodes.values()) {
      const place = sourceOps.has(node.op) ? bound.place(node.id) : null;
      if (place === null) continue;
      const { values } = this.#blocks[place.slot]!;
      if (node.op === "input") this.#feed(node.attrs.name, node.type, place, fed);
      else if (node.op === "batchSize") values[place.offset] = fed.batch;
      else if (node.op === "length") values.set(this.#lengths(node.attrs.axis), place.offset);
      else if (node.op === "index") {
        for (let i = 0; i < fed.extents.get(node.attrs.axis)!; i++) values[place.offset + i] = i;
      }
    }
  }

  #replaceBlock(slot: number, size: number): void {
    const before = this.#blocks[slot]!;
    const block = this.#device.allocate(before.dtype, size);
    this.#blocks = this.#blocks.with(slot, block);
    this.#device.free(before);
  }

  #growPanels(node: NodeId, size: number): void {
    const kept = this.#context.panels.get(node)!;
    if (kept.panels.length >= size) return;
    const before = this.#panels.get(node);
    if (before !== undefined) this.#device.free(before);
    this.#panels.delete(node);
    const buffer = this.#device.allocate("real", size);
    this.#panels.set(node, buffer);
    kept.panels = buffer.values as Float32Array;
    kept.fresh = false;
  }

  #lengths(axis: AxisId): Int32Array {
    const number = this.#program.schedule.graph.axes.findIndex(({ id }) => id === axis);
    return this.#context.frame.lengths[number]!;
  }

  #buffers(state: DeviceState): readonly Buffer[] {
    return [...this.#blocks, ...state.buffers, ...this.#constants];
  }

  #feed(name: string, type: NodeType, place: Place, { inputs, batch, extents }: NormalFeeds): void {
    const tensor = inputs.get(name);
    if (tensor === undefined) throw new InternalError("TfjsExecutable.run", `no input ${name}`);
    const { sizes, strides } = boundary(type, place, batch, extents);
    const nest = { sizes, strides: [denseStrides(sizes), strides] };
    copyNest(tensor.data, 0, this.#blocks[place.slot]!.values, place.offset, nest);
  }

  /** Where an output lies. */
  #output(bound: Bound, name: string): { readonly type: NodeType; readonly place: Place } {
    const { nodes, outputs } = this.#program.schedule.graph;
    const id = outputs.get(name);
    const place = id === undefined ? null : bound.place(id);
    if (id === undefined || place === null)
      throw new InternalError("TfjsExecutable.run", `no output ${name}`);
    return { type: nodes.get(id)!.type, place };
  }

  /** A result in the boundary's order, with zeros in the padding. */
  #result(bound: Bound, state: DeviceState, name: string, fed: NormalFeeds): Tensor {
    const { type, place } = this.#output(bound, name);
    const { sizes, strides } = boundary(type, place, fed.batch, fed.extents);
    const data = makeValues(type.dtype, product(sizes));
    const { values } = this.#buffers(state)[place.slot]!;
    copyNest(values, place.offset, data, 0, { sizes, strides: [strides, denseStrides(sizes)] });
    if (type.batched) this.#clearPadding(data, type, sizes);
    return { dtype: type.dtype, shape: type.batched ? sizes : sizes.slice(1), data };
  }

  #update(bound: Bound, state: DeviceState, fed: NormalFeeds): void {
    const buffers = this.#buffers(state);
    const moves = this.#program.updates.map(({ target, output }) => {
      const { type, place } = this.#output(bound, output);
      const { values } = buffers[place.slot]!;
      // What is itself a parameter or state may be the target of another update: two may change places.
      const from = place.slot >= slots.first ? values.slice() : values;
      const { sizes, strides } = boundary(type, place, fed.batch, fed.extents);
      const nest = { sizes, strides: [strides, denseStrides(sizes)] };
      return () => copyNest(from, place.offset, state.buffer(target).values, 0, nest);
    });
    for (const move of moves) move();
  }

  #clearPadding(data: Tensor["data"], { axes, shape }: NodeType, sizes: readonly number[]): void {
    const row = product(shape);
    const rows = product(sizes) / (row || 1);
    const strides = denseStrides(sizes.slice(0, axes.length + 1));
    for (const [d, axis] of axes.entries()) {
      const lengths = this.#lengths(axis);
      const extent = sizes[d + 1]!;
      if (lengths.every(length => length >= extent)) continue;
      for (let r = 0; r < rows; r++) {
        const position = Math.floor(r / strides[d + 1]!) % extent;
        if (position >= lengths[Math.floor(r / strides[0]!)]!) data.fill(0, r * row, (r + 1) * row);
      }
    }
  }
}

const blockTypes = ["real", "index", "bool", "real"] as const satisfies readonly DType[];

const sourceOps = new Set(["input", "length", "index", "batchSize"]);

/** [batch, ...axes, ...shape], batch 1 for unbatched nodes. */
const boundarySizes = (
  { axes, batched, shape }: NodeType,
  batch: number,
  extents: ReadonlyMap<AxisId, number>,
): readonly number[] => [batched ? batch : 1, ...axes.map(axis => extents.get(axis)!), ...shape];

/** Those sizes, and a place's strides in that order. */
function boundary(
  type: NodeType,
  place: Place,
  batch: number,
  extents: ReadonlyMap<AxisId, number>,
): { readonly sizes: readonly number[]; readonly strides: readonly number[] } {
  return {
    sizes: boundarySizes(type, batch, extents),
    strides: [place.batch, ...type.axes.map(axis => place.axes.get(axis)?.step ?? 0), ...place.dims],
  };
}

/** Places of parameters and states (a buffer each) and of constants (one buffer for each dtype). */
function fixedPlaces(
  device: Device,
  program: Program,
  variables: readonly Variable[],
): { readonly places: ReadonlyMap<NodeId, Place>; readonly buffers: readonly Buffer[] } {
  const places = new Map<NodeId, Place>();
  const dtypes = ["real", "index", "bool"] as const;
  const constants = new Map<DType, number[]>(dtypes.map(dtype => [dtype, []]));
  for (const node of program.schedule.graph.nodes.values()) {
    if (node.op === "parameter" || node.op === "state") {
      const number = variables.findIndex(({ name }) => name === node.attrs.name);
      if (number < 0) throw new InternalError("fixedPlaces", `the program does not list ${node.attrs.name}`);
      places.set(node.id, variablePlace(program.schedule.graph, node.type, slots.first + number));
    } else if (node.op === "constant") {
      const { dtype, shape, values } = node.attrs;
      const list = constants.get(dtype)!;
      const dims = values.length === 1 ? shape.map(() => 0) : denseStrides(shape);
      const slot = slots.first + variables.length + dtypes.indexOf(dtype);
      places.set(node.id, { slot, offset: list.length, axes: new Map(), batch: 0, shape, dims });
      for (const value of values) list.push(value);
    }
  }
  const buffers = dtypes.map(dtype => {
    const list = constants.get(dtype)!;
    const buffer = device.allocate(dtype, list.length);
    buffer.values.set(list);
    return buffer;
  });
  return { places, buffers };
}

/** [...axes, ...shape], axes static. */
function variablePlace(graph: Graph, { axes, shape }: NodeType, slot: number): Place {
  const sizes = [...axes.map(axis => staticLength(graph, axis)), ...shape];
  const strides = denseStrides(sizes);
  return {
    slot,
    offset: 0,
    axes: new Map(axes.map((axis, d) => [axis, { step: strides[d]!, wrap: 0 }])),
    batch: 0,
    shape,
    dims: strides.slice(axes.length),
  };
}

function staticLength(graph: Graph, axis: AxisId): number {
  const length = graph.axes.find(({ id }) => id === axis)?.length ?? null;
  if (length === null) throw new InternalError("variablePlace", `axis ${axis} has no static length`);
  return length;
}
