// What an engine is: something that runs a case's work. A host holds one engine and one piece of work at a time; it is
// in this process (for tests) or, so that no engine disturbs another, in one of its own (remote.ts).

import type { Case } from "./cases.ts";
import { Sampler, type Timed } from "./timer.ts";
import { readWork, type Work } from "./work.ts";

export type Probe =
  /** Versions, and what else tells two measurements apart. */
  | { readonly available: true; readonly detail: string }
  /** One line. */
  | { readonly available: false; readonly reason: string };

export interface Engine {
  probe(): Promise<Probe>;
  open(work: Work): Promise<Opened>;
}

export interface Opened {
  /** What it computes, to be compared: in training the losses of the first steps, else some of the results. */
  readonly check: readonly number[];
  /** One step of training or one inference, up to a result that a program could read. */
  run(): unknown;
  close(): void;
}

export interface Host extends Timed {
  probe(): Promise<Probe>;
  /** Makes a case ready, whose work is in that file; the result is Opened's `check`. */
  open(one: Case, file: string): Promise<readonly number[]>;
  close(): Promise<void>;
  /** Ends it for good. */
  end(): void;
}

/** Steps of training whose losses are compared: of the initial weights, and after an update. */
export const checkedSteps = 2;

/** Results that are compared. */
const checkedResults = 64;

/** Results from all over an array; whoever lays an array out otherwise picks the same ones. */
export function picked(values: ArrayLike<number>): readonly number[] {
  const count = Math.min(values.length, checkedResults);
  return Array.from({ length: count }, (_, i) => values[Math.floor((i * values.length) / count)]!);
}

export class LocalHost implements Host {
  readonly #engine: Engine;
  #opened: Opened | null = null;
  #sampler: Sampler | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  probe(): Promise<Probe> {
    return this.#engine.probe();
  }

  async open(one: Case, file: string): Promise<readonly number[]> {
    const opened = await this.#engine.open(readWork(file, one));
    this.#opened = opened;
    this.#sampler = new Sampler(() => opened.run());
    return opened.check;
  }

  async time(budget: number): Promise<readonly number[]> {
    if (this.#sampler === null) throw new Error("nothing is open");
    return this.#sampler.time(budget);
  }

  async close(): Promise<void> {
    this.#opened?.close();
    this.#opened = null;
    this.#sampler = null;
  }

  end(): void {}
}
