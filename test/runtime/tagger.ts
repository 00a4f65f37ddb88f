// A small model built by hand, as the compiler would hand it to the runtime: an Elman layer and a softmax at every
// step, cross-entropy averaged over all steps. So the runtime is tested without the language.

import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import { addOptimizer } from "../../compiler/autodiff/optimizer.ts";
import type { AxisId, Graph, NodeId } from "../../compiler/graph/graph.ts";
import type { InputSpec, ParameterSpec, TrainConfig } from "../../compiler/lower/model.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import type { Program } from "../../compiler/program/program.ts";
import { schedule } from "../../compiler/schedule/build.ts";
import type { CompiledModel } from "../../runtime/model.ts";
import { elmanCell, product } from "../harness/graphs.ts";

export const features = 2;
export const classes = 3;
export const units = 4;
const t = "t" as AxisId;

export const inputs: readonly InputSpec[] = [
  { name: "x", role: "input", dtype: "real", shape: [features], axes: [t], classes: null, span: null },
  { name: "y", role: "target", dtype: "index", shape: [], axes: [t], classes, span: null },
];

const glorot = { kind: "glorotUniform" } as const;
const zero = { kind: "fill", value: 0 } as const;
const parameter = (name: string, shape: readonly number[], init: ParameterSpec["init"]): ParameterSpec => ({
  name,
  shape,
  axes: [],
  init,
  span: null,
});
const parameters: readonly ParameterSpec[] = [
  parameter("h.W", [features, units], glorot),
  parameter("h.U", [units, units], { kind: "orthogonal", gain: 1 }),
  parameter("h.b", [units], zero),
  parameter("logits.W", [units, classes], glorot),
  parameter("logits.b", [classes], zero),
];

export const config: TrainConfig = {
  optimizer: { kind: "adam", rate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  clipNorm: 1,
  batch: 4,
  epochs: 3,
};

function forward(): { builder: GraphBuilder; logits: NodeId } {
  const builder = new GraphBuilder([{ id: t, length: null }]);
  const x = builder.input("x", { shape: [features], axes: [t] });
  const h = elmanCell(builder, "h", x, t, { units });
  const w = builder.parameter("logits.W", [units, classes]);
  const logits = builder.add(product(builder, h, w), builder.parameter("logits.b", [classes]));
  return { builder, logits };
}

function withScores(): { builder: GraphBuilder; loss: NodeId } {
  const { builder, logits } = forward();
  const y = builder.input("y", { dtype: "index", axes: [t] });
  const right = builder.sum(builder.mul(builder.oneHot(y, classes), logits), { dims: [0] });
  const errors = builder.sub(builder.logsumexp(logits, { dims: [0] }), right);
  const over = { axes: [t], batch: true };
  const total = builder.sum(errors, over);
  const count = builder.sum(builder.cast(builder.length(t), "real"), { batch: true });
  const hits = builder.cast(builder.equal(builder.argmax(logits, 0), y), "real");
  const loss = builder.div(total, count);
  builder.output("loss", loss);
  builder.output("loss.total", total);
  builder.output("loss.count", count);
  builder.output("metric.accuracy.total", builder.sum(hits, over));
  builder.output("metric.accuracy.count", count);
  return { builder, loss };
}

function program(name: string, graph: Graph, rest: Partial<Program> = {}): Program {
  const scheduled = schedule(graph);
  if (scheduled.kind !== "scheduled") throw new Error(`${name} cannot be scheduled`);
  const used = inputs.filter(spec => [...graph.nodes.values()].some(isInput(spec.name)));
  const results = [...graph.outputs.keys()].filter(output => !output.startsWith("update."));
  return {
    name,
    graph,
    schedule: scheduled.schedule,
    inputs: used,
    parameters,
    states: [],
    updates: [],
    results,
    ...rest,
  };
}

const isInput = (name: string) => (node: { readonly op: string; readonly attrs: unknown }) =>
  node.op === "input" && (node.attrs as { readonly name: string }).name === name;

function differentiated() {
  const { builder, loss } = withScores();
  const graph = builder.finish();
  const byName = new Map(
    [...graph.nodes.values()].flatMap(node =>
      node.op === "parameter" ? [[node.attrs.name, node.id]] : [],
    ) as [string, NodeId][],
  );
  const ids = parameters.map(({ name }) => byName.get(name)!);
  return { ids, ...differentiate(graph, loss, ids) };
}

function trainProgram(own: TrainConfig): Program {
  const { ids, graph, gradients } = differentiated();
  const trainables = parameters.map((spec, i) => ({
    spec,
    value: ids[i]!,
    gradient: gradients.get(ids[i]!)!,
  }));
  const builder = GraphBuilder.from(graph);
  const step = addOptimizer(builder, trainables, own.optimizer, own.clipNorm);
  return program("Tagger.train", builder.finish(), step);
}

function gradientProgram(): Program {
  const { ids, graph, gradients } = differentiated();
  const builder = GraphBuilder.from(graph);
  for (const [i, { name }] of parameters.entries())
    builder.output(`gradient.${name}`, gradients.get(ids[i]!)!);
  return program("Tagger.gradients", builder.finish());
}

function inferProgram(): Program {
  const { builder, logits } = forward();
  const p = builder.expdiff(logits, builder.logsumexp(logits, { dims: [0], keep: true }));
  builder.output("output.p", p);
  return program("Tagger", builder.finish());
}

export const tagger: CompiledModel = {
  name: "Tagger",
  trainConfig: config,
  generated: [],
  hasLoss: true,
  lowered: () => ({
    name: "Tagger",
    graph: withScores().builder.finish(),
    inputs,
    parameters,
    outputs: ["p"],
    metrics: ["accuracy"],
    train: config,
    generate: [],
    names: new Map(),
    equations: new Map(),
    layers: new Map(),
  }),
  train: (own = config) => trainProgram(own),
  infer: inferProgram,
  evaluate: () => program("Tagger.evaluate", withScores().builder.finish()),
  gradients: gradientProgram,
  generate: inferProgram,
  dump: (stage, options) => `${stage} of Tagger ${JSON.stringify(options)}`,
};
