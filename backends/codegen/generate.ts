// From a program to code: one module whose function `run` is the whole program, for every batch and every extents.

import type { AxisId, Node, NodeId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { type Item, type LoopItem, makePlan, type Plan } from "../plan/plan.ts";
import { prepare } from "../plan/prepare.ts";
import { blockedOffsets, blockedValues, isStraight } from "./blocked.ts";
import { add, compare, mul, splat, sub } from "./builder.ts";
import { Carried } from "./carried.ts";
import type { Expr, Module, Target } from "./code.ts";
import { asGradient, asProduct, type ContractOperand, type LengthOf } from "./contract.ts";
import { Frame } from "./frame.ts";
import { emitFused, fillValue } from "./fused.ts";
import { type Target as UpdatedInPlace, updatesInPlace } from "./inplace.ts";
import type { Surroundings } from "./kernel.ts";
import { lowerings, traitsOf } from "./lowering.ts";
import { mainFunction } from "./main.ts";
import { matrixKey, pack, packingsOf } from "./packing.ts";
import { aligned, Places } from "./places.ts";
import { Products } from "./products.ts";
import type { Mark } from "./profile.ts";
import { runScan } from "./scan-run.ts";
import { type Scope, Tasks } from "./tasks.ts";
import { teamEnd } from "./team.ts";
import type { Tile } from "./tile.ts";

/** A program as code, and what the host needs to know to run it. */
export interface Generated {
  /** As it was generated: rewritten (plan/prepare.ts). */
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
  /** Of parameters and states that are not kept row by row: where each element stands. */
  readonly orders: ReadonlyMap<string, Int32Array>;
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
  const isElementwise = (node: Node): boolean => lowerings[node.op].kind === "elementwise";
  const program = prepare(given, { isElementwise, sinks: true });
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

export class Generator {
  readonly program: Program;
  readonly plan: Plan;
  readonly inPlace: ReadonlyMap<NodeId, UpdatedInPlace>;
  readonly frame = new Frame(frameAddress);
  readonly places: Places;
  readonly tasks: Tasks;
  readonly products: Products;
  readonly target: Target;
  readonly threads: number;
  readonly carried: Carried;
  /** Running sums of which each thread has its own. */
  readonly ownSums = new Set<NodeId>();
  readonly #primary: AxisId | null;
  readonly #lengths: ReadonlyMap<AxisId, number | null>;

  constructor(program: Program, plan: Plan, { target, tile, primary, threads, profile }: Options) {
    this.threads = threads;
    this.program = program;
    this.plan = plan;
    this.target = target;
    this.#primary = primary;
    this.#lengths = new Map(program.schedule.graph.axes.map(({ id, length }) => [id, length]));
    this.carried = new Carried(program.schedule.graph, plan);
    this.inPlace = updatesInPlace(program, plan);
    this.places = new Places(program, plan, this.inPlace, this.frame, target, frameAddress + frameRoom);
    const around: Surroundings = {
      frame: this.frame,
      primary,
      staticLength: this.lengthOf,
    };
    this.tasks = new Tasks(around, target, tile, profile);
    this.products = new Products(this.tasks, this.places, threads);
    this.places.blocked = blockedValues(this, node => lowerings[node.op].kind === "elementwise");
  }

  finish(): Generated {
    const { parameters, states } = this.program;
    for (const { name, axes, shape } of parameters) {
      this.places.variable(name, { dtype: "real", axes, shape, batched: false });
    }
    for (const { name, axes, shape, dtype } of states) {
      this.places.variable(name, { dtype, axes, shape, batched: false });
    }
    const { run, exports, epochs } = mainFunction(this);
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
      orders: this.#orders(),
      ownSums: this.ownSums,
      threads: this.threads,
      epochs,
    };
  }

  /** Of a running sum each thread has its own: the bytes from one to the next; 0 with a single thread. */
  ownSum(id: NodeId): number {
    if (this.threads === 1) return 0;
    const { memory } = this.places.of(id);
    if (memory.kind !== "rows") throw new InternalError("codegen", `the sum %${id} is a delay`);
    this.ownSums.add(id);
    return memory.rowBytes;
  }

  #clearSum(scope: Scope, id: NodeId): void {
    const { f, team } = scope;
    const bytes = this.node(id).type.batched || team === null ? 0 : this.ownSum(id);
    if (bytes === 0 || team === null) {
      fillValue(this, scope, id, 0);
      return;
    }
    const { memory } = this.places.of(id);
    if (memory.kind !== "rows") throw new InternalError("codegen", `the sum %${id} is a delay`);
    const own = f.let(add(memory.base, mul(team.thread, bytes)));
    if (bytes === 4) f.store(own, 0);
    else f.for(0, bytes, 4 * this.target.lanes, i => f.store(add(own, i), splat(0)));
  }

  lengthOf: LengthOf = axis => this.#lengths.get(axis) ?? null;

  #orders(): ReadonlyMap<string, Int32Array> {
    const orders = new Map<string, Int32Array>();
    for (const id of this.places.blocked) {
      const { op, attrs, type } = this.node(id);
      if (op !== "parameter" && op !== "state") continue;
      const [k, n] = type.shape as [number, number];
      orders.set(
        (attrs as { readonly name: string }).name,
        blockedOffsets([k, n], this.target, this.tasks.tile),
      );
    }
    return orders;
  }

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
      for (const packing of packingsOf(this, [item], loops)) {
        if (packing.depth === loops.length) pack(this, scope, packing);
      }
      if (this.carried.isForNext(item, loops.at(-1)!))
        scope.f.if(goesOn, () => this.item(scope, item, loops));
      else this.item(scope, item, loops);
    }
  }

  item(scope: Scope, item: Item, loops: readonly Loop[]): void {
    if (item.kind === "loop") this.#loop(scope, item, loops);
    else if (item.kind === "fused") emitFused(this, scope, item);
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

  contractOperands({ inputs }: NodeOf<"contract">): readonly [ContractOperand, ContractOperand] {
    const [left, right] = inputs.map(id => ({ type: this.node(id).type, reference: this.places.of(id) }));
    return [left!, right!];
  }

  /** A product or weight gradient; false where the contraction is neither. */
  matrixProduct(scope: Scope, node: NodeOf<"contract">): boolean {
    const operands = this.contractOperands(node);
    const out = this.places.of(node.id);
    const spec = asProduct(node, operands, [...scope.bound.keys()], this.target.lanes, this.lengthOf);
    if (spec !== null) {
      const id = node.inputs[1 - spec.rows]!;
      const isReady = this.places.blocked.has(id) && isStraight(spec);
      const matrix = isReady ? this.places.of(id) : matrixKey(id);
      this.products.product(scope, node, this.free(scope, node.type), matrix, spec, {
        rows: operands[spec.rows].reference,
        out,
      });
      return true;
    }
    const gradient = scope.bound.size === 0 ? asGradient(node, operands, this.lengthOf) : null;
    if (gradient === null) return false;
    const [a, b] = gradient.rows === 0 ? operands : [operands[1], operands[0]];
    const isBlocked = this.places.blocked.has(node.id);
    this.products.gradient(scope, node, gradient, [a, b], { out, isBlocked });
    return true;
  }

  #kernel(scope: Scope, node: Node, accumulate: boolean): void {
    const lowering = lowerings[node.op];
    if (lowering.kind === "source" || lowering.kind === "elementwise") {
      throw new InternalError("codegen", `%${node.id} = ${node.op} is computed elsewhere`);
    }
    lowering.emit(this, scope, node as never, accumulate);
  }
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
