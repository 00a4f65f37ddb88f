// From a program to code: one module whose function `run` is the whole program, for every batch and every extents.

import type { AxisId, Node, NodeId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { sourceFinder } from "../plan/fusion.ts";
import { type FusedItem, type Item, type LoopItem, makePlan, type Plan } from "../plan/plan.ts";
import { add, compare, FunctionBuilder, sub } from "./builder.ts";
import type { Func, Module, Target } from "./code.ts";
import { asGradient, asProduct, type ContractOperand, type RowsTimesMatrix } from "./contract.ts";
import { expressionOf, filled, type Term } from "./expressions.ts";
import { Frame } from "./frame.ts";
import type { Surroundings } from "./kernel.ts";
import { lowerings, traitsOf } from "./lowering.ts";
import { emitNest } from "./nest.ts";
import { Places } from "./places.ts";
import { Products } from "./products.ts";
import { type Scope, Tasks } from "./tasks.ts";
import type { Tile } from "./tile.ts";
import { copyUpdates } from "./updates.ts";

/** A program as code, and what the host needs to know to run it. */
export interface Generated {
  readonly module: Module;
  readonly frame: Frame;
  readonly places: Places;
  readonly plan: Plan;
  readonly primary: AxisId | null;
  /** Nodes that the host gives: inputs, lengths, positions, the batch's size. */
  readonly fed: readonly NodeId[];
  /** Entries that the table of active rows has behind the extent, zeros. */
  readonly ahead: number;
}

/** The frame stands at the begin of memory; 0 is left free. */
const frameAddress = 64;
const frameRoom = 64 * 1024;

export function generate(program: Program, target: Target, tile: Tile): Generated {
  const primary = primaryAxis(program);
  const plan = makePlan(program, traitsOf(program, primary));
  const generator = new Generator(program, plan, { target, tile, primary });
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
}

/** A product whose matrix is packed outside of some loops. */
interface Packing {
  readonly node: NodeOf<"contract">;
  readonly spec: RowsTimesMatrix;
  /** Loops around the place where it is packed. */
  readonly depth: number;
}

export class Generator {
  readonly program: Program;
  readonly plan: Plan;
  readonly frame = new Frame(frameAddress);
  readonly places: Places;
  readonly tasks: Tasks;
  readonly products: Products;
  readonly target: Target;
  readonly #primary: AxisId | null;
  readonly #lengths: ReadonlyMap<AxisId, number | null>;

  constructor(program: Program, plan: Plan, { target, tile, primary }: Options) {
    this.program = program;
    this.plan = plan;
    this.target = target;
    this.#primary = primary;
    this.#lengths = new Map(program.schedule.graph.axes.map(({ id, length }) => [id, length]));
    this.places = new Places(program, plan, this.frame, target, frameAddress + frameRoom);
    const around: Surroundings = {
      frame: this.frame,
      primary,
      staticLength: axis => this.#lengths.get(axis) ?? null,
    };
    this.tasks = new Tasks(around, target, tile);
    this.products = new Products(this.tasks, this.places);
  }

  finish(): Generated {
    const f = new FunctionBuilder("run");
    const [from, to] = [f.param(), f.param()];
    const scope: Scope = { f, bound: new Map(), from, to };
    const { parameters, states } = this.program;
    for (const { name, axes, shape } of parameters) {
      this.places.variable(name, { dtype: "real", axes, shape, batched: false });
    }
    for (const { name, axes, shape, dtype } of states) {
      this.places.variable(name, { dtype, axes, shape, batched: false });
    }
    this.#body(scope, this.plan.items, []);
    copyUpdates(this, scope);
    // Results and inputs need places even where no code touches them.
    for (const id of this.program.schedule.graph.outputs.values()) this.places.of(id);
    const run: Func = f.finish();
    if (4 * this.frame.entries > frameRoom) throw new InternalError("codegen", "the frame is too small");
    return {
      module: { functions: [...this.tasks.functions, run], exports: [run] },
      frame: this.frame,
      places: this.places,
      plan: this.plan,
      primary: this.#primary,
      fed: this.plan.stored.flatMap(({ node }) =>
        lowerings[this.node(node).op].kind === "source" ? [node] : [],
      ),
      ahead: this.#ahead(),
    };
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

  #body(scope: Scope, items: readonly Item[], loops: readonly Loop[]): void {
    for (const item of items) {
      for (const packing of this.#packings([item], loops)) {
        if (packing.depth === loops.length) this.#pack(scope, packing);
      }
      if (item.kind === "loop") this.#loop(scope, item, loops);
      else if (item.kind === "fused") this.#fused(scope, item);
      else this.#kernel(scope, this.node(item.node), item.accumulate);
    }
  }

  #loop(scope: Scope, { loop, body, accumulated }: LoopItem, loops: readonly Loop[]): void {
    const { f } = scope;
    for (const id of accumulated) this.fill(scope, id, 0);
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
          this.#body(inner, part.items, [...loops, loop]);
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
      );
      if (spec === null) return [];
      const matrix = this.node(node.inputs[1 - spec.rows]!);
      const made = Math.max(0, ...this.#roots(matrix.id).map(id => this.plan.home.get(id)?.length ?? 0));
      const bound = loops.findLastIndex(({ axis }) => matrix.type.axes.includes(axis)) + 1;
      return [{ node, spec, depth: Math.max(made, bound) }];
    });
  }

  /** What is computed, where a value is a view of it. */
  #roots(id: NodeId): readonly NodeId[] {
    const operand = this.plan.viewed.get(id);
    if (operand === undefined) return [id];
    return [
      ...this.#roots(operand),
      ...(this.node(id).op === "shift" ? this.#roots(this.node(id).inputs[1]!) : []),
    ];
  }

  #pack(scope: Scope, { node, spec }: Packing): void {
    const matrix = node.inputs[1 - spec.rows]!;
    this.products.pack(scope, this.#matrixKey(matrix, scope), spec, this.places.of(matrix));
  }

  /** Matrices of one key are one matrix: parameters by name, others by node. */
  #matrixKey(id: NodeId, _scope: Scope): string {
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
    const spec = asProduct(node, operands, [...scope.bound.keys()], this.target.lanes);
    if (spec !== null) {
      const key = this.#matrixKey(node.inputs[1 - spec.rows]!, scope);
      this.products.product(scope, node, this.free(scope, node.type), key, spec, {
        rows: operands[spec.rows].reference,
        out,
      });
      return true;
    }
    const gradient = scope.bound.size === 0 ? asGradient(node, operands) : null;
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

  /** Elementwise nodes in one nest. */
  #fused(scope: Scope, { nodes, loads, stores }: FusedItem): void {
    const { graph } = this.program.schedule;
    const find = sourceFinder(graph, nodes, loads);
    const type = this.node(nodes[0]!).type;
    const operands = [
      ...loads.map(({ node, dims }) => {
        const reference = this.places.of(node);
        return { reference, dims: dims.map(d => (d < 0 ? 0 : reference.features.dims[d]!)) };
      }),
      ...stores.map(id => {
        const reference = this.places.of(id);
        return { reference, dims: reference.features.dims };
      }),
    ];
    this.tasks.run(scope, {
      name: `nest ${this.node(nodes.at(-1)!).label}`,
      free: this.free(scope, type),
      rows: type.batched ? "each" : "one",
      memories: operands.map(({ reference }) => reference.memory),
      flat: true,
      make: kernel =>
        emitNest(kernel, {
          shape: type.shape,
          batched: type.batched,
          loads: operands.slice(0, loads.length),
          stores: operands.slice(loads.length),
          lanes: this.target.lanes,
          body: (f, loaded) => {
            const values = new Map<NodeId, Term>();
            for (const id of nodes) {
              const node = this.node(id);
              const terms = node.inputs.map((input, k): Term => {
                const { dtype } = this.node(input).type;
                const source = find(node, k);
                if (source.kind === "member") return values.get(source.node)!;
                if (source.kind === "fill") {
                  return { value: filled(source.value, dtype), dtype, fill: source.value };
                }
                return { value: loaded[source.index]!, dtype, fill: null };
              });
              const value = expressionOf(f, node, terms);
              if (value === null)
                throw new InternalError("codegen", `%${id} = ${node.op} is not elementwise`);
              const local = f.let(value);
              const { dtype } = node.type;
              values.set(id, { value: { kind: "local", type: local.type, local }, dtype, fill: null });
            }
            return stores.map(id => values.get(id)!.value);
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
