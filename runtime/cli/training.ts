// What train, eval and run share: a session with its weights, on the backend that was asked for.

import type { Program } from "../../compiler/program/program.ts";
import { bind } from "../data/bind.ts";
import type { Dataset } from "../data/dataset.ts";
import { Session } from "../session.ts";
import { type Inputs, modelOptions } from "./inputs.ts";
import type { Io } from "./io.ts";
import { count, flag, text } from "./options.ts";
import { warn } from "./print.ts";

/** Options of every command that runs a model on data. */
export const sessionOptions = {
  ...modelOptions,
  data: text("FILE", "the data: .npz or JSON, `-` for standard input"),
  weights: text("FILE", "weights to begin with (safetensors)"),
  backend: text("NAME", "where to run; `frond backends` lists them (default auto)"),
  seed: count("N", "of initial weights, shuffling and random draws (default 0)", 0),
  batch: count("N", "examples a batch"),
  quiet: flag("print results only, no progress"),
  json: flag("print the result as JSON, no progress"),
};

export interface SessionValues {
  readonly model: string | null;
  readonly size: Readonly<Record<string, number>>;
  readonly backend: string | null;
  readonly seed: number | null;
  readonly weights: string | null;
}

/** Opens a session and loads the weights, if any were given. */
export async function openSession(
  path: string,
  values: SessionValues,
  inputs: Inputs,
  io: Io,
): Promise<Session> {
  const model = await inputs.model(path, values);
  const backend = await (await io.load.backends()).open(values.backend ?? "auto");
  const session = new Session({ model, backend, seed: values.seed ?? 0 });
  if (values.weights !== null) session.load(await inputs.weights(values.weights), values.weights);
  return session;
}

/** Prints what is odd, but legal, about the data. */
export async function warnAboutData(data: Dataset, program: Program, io: Io): Promise<void> {
  await warn(bind(data, program.inputs, program.graph.axes).warnings, io);
}
