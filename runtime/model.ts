// What the runtime wants of a compiled model. The compiler's front door (compiler/index.ts) returns values of this
// shape; the runtime and the command line know no more of it.

import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import type { GenerateSpec, TrainConfig } from "../compiler/lower/model.ts";
import type { Program } from "../compiler/program/program.ts";

export type Stage = "graph" | "adjoint" | "schedule" | "unrolled" | "program";
export const stages: readonly Stage[] = ["graph", "adjoint", "schedule", "unrolled", "program"];

export interface DumpOptions {
  /** Which program is shown: what infers, or the training step. */
  readonly mode?: "infer" | "train";
  /** For `unrolled`: fully, by a factor. */
  readonly unroll?: "full" | number;
  /** For `unrolled`: the length of each axis. */
  readonly lengths?: Readonly<Record<string, number>>;
}

/** A model with its sizes filled in. Programs are made when first asked for. */
export interface CompiledModel {
  readonly name: string;
  /** Null without a `train` block. */
  readonly trainConfig: TrainConfig | null;
  /** The inputs that the model's `generate` statements continue. */
  readonly generated: readonly GenerateSpec[];
  /** A training step: outputs `loss`, `loss.total`, `loss.count`, `metric.*`; updates parameters and states. */
  train(config?: TrainConfig): Program;
  /** Outputs `output.NAME`; targets are not among the inputs. */
  infer(): Program;
  /** Outputs `loss.total`, `loss.count`, `metric.NAME.total`, `metric.NAME.count`. */
  evaluate(): Program;
  /** Outputs `generate.NAME` for every generated input, and `generate.until` where a statement has a condition. */
  generate(): Program;
  /** Outputs `loss` and `gradient.NAME` for every parameter. */
  gradients(): Program;
  dump(stage: Stage, options?: DumpOptions): string;
}

export interface SourceText {
  readonly name: string;
  readonly text: string;
}

/** The text of an imported file under its full name, or null when there is none. */
export type ReadImport = (path: string, from: string) => SourceText | null;

export interface CompileModelOptions {
  /** Needed where the source defines several models. */
  readonly model?: string;
  readonly sizes?: Readonly<Record<string, number | boolean>>;
  readonly readImport?: ReadImport;
}

/** The compiler as the command line uses it. */
export interface FrontDoor {
  checkSource(source: SourceText, options?: { readonly readImport?: ReadImport }): readonly Diagnostic[];
  compileModel(
    source: SourceText,
    options?: CompileModelOptions,
  ): { readonly model: CompiledModel | null; readonly diagnostics: readonly Diagnostic[] };
}
