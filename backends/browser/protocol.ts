// What Node and the page say to each other: commands that are answered, and one that is not. Objects live in the page
// under handles that Node gives, so that a command may name what an earlier one on its way makes. Types only; how
// messages become bytes is codec.ts.

import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Availability, CompileOptions, Feeds, ProfileEntry, Tensor } from "../api.ts";
import type { Stamp } from "../losses.ts";

/** Of an executable, a state or the results of a run, unique among all of a process. */
export type Handle = number;

/** What is asked, and what is answered. */
export interface Commands {
  probe: { readonly ask: { readonly backend: string }; readonly answer: Availability };
  compile: {
    readonly ask: {
      readonly executable: Handle;
      readonly backend: string;
      readonly program: Program;
      readonly options: CompileOptions;
    };
    /** Whether the executable has a profile. */
    readonly answer: boolean;
  };
  /** As `Executable.memory`. */
  memory: {
    readonly ask: {
      readonly executable: Handle;
      readonly batch: number;
      readonly extents: ReadonlyMap<AxisId, number>;
    };
    readonly answer: number | null;
  };
  /** Makes a state of these values, at this stamp. */
  place: {
    readonly ask: {
      readonly state: Handle;
      readonly executable: Handle;
      readonly values: ReadonlyMap<string, Tensor>;
      readonly stamp: Stamp;
    };
    readonly answer: null;
  };
  run: {
    readonly ask: {
      readonly executable: Handle;
      readonly state: Handle;
      readonly results: Handle;
      readonly feeds: Feeds;
    };
    /** Where the run's time went; none without a profile. */
    readonly answer: readonly ProfileEntry[];
  };
  read: { readonly ask: { readonly results: Handle; readonly name: string }; readonly answer: Tensor };
  /** Values of a state, all from between the same two runs. */
  fetch: {
    readonly ask: { readonly state: Handle; readonly names: readonly string[] };
    readonly answer: {
      readonly values: ReadonlyMap<string, Tensor>;
      readonly stamp: Stamp;
      /** Milliseconds that it has waited for runs before it. */
      readonly waited: number;
    };
  };
}

export type CommandName = keyof Commands;
export type Ask<K extends CommandName> = Commands[K]["ask"];
export type Answer<K extends CommandName> = Commands[K]["answer"];

/** A command on its way; answers come back under its number. */
export type Command = {
  readonly [K in CommandName]: { readonly kind: K; readonly id: number } & Ask<K>;
}[CommandName];

/** Disposes of what the handles stand for; of those that stand for nothing, nothing comes. */
export interface Free {
  readonly kind: "free";
  readonly handles: readonly Handle[];
}

export type ToPage = Command | Free;

/** Why a command was not carried out. */
export type Refusal =
  | { readonly kind: "refused"; readonly diagnostics: readonly Diagnostic[] }
  /** An InternalError. */
  | { readonly kind: "bug"; readonly message: string }
  /** Any other error: the browser lacks something, or has run out of something. */
  | { readonly kind: "failed"; readonly message: string };

export type FromPage =
  /** Once, at the beginning. `isolated`: memory can be shared, so there are threads. */
  | { readonly kind: "ready"; readonly isolated: boolean }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "refusal"; readonly id: number; readonly refusal: Refusal };
