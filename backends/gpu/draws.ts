// From a plan to draws: what each computes from what, in the order in which they are made, loops as loops. Made once for
// all batches and extents in which the same axes have examples that are shorter than others.

import type { AxisId, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { denseStrides } from "../plan/layout.ts";
import type { Item, Plan } from "../plan/plan.ts";
import { type Cell, type Cells, lastOf, outerOf, type Reference, texelsIn } from "./cells.ts";
import type { CompiledProgram, Device, ProgramText } from "./device.ts";
import { Emitter } from "./emit.ts";
import type { Input, Integer } from "./inputs.ts";
import { type Lowering, lowerings } from "./lowering.ts";
import { writeReference } from "./moves.ts";
import { writeNest } from "./nest.ts";

/** A program, what it reads and what it is given. */
export interface Call {
  /** Compiled when it is first asked for. */
  readonly program: () => CompiledProgram;
  readonly inputs: readonly Input[];
  readonly integers: readonly Integer[];
}

export interface Draw {
  readonly kind: "draw";
  /** For any number of rows. */
  readonly call: Call;
  /** For several rows, four at a time. */
  readonly fours: Call | null;
  readonly cell: Cell;
  /** Axes of the loops around. */
  readonly bound: ReadonlySet<AxisId>;
  /** Where it computes one position of an axis that no loop goes along. */
  readonly part: { readonly axis: AxisId; readonly position: number } | null;
}

export interface DrawLoop {
  readonly kind: "loop";
  readonly loop: Loop;
  readonly body: readonly DrawStep[];
  /** Running sums, zero before the loop. */
  readonly sums: readonly Cell[];
}

export type DrawStep = Draw | DrawLoop;

export interface Draws {
  readonly steps: readonly DrawStep[];
  /** Where the new value of each variable that is updated is found, a matrix of its own rows. */
  readonly updates: ReadonlyMap<string, Extract<Reference, { kind: "stored" }>>;
  /** For each step the cells that nothing needs after it. */
  readonly free: readonly (readonly Cell[])[];
}

export function makeDraws(
  program: Program,
  plan: Plan,
  cells: Cells,
  device: Device,
  ragged: ReadonlySet<AxisId>,
): Draws {
  const maker = new Maker(cells, device, ragged);
  const steps = [...maker.steps(plan.items, [])];
  const updates = new Map<string, Extract<Reference, { kind: "stored" }>>();
  for (const { target, output } of program.updates) {
    const { draw, reference } = maker.update(program.schedule.graph.outputs.get(output)!);
    if (draw !== null) steps.push(draw);
    updates.set(target, reference);
  }
  const results = program.results.map(name => cells.of(program.schedule.graph.outputs.get(name)!));
  const kept = new Set(
    [...results, ...updates.values()].flatMap(one => (one.kind === "stored" ? [one.cell] : [])),
  );
  return { steps, updates, free: freed(steps, kept) };
}

class Maker {
  readonly #cells: Cells;
  readonly #device: Device;
  readonly #ragged: ReadonlySet<AxisId>;

  constructor(cells: Cells, device: Device, ragged: ReadonlySet<AxisId>) {
    this.#cells = cells;
    this.#device = device;
    this.#ragged = ragged;
  }

  steps(items: readonly Item[], loops: readonly Loop[]): readonly DrawStep[] {
    return items.flatMap((item): readonly DrawStep[] => {
      if (item.kind === "loop") {
        const { loop, body, accumulated } = item;
        const sums = accumulated.map(id => this.#cells.cellOf(id));
        return [{ kind: "loop", loop, body: this.steps(body, [...loops, loop]), sums }];
      }
      if (item.kind === "fused") {
        return this.#cells
          .bundles(item)
          .map(bundle =>
            this.#draw(bundle.cell, loops, emitter => writeNest(emitter, this.#cells, item, bundle)),
          );
      }
      if (this.#cells.joined.has(item.node) || this.#cells.inlined.has(item.node)) return [];
      return this.#kernel(item.node, item.accumulate, loops);
    });
  }

  #kernel(id: NodeId, accumulate: boolean, loops: readonly Loop[]): readonly Draw[] {
    const node = this.#cells.node(id);
    if (node.op === "stack" && this.#cells.cellOf(id).sequences.includes(node.attrs.axis))
      return this.#parts(node, loops);
    const lowering = lowerings[node.op] as Lowering<"sum">;
    if (!("write" in lowering)) throw new InternalError("gpu", `%${id} = ${node.op} is computed elsewhere`);
    const cell = this.#cells.cellOf(id);
    const { write } = lowering;
    return [
      this.#draw(cell, loops, emitter =>
        write(emitter, this.#cells, cell, node as NodeOf<"sum">, accumulate),
      ),
    ];
  }

  /** A stack of which each operand is brought to its place by itself. */
  #parts(node: NodeOf<"stack">, loops: readonly Loop[]): readonly Draw[] {
    const { axis } = node.attrs;
    const cell = this.#cells.cellOf(node.id);
    const one = { ...cell, rows: { ...cell.rows, axes: cell.rows.axes.filter(other => other !== axis) } };
    return node.inputs.map((input, position) => {
      const reference = this.#cells.of(input);
      const draw = this.#draw(cell, loops, emitter => writeReference(emitter, one, node, reference));
      return { ...draw, bound: new Set([...draw.bound, axis]), part: { axis, position } };
    });
  }

  #draw(cell: Cell, loops: readonly Loop[], write: (emitter: Emitter) => void): Draw {
    const bound = new Set(loops.map(({ axis }) => axis));
    const { dialect, takesParts: parts } = this.#device;
    const callOf = (fours: boolean): Call & { readonly rows: 1 | 4 } => {
      const emitter = new Emitter(dialect, bound, this.#ragged, { fours, parts });
      write(emitter);
      const { inputs, integers, rows } = emitter;
      return { program: this.#compiled(emitter.finish()), inputs, integers, rows };
    };
    const first = callOf(true);
    const fours = first.rows === 4 ? first : null;
    return { kind: "draw", call: fours === null ? first : callOf(false), fours, cell, bound, part: null };
  }

  #compiled(text: ProgramText): () => CompiledProgram {
    let compiled: CompiledProgram | null = null;
    return () => {
      compiled ??= this.#device.compile(text);
      return compiled;
    };
  }

  /** The new value of a variable; what is no matrix of its own rows is copied into one. */
  update(id: NodeId): {
    readonly draw: Draw | null;
    readonly reference: Extract<Reference, { kind: "stored" }>;
  } {
    const reference = this.#cells.of(id);
    const node = this.#cells.node(id);
    const { axes, shape } = node.type;
    const dims = denseStrides(shape);
    if (reference.kind === "stored") {
      const { cell, features } = reference;
      const isWhole = features.offset === 0 && features.dims.join() === dims.join();
      const isAlike = cell.rows.axes.join() === axes.join() && cell.rows.outer === outerOf(shape);
      if (isWhole && isAlike && cell.rings.length === 0 && features.shape.join() === shape.join())
        return { draw: null, reference };
    }
    const cell: Cell = {
      kind: "computed",
      name: node.label,
      rows: { axes, batched: false, outer: outerOf(shape) },
      texels: texelsIn(lastOf(shape)),
      rings: [],
      sequences: [],
    };
    const draw = this.#draw(cell, [], emitter => writeReference(emitter, cell, node, reference));
    const features = { offset: 0, shape, dims };
    return { draw, reference: { kind: "stored", cell, column: 0, width: lastOf(shape), features } };
  }
}

/** For each step the cells that it or one before it computes and no later one reads. */
function freed(steps: readonly DrawStep[], kept: ReadonlySet<Cell>): readonly (readonly Cell[])[] {
  const last = new Map<Cell, number>();
  const touch = (step: DrawStep, at: number): void => {
    if (step.kind === "loop") {
      for (const inner of step.body) touch(inner, at);
      return;
    }
    last.set(step.cell, at);
    for (const input of step.call.inputs) if (input.kind === "cell") last.set(input.cell, at);
  };
  for (const [at, step] of steps.entries()) touch(step, at);
  const free: Cell[][] = steps.map(() => []);
  for (const [cell, at] of last) {
    if (!kept.has(cell) && (cell.kind === "computed" || cell.kind === "source")) free[at]!.push(cell);
  }
  return free;
}
