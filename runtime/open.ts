// Sessions on a backend that is named, or on the one that is the fastest for the model at hand. In Node the choice is
// remembered in this process only, unless the caller has a store (the command line has one); pages keep it.

import { backends, openBackend, type TuningStore, wantThreads } from "../backends/registry.ts";
import type { AxisId } from "../compiler/graph/graph.ts";
import type { Program } from "../compiler/program/program.ts";
import { type Choice, type Chooser, choose } from "./choice.ts";
import { bind } from "./data/bind.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Trial } from "./measure.ts";
import type { CompiledModel } from "./model.ts";
import { Session, type SessionOptions } from "./session.ts";

/** What a backend is chosen for. */
export type Use = "train" | "evaluate" | "infer" | "generate";

export interface TrialOptions {
  /** Training where there is a loss when left out, else inference. */
  readonly use?: Use;
  /** The data to come: how many examples, how long. */
  readonly data?: Dataset;
  /** Examples a batch. */
  readonly batch?: number;
  /** Where no data say it; `usualLength` when left out. */
  readonly lengths?: ReadonlyMap<AxisId, number>;
}

export interface OpenOptions extends Omit<SessionOptions, "backend">, TrialOptions {
  /** A backend's name; `auto`, when left out, is the fastest for this model. */
  readonly backend?: string;
  readonly chooser?: Partial<Chooser>;
}

/** A session whose backend is chosen by name or by measuring. Rejects with a FrondError where it is not there, or none is. */
export async function openSession(options: OpenOptions): Promise<Session> {
  const { backend: name = "auto", chooser } = options;
  const from = chooser?.backends ?? backends;
  wantThreads(options.compile?.threads ?? 1);
  const backend = name === "auto" ? (await chooseBackend(options)).backend : await openBackend(name, from);
  return new Session({ ...options, backend });
}

/** The fastest backend for a model, and what made it so. Rejects with a FrondError where there is none. */
export const chooseBackend = (options: Omit<OpenOptions, "backend">): Promise<Choice> =>
  choose(trialOf(options.model, options), { ...usualChooser(), ...options.chooser });

/** Steps of axes whose length nobody says. */
const usualLength = 100;
/** Examples a batch where a model is not trained. */
const usualBatch = 64;

/** What is measured for a use of a model: its program, at the size of the data. */
export function trialOf(
  model: CompiledModel,
  {
    use = model.hasLoss ? "train" : "infer",
    data,
    batch: wanted,
    lengths,
    compile,
    memory,
  }: TrialOptions & Pick<SessionOptions, "compile" | "memory">,
): Trial {
  const program = programOf(model, use);
  const batch = wanted ?? (use === "train" ? model.trainConfig?.batch : undefined) ?? usualBatch;
  const known = data === undefined || use === "generate" ? null : sizeOf(program, data);
  const open = program.graph.axes.filter(({ length }) => length === null);
  const length = (axis: AxisId): number => known?.lengths.get(axis) ?? lengths?.get(axis) ?? usualLength;
  return {
    program,
    batch: Math.min(batch, known?.batch ?? batch),
    lengths: new Map(open.map(({ id }) => [id, length(id)] as const)),
    ...(compile === undefined ? {} : { compile }),
    ...(memory === undefined ? {} : { needs: "memory" }),
  };
}

/** Of a training step as the model says: a rate of its own makes no other program. */
const programOf = (model: CompiledModel, use: Use): Program =>
  use === "train" ? model.train() : model[use]();

/** How many examples there are, and how long they are: the one in the middle. */
function sizeOf({ inputs, graph }: Program, data: Dataset): Pick<Trial, "batch" | "lengths"> {
  const { size, lengths } = bind(data, inputs, graph.axes);
  const middle = (own: Int32Array): number => own.toSorted()[Math.floor(own.length / 2)] ?? 0;
  return { batch: size, lengths: new Map([...lengths].map(([axis, own]) => [axis, middle(own)] as const)) };
}

let kept: string | null = null;

/** For as long as the process lives. */
const processStore: TuningStore = {
  read: async () => kept,
  write: async text => {
    kept = text;
  },
};

const pageKey = "frond/choices";

const pageStore: TuningStore = {
  read: async () => localStorage.getItem(pageKey),
  write: async text => localStorage.setItem(pageKey, text),
};

function usualChooser(): Chooser {
  const inNode = typeof process === "object" && process.versions?.node !== undefined;
  const cores = String(globalThis.navigator?.hardwareConcurrency ?? "");
  const host = inNode ? "" : `${globalThis.navigator?.userAgent} ${cores}`;
  return { backends, store: inNode ? processStore : pageStore, host };
}
