// The compiler's front door: text in, diagnostics and a compiled model out. Everything the runtime, the command line
// and embedding programs need of the compiler is exported here.

import type { Diagnostic, Source } from "./diagnostics/diagnostic.ts";
import { FrondError } from "./diagnostics/error.ts";
import { nearest } from "./diagnostics/nearest.ts";
import { report } from "./diagnostics/report.ts";
import { lower } from "./lower/lower.ts";
import { CompiledModel } from "./program/model.ts";
import { checkOrder, unordered } from "./program/order.ts";
import type { BuildOptions } from "./program/pipeline.ts";
import { checkFile, type ReadImport } from "./semantics/check.ts";
import type { TypedDefinition } from "./semantics/typed.ts";
import { loadLibrary } from "./syntax/library.ts";
import { parse } from "./syntax/parse.ts";

export type { Diagnostic, Note, Source, Span } from "./diagnostics/diagnostic.ts";
export { FrondError } from "./diagnostics/error.ts";
export { render } from "./diagnostics/render.ts";
export type { InputSpec, LoweredModel, Mode, ParameterSpec, TrainConfig } from "./lower/model.ts";
export { type Level, levels } from "./program/levels.ts";
export { CompiledModel, type DumpOptions, defaultTraining } from "./program/model.ts";
export { type Stage, stages } from "./program/pipeline.ts";
export type { Program } from "./program/program.ts";
export type { ReadImport } from "./semantics/check.ts";

export interface CheckOptions {
  /** The source of an imported file, or null when there is none; without it, imports are errors. */
  readonly readImport?: ReadImport;
}

export interface CompileOptions extends CheckOptions {
  /** Needed where the source defines several models. */
  readonly model?: string;
  /** Values for the model's `size`, `number` and `bool` arguments; the others take their defaults. */
  readonly sizes?: Readonly<Record<string, number | boolean>>;
  readonly build?: Partial<BuildOptions>;
}

export interface Compilation {
  /** Null when there are errors. */
  readonly model: CompiledModel | null;
  readonly diagnostics: readonly Diagnostic[];
}

const noImports: ReadImport = () => null;

interface Front {
  readonly definitions: readonly TypedDefinition[];
  readonly outermost: readonly TypedDefinition[];
  readonly diagnostics: readonly Diagnostic[];
  readonly failed: boolean;
}

/** Parses and checks. What does not parse is left out of the check, which knows the names that went with it. */
function front(source: Source, { readImport = noImports }: CheckOptions): Front {
  const { file, diagnostics: syntax, gaps } = parse(source);
  const { definitions, outermost, diagnostics: meaning } = checkFile(file, loadLibrary(), readImport, gaps);
  const place = ({ span }: Diagnostic): number =>
    span === null || span.source.name !== source.name ? Number.POSITIVE_INFINITY : span.start;
  const diagnostics = [...syntax, ...meaning].sort((a, b) => place(a) - place(b) || 0);
  return {
    definitions,
    outermost,
    diagnostics,
    failed: diagnostics.some(({ severity }) => severity === "error"),
  };
}

/** Everything that is wrong with a source, in the order of its text. */
export function checkSource(source: Source, options: CheckOptions = {}): readonly Diagnostic[] {
  const { outermost, diagnostics, failed } = front(source, options);
  if (failed) return diagnostics;
  return [...diagnostics, ...outermost.flatMap(definition => checkOrder(definition))];
}

/** Compiles one model of a source. */
export function compileModel(source: Source, options: CompileOptions = {}): Compilation {
  const { definitions, diagnostics, failed } = front(source, options);
  if (failed) return { model: null, diagnostics };
  const chosen = chooseModel(definitions, source, options.model);
  if ("code" in chosen) return { model: null, diagnostics: [...diagnostics, chosen] };
  const sizes = new Map(Object.entries(options.sizes ?? {}));
  const train = lower(chosen, { sizes, mode: "train" });
  const infer = train.dependsOnMode ? lower(chosen, { sizes, mode: "infer" }) : train;
  if (train.lowered === null || infer.lowered === null) {
    return { model: null, diagnostics: [...diagnostics, ...train.diagnostics] };
  }
  const wrong = unordered(train.lowered);
  const lowered = { train: train.lowered, infer: infer.lowered };
  const model = wrong.length > 0 ? null : new CompiledModel(lowered, options.build);
  return { model, diagnostics: [...diagnostics, ...wrong] };
}

/** `compileModel` for callers that only go on when all is well: throws a FrondError with what is wrong. */
export function compile(source: Source, options: CompileOptions = {}): CompiledModel {
  const { model, diagnostics } = compileModel(source, options);
  if (model === null) throw new FrondError(diagnostics);
  return model;
}

function chooseModel(
  definitions: readonly TypedDefinition[],
  { name: file }: Source,
  wanted: string | undefined,
): TypedDefinition | Diagnostic {
  const models = definitions.filter(({ kind }) => kind === "model");
  const names = models.map(({ name }) => name);
  if (wanted === undefined) {
    const [only, second] = models;
    if (only === undefined) return report("F0731", { file }, null);
    if (second === undefined) return only;
    return report("F0732", { file, names: names.join(", ") }, null, {
      help: [`say which: --model ${names[0]}`],
    });
  }
  const found = models.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const near = nearest(wanted, names) ?? names.join(", ");
  const help = names.length === 0 ? [] : [`did you mean \`${near}\`?`];
  return report("F0733", { file, name: wanted }, null, { help });
}
