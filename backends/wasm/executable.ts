// Runs a program's module: feeds and frame into its memory, one call, results out of it.

import type { AxisId, Node, NodeId, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Executable, Feeds, ProfileEntry, Results, State, Tensor } from "../api.ts";
import { type Binding, bindExtents } from "../codegen/binding.ts";
import type { Target } from "../codegen/code.ts";
import type { FrameSource } from "../codegen/frame.ts";
import { type Generated, generate } from "../codegen/generate.ts";
import type { Reference } from "../codegen/places.ts";
import { profileOf } from "../codegen/profile.ts";
import { teamWords } from "../codegen/team.ts";
import type { Tile } from "../codegen/tile.ts";
import { extentsOfAll, type NormalFeeds, normalizeFeeds } from "../feeds.ts";
import { executableDisposed, foreignState, otherBackend, withinMemory } from "../misuse.ts";
import { ownersOf } from "../plan/plan.ts";
import { Recent } from "../recent.ts";
import { CopiedResults } from "../results.ts";
import { type Variable, variablesOf } from "../variables.ts";
import { encodeModule } from "./encode.ts";
import { type Holder, WasmState } from "./state.ts";
import { Stopwatch } from "./stopwatch.ts";
import { Team } from "./team.ts";
import { type Order, readTensor, View, writeTensor } from "./transfer.ts";

const pageBytes = 64 * 1024;
/** Addresses are signed in loops. */
const mostPages = 2 ** 15 - 1;
const mostBytes = mostPages * pageBytes;
/** Layouts kept, the most recently used ones. */
const bindingsKept = 8;

/** A layout and the frame's table for it, once it has been used. */
interface Bound extends Binding {
  table: Int32Array | null;
}

/** What an executable is made for, beside its program. */
export interface Making {
  readonly target: Target;
  readonly tile: Tile;
  /** The most; more than one where memory can be shared only. */
  readonly threads: number;
  readonly profile: boolean;
}

export class WasmExecutable implements Executable, Holder {
  readonly profile?: () => readonly ProfileEntry[];
  readonly #program: Program;
  readonly #generated: Generated;
  readonly #variables: readonly Variable[];
  /** Results that show a parameter or state which the program updates: they are what it was before. */
  readonly #updated: ReadonlySet<string>;
  readonly #memory: WebAssembly.Memory;
  readonly #run: (thread: number) => void;
  readonly #team: Team | null;
  readonly #stopwatch: Stopwatch | null;
  readonly #bindings = new Recent<Bound>(bindingsKept, () => {});
  #view: View;
  #holds: WasmState | null = null;
  /** Whether matrices of the state held are packed. */
  #packed = false;
  #disposed = false;

  private constructor(
    program: Program,
    generated: Generated,
    memory: WebAssembly.Memory,
    instance: WebAssembly.Instance,
    team: Team | null,
    stopwatch: Stopwatch | null,
  ) {
    this.#program = program;
    this.#generated = generated;
    this.#variables = variablesOf(program);
    this.#updated = updatedResults(generated);
    this.#memory = memory;
    this.#team = team;
    this.#stopwatch = stopwatch;
    if (stopwatch !== null)
      this.profile = () => profileOf(generated.program, generated.marks, stopwatch.take());
    this.#run = instance.exports.run as (thread: number) => void;
    this.#view = new View(this.#memory);
    for (const { address, data } of generated.places.data) {
      const array = data instanceof Float32Array ? this.#view.floats : this.#view.words;
      array.set(data, address / 4);
    }
  }

  /** A profile is made of one thread. */
  static async make(program: Program, { target, tile, ...making }: Making): Promise<WasmExecutable> {
    const { profile } = making;
    const threads = profile ? 1 : making.threads;
    const generated = generate(program, target, tile, threads, profile);
    const shared = threads > 1;
    const module = await WebAssembly.compile(encodeModule(generated.module, { shared, maximum: mostPages }));
    const initial = Math.ceil(generated.places.end / pageBytes);
    const memory = new WebAssembly.Memory(shared ? { initial, maximum: mostPages, shared } : { initial });
    const team = shared ? await Team.gather(module, memory, threads).catch(() => null) : null;
    // Where no worker can be had, one thread does it.
    if (shared && team === null) return WasmExecutable.make(program, { target, tile, profile, threads: 1 });
    const stopwatch = profile ? new Stopwatch(generated.marks.length) : null;
    const frond = { memory, ...(stopwatch === null ? {} : { mark: stopwatch.mark }) };
    const instance = await WebAssembly.instantiate(module, { frond });
    return new WasmExecutable(program, generated, memory, instance, team, stopwatch);
  }

  createState(values: ReadonlyMap<string, Tensor>): State {
    if (this.#disposed) throw executableDisposed(this.#program);
    return new WasmState(this.#variables, values);
  }

  async run(feeds: Feeds, state: State): Promise<Results> {
    if (this.#disposed) throw executableDisposed(this.#program);
    if (!(state instanceof WasmState)) throw foreignState(this.#program, otherBackend);
    state.checkFor(this.#program, this.#variables);
    const fed = normalizeFeeds(this.#program, feeds);
    return withinMemory(this.#program, fed.batch, () => this.#runOn(fed, state));
  }

  #runOn(fed: NormalFeeds, state: WasmState): Results {
    const binding = this.#bind(fed);
    this.#grow(binding.end);
    const order = orderOf(fed, this.#generated.primary);
    this.#hold(state);
    this.#prepare(binding, fed, order);
    const { outputs } = this.#generated.program.schedule.graph;
    const read = (name: string) => [name, this.#read(outputs.get(name)!, fed, order)] as const;
    const before = new Map([...this.#updated].map(read));
    this.#team?.begin();
    this.#run(0);
    this.#stopwatch?.stop();
    if (this.#team?.failed) throw new InternalError("wasm", "a thread has failed");
    this.#packed = true;
    return new CopiedResults(
      new Map(this.#program.results.map(name => [name, before.get(name) ?? read(name)[1]])),
    );
  }

  memory(batch: number, open: ReadonlyMap<AxisId, number>): number {
    if (this.#disposed) throw executableDisposed(this.#program);
    const extents = extentsOfAll(this.#program, batch, open);
    return withinMemory(this.#program, batch, () => {
      const { end } = bindExtents(this.#generated, { batch, extents });
      return end - this.#variableBytes();
    });
  }

  #variableBytes(): number {
    return this.#variables.reduce((sum, { shape }) => sum + 4 * shape.reduce((all, n) => all * n, 1), 0);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#holds?.takeBack();
    this.#holds = null;
    this.#disposed = true;
    this.#team?.dispose();
    this.#bindings.clear();
  }

  #bind({ batch, extents }: NormalFeeds): Bound {
    const key = `${batch};${[...extents.values()].join()}`;
    const known = this.#bindings.get(key);
    if (known !== undefined) return known;
    const binding: Bound = { ...bindExtents(this.#generated, { batch, extents }), table: null };
    this.#bindings.put(key, binding);
    return binding;
  }

  #grow(bytes: number): void {
    const { byteLength } = this.#memory.buffer;
    if (bytes <= byteLength) return;
    if (bytes > mostBytes) throw new RangeError("the module's memory cannot be that large");
    this.#memory.grow(Math.ceil((bytes - byteLength) / pageBytes));
    this.#view = new View(this.#memory);
  }

  /** Brings a state's values into this memory. */
  #hold(state: WasmState): void {
    if (this.#holds !== state) this.#holds?.takeBack();
    state.moveTo(this, values => {
      this.#packed = false;
      for (const [name, tensor] of values) writeTensor(this.#variable(name), tensor);
    });
    this.#holds = state;
  }

  readVariable(name: string): Tensor {
    return readTensor(this.#variable(name), new Map());
  }

  /** A variable as a value without batch, its axes static. */
  #variable(name: string) {
    const { places } = this.#generated;
    const variable = places.variables.get(name);
    if (variable === undefined) throw new InternalError("wasm", `no variable ${name}`);
    const { type, reference } = variable;
    const extents = new Map(type.axes.map(axis => [axis, places.staticLength(axis)]));
    const offsets = this.#generated.orders.get(name);
    const walk = this.#walk(type, reference, extents, new Int32Array(0));
    return offsets === undefined ? walk : { ...walk, offsets };
  }

  #walk(type: NodeType, reference: Reference, extents: ReadonlyMap<AxisId, number>, order: Order) {
    return { view: this.#view, type, reference, extents, order };
  }

  /** Puts everything in place that the module reads. */
  #prepare(binding: Bound, fed: NormalFeeds, order: Order): void {
    const { frame, primary, ahead } = this.#generated;
    const { batch, extents } = fed;
    const { words } = this.#view;
    words.set(order, binding.examples / 4);
    let full = true;
    for (const [axis, at] of binding.lengths) {
      const own = fed.lengths.get(axis);
      if (own === undefined) continue;
      for (let r = 0; r < batch; r++) {
        const length = own[order[r]!]!;
        words[at / 4 + r] = length;
        if (length !== extents.get(axis)) full = false;
      }
    }
    const borders = rowBorders(fed, order, primary, this.#team?.threads ?? 1);
    for (const [thread, from] of borders.entries()) {
      const at = (teamWords.ranges + 8 * thread) / 4;
      words[at] = from;
      words[at + 1] = borders[thread + 1] ?? batch;
    }
    if (primary !== null) this.#writeActive(binding, fed, primary, ahead);
    const source: FrameSource = {
      batch,
      extent: axis => extents.get(axis)!,
      base: value => binding.bases[value]!,
      lengths: axis => binding.lengths.get(axis)!,
      active: binding.active,
      examples: binding.examples,
      full: full && this.#team === null,
      packed: this.#packed,
      seed: fed.seed,
      step: fed.step,
    };
    binding.table ??= frame.values(source);
    frame.refresh(binding.table, source);
    words.set(binding.table, frame.address / 4);
    this.#feed(fed, order);
  }

  /** How many rows have a step at each position: the batch is sorted by length, descending. */
  #writeActive({ active }: Binding, fed: NormalFeeds, primary: AxisId, ahead: number): void {
    const { words } = this.#view;
    const extent = fed.extents.get(primary)!;
    const own = fed.lengths.get(primary);
    const counts = new Int32Array(extent + ahead + 1);
    if (own === undefined) counts.fill(fed.batch, 0, extent);
    else for (const length of own) if (length > 0) counts[length - 1]!++;
    if (own !== undefined) for (let t = extent - 2; t >= 0; t--) counts[t]! += counts[t + 1]!;
    words.set(counts, active / 4);
  }

  #feed(fed: NormalFeeds, order: Order): void {
    for (const id of this.#generated.fed) {
      const node = this.#generated.program.schedule.graph.nodes.get(id)!;
      writeTensor(this.#walk(node.type, this.#generated.places.of(id), fed.extents, order), given(node, fed));
    }
  }

  #read(id: NodeId, fed: NormalFeeds, order: Order): Tensor {
    const { type } = this.#generated.program.schedule.graph.nodes.get(id)!;
    return readTensor(this.#walk(type, this.#generated.places.of(id), fed.extents, order), fed.lengths);
  }
}

/** Results that lie in the memory of parameters or states which the program updates. */
function updatedResults({ program, plan }: Generated): ReadonlySet<string> {
  const { schedule, results, updates } = program;
  const { nodes, outputs } = schedule.graph;
  const targets = new Set(updates.map(({ target }) => target));
  const isUpdated = (id: NodeId): boolean => {
    const { op, attrs } = nodes.get(id)!;
    return (op === "parameter" || op === "state") && targets.has(attrs.name);
  };
  const isIn = (name: string): boolean => ownersOf(plan, schedule.graph, outputs.get(name)!).some(isUpdated);
  return new Set(results.filter(isIn));
}

/** Examples by length along the primary axis, the longest first; equal ones in the order in which they were fed. */
function orderOf({ batch, lengths }: NormalFeeds, primary: AxisId | null): Order {
  const order = Int32Array.from({ length: batch }, (_, i) => i);
  const own = primary === null ? undefined : lengths.get(primary);
  if (own === undefined) return order;
  return order.sort((a, b) => own[b]! - own[a]! || a - b);
}

/**
 * The first row of each thread: shares of about equal work, which is the sum of lengths along the primary axis; whole
 * tiles of rows where there are many.
 */
function rowBorders(
  { batch, lengths }: NormalFeeds,
  order: Order,
  primary: AxisId | null,
  threads: number,
): readonly number[] {
  const own = primary === null ? undefined : lengths.get(primary);
  const workOf = (row: number): number => own?.[order[row]!] ?? 1;
  let total = 0;
  for (let row = 0; row < batch; row++) total += workOf(row);
  const grain = batch >= 8 * threads ? 4 : 1;
  const borders = [0];
  let done = 0;
  for (let row = 0; row < batch && borders.length < threads; row++) {
    if (row % grain === 0 && row > 0 && done * threads >= total * borders.length) borders.push(row);
    done += workOf(row);
  }
  while (borders.length < threads) borders.push(batch);
  return borders;
}

/** What the host gives for a node. */
function given(node: Node, { inputs, lengths, extents, batch }: NormalFeeds): Tensor {
  switch (node.op) {
    case "input":
      return inputs.get(node.attrs.name)!;
    case "length": {
      const { axis } = node.attrs;
      const data = lengths.get(axis) ?? new Int32Array(batch).fill(extents.get(axis)!);
      return { dtype: "index", shape: [batch], data };
    }
    case "index": {
      const extent = extents.get(node.attrs.axis)!;
      return { dtype: "index", shape: [extent], data: Int32Array.from({ length: extent }, (_, i) => i) };
    }
    case "batchSize":
      return { dtype: "real", shape: [], data: Float32Array.of(batch) };
    default:
      throw new InternalError("wasm", `the host does not give ${node.op}`);
  }
}
