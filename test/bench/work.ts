// What an engine is given: a case with its weights and data, the same for all engines, kept in a file that they read.
// Weights have Frond's names and layouts (spec/std); peers rearrange them. Of Node: pages are sent what is read here.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "../../backends/api.ts";
import type { Graph, NodeType } from "../../compiler/graph/graph.ts";
import { type CompiledModel, compile, type Program } from "../../compiler/index.ts";
import type { InputSpec } from "../../compiler/lower/model.ts";
import { opRecord } from "../../compiler/ops/table.ts";
import { readSafetensors, writeSafetensors } from "../../runtime/checkpoints/safetensors.ts";
import { draws } from "../../runtime/draws.ts";
import { initialize } from "../../runtime/initializers.ts";
import { packageRoot } from "../../runtime/node/root.ts";
import { elementCount } from "../../runtime/tensor.ts";
import type { Case } from "./cases.ts";
import type { Surroundings } from "./engine.ts";

export interface Work {
  readonly case: Case;
  /** What Frond runs, again and again. */
  readonly program: Program;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

export const benchFolder = join(packageRoot(), "test", "bench");

export function modelOf({ layer, model, inputs, units }: Case): CompiledModel {
  const name = `${layer}.frond`;
  const text = readFileSync(join(benchFolder, "models", name), "utf8");
  return compile({ name, text }, { model, sizes: { features: inputs, units } });
}

export function programOf(one: Case): Program {
  const model = modelOf(one);
  return one.task === "train" ? model.train() : model.infer();
}

/** Initial weights, and random data for every input. */
export function makeWork(one: Case): Work {
  const { parameters, inputs, graph } = modelOf(one).train();
  const tensors = new Map<string, Tensor>();
  for (const spec of parameters) tensors.set(spec.name, initialize(spec, graph.axes, 0));
  for (const spec of inputs) tensors.set(spec.name, dataFor(spec, one));
  return { case: one, program: programOf(one), tensors };
}

/** Reals in -1..1, or any of the classes, `[batch, steps, ...shape]`. */
function dataFor({ name, dtype, shape, axes, classes }: InputSpec, { batch, steps }: Case): Tensor {
  const sizes = [batch, ...axes.map(() => steps), ...shape];
  const { uniform } = draws(0, name);
  const length = elementCount(sizes);
  const data =
    dtype === "index"
      ? Int32Array.from({ length }, (_, i) => Math.floor(uniform(i) * (classes ?? 2)))
      : Float32Array.from({ length }, (_, i) => 2 * uniform(i) - 1);
  return { dtype, shape: sizes, data };
}

export const writeWork = (path: string, { tensors }: Work): void =>
  writeFileSync(path, writeSafetensors({ tensors, metadata: new Map() }));

export const readWork = (path: string, one: Case): Work => ({
  case: one,
  program: programOf(one),
  tensors: readSafetensors(readFileSync(path), path).tensors,
});

/** What engines of a process of Node's get. */
export const inNode: Surroundings = {
  detail: `Node ${process.version}`,
  work: async (one, file) => readWork(file, one),
  meter: null,
};

/** Floating-point operations of a program's products: what `gflops` counts, for every engine of a row. */
export function productFlops({ graph }: Program, one: Case): number {
  let flops = 0;
  for (const node of graph.nodes.values()) {
    if (node.op !== "contract") continue;
    const types = node.inputs.map(input => graph.nodes.get(input)!.type);
    flops += opRecord("contract").cost(node, types).flops * pointsOf(graph, types, one);
  }
  return flops;
}

/** At how many points, counting examples, operands of these types are multiplied. */
function pointsOf({ axes }: Graph, types: readonly NodeType[], { batch, steps }: Case): number {
  const along = axes.filter(({ id }) => types.some(type => type.axes.includes(id)));
  const examples = types.some(({ batched }) => batched) ? batch : 1;
  return along.reduce((count, { length }) => count * (length ?? steps), examples);
}
