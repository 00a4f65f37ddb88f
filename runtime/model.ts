// What the runtime and the command line want of the compiler: the parts of its front door (compiler/index.ts) that
// they use, so that tests can put a model built by hand in its place.

import type { checkSource, compileModel, Diagnostic, CompiledModel as Whole } from "../compiler/index.ts";

/** A model with its sizes filled in. Programs are made when first asked for. */
export type CompiledModel = Pick<
  Whole,
  | "name"
  | "trainConfig"
  | "generated"
  | "hasLoss"
  | "lowered"
  | "train"
  | "infer"
  | "evaluate"
  | "gradients"
  | "generate"
  | "dump"
>;

export interface FrontDoor {
  readonly checkSource: typeof checkSource;
  compileModel(...of: Parameters<typeof compileModel>): {
    readonly model: CompiledModel | null;
    readonly diagnostics: readonly Diagnostic[];
  };
}
