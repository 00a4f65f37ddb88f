// Runs a program as draws: feeds are uploaded, loops are walked by the host, each draw gets its matrices and integers,
// and what nothing needs any more is freed. Parameters and states take the matrices of their new values. Nothing is
// waited for until a result is read.

import type { AxisId, Node, NodeId, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { unrollBy } from "../../compiler/unroll/partial.ts";
import type { Executable, Feeds, Results, State, Tensor } from "../api.ts";
import { extentsOfAll, type NormalFeeds, normalizeFeeds } from "../feeds.ts";
import { executableDisposed, foreignState, otherBackend, withinMemory } from "../misuse.ts";
import { makePlan, type Plan } from "../plan/plan.ts";
import { prepare } from "../plan/prepare.ts";
import { type CompileLoops, compileUnrolled } from "../unrolled.ts";
import { type Variable, variablesOf } from "../variables.ts";
import { type Cell, Cells, lastOf, texelsIn } from "./cells.ts";
import type { Device } from "./device.ts";
import { type Draws, makeDraws } from "./draws.ts";
import { isElementwise, traitsOf } from "./lowering.ts";
import { most } from "./memory.ts";
import { Run } from "./run.ts";
import { splitWide } from "./split.ts";
import { sumInStages } from "./stages.ts";
import { GpuResults, GpuState, Held, type Result } from "./state.ts";
import { toMatrix } from "./transfer.ts";

/** Compiles with `unroll` as CompileOptions has it. Throws a FrondError where that is neither "full" nor a factor. */
export function compileLoops(
  program: Program,
  unroll: "full" | number,
  compile: CompileLoops,
): Promise<Executable> {
  if (unroll === "full") return compileUnrolled(program, { unroll }, compile);
  // A device has no use for several steps in one turn of a loop: the host walks through loops.
  unrollBy(program.schedule, unroll);
  return compileUnrolled(program, {}, compile);
}

export class GpuExecutable implements Executable {
  readonly #device: Device;
  /** As it was given; `#prepared` computes it. */
  readonly #program: Program;
  readonly #prepared: Program;
  readonly #plan: Plan;
  readonly #cells: Cells;
  readonly #variables: readonly Variable[];
  readonly #types: ReadonlyMap<string, NodeType>;
  readonly #constants = new Map<Cell, Held>();
  /** By the axes along which examples differ. */
  readonly #draws = new Map<string, Draws>();
  readonly #dummy: Held;
  #disposed = false;

  constructor(device: Device, program: Program) {
    this.#device = device;
    this.#program = program;
    this.#prepared = sumInStages(prepare(program, { isElementwise, sinks: false }));
    const plan = makePlan(this.#prepared, traitsOf(this.#prepared));
    this.#plan = splitWide(this.#prepared.schedule.graph, plan, device.inputs);
    this.#cells = new Cells(this.#prepared, this.#plan, {
      inputs: device.inputs,
      texels: device.limits.texels,
    });
    this.#variables = variablesOf(program);
    this.#types = typesOf(program);
    this.#dummy = new Held(device, device.upload(1, 1, new Float32Array(4)));
  }

  createState(values: ReadonlyMap<string, Tensor>): State {
    if (this.#disposed) throw executableDisposed(this.#program);
    const lengths = this.#program.graph.axes.flatMap(({ id, length }) =>
      length === null ? [] : [[id, length] as const],
    );
    return new GpuState(this.#device, this.#variables, this.#types, new Map(lengths), values);
  }

  async run(feeds: Feeds, state: State): Promise<Results> {
    if (this.#disposed) throw executableDisposed(this.#program);
    if (!(state instanceof GpuState) || state.device !== this.#device)
      throw foreignState(this.#program, otherBackend);
    state.checkFor(this.#program, this.#variables);
    const fed = normalizeFeeds(this.#program, feeds);
    return withinMemory(this.#program, fed.batch, () => this.#run(fed, state));
  }

  #run(fed: NormalFeeds, state: GpuState): Results {
    const ragged = new Set<AxisId>();
    for (const [axis, own] of fed.lengths) {
      if (own.some(length => length < fed.extents.get(axis)!)) ragged.add(axis);
    }
    const draws = this.#drawsFor(ragged);
    const run = new Run(this.#device, this.#dummy, fed);
    try {
      this.#feed(run, fed, state);
      for (const axis of ragged)
        run.lengths.set(axis, this.#upload(lengthType, lengthTensor(fed, axis), fed));
      run.all(draws);
      const results = this.#results(run, fed);
      const updates = [...draws.updates].map(
        ([name, { cell, column }]) => [name, run.take(cell, column)] as const,
      );
      state.update(new Map(updates));
      return results;
    } finally {
      run.end();
    }
  }

  #drawsFor(ragged: ReadonlySet<AxisId>): Draws {
    const key = [...ragged].sort().join();
    const known = this.#draws.get(key);
    if (known !== undefined) return known;
    const made = makeDraws(this.#prepared, this.#plan, this.#cells, this.#device, ragged);
    this.#draws.set(key, made);
    return made;
  }

  /** Everything that draws read and none computes. */
  #feed(run: Run, fed: NormalFeeds, state: GpuState): void {
    for (const [id, cell] of this.#cells.sources) {
      const node = this.#cells.node(id);
      if (cell.kind === "variable") {
        const { held, column } = state.columns(cell.name);
        run.give(cell, held.hold(), column);
      } else if (cell.kind === "constant") run.give(cell, this.#constant(cell, node).hold(), 0);
      else run.give(cell, this.#upload(node.type, given(node, fed), fed), 0);
    }
  }

  #constant(cell: Cell, node: Node): Held {
    const known = this.#constants.get(cell);
    if (known !== undefined) return known;
    if (node.op !== "constant") throw new InternalError("gpu", `%${node.id} = ${node.op} is no constant`);
    const tensor = { dtype: "real", shape: [], data: Float32Array.from(node.attrs.values) } as const;
    const made = this.#upload(node.type, tensor, { batch: 1, extents: new Map() });
    this.#constants.set(cell, made);
    return made;
  }

  #upload(type: NodeType, tensor: Tensor, sizes: Pick<NormalFeeds, "batch" | "extents">): Held {
    const texels = texelsIn(lastOf(type.shape));
    const numbers = toMatrix(type, tensor, sizes);
    return new Held(this.#device, this.#device.upload(numbers.length / (4 * texels), texels, numbers));
  }

  #results(run: Run, fed: NormalFeeds): Results {
    const { graph } = this.#prepared.schedule;
    const results = new Map<string, Result>();
    for (const name of this.#program.results) {
      const id: NodeId = graph.outputs.get(name)!;
      const { type } = this.#cells.node(id);
      const reference = this.#cells.of(id);
      if (reference.kind === "delay") throw new InternalError("gpu", `the result ${name} is a delay`);
      if (reference.kind === "fill") results.set(name, { type, value: reference.value });
      else {
        const { held, column } = run.take(reference.cell, reference.column);
        results.set(name, { type, value: { reference, held, column } });
      }
    }
    return new GpuResults(results, fed, fed.lengths);
  }

  memory(batch: number, open: ReadonlyMap<AxisId, number>): number {
    if (this.#disposed) throw executableDisposed(this.#program);
    const extents = extentsOfAll(this.#program, batch, open);
    const axes = this.#program.graph.axes.filter(({ length }) => length === null && batch > 1);
    return most(this.#drawsFor(new Set(axes.map(({ id }) => id))), this.#cells, { batch, extents });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#dummy.release();
    for (const held of this.#constants.values()) held.release();
  }
}

const lengthType: NodeType = { dtype: "index", shape: [], axes: [], batched: true };

const lengthTensor = ({ batch, lengths, extents }: NormalFeeds, axis: AxisId): Tensor => ({
  dtype: "index",
  shape: [batch],
  data: lengths.get(axis) ?? new Int32Array(batch).fill(extents.get(axis)!),
});

/** What the host gives for a node. */
function given(node: Node, fed: NormalFeeds): Tensor {
  switch (node.op) {
    case "input":
      return fed.inputs.get(node.attrs.name)!;
    case "length":
      return lengthTensor(fed, node.attrs.axis);
    case "index": {
      const extent = fed.extents.get(node.attrs.axis)!;
      return { dtype: "index", shape: [extent], data: Int32Array.from({ length: extent }, (_, i) => i) };
    }
    case "batchSize":
      return { dtype: "real", shape: [], data: Float32Array.of(fed.batch) };
    default:
      throw new InternalError("gpu", `the host does not give ${node.op}`);
  }
}

/** The types of parameters and states. */
function typesOf({ parameters, states }: Program): ReadonlyMap<string, NodeType> {
  return new Map([
    ...parameters.map(
      ({ name, axes, shape }) => [name, { dtype: "real", shape, axes, batched: false }] as const,
    ),
    ...states.map(({ name, dtype, axes, shape }) => [name, { dtype, shape, axes, batched: false }] as const),
  ]);
}
