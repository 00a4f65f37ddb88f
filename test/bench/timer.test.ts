// Medians, samples and turns.

import { describe, expect, test } from "vitest";
import { limitLoop, limitOf } from "./limit.ts";
import { median, quantile, race, Sampler, spread } from "./timer.ts";

const wait = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

test("quantiles", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([0, 10], 0.25)).toBe(2.5);
  expect(median([])).toBeNaN();
  expect(spread([1, 2, 3, 4, 5])).toBe(1 / 3);
});

describe("Sampler", () => {
  test("short calls are timed together", async () => {
    let calls = 0;
    const samples = await new Sampler(() => calls++).time(20);
    expect(calls).toBeGreaterThan(100 * samples.length);
    expect(median(samples)).toBeLessThan(0.1);
  });

  test("a long call is timed once", async () => {
    const samples = await new Sampler(() => wait(5)).time(1);
    expect(samples.length).toBe(1);
    expect(samples[0]).toBeGreaterThanOrEqual(5);
  });

  test("promises are waited for", async () => {
    const sleep = () => new Promise(resolve => setTimeout(resolve, 5));
    expect((await new Sampler(sleep).time(1))[0]).toBeGreaterThan(3);
  });
});

describe("race", () => {
  test("takes turns", async () => {
    const turns: string[] = [];
    const contestant = (name: string) => ({
      time: async () => {
        turns.push(name);
        return [name.length];
      },
    });
    expect(await race([contestant("a"), contestant("bb")], 1)).toEqual([
      [1, 1, 1, 1, 1],
      [2, 2, 2, 2, 2],
    ]);
    expect(turns.join(" ")).toBe("a bb a bb a bb a bb a bb a bb");
  });

  test("one that takes much longer than all its time has one sample, one that takes somewhat longer three", async () => {
    const [long, longer] = await race([new Sampler(() => wait(30)), new Sampler(() => wait(100))], 0.02);
    expect(long).toHaveLength(3);
    expect(longer).toHaveLength(1);
  });

  test("one that fails leaves the others alone", async () => {
    const failing = { time: () => Promise.reject(new Error("out of memory")) };
    const [error, samples] = await race([failing, { time: async () => [7] }], 0.01);
    expect(error).toEqual(new Error("out of memory"));
    expect(samples).toContain(7);
  });
});

test("the limit is a rate", async () => {
  const limit = limitOf(median(await limitLoop().time(50)));
  expect(limit).toBeGreaterThan(0.1);
  expect(limit).toBeLessThan(10_000);
});
