// From a program to code: one module whose function `run` is the whole program, for every batch and every extents.

import type { AxisId, Node, NodeId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { product } from "../plan/layout.ts";
import { type FusedItem, type Item, type LoopItem, makePlan, ownersOf, type Plan } from "../plan/plan.ts";
import { add, binary, compare, FunctionBuilder, load, mul, type Operand, splat, sub } from "./builder.ts";
import { Carried } from "./carried.ts";
import type { Expr, Func, Module, Target } from "./code.ts";
import {
  asGradient,
  asProduct,
  type ContractOperand,
  type LengthOf,
  type RowsTimesMatrix,
} from "./contract.ts";
import { filled } from "./expressions.ts";
import { Frame } from "./frame.ts";
import { type Target as UpdatedInPlace, updatesInPlace } from "./inplace.ts";
import type { Surroundings } from "./kernel.ts";
import { lowerings, traitsOf } from "./lowering.ts";
import { computeMembers } from "./members.ts";
import { emitNest, isOneLine, type NestOperand } from "./nest.ts";
import { aligned, Places } from "./places.ts";
import { prepare } from "./prepare.ts";
import { Products } from "./products.ts";
import type { Mark } from "./profile.ts";
import { runScan } from "./scan-kernel.ts";
import { meetings, type Share, Shares, type Unit } from "./shares.ts";
import { type Scope, Tasks } from "./tasks.ts";
import { barrier, ownRows, teamEnd, teamWords, workerLoop } from "./team.ts";
import type { Tile } from "./tile.ts";
import { copyUpdates } from "./updates.ts";

/** A program as code, and what the host needs to know to run it. */
export interface Generated {
  /** As it was generated: rewritten (prepare.ts). */
  readonly program: Program;
  readonly module: Module;
  readonly frame: Frame;
  readonly places: Places;
  readonly plan: Plan;
  readonly primary: AxisId | null;
  /** Nodes that the host gives: inputs, lengths, positions, the batch's size. */
  readonly fed: readonly NodeId[];
  /** The most threads that may run it. */
  readonly threads: number;
  /** Values that are computed in a parameter's or state's memory. */
  readonly inPlace: ReadonlyMap<NodeId, UpdatedInPlace>;
  /** Values of which every thread has its own. */
  readonly ownSums: ReadonlySet<NodeId>;
  /** For each item of the plan the number of times that threads met before it; empty for one thread. */
  readonly epochs: readonly number[];
  /** Entries that the table of active rows has behind the extent, zeros. */
  readonly ahead: number;
  /** What is timed, by the ids of marks in the code; none unless a profile is wanted. */
  readonly marks: readonly Mark[];
}

/** The frame stands behind the team's words at the begin of memory. */
const frameAddress = aligned(teamEnd);
const frameRoom = 64 * 1024;

/**
 * @param threads the most that will run it; more than one needs shared memory.
 * @param profile whether the code marks what it comes to; for one thread.
 */
export function generate(
  given: Program,
  target: Target,
  tile: Tile,
  threads = 1,
  profile = false,
): Generated {
  const program = prepare(given, node => lowerings[node.op].kind === "elementwise");
  const primary = primaryAxis(program);
  const plan = makePlan(program, traitsOf(program, primary));
  const generator = new Generator(program, plan, { target, tile, primary, threads, profile });
  return generator.finish();
}

/** The axis whose lengths the batch is sorted by: that of the first loop over an axis of unknown length. */
function primaryAxis({ schedule }: Program): AxisId | null {
  const dynamic = schedule.graph.axes.filter(({ length }) => length === null).map(({ id }) => id);
  const loops = schedule.steps.flatMap(step => (step.kind === "loop" ? [step.axis] : []));
  return loops.find(axis => dynamic.includes(axis)) ?? dynamic[0] ?? null;
}

interface Options {
  readonly target: Target;
  readonly tile: Tile;
  readonly primary: AxisId | null;
  readonly threads: number;
  readonly profile: boolean;
}

/** A stretch of the program for one thread, some, or all. */
interface ProgramUnit extends Unit<(scope: Scope) => void> {
  /** Which of the matrices it packs. */
  readonly packs: number | null;
  /** Items of the plan that it computes, 0 or 1. */
  readonly items: number;
}

/** A product whose matrix is packed outside of some loops. */
interface Packing {
  readonly node: NodeOf<"contract">;
  readonly spec: RowsTimesMatrix;
  /** Equal for equal packed matrices. */
  readonly key: string;
  /** Loops around the place where it is packed. */
  readonly depth: number;
  /** An axis of whose steps the last needs no product. */
  readonly notLast: AxisId | null;
}

export class Generator {
  readonly program: Program;
  readonly plan: Plan;
  readonly inPlace: ReadonlyMap<NodeId, UpdatedInPlace>;
  readonly frame = new Frame(frameAddress);
  readonly places: Places;
  readonly tasks: Tasks;
  readonly products: Products;
  readonly target: Target;
  readonly #threads: number;
  readonly #carried: Carried;
  /** Running sums of which each thread has its own. */
  readonly #ownSums = new Set<NodeId>();
  readonly #primary: AxisId | null;
  readonly #lengths: ReadonlyMap<AxisId, number | null>;

  constructor(program: Program, plan: Plan, { target, tile, primary, threads, profile }: Options) {
    this.#threads = threads;
    this.program = program;
    this.plan = plan;
    this.target = target;
    this.#primary = primary;
    this.#lengths = new Map(program.schedule.graph.axes.map(({ id, length }) => [id, length]));
    this.#carried = new Carried(program.schedule.graph, plan);
    this.inPlace = updatesInPlace(program, plan);
    this.places = new Places(program, plan, this.inPlace, this.frame, target, frameAddress + frameRoom);
    const around: Surroundings = {
      frame: this.frame,
      primary,
      staticLength: this.#lengthOf,
    };
    this.tasks = new Tasks(around, target, tile, profile);
    this.products = new Products(this.tasks, this.places, threads);
  }

  finish(): Generated {
    const { parameters, states } = this.program;
    for (const { name, axes, shape } of parameters) {
      this.places.variable(name, { dtype: "real", axes, shape, batched: false });
    }
    for (const { name, axes, shape, dtype } of states) {
      this.places.variable(name, { dtype, axes, shape, batched: false });
    }
    const { run, exports, epochs } = this.#main();
    // Results and inputs need places even where no code touches them.
    for (const id of this.program.schedule.graph.outputs.values()) this.places.of(id);
    if (4 * this.frame.entries > frameRoom) throw new InternalError("codegen", "the frame is too small");
    return {
      program: this.program,
      module: { functions: [...this.tasks.functions, run, ...exports], exports: [run, ...exports] },
      frame: this.frame,
      places: this.places,
      plan: this.plan,
      primary: this.#primary,
      fed: this.plan.stored.flatMap(({ node }) =>
        lowerings[this.node(node).op].kind === "source" ? [node] : [],
      ),
      ahead: this.#ahead(),
      marks: this.tasks.marks ?? [],
      inPlace: this.inPlace,
      ownSums: this.#ownSums,
      threads: this.#threads,
      epochs,
    };
  }

  /** The function that runs the program as one of several threads, or as the only one. */
  #main(): { readonly run: Func; readonly exports: readonly Func[]; readonly epochs: readonly number[] } {
    const f = new FunctionBuilder("run");
    const thread = f.param();
    const own = ownRows(f, thread);
    const isTeam = this.#threads > 1;
    const meet = barrier();
    if (isTeam) this.tasks.functions.push(meet);
    const team = isTeam ? { thread, threads: f.let(load("i32", 0, teamWords.threads)) } : null;
    const mine: Scope = { f, bound: new Map(), ...own, team };
    const all: Scope = { ...mine, from: f.let(0), to: f.let(this.frame.batch) };
    const units = this.#units();
    const meets = meetings(units);
    for (const [i, { work, share }] of units.entries()) {
      if (!isTeam) {
        work(mine);
        continue;
      }
      if (meets[i]) f.call(meet, [thread]);
      if (share === "rows") work(mine);
      else if (share === "parts") work(all);
      else f.if(compare("eq", thread, this.#nextThread(units, i)), () => work({ ...all, team: null }));
    }
    if (isTeam) f.call(meet, [thread]);
    const run = f.finish();
    return { run, exports: isTeam ? [workerLoop(run)] : [], epochs: isTeam ? epochsOf(units, meets) : [] };
  }

  /** Matrices are packed by the threads in turn; all else that one thread does is done by the first. */
  #nextThread(units: readonly ProgramUnit[], i: number): Operand {
    const { packs } = units[i]!;
    if (packs === null) return 0;
    return binary("remU", packs, load("i32", 0, teamWords.threads));
  }

  #units(): readonly ProgramUnit[] {
    const isGradient = (node: Node): boolean =>
      node.op === "contract" && asGradient(node, this.contractOperands(node), this.#lengthOf) !== null;
    const shares = new Shares(this.plan, this.program.schedule.graph, this.inPlace, isGradient);
    const units: ProgramUnit[] = [];
    const packed = new Set<string>();
    const always = new Set(
      this.#packings(this.plan.items, []).flatMap(packing => (packing.notLast === null ? [packing.key] : [])),
    );
    let packs = 0;
    for (const item of this.plan.items) {
      const packings = this.#packings([item], []);
      const keys: string[] = [];
      for (const packing of packings) {
        if (packing.depth > 0) continue;
        const { key, notLast } = packing;
        const matrix = packing.node.inputs[1 - packing.spec.rows]!;
        keys.push(key);
        if (packed.has(key)) continue;
        packed.add(key);
        units.push({
          work: scope => {
            const pack = (): void => this.#pack(scope, packing);
            const { f } = scope;
            if (notLast !== null && !always.has(key))
              f.if(compare("gt", this.tasks.extent(notLast), 1), pack);
            else if (this.#isKept(shares.owners(matrix))) f.if(compare("eq", this.frame.packed, 0), pack);
            else pack();
          },
          share: "one",
          reads: shares.owners(matrix),
          writes: [key],
          packs: packs++,
          items: 0,
        });
      }
      const inLoops = packings.some(({ depth }) => depth > 0);
      const share = inLoops ? "one" : this.#shareOf(shares, item);
      units.push({
        work: scope => this.#item(scope, item, []),
        share,
        reads: [...shares.reads(item), ...keys],
        writes: shares.writes(item),
        packs: null,
        items: 1,
      });
      if (item.kind === "loop" && share === "rows") units.push(...this.#totals(item));
    }
    const { outputs } = this.program.schedule.graph;
    const updated = this.program.updates.map(({ output }) => outputs.get(output)!);
    units.push({
      work: scope => copyUpdates(this, scope),
      share: "one",
      reads: updated.flatMap(id => shares.owners(id)),
      writes: this.#variableNodes(),
      packs: null,
      items: 0,
    });
    return units;
  }

  /** Whether values stay the same from run to run, as long as the parameters do: nothing is computed, or updated. */
  #isKept(owners: readonly NodeId[]): boolean {
    const kept = ["parameter", "state", "constant"];
    return this.program.updates.length === 0 && owners.every(id => kept.includes(this.node(id).op));
  }

  #shareOf(shares: Shares, item: Item): Share {
    const share = shares.shareOf(item);
    if (share !== "parts" || item.kind !== "fused") return share;
    return this.#isOneLine(item) ? "parts" : "one";
  }

  /** Parameters and states as nodes. */
  #variableNodes(): readonly NodeId[] {
    return [...this.program.schedule.graph.nodes.values()].flatMap(({ op, id }) =>
      op === "parameter" || op === "state" ? [id] : [],
    );
  }

  /** After a loop whose running sums each thread had for itself: their totals. */
  #totals({ accumulated }: LoopItem): readonly ProgramUnit[] {
    const sums = accumulated.filter(id => !this.node(id).type.batched);
    if (this.#threads === 1 || sums.length === 0) return [];
    const work = ({ f }: Scope): void => {
      const threads = f.let(load("i32", 0, teamWords.threads));
      for (const id of sums) {
        const { memory } = this.places.of(id);
        if (memory.kind !== "rows") throw new InternalError("codegen", `the sum %${id} is a delay`);
        const total = f.let(memory.base);
        f.for(1, threads, 1, thread => {
          const part = f.let(add(total, mul(thread, memory.rowBytes)));
          if (memory.rowBytes === 4) f.store(total, add(load("f32", total), load("f32", part)));
          else {
            f.for(0, memory.rowBytes, 4 * this.target.lanes, i =>
              f.store(add(total, i), add(load("f32x", add(total, i)), load("f32x", add(part, i)))),
            );
          }
        });
      }
    };
    return [{ work, share: "one", reads: sums, writes: sums, packs: null, items: 0 }];
  }

  /** Of a running sum each thread has its own: the bytes from one to the next; 0 with a single thread. */
  ownSum(id: NodeId): number {
    if (this.#threads === 1) return 0;
    const { memory } = this.places.of(id);
    if (memory.kind !== "rows") throw new InternalError("codegen", `the sum %${id} is a delay`);
    this.#ownSums.add(id);
    return memory.rowBytes;
  }

  #clearSum(scope: Scope, id: NodeId): void {
    const { f, team } = scope;
    const bytes = this.node(id).type.batched || team === null ? 0 : this.ownSum(id);
    if (bytes === 0 || team === null) {
      this.fill(scope, id, 0);
      return;
    }
    const { memory } = this.places.of(id);
    if (memory.kind !== "rows") throw new InternalError("codegen", `the sum %${id} is a delay`);
    const own = f.let(add(memory.base, mul(team.thread, bytes)));
    if (bytes === 4) f.store(own, 0);
    else f.for(0, bytes, 4 * this.target.lanes, i => f.store(add(own, i), splat(0)));
  }

  #lengthOf: LengthOf = axis => this.#lengths.get(axis) ?? null;

  /** How far advances may look past the last position. */
  #ahead(): number {
    let ahead = 1;
    for (const node of this.program.schedule.graph.nodes.values()) {
      if (node.op === "shift" && node.attrs.offset < 0) ahead -= node.attrs.offset;
    }
    return ahead;
  }

  node(id: NodeId): Node {
    return this.places.node(id);
  }

  /** A node's axes that the loops around do not bind. */
  free(scope: Scope, { axes }: NodeType): readonly AxisId[] {
    return axes.filter(axis => !scope.bound.has(axis));
  }

  /** @param goesOn whether another iteration of the innermost loop follows. */
  #body(scope: Scope, items: readonly Item[], loops: readonly Loop[], goesOn: Expr): void {
    for (const item of items) {
      for (const packing of this.#packings([item], loops)) {
        if (packing.depth === loops.length) this.#pack(scope, packing);
      }
      if (this.#carried.isForNext(item, loops.at(-1)!))
        scope.f.if(goesOn, () => this.#item(scope, item, loops));
      else this.#item(scope, item, loops);
    }
  }

  #item(scope: Scope, item: Item, loops: readonly Loop[]): void {
    if (item.kind === "loop") this.#loop(scope, item, loops);
    else if (item.kind === "fused") this.#fused(scope, item);
    else this.#kernel(scope, this.node(item.node), item.accumulate);
  }

  #loop(scope: Scope, item: LoopItem, loops: readonly Loop[]): void {
    for (const id of item.accumulated) this.#clearSum(scope, id);
    runScan(this, scope, item, () => this.#steps(scope, item, loops));
  }

  #steps(scope: Scope, { loop, body }: LoopItem, loops: readonly Loop[]): void {
    const { f } = scope;
    const { axis, direction, factor } = loop;
    const extent = f.let(this.tasks.extent(axis));
    f.for(0, extent, factor, i => {
      for (const part of groupByOffset(body)) {
        const emit = (): void => {
          const index = part.offset === 0 ? i : f.let(add(i, part.offset));
          const at = direction === "forward" ? index : f.let(sub(sub(extent, 1), index));
          const isPrimary = axis === this.#primary && this.#lengths.get(axis) === null;
          const to = isPrimary ? this.tasks.rowsAt(f, at, scope.to) : scope.to;
          const inner: Scope = { ...scope, bound: new Map([...scope.bound, [axis, at]]), to };
          this.#body(inner, part.items, [...loops, loop], compare("lt", add(i, 1), extent));
        };
        if (part.offset === 0) emit();
        else f.if(compare("lt", add(i, part.offset), extent), emit);
      }
    });
  }

  /** The products among items that lie in `loops`, with where their matrices are known. */
  #packings(items: readonly Item[], loops: readonly Loop[]): readonly Packing[] {
    return items.flatMap((item): readonly Packing[] => {
      if (item.kind === "loop") return this.#packings(item.body, [...loops, item.loop]);
      if (item.kind !== "kernel" || item.accumulate) return [];
      const node = this.node(item.node);
      if (node.op !== "contract") return [];
      const spec = asProduct(
        node,
        this.contractOperands(node),
        loops.map(({ axis }) => axis),
        this.target.lanes,
        this.#lengthOf,
      );
      if (spec === null) return [];
      const matrix = this.node(node.inputs[1 - spec.rows]!);
      const made = Math.max(
        0,
        ...ownersOf(this.plan, this.program.schedule.graph, matrix.id).map(
          id => this.plan.home.get(id)?.length ?? 0,
        ),
      );
      const bound = loops.findLastIndex(({ axis }) => matrix.type.axes.includes(axis)) + 1;
      const loop = loops.at(-1);
      const notLast = loop !== undefined && this.#carried.isForNext(item, loop) ? loop.axis : null;
      const { k, n, kStride, nStride } = spec;
      const key = `${this.#matrixKey(matrix.id)} ${k} ${n} ${kStride} ${nStride}`;
      return [{ node, spec, key, depth: Math.max(made, bound), notLast }];
    });
  }

  #pack(scope: Scope, { node, spec }: Packing): void {
    const matrix = node.inputs[1 - spec.rows]!;
    this.products.pack(scope, node, this.#matrixKey(matrix), spec, this.places.of(matrix));
  }

  /** Matrices of one key are one matrix: parameters by name, others by node. */
  #matrixKey(id: NodeId): string {
    return `%${id}`;
  }

  contractOperands({ inputs }: NodeOf<"contract">): readonly [ContractOperand, ContractOperand] {
    const [left, right] = inputs.map(id => ({ type: this.node(id).type, reference: this.places.of(id) }));
    return [left!, right!];
  }

  /** A product or weight gradient; false where the contraction is neither. */
  matrixProduct(scope: Scope, node: NodeOf<"contract">): boolean {
    const operands = this.contractOperands(node);
    const out = this.places.of(node.id);
    const spec = asProduct(node, operands, [...scope.bound.keys()], this.target.lanes, this.#lengthOf);
    if (spec !== null) {
      const key = this.#matrixKey(node.inputs[1 - spec.rows]!);
      this.products.product(scope, node, this.free(scope, node.type), key, spec, {
        rows: operands[spec.rows].reference,
        out,
      });
      return true;
    }
    const gradient = scope.bound.size === 0 ? asGradient(node, operands, this.#lengthOf) : null;
    if (gradient === null) return false;
    const [a, b] = gradient.rows === 0 ? operands : [operands[1], operands[0]];
    this.products.gradient(scope, node, gradient, [a, b], out);
    return true;
  }

  #kernel(scope: Scope, node: Node, accumulate: boolean): void {
    const lowering = lowerings[node.op];
    if (lowering.kind === "source" || lowering.kind === "elementwise") {
      throw new InternalError("codegen", `%${node.id} = ${node.op} is computed elsewhere`);
    }
    lowering.emit(this, scope, node as never, accumulate);
  }

  /** What a nest reads and writes. */
  #operandsOf({ loads, stores }: FusedItem): readonly NestOperand[] {
    return [
      ...loads.map(({ node, dims }) => {
        const reference = this.places.of(node);
        return { reference, dims: dims.map(d => (d < 0 ? 0 : reference.features.dims[d]!)) };
      }),
      ...stores.map(id => {
        const reference = this.places.of(id);
        return { reference, dims: reference.features.dims };
      }),
    ];
  }

  #isOneLine(item: FusedItem): boolean {
    const operands = this.#operandsOf(item);
    const { shape } = this.node(item.nodes[0]!).type;
    const count = item.loads.length;
    return isOneLine({ shape, loads: operands.slice(0, count), stores: operands.slice(count) });
  }

  /** Elementwise nodes in one nest; where several threads share it, each computes a part. */
  #fused(scope: Scope, item: FusedItem): void {
    const { nodes, loads, stores } = item;
    const { graph } = this.program.schedule;
    const type = this.node(nodes[0]!).type;
    const operands = this.#operandsOf(item);
    const parted = scope.team !== null && !type.batched && scope.bound.size === 0;
    this.tasks.run(scope, {
      name: `nest ${this.node(nodes.at(-1)!).label}`,
      nodes,
      free: this.free(scope, type),
      rows: type.batched ? "each" : parted ? "parts" : "one",
      vectors: Math.ceil(product(type.shape) / this.target.lanes),
      memories: operands.map(({ reference }) => reference.memory),
      flat: true,
      make: kernel =>
        emitNest(kernel, {
          shape: type.shape,
          batched: type.batched,
          parted,
          loads: operands.slice(0, loads.length),
          stores: operands.slice(loads.length),
          lanes: this.target.lanes,
          body: (f, loaded) => {
            const values = computeMembers(f, graph, item, loaded);
            return stores.map(id => values.get(id)!);
          },
        }),
    });
  }

  /** Fills a stored value with a number, all of it that lies at the positions of the loops around. */
  fill(scope: Scope, id: NodeId, value: number): void {
    const { type } = this.node(id);
    const reference = this.places.of(id);
    this.tasks.run(scope, {
      name: `fill ${this.node(id).label}`,
      nodes: [id],
      free: this.free(scope, type),
      rows: type.batched ? "each" : "one",
      memories: [reference.memory],
      flat: true,
      make: kernel =>
        emitNest(kernel, {
          shape: type.shape,
          batched: type.batched,
          loads: [],
          stores: [{ reference, dims: reference.features.dims }],
          lanes: this.target.lanes,
          body: () => [filled(value, type.dtype)],
        }),
    });
  }
}

/** How often threads have met before each item. */
function epochsOf(units: readonly ProgramUnit[], meets: readonly boolean[]): readonly number[] {
  let epoch = 0;
  return units.flatMap(({ items }, i) => {
    if (meets[i]) epoch++;
    return items === 1 ? [epoch] : [];
  });
}

/** Neighbours of one offset; in loops that are not unrolled all have offset 0. */
function groupByOffset(
  items: readonly Item[],
): { readonly offset: number; readonly items: readonly Item[] }[] {
  const groups: { offset: number; items: Item[] }[] = [];
  for (const item of items) {
    const offset = item.kind === "loop" ? 0 : item.offset;
    const last = groups.at(-1);
    if (last?.offset === offset) last.items.push(item);
    else groups.push({ offset, items: [item] });
  }
  return groups;
}
