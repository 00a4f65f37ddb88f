// The programs of spec/conformance/programs, compiled, and what is asked of the gradients of any program: they agree with central
// differences, with the gradients of the unrolled program, and on every backend.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "../../backends/api.ts";
import { evaluateGraph, type PlainEnvironment } from "../../backends/reference/evaluate.ts";
import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import type { AxisId, Graph } from "../../compiler/graph/graph.ts";
import { type CompiledModel, compile, type Program } from "../../compiler/index.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { schedule } from "../../compiler/schedule/build.ts";
import { unroll } from "../../compiler/unroll/unroll.ts";
import { type EnvironmentOptions, randomEnvironment } from "./environment.ts";

export const programFolder = join(import.meta.dirname, "..", "..", "spec", "conformance", "programs");

export const modelNames = readdirSync(programFolder)
  .filter(name => name.endsWith(".frond"))
  .map(name => name.slice(0, -".frond".length));

export const compileText = (name: string, text: string): CompiledModel =>
  compile({ name, text }, { build: { verify: true } });

export const compileNamed = (name: string): CompiledModel =>
  compileText(`${name}.frond`, readFileSync(join(programFolder, `${name}.frond`), "utf8"));

/** Random data that fits a program's inputs. */
export function environmentOf(
  program: Program,
  options: EnvironmentOptions = {},
): Required<PlainEnvironment> {
  const classes = new Map(program.inputs.map(({ name, classes }) => [name, classes ?? 2] as const));
  const parameters = new Map<string, Tensor>();
  const environment = randomEnvironment(program.graph, { classes, ...options });
  for (const [name, tensor] of environment.parameters) parameters.set(name, tensor);
  return { ...environment, parameters };
}

export const extentsOf = ({ lengths }: Required<PlainEnvironment>): ReadonlyMap<AxisId, number> =>
  new Map([...lengths].map(([axis, own]) => [axis, Math.max(...Array.from(own))] as const));

/** The gradient program's outputs, computed by its unrolled schedule. */
export function differentiatedThenUnrolled(
  program: Program,
  environment: Required<PlainEnvironment>,
): ReadonlyMap<string, Tensor> {
  return evaluateGraph(unroll(program.schedule, extentsOf(environment)), environment, program.results);
}

/** The gradients of the unrolled forward program: what a tape would compute. Harmless padding only. */
export function unrolledThenDifferentiated(
  model: CompiledModel,
  environment: Required<PlainEnvironment>,
): ReadonlyMap<string, Tensor> {
  const forward = schedule(model.lowered("train").graph);
  if (forward.kind === "unordered") throw new Error("the forward graph has no order");
  const flat = unroll(forward.schedule, extentsOf(environment));
  const parameters = [...flat.nodes.values()].filter(node => node.op === "parameter");
  const { graph, gradients } = differentiate(
    flat,
    flat.outputs.get("loss")!,
    parameters.map(({ id }) => id),
  );
  const builder = GraphBuilder.from(graph);
  for (const { id, attrs } of parameters) builder.output(`gradient.${attrs.name}`, gradients.get(id)!);
  const whole: Graph = builder.finish();
  const names = parameters.map(({ attrs }) => `gradient.${attrs.name}`);
  return evaluateGraph(whole, environment, ["loss", ...names]);
}
