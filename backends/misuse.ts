// What executables, states and results say when they are used as they must not be, or with more than there is room
// for: the same words on all backends.

import { FrondError } from "../compiler/diagnostics/error.ts";
import { nearest } from "../compiler/diagnostics/nearest.ts";
import { report } from "../compiler/diagnostics/report.ts";
import type { Program } from "../compiler/program/program.ts";
import type { Availability } from "./api.ts";

export const executableDisposed = ({ name }: Program): FrondError =>
  disposed(`the executable of \`${name}\``);

export const stateDisposed = (): FrondError => disposed("the state");

export const resultsDisposed = (): FrondError => disposed("the results of a run");

const disposed = (what: string): FrondError => new FrondError([report("F0818", { what }, null)]);

/** Reasons why a state does not belong to a program. */
export const otherVariables = "its parameters and states are others";
export const otherBackend = "another backend made it";

export const foreignState = ({ name: program }: Program, reason: string): FrondError =>
  new FrondError([report("F0819", { program, reason }, null)]);

/** Why a backend's packages could not be imported, and how to have them. */
export function notLoaded(
  error: unknown,
  packages: readonly string[],
): Extract<Availability, { available: false }> {
  const isAbsent = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
  const reason = isAbsent
    ? "its packages are not installed"
    : `its packages cannot be loaded (${error instanceof Error ? error.message : error})`;
  return { available: false, reason, remedy: `npm install ${packages.join(" ")}` };
}

/** For a backend that is asked for and cannot be had here. */
export const unavailable = (
  name: string,
  { reason, remedy }: Extract<Availability, { available: false }>,
): FrondError => new FrondError([report("F0902", { name, reason }, null, { help: [remedy] })]);

/** Runs; where an array cannot be made that large, says so. */
export function withinMemory<Result>(
  { name }: Program,
  batch: number,
  run: () => Result,
  help: readonly string[] = ["a smaller batch or shorter sequences need less"],
): Result {
  try {
    return run();
  } catch (error) {
    // "Invalid typed array length", "Array buffer allocation failed", "WebAssembly.Memory.grow(): .."; but not "Maximum
    // call stack size exceeded".
    if (!(error instanceof RangeError) || !/array|memory/i.test(error.message)) throw error;
    throw new FrondError([report("F0905", { program: name, batch }, null, { help })]);
  }
}

/** For a name that is asked for and is not there. */
export function unknownName(name: string, kind: string, known: readonly string[]): FrondError {
  const near = nearest(name, known);
  const help = near === null ? `there are ${known.join(", ")}` : `did you mean \`${near}\`?`;
  return new FrondError([report("F0813", { name, kind }, null, { help: known.length === 0 ? [] : [help] })]);
}
