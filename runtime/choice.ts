// Which backend `auto` is for a program: the fastest of those that are there, as a moment's measuring says, or as it
// said an earlier time. What is measured with, where it is remembered and what time it is are the caller's, so that it
// works in pages too.

import type { Limits } from "../backends/limits.ts";
import { type Backend, openBackend, type TuningStore } from "../backends/registry.ts";
import { Contest, type Tried } from "./contest.ts";
import type { Measure, Trial } from "./measure.ts";
import { keyOf, type Remembered, recall, remember } from "./remembered.ts";

export interface Chooser {
  readonly backends: readonly Backend[];
  readonly store: TuningStore;
  /** Machine, engine and Frond's version: what was found elsewhere does not count. */
  readonly host: string;
  readonly measure?: Measure;
  /** What backends cannot run, if not as backends/limits.ts says. */
  readonly limits?: (name: string) => Limits;
  /** Milliseconds. */
  readonly now?: () => number;
  /** Called before each backend is measured. */
  readonly onMeasure?: (name: string) => void;
  /** `2026-01-31` */
  readonly today?: () => string;
}

export interface ChooseOptions {
  /** All that are there are measured, as long as it takes; else only those that may repay it, for a moment. */
  readonly thorough?: boolean;
  /** What is remembered does not count. */
  readonly again?: boolean;
  /** Nothing is measured: what is remembered, or else the backend that is usually the best. */
  readonly unmeasured?: boolean;
}

export interface Choice {
  readonly backend: Backend;
  /** `only`: there was nothing to choose from, or nothing could be measured. */
  readonly why: "measured" | "remembered" | "only";
  /** Of what is remembered. */
  readonly date: string | null;
  readonly tried: readonly Tried[];
}

/** The backend for a program. Throws a FrondError where there is none. */
export async function choose(
  trial: Trial,
  chooser: Chooser,
  { thorough = false, again = false, unmeasured = false }: ChooseOptions = {},
): Promise<Choice> {
  const key = keyOf(trial, chooser.host);
  const today = (chooser.today ?? currentDate)();
  const known = again ? null : await recalled(chooser, key, today);
  if (known !== null) return known;
  if (unmeasured) return theOnly(await openBackend("auto", chooser.backends));
  const contest = new Contest(trial, { ...chooser, thorough });
  await contest.gather();
  const { available, tried } = contest;
  const first = available[0]?.backend ?? (await openBackend("auto", chooser.backends));
  if (available.length > (thorough ? 0 : 1)) await contest.measure();
  const best = contest.best();
  if (best === null) return theOnly(first, tried);
  const { backend, detail } = best;
  const { times, missing } = contest;
  await remember(chooser.store, key, { backend: backend.name, detail, times, missing, date: today });
  return { backend, why: "measured", date: null, tried };
}

const theOnly = (backend: Backend, tried: readonly Tried[] = []): Choice => ({
  backend,
  why: "only",
  date: null,
  tried,
});

const currentDate = (): string => new Date().toISOString().slice(0, 10);

/** Null where it is not there. */
async function detailOf(backend: Backend): Promise<string | null> {
  try {
    const availability = await backend.probe();
    return availability.available ? availability.detail : null;
  } catch {
    return null;
  }
}

/** Null where nothing is known, or it no longer holds. */
async function recalled({ backends, store }: Chooser, key: string, today: string): Promise<Choice | null> {
  const found = await recall(store, key, today);
  const backend = backends.find(({ name }) => name === found?.backend);
  if (found === null || backend === undefined || !(await stillHolds(found, backend, backends))) return null;
  const tried = Object.entries(found.times).map(
    ([name, milliseconds]): Tried => ({ kind: "measured", name, milliseconds }),
  );
  return { backend, why: "remembered", date: found.date, tried };
}

async function stillHolds(
  { detail, missing }: Remembered,
  backend: Backend,
  backends: readonly Backend[],
): Promise<boolean> {
  if ((await detailOf(backend)) !== detail) return false;
  const come = backends.filter(({ name }) => missing.includes(name)).map(detailOf);
  return (await Promise.all(come)).every(one => one === null);
}
