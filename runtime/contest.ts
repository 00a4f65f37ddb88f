// Measures a program on the backends that are there. The first, which is the best guess and opens quickly, is waited
// for; each of the others has a share of the time: whoever is not ready by then is out, whoever is clearly slower gets
// no second look.

import { prospectOf } from "../backends/auto.ts";
import { type Limits, limitsOf } from "../backends/limits.ts";
import type { Backend } from "../backends/registry.ts";
import { FrondError } from "../compiler/diagnostics/error.ts";
import type { AxisId } from "../compiler/graph/graph.ts";
import { type Measure, measure, notReady, type Trial } from "./measure.ts";
import { flopsOf } from "./summary.ts";

export interface ContestOptions {
  readonly backends: readonly Backend[];
  readonly measure?: Measure;
  /** What backends cannot run, if not as backends/limits.ts says. */
  readonly limits?: (name: string) => Limits;
  /** Milliseconds. */
  readonly now?: () => number;
  /** Called before each backend is measured. */
  readonly onMeasure?: (name: string) => void;
  /** All that are there are measured, and with patience; else those only that may repay it, for a moment. */
  readonly thorough: boolean;
}

/** What became of a backend. */
export type Tried = { readonly name: string } & (
  | { readonly kind: "missing"; readonly reason: string; readonly remedy: string }
  | { readonly kind: "measured"; readonly milliseconds: number }
  /** Not measured, or not as it should be. */
  | { readonly kind: "passed"; readonly why: string }
);

export interface Entrant {
  readonly backend: Backend;
  /** What its probe says. */
  readonly detail: string;
}

/** GFLOP/s that a core reaches with vectors, roughly: only to tell small programs from large ones. */
const usualRate = 40;
/** So many runs' time may be spent on opening backends, and as much on measuring, within these milliseconds. */
const [worth, leastBudget, mostBudget] = [100, 150, 1000];
/** Milliseconds that runs of one backend take together. */
const [moment, longer] = [50, 300];
/** Milliseconds that a backend has where there is patience. */
const patience = 15_000;
/** A missing backend that took longer to say so is not asked again at each start. */
const atOnce = 50;
/** By so much a backend must be faster than those before it in the registry. */
const margin = 0.05;

export class Contest {
  readonly tried: Tried[] = [];
  readonly available: Entrant[] = [];
  /** Those that said at once that they are not there. */
  readonly missing: string[] = [];
  readonly #trial: Trial;
  readonly #options: ContestOptions;
  readonly #now: () => number;
  /** Milliseconds that a run may take. */
  readonly #estimate: number;
  /** Milliseconds. */
  readonly #budget: number;

  constructor(trial: Trial, options: ContestOptions) {
    this.#trial = trial;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#estimate = flopsOf(trial.program, trial) / (usualRate * 1e6);
    const worthwhile = Math.min(mostBudget, Math.max(leastBudget, worth * this.#estimate));
    this.#budget = options.thorough ? patience : worthwhile;
  }

  /** Finds out who is there and worth measuring; those that open quickly first. */
  async gather(): Promise<void> {
    const candidates = this.#options.backends.filter(({ name }) => prospectOf(name).isOracle !== true);
    for (const backend of candidates.toSorted((a, b) => rankOf(a) - rankOf(b))) {
      const why =
        this.#unable(backend.name) ?? (this.#options.thorough ? null : this.#notWorth(backend.name));
      if (why === null) await this.#probe(backend);
      else this.#pass(backend.name, why);
    }
  }

  #unable(name: string): string | null {
    const limits = this.#options.limits?.(name) ?? limitsOf(name);
    for (const { op } of this.#trial.program.graph.nodes.values())
      if (limits[op] !== undefined) return `cannot run \`${op}\`: ${limits[op]}`;
    return null;
  }

  #notWorth(name: string): string | null {
    const { behind, opens = 0 } = prospectOf(name);
    if (this.available.some(({ backend }) => backend.name === behind)) return `never faster than ${behind}`;
    return opens <= this.#budget ? null : `takes ${opens / 1000} s to open: too long for so small a program`;
  }

  async #probe(backend: Backend): Promise<void> {
    const { name } = backend;
    const start = this.#now();
    try {
      const found = await within(backend.probe(), this.#budget);
      if (found === late) this.#pass(name, notReady);
      else if (found.available) this.available.push({ backend, detail: found.detail });
      else {
        this.tried.push({ kind: "missing", name, reason: found.reason, remedy: found.remedy });
        if (this.#now() - start <= atOnce) this.missing.push(name);
      }
    } catch (error) {
      this.#pass(name, reasonOf(error));
    }
  }

  async measure(): Promise<void> {
    const { thorough, onMeasure } = this.#options;
    const share = thorough ? patience : this.#budget / this.available.length;
    const trial = shortened(this.#trial, share / (fewRuns * this.#estimate));
    for (const [i, { backend }] of this.available.entries()) {
      onMeasure?.(backend.name);
      await this.#measureOne(backend, trial, i === 0 ? Number.POSITIVE_INFINITY : share);
    }
  }

  async #measureOne(backend: Backend, trial: Trial, share: number): Promise<void> {
    const { name } = backend;
    const { thorough } = this.#options;
    const limits = {
      milliseconds: thorough ? longer : Math.min(moment, share),
      best: thorough ? Number.POSITIVE_INFINITY : Math.min(...Object.values(this.times)),
      deadline: this.#now() + share,
      now: this.#now,
    };
    try {
      const found = await within((this.#options.measure ?? measure)(backend, trial, limits), share);
      if (found === late) this.#pass(name, notReady);
      else if (found.kind === "refused") this.#pass(name, found.why);
      else this.tried.push({ kind: "measured", name, milliseconds: found.milliseconds });
    } catch (error) {
      this.#pass(name, reasonOf(error));
    }
  }

  /** Milliseconds of those that were measured. */
  get times(): Readonly<Record<string, number>> {
    const measured = this.tried.flatMap(one =>
      one.kind === "measured" ? [[one.name, Number(one.milliseconds.toPrecision(4))] as const] : [],
    );
    return Object.fromEntries(measured);
  }

  /** The fastest; null where none was measured. */
  best(): Entrant | null {
    let best: { readonly entrant: Entrant; readonly time: number } | null = null;
    for (const { name } of this.#options.backends) {
      const [entrant, time] = [this.available.find(({ backend }) => backend.name === name), this.times[name]];
      if (entrant === undefined || time === undefined) continue;
      if (best === null || time < best.time * (1 - margin)) best = { entrant, time };
    }
    return best?.entrant ?? null;
  }

  #pass(name: string, why: string): void {
    this.tried.push({ kind: "passed", name, why });
  }
}

/** Whoever others need not be there for comes first, then whoever opens quickly. */
function rankOf({ name }: Backend): number {
  const { behind, opens = 0 } = prospectOf(name);
  return opens + (behind === undefined ? 0 : 1e9);
}

/** A warm-up and some that count must have room in a share. */
const fewRuns = 4;

/** The trial with this part of its examples, and where that is less than one, of its steps. */
function shortened(trial: Trial, part: number): Trial {
  if (!(part < 1)) return trial;
  const batch = Math.max(1, Math.floor(trial.batch * part));
  const rest = Math.min(1, (trial.batch * part) / batch);
  const lengths = [...trial.lengths].map(([axis, length]): [AxisId, number] => [
    axis,
    Math.max(1, Math.floor(length * rest)),
  ]);
  return { ...trial, batch, lengths: new Map(lengths) };
}

const late = Symbol("late");

/** What comes of it within so many milliseconds; what comes later is nobody's affair. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | typeof late> {
  if (milliseconds === Number.POSITIVE_INFINITY) return promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<typeof late>(resolve => {
    timer = setTimeout(() => resolve(late), milliseconds);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof FrondError
    ? (error.diagnostics[0]?.title ?? error.message)
    : error instanceof Error
      ? error.message
      : String(error);
