// What can go wrong with a browser, as diagnostics; and what the page refuses, as the error it was there.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { lossHelp, type Stamp } from "../losses.ts";
import type { Found } from "./find.ts";
import type { Refusal } from "./protocol.ts";

export const notInstalled = (): FrondError =>
  new FrondError([report("F0940", {}, null, { help: ["npm install playwright-core"] })]);

export function notFound({ wanted, looked }: Extract<Found, { path: null }>): FrondError {
  if (wanted !== null) {
    const help = ["set FROND_BROWSER to the program of Chromium, Chrome or Edge, or leave it out"];
    return new FrondError([report("F0942", { path: wanted }, null, { help })]);
  }
  const help = [
    "install Chromium, Chrome or Edge, or set FROND_BROWSER to its program",
    `looked in ${looked.join(", ")}`,
  ];
  return new FrondError([report("F0941", {}, null, { help })]);
}

export function notStarting(path: string, reason: string): FrondError {
  const help = ["start it by hand to see more, or set FROND_BROWSER to another one"];
  return new FrondError([report("F0943", { path, reason }, null, { help })]);
}

export const notLoading = (reason: string, help: readonly string[]): FrondError =>
  new FrondError([report("F0944", { reason }, null, { help })]);

/** The browser is gone, and with it what was in its page. */
export class BrowserEnded extends FrondError {
  readonly reason: string;
  /** Where the state of the call stands now; null where the call had none. */
  readonly kept: Stamp | null;
  /** Runs that had succeeded after that: their updates are lost. */
  readonly lost: number;

  constructor(reason: string, kept: Stamp | null = null, lost = 0) {
    super([report("F0945", { reason }, null, { help: helpFor(kept, lost) })]);
    this.reason = reason;
    this.kept = kept;
    this.lost = lost;
  }
}

function helpFor(kept: Stamp | null, lost: number): readonly string[] {
  const again = "the next run starts it again";
  if (kept === null) return [again];
  return lost === 0 ? [`${again}; ${lossHelp(kept, lost)}`] : [lossHelp(kept, lost), again];
}

const failureHelp = [
  "smaller batches or shorter sequences take less; another browser may do better: FROND_BROWSER",
];

/** What the page refused, as Node sees it. */
export function refused(refusal: Refusal, backend: string): Error {
  switch (refusal.kind) {
    case "refused":
      return new FrondError(refusal.diagnostics);
    case "bug":
      // The message begins with the place, as `InternalError` makes it.
      return new InternalError(`${backend} in the browser`, refusal.message);
    case "failed":
      return new FrondError([
        report("F0946", { backend, reason: refusal.message }, null, { help: failureHelp }),
      ]);
  }
}

/** The first line of an error's message, without what playwright-core puts around it. */
export function gist(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.split("\n").map(line => line.trim());
  const first = lines.find(line => line !== "") ?? "no reason was given";
  return first.replace(/^(browser\w*|page)\.\w+: /, "").replace(/ at http:\S+$/, "");
}
