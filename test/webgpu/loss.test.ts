// A device that is really lost in the middle of a training, from Node: the same executable and state go on.

import { afterAll, expect, test } from "vitest";
import { inBrowser } from "../../backends/browser/index.ts";
import type { DeviceLost } from "../../backends/losses.ts";
import { bits, build, errorOf, train, valuesIn, watchedBrowser } from "../browser/harness.ts";
import { unavailable } from "./unavailable.ts";

build();
const { host, page } = watchedBrowser({ webgpu: true });
const remote = inBrowser("webgpu", { host, copyEvery: 3600 });
afterAll(() => host.close());

/** Keeps the devices of a page where `lose()` finds the last; before any is there. */
const watch = `{
  const devices = [];
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...given) {
    const made = await requestDevice.apply(this, given);
    devices.push(made);
    return made;
  };
  window.lose = () => devices.at(-1).destroy();
}`;

async function available(): Promise<string | null> {
  const opened = await host.open().catch((error: Error) => error);
  if (opened instanceof Error) return opened.message;
  if ((await page().evaluate("'gpu' in navigator")) !== true) return "the browser has none";
  await page().evaluate(watch);
  const found = await remote.probe();
  return found.available ? null : found.reason;
}

const reason = await available();
if (reason !== null) unavailable(reason);
else {
  test("what was copied is there, what was not is told, and runs go on", async () => {
    const whole = await train(remote);
    const wanted: number[] = [];
    for (let step = 0; step < 5; step++) wanted.push(await whole.step(step));
    const { step, state } = await train(remote);
    for (const k of [0, 1]) expect(await step(k)).toBe(wanted[k]);
    const copied = bits(await valuesIn(state));
    expect(await step(2)).toBe(wanted[2]);
    await page().evaluate("lose()");
    const error = (await errorOf(step(3))) as DeviceLost;
    expect(error.message).toContain("F0915: the graphics device of `webgpu` was lost");
    // The run may meet it, or what reads its result.
    const met = error.kept === null ? ((await errorOf(step(3))) as DeviceLost) : error;
    expect([met.kept, met.lost]).toMatchObject([{ runs: 2, step: 1 }, error.kept === null ? 2 : 1]);
    expect(bits(await valuesIn(state))).toEqual(copied);
    for (const k of [2, 3, 4]) expect(await step(k)).toBe(wanted[k]);
  });
}
