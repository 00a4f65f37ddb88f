// Draws are counted where the browser has them, and only while a step is counted; script time ends where waiting begins.

import { afterEach, beforeEach, expect, test } from "vitest";
import { meter } from "./meter.ts";

class Context {
  drawn = 0;
  drawArrays(count: number): number {
    this.drawn += count;
    return this.drawn;
  }
  drawElements(): void {}
  copyTexSubImage2D(): void {}
}

class Pass {
  dispatchWorkgroups(): void {}
}

const { drawArrays } = Context.prototype;
const names = { WebGL2RenderingContext: Context, GPUComputePassEncoder: Pass };

beforeEach(() => void Object.assign(globalThis, names));
afterEach(() => {
  for (const name of Object.keys(names)) delete (globalThis as Record<string, unknown>)[name];
  expect(Context.prototype.drawArrays).toBe(drawArrays);
});

const busy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

test("calls of WebGL and WebGPU are counted in one step, and still do what they do", async () => {
  const [context, pass] = [new Context(), new Pass()];
  let runs = 0;
  const run = async (): Promise<void> => {
    runs += 1;
    context.drawArrays(2);
    context.drawElements();
    await null;
    context.copyTexSubImage2D();
    pass.dispatchWorkgroups();
  };
  const { draws, copies } = await meter(run, 1000);
  expect({ draws, copies }).toEqual({ draws: 3, copies: 1 });
  expect(context.drawn).toBe(2 * runs);
  expect(runs).toBe(8);
});

test("script time is what the thread is busy before it waits", async () => {
  const run = async (): Promise<void> => {
    busy(3);
    await null;
    busy(3);
    await new Promise(resolve => setTimeout(resolve, 30));
    busy(30);
  };
  const { script } = await meter(run, 0);
  expect(script).toBeGreaterThanOrEqual(6);
  expect(script).toBeLessThan(25);
});

test("what fails leaves the browser's interfaces as they were", async () => {
  await expect(meter(() => Promise.reject(new Error("lost")), 0)).rejects.toThrow("lost");
});
