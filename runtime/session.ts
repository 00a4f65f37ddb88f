// A session: one model on one backend, with its weights and the optimiser's state. All that changes over time is in
// here; programs, data sets and checkpoints are values that go in and come out.

import type { Backend, CompileOptions, Tensor } from "../backends/api.ts";
import { FrondError } from "../compiler/diagnostics/error.ts";
import { report } from "../compiler/diagnostics/report.ts";
import type { GenerateSpec, TrainConfig } from "../compiler/lower/model.ts";
import type { Level } from "../compiler/program/levels.ts";
import { defaultTraining } from "../compiler/program/model.ts";
import type { Program } from "../compiler/program/program.ts";
import type { Checkpoint } from "./checkpoints/safetensors.ts";
import { fitWeights, packCheckpoint, unpackCheckpoint } from "./checkpoints/weights.ts";
import { type Binding, bind } from "./data/bind.ts";
import { type Dataset, emptyDataset } from "./data/dataset.ts";
import { evaluate, type Pass, type Prediction, predict } from "./evaluate.ts";
import { type Compiled, Executables, type Fit, type Most, mostOf, type Wanted } from "./executables.ts";
import { generate } from "./generate.ts";
import { initialize } from "./initializers.ts";
import type { CompiledModel } from "./model.ts";
import type { Scores } from "./scores.ts";
import { withStates } from "./states.ts";
import { type EpochEvent, type Place, type Snapshot, type TrainEvent, train } from "./train.ts";

export interface SessionOptions {
  readonly model: CompiledModel;
  readonly backend: Backend;
  /** Of initial weights, shuffling and random draws; 0 when left out. */
  readonly seed?: number;
  readonly compile?: CompileOptions;
  /**
   * Bytes that what a call runs may take at the most, parameters and states apart; no bound when left out. Programs are
   * then built with as much less memory, for more time, as the data of the call need.
   */
  readonly memory?: number;
}

export interface TrainOptions {
  /** What is left out is the model's. `epochs` counts all epochs, those before a checkpoint too. */
  readonly epochs?: number;
  readonly batch?: number;
  readonly rate?: number;
  readonly validation?: Dataset;
  readonly onEvent?: (event: TrainEvent) => void | Promise<void>;
  /** Called after each epoch, when `checkpoint()` gives a state to go on from. */
  readonly onCheckpoint?: () => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface PassOptions {
  readonly batch?: number;
  readonly onProgress?: (examples: number) => void;
}

export interface GenerateOptions {
  /** The most values that each example gets. */
  readonly steps: number;
  /** Of the draws; the session's when left out. */
  readonly seed?: number;
  /** How many examples, where the model needs no data; 1 when left out. */
  readonly count?: number;
  readonly batch?: number;
  readonly onProgress?: (rounds: number) => void;
}

const generateHelp = "add a statement such as `generate out[t+1] = sample(p[t]) from 1 until out[t+1] == 0`";

/** Examples a batch where nothing else is said. */
const defaultBatch = 64;

export class Session {
  readonly model: CompiledModel;
  readonly backend: Backend;
  readonly seed: number;
  readonly #executables: Executables;
  #snapshot: Snapshot;

  constructor({ model, backend, seed = 0, compile = {}, memory }: SessionOptions) {
    this.model = model;
    this.backend = backend;
    this.seed = seed;
    this.#executables = new Executables(backend, compile, memory ?? null);
    const { parameters, graph } = model.infer();
    const values = parameters.map(spec => [spec.name, initialize(spec, graph.axes, seed)] as const);
    this.#snapshot = { values: new Map(values), step: 0, epoch: 0 };
  }

  /** Epochs trained so far. */
  get epoch(): number {
    return this.#snapshot.epoch;
  }

  /** At which level the last call's programs were built, and what they take; null without a bound on memory. */
  get fit(): Fit | null {
    return this.#executables.fit;
  }

  /** The weights by name. */
  weights(): ReadonlyMap<string, Tensor> {
    const names = new Set(this.model.infer().parameters.map(spec => spec.name));
    return new Map([...this.#snapshot.values].filter(([name]) => names.has(name)));
  }

  /** All that is needed to go on: weights, and after training the optimiser's state and the step. */
  checkpoint(): Checkpoint {
    const { step, epoch, values } = this.#snapshot;
    const weights = new Set(this.model.infer().parameters.map(spec => spec.name));
    return packCheckpoint({ values, weights, step, epoch, seed: this.seed, model: this.model.name });
  }

  /** Takes the weights of a checkpoint, and with `resume` its training state too; `file` is for messages. */
  load(checkpoint: Checkpoint, file: string, { resume = false } = {}): void {
    const { parameters, graph } = this.model.infer();
    const { weights, state, step, epoch, model } = unpackCheckpoint(checkpoint);
    const { name } = this.model;
    const isOther = model !== null && model !== name;
    const origin = {
      file,
      help: isOther ? `it is of the model \`${model}\`, this one is \`${name}\`` : null,
    };
    const values = fitWeights(weights, origin, parameters, graph.axes);
    if (!resume) {
      this.#snapshot = { values, step: 0, epoch: 0 };
      return;
    }
    const program = this.trainProgram();
    const missing = program.states.find(spec => !state.has(spec.name));
    if (missing !== undefined || step === null || epoch === null) {
      const help = missing === undefined ? [] : [`there is no \`${missing.name}\` in it`];
      throw new FrondError([report("F0826", { file }, null, { help })]);
    }
    const kept = new Map([...state].filter(([name]) => program.states.some(spec => spec.name === name)));
    this.#snapshot = {
      values: new Map([...values, ...fitWeights(kept, origin, program.states, program.graph.axes)]),
      step,
      epoch,
    };
  }

  /** Trains up to `epochs`; returns what happened in each. When the loss diverges the last good state stays. */
  async train(data: Dataset, options: TrainOptions = {}): Promise<readonly EpochEvent[]> {
    const config = this.#trainConfig(options.rate);
    const { validation, batch = config.batch, onEvent = () => {} } = options;
    const step = this.#training(data, config, batch);
    const scoring = validation === undefined ? null : this.#passing("evaluate", validation, batch);
    // Together, before the first epoch, so that what is wrong shows at once.
    const opened = await this.#executables.open(scoring === null ? [step] : [step, scoring]);
    const [{ program, executable }, scorer] = [opened[0]!, opened[1]];
    return train({
      executable,
      config,
      batch,
      data: step.data,
      epochs: options.epochs ?? config.epochs,
      seed: this.seed,
      from: { ...this.#snapshot, values: withStates(this.#snapshot.values, program) },
      validate: scoring === null ? null : this.#validator({ ...scorer!, data: scoring.data, batch }, onEvent),
      onSnapshot: async snapshot => {
        this.#snapshot = snapshot;
        await options.onCheckpoint?.();
      },
      onEvent,
      signal: options.signal ?? null,
    });
  }

  /** Loss and metrics over a data set, exactly: totals over all examples divided once. */
  async evaluate(data: Dataset, options: PassOptions = {}): Promise<Scores> {
    const { name } = this.model;
    if (this.model.evaluate().results.length === 0) {
      const help = ["`loss = ..` or `metric NAME = ..` says what is to be computed"];
      throw new FrondError([report("F0848", { name }, null, { help })]);
    }
    return this.#pass("evaluate", data, options, (_, pass) => evaluate(pass));
  }

  /** The model's outputs for every example. */
  async infer(data: Dataset, options: PassOptions = {}): Promise<ReadonlyMap<string, Prediction>> {
    return this.#pass("infer", data, options, predict);
  }

  /**
   * What the model continues its generated inputs with, by their names. The others come from `data`, which may be null
   * where there are none.
   */
  async generate(data: Dataset | null, options: GenerateOptions): Promise<ReadonlyMap<string, Prediction>> {
    const { generated, name } = this.model;
    if (generated.length === 0)
      throw new FrondError([report("F0843", { name }, null, { help: [generateHelp] })]);
    const { steps, seed = this.seed, batch = defaultBatch, onProgress } = options;
    const binding = this.#bindGiven(data, this.model.generate(), options.count ?? 1);
    const most = mostGenerated(generated, mostOf(binding, batch), steps);
    const built = (level: Level): Program => this.model.generate(level);
    const [opened] = await this.#executables.open([{ use: "generate", program: built, most }]);
    const { program, executable } = opened!;
    const state = executable.createState(withStates(this.#snapshot.values, program));
    try {
      return await generate({
        executable,
        state,
        program,
        generated,
        data: binding,
        steps,
        seed,
        batch,
        onProgress,
      });
    } finally {
      state.dispose();
    }
  }

  /** Data for all inputs but the generated ones. */
  #bindGiven(data: Dataset | null, { inputs, graph }: Program, count: number): Binding {
    const produced = new Set(this.model.generated.map(({ input }) => input));
    const given = inputs.filter(({ name }) => !produced.has(name));
    if (data === null && given.length > 0) {
      const names = given.map(({ name }) => `\`${name}\``).join(", ");
      throw new FrondError([
        report("F0844", { name: this.model.name, names }, null, {
          help: ["give them as the data: `--data FILE`"],
        }),
      ]);
    }
    return bind(data ?? emptyDataset(count), given, graph.axes);
  }

  dispose(): void {
    this.#executables.dispose();
  }

  async #pass<T>(
    use: "evaluate" | "infer",
    data: Dataset,
    { batch = defaultBatch, onProgress }: PassOptions,
    run: (program: Program, pass: Pass) => Promise<T>,
  ): Promise<T> {
    const passing = this.#passing(use, data, batch);
    const [opened] = await this.#executables.open([passing]);
    const { program, executable } = opened!;
    const state = executable.createState(withStates(this.#snapshot.values, program));
    try {
      return await run(program, {
        executable,
        state,
        data: passing.data,
        batch,
        seed: this.seed,
        onProgress,
      });
    } finally {
      state.dispose();
    }
  }

  #validator(
    { program, executable, data, batch }: Compiled & { readonly data: Binding; readonly batch: number },
    onEvent: (event: TrainEvent) => void | Promise<void>,
  ) {
    return async (values: ReadonlyMap<string, Tensor>, place: Place): Promise<Scores> => {
      const state = executable.createState(withStates(values, program));
      const onProgress = (examples: number) => {
        void onEvent({ kind: "validate", place, examples, of: data.size });
      };
      try {
        return await evaluate({ executable, state, data, batch, seed: this.seed, onProgress });
      } finally {
        state.dispose();
      }
    };
  }

  /** A pass through data that changes nothing. */
  #passing(use: "evaluate" | "infer", data: Dataset, batch: number): Wanted & { readonly data: Binding } {
    const { inputs, graph } = this.model[use]();
    const bound = bind(data, inputs, graph.axes);
    return { use, program: level => this.model[use](level), data: bound, most: mostOf(bound, batch) };
  }

  #training(data: Dataset, config: TrainConfig, batch: number): Wanted & { readonly data: Binding } {
    const { inputs, graph } = this.trainProgram(config);
    const bound = bind(data, inputs, graph.axes);
    return {
      use: "train",
      variant: String(config.optimizer.rate),
      program: level => this.model.train(config, level),
      data: bound,
      most: mostOf(bound, batch),
    };
  }

  /** The training step; a FrondError for a model without a loss. */
  trainProgram(config: TrainConfig = this.trainConfig): Program {
    return this.model.train(config);
  }

  /** What the model's `train` block says, or what holds without one. */
  get trainConfig(): TrainConfig {
    return this.model.trainConfig ?? defaultTraining;
  }

  #trainConfig(rate?: number): TrainConfig {
    const config = this.trainConfig;
    return rate === undefined ? config : { ...config, optimizer: { ...config.optimizer, rate } };
  }
}

/** Generated inputs grow to as many steps as are asked for, or as the others along their axis have. */
function mostGenerated(generated: readonly GenerateSpec[], { batch, extents }: Most, steps: number): Most {
  const grown = generated.map(({ axis }) => [axis, Math.min(steps, extents.get(axis) ?? steps)] as const);
  return { batch, extents: new Map([...extents, ...grown]) };
}
