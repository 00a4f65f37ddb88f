// What the tests of backends share: any graph as a program, run and compared with the reference.

import type { Tensor } from "../../backends/api.ts";
import { evaluateGraph, type PlainEnvironment } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import { addOptimizer } from "../../compiler/autodiff/optimizer.ts";
import type { Graph, Node, NodeOf } from "../../compiler/graph/graph.ts";
import type { InputSpec, OptimizerConfig, ParameterSpec } from "../../compiler/lower/model.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { runPasses } from "../../compiler/passes/pass.ts";
import { afterAdjoint, beforeAdjoint } from "../../compiler/passes/pipeline.ts";
import type { Program, StateSpec, Update } from "../../compiler/program/program.ts";
import { type ScheduleOptions, scheduleWith } from "../../compiler/schedule/merge.ts";
import { outputsError } from "../harness/differences.ts";
import { onBackend } from "../harness/training.ts";

/** How schedules may come: as the graph is, with loops made longer, with values computed again. */
export const schedulings: readonly ScheduleOptions[] = [
  { sink: false, recompute: false },
  { sink: "cheap", recompute: false },
  { sink: "cheap", recompute: "cheap" },
  { sink: "products", recompute: "cheap" },
  { sink: "products", recompute: "products" },
];

/** A program that computes all outputs of a graph; outputs named `update.NAME` also update NAME. */
export function programOf(graph: Graph, options: ScheduleOptions = schedulings[2]!): Program {
  const scheduling = scheduleWith(graph, options);
  if (scheduling.kind !== "scheduled") throw new Error("the graph has no schedule");
  const nodes = [...graph.nodes.values()];
  const updates = [...graph.outputs.keys()].flatMap((output): Update[] =>
    output.startsWith("update.") ? [{ target: output.slice("update.".length), output }] : [],
  );
  return {
    name: "Test",
    graph: scheduling.schedule.graph,
    schedule: scheduling.schedule,
    inputs: nodes.flatMap(inputSpec),
    parameters: nodes.flatMap(parameterSpec),
    states: nodes.flatMap(stateSpec),
    updates,
    results: [...graph.outputs.keys()],
  };
}

const inputSpec = (node: Node): InputSpec[] =>
  node.op === "input" ? [{ ...node.attrs, role: "input", classes: null, span: null }] : [];

const parameterSpec = (node: Node): ParameterSpec[] =>
  node.op === "parameter" ? [{ ...node.attrs, init: { kind: "fill", value: 0 }, span: null }] : [];

const stateSpec = (node: Node): StateSpec[] => (node.op === "state" ? [{ ...node.attrs, initial: 0 }] : []);

const adam = { kind: "adam", rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;

/** A graph with a loss as a whole training step: passes, adjoints, clipping by the norm, the optimiser's update. */
export function trainingStepOf(model: Graph, optimizer: OptimizerConfig = adam, clipNorm = 1): Graph {
  const forward = runPasses(model, beforeAdjoint);
  const nodes = [...forward.nodes.values()].filter((n): n is NodeOf<"parameter"> => n.op === "parameter");
  const wrt = nodes.map(({ id }) => id);
  const { graph, gradients } = differentiate(forward, forward.outputs.get("loss")!, wrt);
  const trainables = nodes.map(({ id, attrs }) => ({
    spec: { ...attrs, init: { kind: "fill", value: 0 } as const, span: null },
    value: id,
    gradient: gradients.get(id)!,
  }));
  const builder = GraphBuilder.from(graph);
  addOptimizer(builder, trainables, optimizer, clipNorm);
  return runPasses(builder.finish(), afterAdjoint);
}

/** The reference on the numbers that float32 can hold, so that only the arithmetic differs. */
export function roundedToFloat32(environment: Required<PlainEnvironment>): Required<PlainEnvironment> {
  const round = (tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> =>
    new Map(
      [...tensors].map(([name, tensor]) => {
        const data = tensor.dtype === "real" ? Float64Array.from(tensor.data, Math.fround) : tensor.data;
        return [name, { ...tensor, data }];
      }),
    );
  const { inputs, parameters, states } = environment;
  return { ...environment, inputs: round(inputs), parameters: round(parameters), states: round(states) };
}

/** The worst error of a backend against the reference over all outputs of a graph. */
export async function errorOn(
  name: string,
  graph: Graph,
  environment: Required<PlainEnvironment>,
  options?: ScheduleOptions,
): Promise<number> {
  const same = roundedToFloat32(environment);
  return outputsError(
    await onBackend(await openBackend(name), programOf(graph, options), same),
    evaluateGraph(graph, same),
  );
}
