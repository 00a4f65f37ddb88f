// What an engine is: something that runs a case's work. A host holds one engine and one piece of work at a time; it is
// in this process or page (LocalHost) or stands for one in another (remote.ts). Runs in pages too.

import type { Case } from "./cases.ts";
import type { Cost } from "./meter.ts";
import { Sampler, type Timed } from "./timer.ts";
import type { Work } from "./work.ts";

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
  /** What a step costs, as meter.ts measures it; null where no graphics card has a part in it. */
  cost(budget: number): Promise<Cost | null>;
  close(): Promise<void>;
  /** Ends it for good. */
  end(): void;
}

/** Where engines run: a process of Node's, or a page. */
export interface Surroundings {
  /** For people. */
  readonly detail: string;
  work(one: Case, file: string): Promise<Work>;
  readonly meter: ((run: () => unknown, budget: number) => Promise<Cost>) | null;
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
  readonly #around: Surroundings;
  #opened: Opened | null = null;
  #sampler: Sampler | null = null;

  constructor(engine: Engine, around: Surroundings) {
    this.#engine = engine;
    this.#around = around;
  }

  async probe(): Promise<Probe> {
    const probe = await this.#engine.probe();
    return probe.available ? { ...probe, detail: `${probe.detail}, ${this.#around.detail}` } : probe;
  }

  async open(one: Case, file: string): Promise<readonly number[]> {
    const opened = await this.#engine.open(await this.#around.work(one, file));
    this.#opened = opened;
    this.#sampler = new Sampler(() => opened.run());
    return opened.check;
  }

  async time(budget: number): Promise<readonly number[]> {
    if (this.#sampler === null) throw new Error("nothing is open");
    return this.#sampler.time(budget);
  }

  async cost(budget: number): Promise<Cost | null> {
    const opened = this.#opened;
    if (opened === null) throw new Error("nothing is open");
    return this.#around.meter?.(() => opened.run(), budget) ?? null;
  }

  async close(): Promise<void> {
    this.#opened?.close();
    this.#opened = null;
    this.#sampler = null;
  }

  end(): void {}
}
