// Measures how long a module spends in each of its marked stretches: the module calls `mark` where one begins.

export class Stopwatch {
  /** Milliseconds, by id. */
  #times: Float64Array;
  /** The stretch that runs; -1: none does. */
  #running = -1;
  #since = 0;

  constructor(stretches: number) {
    this.#times = new Float64Array(stretches);
  }

  readonly mark = (id: number): void => {
    const now = performance.now();
    if (this.#running >= 0) this.#times[this.#running]! += now - this.#since;
    this.#running = id;
    this.#since = now;
  };

  stop(): void {
    this.mark(-1);
  }

  /** The times so far; they begin anew. */
  take(): Float64Array {
    const times = this.#times;
    this.#times = new Float64Array(times.length);
    return times;
  }
}
