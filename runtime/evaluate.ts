// Runs a program over a data set without changing anything: scores of all examples, or the outputs of each.

import type { Executable, State, Tensor } from "../backends/api.ts";
import type { AxisId, NodeType } from "../compiler/graph/graph.ts";
import type { Program } from "../compiler/program/program.ts";
import { InternalError } from "../compiler/unreachable.ts";
import { staticLength } from "./axes.ts";
import { batches } from "./data/batches.ts";
import type { Binding } from "./data/bind.ts";
import { take } from "./data/take.ts";
import { type Scores, Totals } from "./scores.ts";
import { elementCount, zerosLike } from "./tensor.ts";

export interface Pass {
  readonly executable: Executable;
  readonly state: State;
  readonly data: Binding;
  readonly batch: number;
  readonly seed: number;
  readonly onProgress?: ((examples: number) => void) | undefined;
}

/** What a model computes for every example. */
export interface Prediction {
  /** `[size, ...axes, ...shape]`, zeros in the padding; `[...axes, ...shape]` where all examples share it. */
  readonly tensor: Tensor;
  readonly type: NodeType;
  /** Of each of its axes of unknown length, `[size]`. */
  readonly lengths: ReadonlyMap<AxisId, Int32Array>;
}

/** Loss and metrics over all examples. */
export async function evaluate(pass: Pass): Promise<Scores> {
  const totals = new Totals();
  await forEachBatch(pass, async results => {
    await totals.add(results);
  });
  return totals.scores();
}

/** The outputs `output.NAME` of every example, by NAME, in the data's order. */
export async function predict(program: Program, pass: Pass): Promise<ReadonlyMap<string, Prediction>> {
  const whole = new Map<string, Tensor>();
  const outputs = program.results.filter(name => name.startsWith(outputPrefix));
  await forEachBatch(pass, async (results, indices) => {
    for (const name of outputs) {
      const part = await results.read(name);
      const type = typeOf(program, name);
      if (!type.batched) whole.set(name, part);
      else {
        const target = whole.get(name) ?? zerosLike(part, wholeShape(pass.data, type));
        whole.set(name, target);
        indices.forEach((index, row) => {
          place(part, row, target, index);
        });
      }
    }
  });
  return new Map(
    [...whole].map(([name, tensor]) => {
      const type = typeOf(program, name);
      const lengths = new Map([...pass.data.lengths].filter(([id]) => type.axes.includes(id)));
      return [name.slice(outputPrefix.length), { tensor, type, lengths }];
    }),
  );
}

const outputPrefix = "output.";

async function forEachBatch(
  { executable, state, data, batch, seed, onProgress }: Pass,
  visit: (results: Awaited<ReturnType<Executable["run"]>>, indices: Int32Array) => Promise<void>,
): Promise<void> {
  let done = 0;
  for (const [step, indices] of batches(data, { batch, shuffle: null }).entries()) {
    const results = await executable.run(take(data, indices, seed, step), state);
    try {
      await visit(results, indices);
    } finally {
      results.dispose();
    }
    done += indices.length;
    onProgress?.(done);
  }
}

/** The type of a result. */
export function typeOf(program: Program, output: string): NodeType {
  const id = program.graph.outputs.get(output);
  const node = id === undefined ? undefined : program.graph.nodes.get(id);
  if (node === undefined)
    throw new InternalError("typeOf", `program ${program.name} has no output ${output}`);
  return node.type;
}

function wholeShape(data: Binding, type: NodeType): readonly number[] {
  const extents = type.axes.map(id => {
    const lengths = data.lengths.get(id);
    return lengths?.reduce((most, length) => Math.max(most, length), 0) ?? axisLength(data, id);
  });
  return [data.size, ...extents, ...type.shape];
}

function axisLength(data: Binding, id: AxisId): number {
  const length = staticLength(data.axes, id);
  if (length === null) throw new InternalError("predict", `no input gives the length of axis ${id}`);
  return length;
}

/** Copies row `from` of a batch to row `to` of the whole, whose inner dimensions are at least as large. */
function place(part: Tensor, from: number, whole: Tensor, to: number): void {
  const inner = part.shape.slice(1);
  const outer = whole.shape.slice(1);
  const copy = (dim: number, at: number, target: number): void => {
    if (dim >= inner.length - 1) {
      whole.data.set(part.data.subarray(at, at + (inner[dim] ?? 1)), target);
      return;
    }
    const step = elementCount(inner.slice(dim + 1));
    const targetStep = elementCount(outer.slice(dim + 1));
    for (let i = 0; i < inner[dim]!; i++) copy(dim + 1, at + i * step, target + i * targetStep);
  };
  copy(0, from * elementCount(inner), to * elementCount(outer));
}
