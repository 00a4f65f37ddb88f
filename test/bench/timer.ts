// Times calls: samples long enough for the clock, engines in turn, so that whatever else the machine does meets all of
// them alike.

/** A sample is of as many calls as take this long, in milliseconds. */
const shortest = 1;

/** Times a function, again and again; remembers how many calls make a sample. */
export class Sampler {
  readonly #run: () => unknown;
  #calls = 1;

  constructor(run: () => unknown) {
    this.#run = run;
  }

  /** Milliseconds a call, of samples for about `budget` milliseconds; one at least. */
  async time(budget: number): Promise<readonly number[]> {
    const samples: number[] = [];
    const end = performance.now() + budget;
    do {
      const start = performance.now();
      for (let call = 0; call < this.#calls; call++) await this.#run();
      const took = performance.now() - start;
      if (took >= shortest / 2) samples.push(took / this.#calls);
      if (took < shortest) this.#calls = Math.ceil(this.#calls * Math.min(10, (1.2 * shortest) / took));
    } while (samples.length === 0 || performance.now() < end);
    return samples;
  }
}

/** The value at a fraction of the sorted ones. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = fraction * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Half of what lies between the quartiles, as a fraction of the median. */
export const spread = (values: readonly number[]): number =>
  (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);

export interface Timed {
  /** Milliseconds a call, measured for about that many milliseconds. */
  time(budget: number): Promise<readonly number[]>;
}

const rounds = 5;
/** Of the budget, before anything counts. */
const warmUp = 0.4;
/** What takes longer, in budgets, is not called again. */
const longest = 4;
/** Samples of all others. */
const fewest = 3;

interface Entry {
  readonly contestant: Timed;
  samples: readonly number[];
  /** Milliseconds. */
  used: number;
  wanted: number;
  error: Error | null;
}

/**
 * Samples of each, taken in turn; each runs for about `seconds`, and is called three times at least. One whose single call
 * takes longer than four times that has its warm-up for its only sample. A failure is the value of its own place only.
 */
export async function race(
  contestants: readonly Timed[],
  seconds: number,
): Promise<readonly (readonly number[] | Error)[]> {
  const budget = 1000 * seconds;
  const entries = contestants.map(
    (contestant): Entry => ({ contestant, samples: [], used: 0, wanted: 1, error: null }),
  );
  for (const entry of entries) {
    await turn(entry, warmUp * budget);
    if (entry.used < longest * budget) Object.assign(entry, { samples: [], used: 0, wanted: fewest });
  }
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries)
      if (entry.error === null && (entry.used < budget || entry.samples.length < entry.wanted))
        await turn(entry, budget / rounds);
  }
  return entries.map(({ samples, error }) => error ?? samples);
}

async function turn(entry: Entry, budget: number): Promise<void> {
  const start = performance.now();
  try {
    entry.samples = [...entry.samples, ...(await entry.contestant.time(budget))];
  } catch (error) {
    entry.error = error instanceof Error ? error : new Error(String(error));
  }
  entry.used += performance.now() - start;
}
