// What becomes of a state when its device or browser is lost: it is again what it was when it was last copied. The same
// words for both.

import { FrondError } from "../compiler/diagnostics/error.ts";
import { report } from "../compiler/diagnostics/report.ts";

/** Where a state stands: after how many runs that changed it, and the `step` of the last one; null before the first. */
export interface Stamp {
  readonly runs: number;
  readonly step: number | null;
}

/** @param lost runs that had succeeded since then. */
export function lossHelp(kept: Stamp, lost: number): string {
  if (lost === 0) return "no earlier step is lost";
  const state =
    kept.step === null ? "has its first values again" : `is again what it was after step ${kept.step}`;
  const steps = lost === 1 ? "the step since then is lost" : `the ${lost} steps since then are lost`;
  return `the state ${state}: ${steps}`;
}

/** A graphics device is gone, and with it what was on it. */
export class DeviceLost extends FrondError {
  /** Where the state of the call stands now; null where the call had none. */
  readonly kept: Stamp | null;
  /** Runs that had succeeded after that: their updates are lost. */
  readonly lost: number;

  constructor(backend: string, kept: Stamp | null = null, lost = 0) {
    const first = kept === null ? "results that were not read are gone" : lossHelp(kept, lost);
    super([report("F0915", { backend }, null, { help: [first, "the next run opens another device"] })]);
    this.kept = kept;
    this.lost = lost;
  }
}

/** Also of errors that come from a page, as what they say. */
export const tellsOfLostDevice = (error: unknown): boolean =>
  error instanceof FrondError && error.diagnostics.some(({ code }) => code === "F0915");
