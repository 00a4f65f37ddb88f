// Times a program on random data: run after run, as long as wanted. Where it is told to profile, by equation too.

import type {
  Backend,
  CompileOptions,
  Executable,
  Feeds,
  ProfileEntry,
  State,
  Tensor,
} from "../backends/api.ts";
import type { Program } from "../compiler/program/program.ts";
import { sampleFeeds } from "./data/sample.ts";
import { withStates } from "./states.ts";
import type { SummaryOptions } from "./summary.ts";

export interface BenchOptions extends SummaryOptions {
  readonly backend: Backend;
  readonly compile: CompileOptions;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** To measure for, after a warm-up. */
  readonly seconds: number;
  /** Milliseconds. */
  readonly now: () => number;
}

export interface Timing {
  /** Milliseconds of each run, feeds and results included. */
  readonly runs: readonly number[];
  /** Of all runs together; null where none was asked for. */
  readonly profile: readonly ProfileEntry[] | null;
}

/** A program that is ready to be timed. */
export class Bench {
  readonly #executable: Executable;
  readonly #program: Program;
  readonly #options: BenchOptions;
  readonly #feeds: Feeds;

  private constructor(executable: Executable, program: Program, options: BenchOptions) {
    this.#executable = executable;
    this.#program = program;
    this.#options = options;
    const { inputs, graph } = program;
    this.#feeds = sampleFeeds(inputs, graph.axes, options, 0);
  }

  static async make(program: Program, options: BenchOptions): Promise<Bench> {
    return new Bench(await options.backend.compile(program, options.compile), program, options);
  }

  get hasProfile(): boolean {
    return this.#executable.profile !== undefined;
  }

  /** At least one run that counts, and one before it. */
  async time(): Promise<Timing> {
    const { seconds } = this.#options;
    await this.#repeat(1000 * Math.min(longestWarmUp, seconds / 2));
    this.#executable.profile?.();
    const runs = await this.#repeat(1000 * seconds);
    return { runs, profile: this.#executable.profile?.() ?? null };
  }

  dispose(): void {
    this.#executable.dispose();
  }

  async #repeat(budget: number): Promise<readonly number[]> {
    const { now } = this.#options;
    const runs: number[] = [];
    const end = now() + budget;
    let state = this.#newState();
    do {
      if (runs.length % runsOfState === runsOfState - 1 && this.#program.updates.length > 0) {
        state.dispose();
        state = this.#newState();
      }
      const start = now();
      await this.#run(state);
      runs.push(now() - start);
    } while (now() < end);
    state.dispose();
    return runs;
  }

  async #run(state: State): Promise<void> {
    const results = await this.#executable.run(this.#feeds, state);
    for (const name of results.names) await results.read(name);
    results.dispose();
  }

  #newState(): State {
    return this.#executable.createState(withStates(this.#options.weights, this.#program));
  }
}

/** Seconds. */
const longestWarmUp = 1;

/** Training begins anew after so many steps: gradients that vanish or explode take another time than usual ones. */
const runsOfState = 50;

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}
