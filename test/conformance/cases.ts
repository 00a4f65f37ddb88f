// The conformance suite as spec/conformance holds it: ops as graphs, programs in the language, the examples; and what is
// asked of each, with its tolerances (suite.json, explained in the README there).

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PlainEnvironment } from "../../backends/reference/evaluate.ts";
import type { Graph } from "../../compiler/graph/graph.ts";
import type { Program, TrainConfig } from "../../compiler/index.ts";
import { readGraph } from "../../compiler/ops/read.ts";
import { programOf, roundedToFloat32, trainingStepOf } from "../backends/run.ts";
import { type Padding, randomEnvironment } from "../harness/environment.ts";
import { withGradients } from "../harness/graphs.ts";
import { compileNamed, compileText, environmentOf, modelNames } from "../harness/models.ts";

/** What is asked of a case: what it computes, the gradients of its loss, some steps of training. */
export type Aspect = "values" | "gradients" | "steps";
export const aspects: readonly Aspect[] = ["values", "gradients", "steps"];

/** How feeds are drawn (test/harness/environment.ts). */
interface Feeds {
  readonly batch: number;
  readonly extent: number;
  readonly shortest: number;
  readonly padding: Padding;
}

interface Asked {
  /** Largest difference from the oracle, relative to the tensor's largest value. */
  readonly tolerance: number;
  readonly feeds: readonly Feeds[];
}

interface Settings {
  readonly values: Asked;
  readonly gradients: Asked;
  /** Feeds are taken in turn. */
  readonly steps: Asked & { readonly count: number } & Pick<TrainConfig, "optimizer" | "clipNorm">;
}

interface Suite {
  readonly ops: Settings;
  readonly programs: Settings;
  /** By case, what of its tolerances is other, and why. */
  readonly exceptions: {
    readonly [name: string]: { readonly [A in Aspect]?: number } & { readonly why: string };
  };
}

export type Environment = Required<PlainEnvironment>;

export interface Case {
  readonly name: string;
  program(aspect: Aspect): Program;
  /** One for each run; runs of `steps` follow each other, with the state that the last one left. */
  environments(aspect: Aspect, program: Program): readonly Environment[];
  tolerance(aspect: Aspect): number;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const opsFolder = join(root, "spec", "conformance", "ops");

export const suite: Suite = JSON.parse(readFileSync(join(root, "spec", "conformance", "suite.json"), "utf8"));

/** NAME and, where the op can stand on a cycle, NAME.loop. */
export const opCases: readonly Case[] = readdirSync(opsFolder)
  .sort()
  .map(file => opCase(file.replace(/\.graph$/, ""), readFileSync(join(opsFolder, file), "utf8")));

/** The programs of spec/conformance, and every model in examples/. */
export const programCases: readonly Case[] = [
  ...modelNames.map(name => programCase(`programs/${name}`, () => compileNamed(name))),
  ...exampleFiles().map(file =>
    programCase(file.replace(/\.frond$/, ""), () =>
      compileText(file, readFileSync(join(root, file), "utf8")),
    ),
  ),
];

function exampleFiles(): readonly string[] {
  const files = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" });
  return files
    .filter(file => file.endsWith(".frond"))
    .map(file => `examples/${file.replaceAll("\\", "/")}`)
    .sort();
}

function opCase(name: string, text: string): Case {
  const parsed = readGraph(text);
  if (!parsed.ok) throw new Error(`${name}.graph:${parsed.line}: ${parsed.problem}`);
  const { optimizer, clipNorm } = suite.ops.steps;
  const graphs: { readonly [A in Aspect]: () => Graph } = {
    values: () => parsed.graph,
    gradients: () => withGradients(parsed.graph),
    steps: () => trainingStepOf(parsed.graph, optimizer, clipNorm ?? Number.POSITIVE_INFINITY),
  };
  const classes = new Map([["class", 3]]);
  return {
    name: `ops/${name}`,
    program: aspect => programOf(graphs[aspect]()),
    environments: (aspect, { graph }) =>
      feedsOf(suite.ops, aspect).map((feeds, seed) =>
        roundedToFloat32(randomEnvironment(graph, { ...feeds, seed, classes })),
      ),
    tolerance: aspect => toleranceOf(suite.ops, `ops/${name}`, aspect),
  };
}

function programCase(name: string, compile: () => ReturnType<typeof compileNamed>): Case {
  const { optimizer, clipNorm } = suite.programs.steps;
  const programs: { readonly [A in Aspect]: () => Program } = {
    values: () => compile().infer(),
    gradients: () => compile().gradients(),
    steps: () => compile().train({ optimizer, clipNorm, batch: 1, epochs: 1 }),
  };
  return {
    name,
    program: aspect => programs[aspect](),
    environments: (aspect, program) =>
      feedsOf(suite.programs, aspect).map((feeds, seed) =>
        roundedToFloat32(environmentOf(program, { ...feeds, seed })),
      ),
    tolerance: aspect => toleranceOf(suite.programs, name, aspect),
  };
}

function feedsOf(settings: Settings, aspect: Aspect): readonly Feeds[] {
  const { feeds } = settings[aspect];
  if (aspect !== "steps") return feeds;
  return Array.from({ length: settings.steps.count }, (_, step) => feeds[step % feeds.length]!);
}

const toleranceOf = (settings: Settings, name: string, aspect: Aspect): number =>
  suite.exceptions[name]?.[aspect] ?? settings[aspect].tolerance;
