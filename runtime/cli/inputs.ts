// What most commands begin with: read a source (`-` is standard input), compile a model, read data and weights.

import { basename } from "node:path";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { Source } from "../../compiler/index.ts";
import { type Checkpoint, readSafetensors } from "../checkpoints/safetensors.ts";
import { type Dataset, readDataset } from "../data/dataset.ts";
import type { CompiledModel } from "../model.ts";
import { decodeText, readBytes } from "../node/files.ts";
import { readImportFile } from "../node/imports.ts";
import type { Io } from "./io.ts";
import { settings, text } from "./options.ts";
import { warn } from "./print.ts";

/** Options of every command that compiles a model. */
export const modelOptions = {
  model: text("NAME", "the model, where the file defines several"),
  size: settings("an argument of the model, `units=64`; may be repeated"),
};

const stdinName = "<stdin>";

/** Files that were named on the command line; `-` is standard input. */
export class Inputs {
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
  }

  async source(path: string): Promise<Source> {
    const { bytes, name } = await this.#read(path);
    return { name, text: decodeText(bytes, name) };
  }

  /** Compiles; warnings are printed, errors thrown. */
  async model(
    path: string,
    options: { readonly model: string | null; readonly size: Readonly<Record<string, number | boolean>> },
  ): Promise<CompiledModel> {
    const source = await this.source(path);
    const { compileModel } = await this.#io.load.compiler();
    const { model, diagnostics } = compileModel(source, {
      sizes: options.size,
      readImport: readImportFile,
      ...(options.model === null ? {} : { model: options.model }),
    });
    if (model === null || diagnostics.some(({ severity }) => severity === "error"))
      throw new FrondError(diagnostics);
    await warn(diagnostics, this.#io);
    return model;
  }

  async data(path: string): Promise<Dataset> {
    const { bytes, name } = await this.#read(path);
    return readDataset(bytes, basename(name));
  }

  async weights(path: string): Promise<Checkpoint> {
    const { bytes, name } = await this.#read(path);
    return readSafetensors(bytes, basename(name));
  }

  async #read(path: string): Promise<{ bytes: Uint8Array; name: string }> {
    if (path !== "-") return { bytes: readBytes(path), name: path };
    return { bytes: await this.#io.readStdin(), name: stdinName };
  }
}

/** The option's value, or a FrondError that the command cannot do without it. */
export function required(value: string | null, command: string, what: string): string {
  if (value !== null) return value;
  throw new FrondError([
    report("F0923", { command, what }, null, { help: [`\`${command} --help\` shows how`] }),
  ]);
}
