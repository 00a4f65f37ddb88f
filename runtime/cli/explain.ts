// What `frond backends --explain` finds out: how fast a model is on each backend that is there, and which one `auto`
// is for it.

import type { Backend } from "../../backends/api.ts";
import { prospectOf } from "../../backends/auto.ts";
import { type Choice, type Chooser, choose } from "../choice.ts";
import type { Tried } from "../contest.ts";
import type { CompiledModel } from "../model.ts";
import { trialOf, type Use } from "../open.ts";
import { liveLine } from "./counter.ts";
import type { Io } from "./io.ts";
import type { Setting } from "./setting.ts";

/** What a model is chosen a backend for. */
export const uses = ["infer", "train"] as const satisfies readonly Use[];
export type ExplainedUse = (typeof uses)[number];

/** The choice for one use. */
export interface Explained {
  readonly use: ExplainedUse;
  readonly backend: string;
  /** `named`: by --backend. */
  readonly why: Choice["why"] | "named";
  readonly date: string | null;
  readonly tried: readonly Tried[];
}

/** A backend as the table shows it. */
export interface ExplainedBackend {
  readonly name: string;
  /** Milliseconds; null where it was not measured. */
  readonly times: { readonly [U in ExplainedUse]: number | null };
  /** What there is to say of it: what it is, what it lacks, why it was not measured. */
  readonly notes: readonly string[];
  readonly available: boolean;
}

export interface Explanation {
  readonly model: string;
  readonly setting: Setting;
  readonly choices: readonly Explained[];
  readonly backends: readonly ExplainedBackend[];
}

export interface ExplainOptions {
  readonly backend: string | null;
  readonly threads: number;
  /** Measure what is remembered too. */
  readonly again: boolean;
}

export async function explain(
  model: CompiledModel,
  setting: Setting,
  { backend: named, threads, again }: ExplainOptions,
  io: Io,
): Promise<Explanation> {
  const { all, chooser = () => forgetful(all), open } = await io.load.backends(threads);
  const backend = named === null || named === "auto" ? null : (await open(named)).name;
  const has = { infer: model.lowered("infer").outputs.length > 0, train: model.hasLoss };
  const compile = threads === 1 ? {} : { compile: { threads } };
  const live = liveLine(false, io);
  const choices: Explained[] = [];
  for (const use of uses.filter(use => has[use])) {
    const trial = trialOf(model, { ...setting, ...compile, use });
    const onMeasure = (name: string) => live.show(`measuring ${name}, ${use}`);
    const choice = await choose(trial, { ...chooser(), onMeasure }, { thorough: true, again });
    const { why, date, tried } = choice;
    choices.push({ use, backend: choice.backend.name, why, date, tried });
  }
  live.clear();
  const backends: ExplainedBackend[] = [];
  for (const one of all) backends.push(await explained(one, choices));
  const shown =
    backend === null ? choices : choices.map(choice => ({ ...choice, backend, why: "named" as const }));
  return { model: model.name, setting, choices: shown, backends };
}

const forgetful = (backends: readonly Backend[]): Chooser => ({
  backends,
  store: { read: async () => null, write: async () => {} },
  host: "",
});

async function explained(backend: Backend, choices: readonly Explained[]): Promise<ExplainedBackend> {
  const { name } = backend;
  const own = choices.flatMap(({ use, tried }) =>
    tried.filter(one => one.name === name).map(one => [use, one] as const),
  );
  const time = (use: ExplainedUse): number | null => {
    const [, one] = own.find(([used]) => used === use) ?? [];
    return one?.kind === "measured" ? one.milliseconds : null;
  };
  const times = { infer: time("infer"), train: time("train") };
  const availability = await backend.probe();
  if (!availability.available) {
    const { reason, remedy } = availability;
    return { name, times, available: false, notes: [`missing: ${reason}`, remedy] };
  }
  const passed = own.flatMap(([, one]) => (one.kind === "passed" ? [one.why] : []));
  const oracle = prospectOf(name).isOracle === true ? ["not measured: it is slow on purpose"] : [];
  return { name, times, available: true, notes: [availability.detail, ...new Set(passed), ...oracle] };
}
