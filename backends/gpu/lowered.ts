// A program as draws of one device: feeds are uploaded, loops are walked by the host, each draw gets its matrices and
// integers, and what nothing needs any more is freed. Parameters and states take the matrices of their new values. Nothing
// is waited for until a result is read.

import type { AxisId, Node, NodeId, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Results, Tensor } from "../api.ts";
import { extentsOfAll, type NormalFeeds } from "../feeds.ts";
import type { Plan } from "../plan/plan.ts";
import { prepare } from "../plan/prepare.ts";
import { type Cell, Cells, lastOf, texelsIn } from "./cells.ts";
import type { Device } from "./device.ts";
import { type Draws, makeDraws } from "./draws.ts";
import { Held } from "./held.ts";
import { isElementwise } from "./lowering.ts";
import { most } from "./memory.ts";
import { planNarrow } from "./narrow.ts";
import { GpuResults, type Result } from "./results.ts";
import { Run } from "./run.ts";
import { sumInStages } from "./stages.ts";
import type { GpuState } from "./state.ts";
import { toMatrix } from "./transfer.ts";

export class Lowered {
  readonly device: Device;
  /** As it was given; `#prepared` computes it. */
  readonly #program: Program;
  readonly #prepared: Program;
  readonly #plan: Plan;
  readonly #cells: Cells;
  readonly #constants = new Map<Cell, Held>();
  /** By the axes along which examples differ. */
  readonly #draws = new Map<string, Draws>();
  /** Stands for what is empty. */
  #dummy: Held | null = null;

  constructor(device: Device, program: Program) {
    this.device = device;
    this.#program = program;
    const staged = sumInStages(prepare(program, { isElementwise, sinks: false }));
    const narrow = planNarrow(staged, device.inputs);
    this.#prepared = narrow.program;
    this.#plan = narrow.plan;
    const { inputs, limits } = device;
    this.#cells = new Cells(this.#prepared, this.#plan, { inputs, texels: limits.texels });
  }

  /** Runs once, on a state that is on the device. */
  run(fed: NormalFeeds, state: GpuState): Results {
    const ragged = new Set<AxisId>();
    for (const [axis, own] of fed.lengths) {
      if (own.some(length => length < fed.extents.get(axis)!)) ragged.add(axis);
    }
    const draws = this.#drawsFor(ragged);
    this.#dummy ??= new Held(this.device, this.device.upload(1, 1, new Float32Array(4)));
    const run = new Run(this.device, this.#dummy, fed);
    try {
      this.#feed(run, fed, state);
      for (const axis of ragged)
        run.lengths.set(axis, this.#upload(lengthType, lengthTensor(fed, axis), fed));
      run.all(draws);
      const results = this.#results(run, fed);
      const updates = [...draws.updates].map(
        ([name, { cell, column }]) => [name, run.take(cell, column)] as const,
      );
      state.update(new Map(updates), fed.step);
      return results;
    } finally {
      run.end();
    }
  }

  #drawsFor(ragged: ReadonlySet<AxisId>): Draws {
    const key = [...ragged].sort().join();
    const known = this.#draws.get(key);
    if (known !== undefined) return known;
    const made = makeDraws(this.#prepared, this.#plan, this.#cells, this.device, ragged);
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
    return new Held(this.device, this.device.upload(numbers.length / (4 * texels), texels, numbers));
  }

  #results(run: Run, fed: NormalFeeds): Results {
    const { graph } = this.#prepared.schedule;
    const results = new Map<string, Result>();
    for (const name of this.#program.results) {
      const id: NodeId = graph.outputs.get(name)!;
      const { type } = this.#cells.node(id);
      const reference = this.#cells.of(id);
      if (reference.kind === "fill") results.set(name, { type, value: reference.value });
      else if (reference.kind !== "stored")
        throw new InternalError("gpu", `the result ${name} is not stored as it is`);
      else {
        const { held, column } = run.take(reference.cell, reference.column);
        results.set(name, { type, value: { reference, held, column } });
      }
    }
    return new GpuResults(results, fed, fed.lengths);
  }

  memory(batch: number, open: ReadonlyMap<AxisId, number>): number {
    const extents = extentsOfAll(this.#program, batch, open);
    const axes = this.#program.graph.axes.filter(({ length }) => length === null && batch > 1);
    const ragged = new Set(axes.map(({ id }) => id));
    return most(this.#drawsFor(ragged), this.#cells, { batch, extents }, ragged.size);
  }

  dispose(): void {
    this.#dummy?.release();
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
