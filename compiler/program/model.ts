// A model with its sizes filled in, and the programs that are made of it: inference, evaluation, gradients, the
// training step. Each is made when first asked for; all have the same parameters. A program at another level than
// `fast` computes the same in less memory.

import { addAdjoints } from "../autodiff/differentiate.ts";
import { addOptimizer, type Trainable } from "../autodiff/optimizer.ts";
import { FrondError } from "../diagnostics/error.ts";
import { report } from "../diagnostics/report.ts";
import type { AxisId, Graph, NodeId } from "../graph/graph.ts";
import type { GenerateSpec, InputSpec, LoweredModel, Mode, TrainConfig } from "../lower/model.ts";
import { GraphBuilder } from "../ops/builder.ts";
import { printSchedule } from "../schedule/text.ts";
import { liveNodes } from "../schedule/wiring.ts";
import { unrollBy } from "../unroll/partial.ts";
import { type Level, schedulingAt } from "./levels.ts";
import { orderDiagnostics } from "./order.ts";
import {
  type BuildOptions,
  type BuiltProgram,
  buildProgram,
  type ProgramParts,
  prepareModel,
  type Stage,
} from "./pipeline.ts";
import type { Program } from "./program.ts";

export interface DumpOptions {
  /** Which program is shown: what infers, or the training step (the default where there is a loss). */
  readonly mode?: Mode;
  /** For `unrolled`: fully, or by a factor. */
  readonly unroll?: "full" | number;
  /** For `unrolled`: the extent of each axis of unknown length; 4 where left out. */
  readonly lengths?: Readonly<Record<string, number>>;
}

const defaultExtent = 4;

/** Adam with its usual numbers, for models with a loss and no `train` block. */
export const defaultTraining: TrainConfig = {
  optimizer: { kind: "adam", rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  clipNorm: null,
  batch: 32,
  epochs: 1,
};

export class CompiledModel {
  readonly name: string;
  /** What the model's `train` block says; null without one. */
  readonly trainConfig: TrainConfig | null;
  readonly #lowered: Readonly<Record<Mode, LoweredModel>>;
  readonly #options: Partial<BuildOptions>;
  readonly #built = new Map<string, BuiltProgram>();

  constructor(lowered: Readonly<Record<Mode, LoweredModel>>, options: Partial<BuildOptions> = {}) {
    this.name = lowered.infer.name;
    this.trainConfig = lowered.infer.train;
    this.#lowered = lowered;
    this.#options = options;
  }

  /** The inputs that the model's `generate` statements continue; empty without any. */
  get generated(): readonly GenerateSpec[] {
    return this.#lowered.infer.generate;
  }

  get hasLoss(): boolean {
    return this.#lowered.train.graph.outputs.has("loss");
  }

  /** The model's graph before anything is done to it. */
  lowered(mode: Mode): LoweredModel {
    return this.#lowered[mode];
  }

  /** Results `output.NAME`; targets that no output reads are not among the inputs. */
  infer(level: Level = "fast"): Program {
    return this.#build("infer", level, () => this.#plain("infer", name => name.startsWith("output.")))
      .program;
  }

  /** Results `generate.NAME` and `generate.until`: the next value of each generated input. */
  generate(level: Level = "fast"): Program {
    const wanted = (name: string): boolean => name.startsWith("generate.");
    return this.#build("generate", level, () => this.#plain("generate", wanted)).program;
  }

  /** Results `loss.total`, `loss.count`, `metric.NAME.total`, `metric.NAME.count`. */
  evaluate(level: Level = "fast"): Program {
    return this.#build("evaluate", level, () => this.#plain("evaluate", isTotal)).program;
  }

  /** Results `loss` and `gradient.NAME` for every parameter. Random nodes draw, as in training. */
  gradients(level: Level = "fast"): Program {
    return this.#build("gradients", level, () => this.#gradients()).program;
  }

  /** One step of training: results `loss` and the totals; updates every parameter and the optimiser's state. */
  train(config: TrainConfig = this.trainConfig ?? defaultTraining, level: Level = "fast"): Program {
    return this.#trainingStep(config, level).program;
  }

  /** The text of a stage of the compiler; it parses back to what it shows. */
  dump(stage: Stage, options: DumpOptions = {}): string {
    const training = (options.mode ?? (this.hasLoss ? "train" : "infer")) === "train";
    const config = this.trainConfig ?? defaultTraining;
    if (!training) this.infer();
    const built = training ? this.#trainingStep(config, "fast") : this.#built.get("fast infer")!;
    if (stage !== "unrolled") return built.dump(stage, new Map());
    const { schedule, graph } = built.program;
    if (options.unroll !== undefined && options.unroll !== "full") {
      return printSchedule(unrollBy(schedule, options.unroll));
    }
    const extents = new Map<AxisId, number>();
    for (const { id, length } of graph.axes) {
      if (length === null) extents.set(id, options.lengths?.[id] ?? defaultExtent);
    }
    return built.dump("unrolled", extents);
  }

  /** At `fast`, scheduled as the model's own options say. */
  #build(name: string, level: Level, parts: () => ProgramParts): BuiltProgram {
    const key = `${level} ${name}`;
    const known = this.#built.get(key);
    if (known !== undefined) return known;
    const scheduling = level === "fast" ? {} : schedulingAt[level];
    const building = buildProgram(parts(), { ...this.#options, ...scheduling });
    if (building.kind === "unordered")
      throw new FrondError(orderDiagnostics(parts().graph, building.problems));
    this.#built.set(key, building);
    return building;
  }

  #trainingStep(config: TrainConfig, level: Level): BuiltProgram {
    const { optimizer, clipNorm } = config;
    return this.#build(`train ${JSON.stringify({ optimizer, clipNorm })}`, level, () => {
      const { model, builder, trainables } = this.#adjoint();
      const step = addOptimizer(builder, trainables, optimizer, clipNorm);
      return this.#parts("train", {
        ...step,
        model,
        graph: builder.finish(),
        results: [...model.outputs.keys()],
      });
    });
  }

  /** An inference-mode program of the outputs that `wanted` names. */
  #plain(name: string, wanted: (output: string) => boolean): ProgramParts {
    const { graph } = this.#lowered.infer;
    const results = [...graph.outputs.keys()].filter(wanted);
    const model = prepareModel(withOutputs(graph, results), this.#options);
    return this.#parts(name, { model, graph: model, results, states: [], updates: [] });
  }

  #gradients(): ProgramParts {
    const { model, builder, trainables } = this.#adjoint();
    for (const { spec, gradient } of trainables) builder.output(`gradient.${spec.name}`, gradient);
    const results = ["loss", ...trainables.map(({ spec }) => `gradient.${spec.name}`)];
    const whole = withOutputs(builder.finish(), results);
    return this.#parts("gradients", { model, graph: whole, results, states: [], updates: [] });
  }

  /** The prepared training graph, and a builder that goes on with it and has its gradients. */
  #adjoint(): {
    readonly model: Graph;
    readonly builder: GraphBuilder;
    readonly trainables: readonly Trainable[];
  } {
    const { graph: whole, parameters } = this.#lowered.train;
    const wanted = [...whole.outputs.keys()].filter(name => name === "loss" || isTotal(name));
    const prepared = prepareModel(withOutputs(whole, wanted), this.#options);
    const loss = prepared.outputs.get("loss");
    if (loss === undefined) throw new FrondError([report("F0730", { name: this.name }, null)]);
    const builder = GraphBuilder.from(prepared);
    const nodes = parameterNodes(prepared);
    const values = parameters.map(
      ({ name, shape, axes }) => nodes.get(name) ?? builder.parameter(name, shape, axes),
    );
    const gradients = addAdjoints(builder, prepared, loss, values);
    const trainables = parameters.map((spec, i) => {
      const value = values[i]!;
      return { spec, value, gradient: gradients.get(value)! };
    });
    return { model: prepared, builder, trainables };
  }

  #parts(name: string, parts: Omit<ProgramParts, "name" | "inputs" | "parameters">): ProgramParts {
    const { inputs, parameters } = this.#lowered.train;
    return {
      ...parts,
      name: `${this.name}.${name}`,
      inputs: inputs.filter(input => input.role === "input" || isRead(parts.graph, input)),
      parameters,
    };
  }
}

const isTotal = (output: string): boolean => /^(loss|metric\..+)\.(total|count)$/.test(output);

const withOutputs = (graph: Graph, names: readonly string[]): Graph => ({
  ...graph,
  outputs: new Map(names.map(name => [name, graph.outputs.get(name)!] as const)),
});

function parameterNodes(graph: Graph): ReadonlyMap<string, NodeId> {
  const nodes = new Map<string, NodeId>();
  for (const node of graph.nodes.values()) if (node.op === "parameter") nodes.set(node.attrs.name, node.id);
  return nodes;
}

function isRead(graph: Graph, { name }: InputSpec): boolean {
  const live = liveNodes(graph);
  return [...graph.nodes.values()].some(
    node => node.op === "input" && node.attrs.name === name && live.has(node.id),
  );
}
