// Losses and metrics over a data set: totals and counts of the batches are added up and divided once, so the result
// does not depend on how the data were cut into batches.

import type { Results } from "../backends/api.ts";
import { scalar } from "./tensor.ts";

export interface Scores {
  /** Null where the program has no loss. */
  readonly loss: number | null;
  readonly metrics: ReadonlyMap<string, number>;
}

export class Totals {
  readonly #sums = new Map<string, { total: number; count: number }>();

  /** Adds every pair `NAME.total`, `NAME.count` of a run. */
  async add(results: Results): Promise<void> {
    for (const result of results.names) {
      if (!result.endsWith(".total")) continue;
      const name = result.slice(0, -".total".length);
      const total = scalar(await results.read(result));
      const count = scalar(await results.read(`${name}.count`));
      const sum = this.#sums.get(name) ?? { total: 0, count: 0 };
      this.#sums.set(name, { total: sum.total + total, count: sum.count + count });
    }
  }

  scores(): Scores {
    const metrics = new Map<string, number>();
    let loss: number | null = null;
    for (const [name, { total, count }] of this.#sums) {
      const mean = total / Math.max(count, 1);
      if (name === "loss") loss = mean;
      else if (name.startsWith("metric.")) metrics.set(name.slice("metric.".length), mean);
    }
    return { loss, metrics };
  }
}
