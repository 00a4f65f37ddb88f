// What train, eval and run share: a session with its weights, on the backend that was asked for.

import type { Program } from "../../compiler/program/program.ts";
import { bind } from "../data/bind.ts";
import type { Dataset } from "../data/dataset.ts";
import { trialOf, type Use } from "../open.ts";
import { Session } from "../session.ts";
import { openFor } from "./choosing.ts";
import { type Inputs, modelOptions, required } from "./inputs.ts";
import type { Io } from "./io.ts";
import { count, flag, inputFile, memorySize, seed, text, threads, unrolling } from "./options.ts";
import { warn } from "./print.ts";

export const threadsOption = threads("threads that share the work on wasm and native (default 1)");

/** Options of every command that runs a model on data. */
export const sessionOptions = {
  ...modelOptions,
  data: inputFile("the data: .npz or JSON, `-` for standard input"),
  weights: inputFile("weights to begin with (safetensors)"),
  backend: text("NAME", "where to run; `frond backends` lists them (default auto)"),
  unroll: unrolling("loops as straight code, where the backend can (default 1: not at all)"),
  threads: threadsOption,
  memory: memorySize("the most a run may take beside the weights, `64MB`: slower where it must be"),
  seed: seed("of initial weights, shuffling and random draws (default 0)"),
  batch: count("N", "examples a batch"),
  quiet: flag("print results only, no progress"),
  json: flag("print the result as JSON, no progress"),
};

export interface SessionValues {
  readonly model: string | null;
  readonly size: Readonly<Record<string, number | boolean>>;
  readonly backend: string | null;
  readonly unroll: "full" | number | null;
  readonly threads: number;
  readonly memory: number | null;
  readonly seed: number;
  readonly weights: string | null;
  readonly data: string | null;
  readonly batch: number | null;
}

export interface Opened {
  readonly session: Session;
  /** Null where none are given. */
  readonly data: Dataset | null;
}

/** Opens a session with the weights given; all commands but `train` want some, if the model has any. */
export async function openSession(
  command: string,
  path: string,
  values: SessionValues,
  inputs: Inputs,
  { io, use }: { readonly io: Io; readonly use: Use },
): Promise<Opened> {
  const model = await inputs.model(path, values);
  if (command !== "frond train" && model.infer().parameters.length > 0)
    required(values.weights, command, "--weights");
  const data = values.data === null ? null : await inputs.data(values.data);
  const options = {
    compile: {
      ...(values.unroll === null ? {} : { unroll: values.unroll }),
      ...(values.threads === 1 ? {} : { threads: values.threads }),
    },
    ...(values.memory === null ? {} : { memory: values.memory }),
  };
  const size = {
    ...(data === null ? {} : { data }),
    ...(values.batch === null ? {} : { batch: values.batch }),
  };
  const trial = () => trialOf(model, { ...options, ...size, use });
  const backend = await openFor(values.backend, trial, io, { threads: values.threads });
  const session = new Session({ model, backend, seed: values.seed, ...options });
  if (values.weights !== null) session.load(await inputs.weights(values.weights), values.weights);
  return { session, data };
}

/** Prints what is odd, but legal, about the data of a program. */
export async function warnAboutData(data: Dataset, { inputs, graph }: Program, io: Io): Promise<void> {
  await warn(bind(data, inputs, graph.axes).warnings, io);
}
