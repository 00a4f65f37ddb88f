// The world as a command sees it: streams, colours, the clock, and the heavy parts of Frond, which load when asked
// for. Tests give their own.

import type { Backend } from "../../backends/api.ts";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import type { Chooser } from "../choice.ts";
import type { FrontDoor } from "../model.ts";

export interface Io {
  readonly out: Output;
  readonly err: Output;
  /** All of standard input. */
  readonly readStdin: () => Promise<Uint8Array>;
  /** Milliseconds. */
  readonly now: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls back at the first Ctrl-C instead of ending the process; returns how to undo that. */
  readonly onInterrupt: (handler: () => void) => () => void;
  readonly load: Loaders;
}

export interface Output {
  readonly write: (text: string) => void;
  /** Something can be drawn over, and somebody looks. */
  readonly terminal: boolean;
  readonly columns: number;
  readonly color: boolean;
}

/** What is imported only by the commands that need it. */
export interface Loaders {
  readonly checker: () => Promise<Pick<FrontDoor, "checkSource">>;
  readonly compiler: () => Promise<Pick<FrontDoor, "compileModel">>;
  /** @param threads for those that are to know it before they are opened. */
  readonly backends: (threads?: number) => Promise<BackendDoor>;
  readonly renderer: () => Promise<(diagnostics: readonly Diagnostic[], color: boolean) => string>;
}

/** The registry as the command line uses it. */
export interface BackendDoor {
  readonly all: readonly Backend[];
  /** Opens by name or `auto`; throws a FrondError that says why not. */
  readonly open: (name: string) => Promise<Backend>;
  /** How `auto` is found out for a program; without it nothing is measured. */
  readonly chooser?: () => Chooser;
}

/** https://no-color.org and https://force-color.org, then whether it is a terminal. */
export function wantsColor(env: Io["env"], terminal: boolean): boolean {
  if ((env.NO_COLOR ?? "") !== "") return false;
  const force = env.FORCE_COLOR ?? "";
  if (force !== "") return force !== "0";
  return terminal && env.TERM !== "dumb";
}
