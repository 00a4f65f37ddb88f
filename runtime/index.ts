// The package's entry: compile a model, open a session on a backend, train, evaluate, run. Free of Node's modules,
// so that it can be bundled for a browser; files are the caller's, or runtime/node's.

export type { Backend, Tensor } from "../backends/api.ts";
export { listBackends, openBackend } from "../backends/registry.ts";
export { compile, compileModel, type Diagnostic, FrondError, render } from "../compiler/index.ts";
export { type Checkpoint, readSafetensors, writeSafetensors } from "./checkpoints/safetensors.ts";
export type { Choice, Chooser } from "./choice.ts";
export { type Dataset, makeDataset, readDataset } from "./data/dataset.ts";
export { writeNpz } from "./data/npz.ts";
export type { Prediction } from "./evaluate.ts";
export type { Fit } from "./executables.ts";
export type { CompiledModel } from "./model.ts";
export { chooseBackend, type OpenOptions, openSession } from "./open.ts";
export { Progress, type ProgressOptions } from "./progress.ts";
export type { Scores } from "./scores.ts";
export {
  type GenerateOptions,
  type PassOptions,
  Session,
  type SessionOptions,
  type TrainOptions,
} from "./session.ts";
export type { EpochEvent, TrainEvent } from "./train.ts";
