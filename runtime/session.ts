// A session: one model on one backend, with its weights and the optimiser's state. All that changes over time is in
// here; programs, data sets and checkpoints are values that go in and come out.

import type { Backend, CompileOptions, Executable, Tensor } from "../backends/api.ts";
import { FrondError } from "../compiler/diagnostics/error.ts";
import { report } from "../compiler/diagnostics/report.ts";
import type { TrainConfig } from "../compiler/lower/model.ts";
import { defaultTraining } from "../compiler/program/model.ts";
import type { Program } from "../compiler/program/program.ts";
import type { Checkpoint } from "./checkpoints/safetensors.ts";
import { fitWeights, packCheckpoint, unpackCheckpoint } from "./checkpoints/weights.ts";
import { type Binding, bind } from "./data/bind.ts";
import { type Dataset, emptyDataset } from "./data/dataset.ts";
import { evaluate, type Pass, type Prediction, predict } from "./evaluate.ts";
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

type Use = "evaluate" | "infer" | "generate";

const generateHelp = "add a statement such as `generate out[t+1] = sample(p[t]) from 1 until out[t+1] == 0`";

/** Examples a batch where nothing else is said. */
const defaultBatch = 64;

export class Session {
  readonly model: CompiledModel;
  readonly backend: Backend;
  readonly seed: number;
  readonly #compile: CompileOptions;
  /** Compiled when first used. */
  readonly #executables = new Map<Use, { program: Program; executable: Executable }>();
  #training: { program: Program; executable: Executable; config: TrainConfig } | null = null;
  #snapshot: Snapshot;

  constructor({ model, backend, seed = 0, compile = {} }: SessionOptions) {
    this.model = model;
    this.backend = backend;
    this.seed = seed;
    this.#compile = compile;
    const { parameters, graph } = model.infer();
    const values = parameters.map(spec => [spec.name, initialize(spec, graph.axes, seed)] as const);
    this.#snapshot = { values: new Map(values), step: 0, epoch: 0 };
  }

  /** Epochs trained so far. */
  get epoch(): number {
    return this.#snapshot.epoch;
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
    const { program, executable, config } = await this.#trainExecutable(options.rate);
    const validation = options.validation;
    const batch = options.batch ?? config.batch;
    const onEvent = options.onEvent ?? (() => {});
    return train({
      executable,
      config,
      batch,
      data: bind(data, program.inputs, program.graph.axes),
      epochs: options.epochs ?? config.epochs,
      seed: this.seed,
      from: { ...this.#snapshot, values: withStates(this.#snapshot.values, program) },
      validate: validation === undefined ? null : await this.#validator(validation, batch, onEvent),
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
    const { program, executable } = await this.#executable("generate");
    const state = executable.createState(withStates(this.#snapshot.values, program));
    const { steps, seed = this.seed, batch = defaultBatch, onProgress } = options;
    try {
      const binding = this.#bindGiven(data, program, options.count ?? 1);
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
    for (const { executable } of this.#executables.values()) executable.dispose();
    this.#executables.clear();
    this.#training?.executable.dispose();
    this.#training = null;
  }

  async #pass<T>(
    use: Use,
    data: Dataset,
    { batch = defaultBatch, onProgress }: PassOptions,
    run: (program: Program, pass: Pass) => Promise<T>,
  ): Promise<T> {
    const { program, executable } = await this.#executable(use);
    const binding = bind(data, program.inputs, program.graph.axes);
    const state = executable.createState(withStates(this.#snapshot.values, program));
    try {
      return await run(program, { executable, state, data: binding, batch, seed: this.seed, onProgress });
    } finally {
      state.dispose();
    }
  }

  /** Bound and compiled before the first epoch, so that what is wrong shows at once. */
  async #validator(data: Dataset, batch: number, onEvent: (event: TrainEvent) => void | Promise<void>) {
    const { program, executable } = await this.#executable("evaluate");
    const binding = bind(data, program.inputs, program.graph.axes);
    return async (values: ReadonlyMap<string, Tensor>, place: Place): Promise<Scores> => {
      const state = executable.createState(withStates(values, program));
      const onProgress = (examples: number) => {
        void onEvent({ kind: "validate", place, examples, of: binding.size });
      };
      try {
        return await evaluate({ executable, state, data: binding, batch, seed: this.seed, onProgress });
      } finally {
        state.dispose();
      }
    };
  }

  async #executable(use: Use) {
    const known = this.#executables.get(use);
    if (known !== undefined) return known;
    const program = this.model[use]();
    const made = { program, executable: await this.backend.compile(program, this.#compile) };
    this.#executables.set(use, made);
    return made;
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

  async #trainExecutable(rate?: number) {
    const config = this.#trainConfig(rate);
    const known = this.#training;
    if (known !== null && known.config.optimizer.rate === config.optimizer.rate) return known;
    known?.executable.dispose();
    const program = this.trainProgram(config);
    this.#training = { program, config, executable: await this.backend.compile(program, this.#compile) };
    return this.#training;
  }
}
