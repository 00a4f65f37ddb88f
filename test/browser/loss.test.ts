// Browsers that are lost in the middle: killed, crashed, with an error in the page, closed. What is under way is told
// and nothing hangs; the state is what it was when it was last copied, and the next run goes on in a new browser.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Feeds, Tensor } from "../../backends/api.ts";
import { BrowserEnded } from "../../backends/browser/faults.ts";
import { inBrowser } from "../../backends/browser/index.ts";
import { wasm } from "../../backends/wasm/index.ts";
import { compileText } from "../harness/models.ts";
import { bits, build, errorOf, inBrowserTests, isGone, train, valuesIn, watchedBrowser } from "./harness.ts";

/** Takes seconds: a hundred billion operations. */
const slow = compileText(
  "slow.frond",
  "model Slow {\n  axis t\n  input x[t]: real[1]\n  h[t] = elman[t](x[t], 1500)\n  output p = h[last]\n}\n",
).infer();
const zeros = (shape: readonly number[]): Tensor => ({
  dtype: "real",
  shape,
  data: new Float32Array(shape.reduce((n, m) => n * m, 1)),
});
const weights = new Map(slow.parameters.map(({ name, shape }) => [name, zeros(shape)]));
const long: Feeds = {
  batch: 16,
  inputs: new Map([["x", zeros([16, 1500, 1])]]),
  lengths: new Map(),
  seed: 0,
  step: 0,
};

inBrowserTests(() => {
  const { host, page } = watchedBrowser();
  const remote = inBrowser("wasm", { host });
  beforeAll(build);
  afterAll(() => host.close());

  async function slowRun(): Promise<{ readonly running: Promise<unknown>; readonly pid: number }> {
    const executable = await remote.compile(slow);
    const state = executable.createState(weights);
    const running = errorOf(executable.run(long, state));
    const { pid } = await host.open();
    // Until it is under way.
    await new Promise(resolve => setTimeout(resolve, 200));
    return { running, pid: pid! };
  }

  test("killed in the middle of a training", async () => {
    const [far, near] = [await train(remote), await train(wasm)];
    for (let step = 0; step < 3; step++) await far.step(step);
    const copied = bits(await valuesIn(far.state));
    await far.step(3);
    const { running, pid } = await slowRun();
    const pending = errorOf(far.step(4));
    process.kill(pid, "SIGKILL");
    const error = (await pending) as BrowserEnded;
    expect(error.diagnostics[0]!.code).toBe("F0945");
    expect(error.reason).toBe("its process has ended");
    expect([error.kept, error.lost]).toEqual([{ runs: 3, step: 2 }, 1]);
    expect(await running).toBeInstanceOf(BrowserEnded);
    expect(bits(await valuesIn(far.state))).toEqual(copied);
    for (let step = 0; step < 6; step++) {
      const loss = await near.step(step);
      if (step >= 3) expect(await far.step(step)).toBe(loss);
    }
    expect(bits(await valuesIn(far.state))).toEqual(bits(await valuesIn(near.state)));
    expect(await isGone(pid)).toBe(true);
    expect((await host.open()).pid).not.toBe(pid);
  });

  test("killed between two runs: where a copy is there, nobody need know", async () => {
    const [far, near] = [await train(inBrowser("wasm", { host, copyEvery: 0.1 })), await train(wasm)];
    for (let step = 0; step < 3; step++) await far.step(step);
    await new Promise(resolve => setTimeout(resolve, 400));
    const { pid, connection } = await host.open();
    process.kill(pid!, "SIGKILL");
    while (connection.lost === null) await new Promise(resolve => setTimeout(resolve, 10));
    for (let step = 0; step < 5; step++) {
      const loss = await near.step(step);
      if (step >= 3) expect(await far.step(step)).toBe(loss);
    }
  });

  test("a page that crashes", async () => {
    const { running, pid } = await slowRun();
    void page()
      .goto("chrome://crash")
      .catch(() => {});
    const error = (await running) as BrowserEnded;
    expect(error.reason).toBe("its page has crashed, as pages do that run out of memory");
    expect(await isGone(pid)).toBe(true);
  });

  test("an error in the page that belongs to no call", async () => {
    const { connection } = await host.open();
    // Nothing waits: nothing happens.
    await page().evaluate("void setTimeout(() => { throw new TypeError('too early'); })");
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(connection.lost).toBe(null);
    // A command that the page never answers.
    await page().evaluate("void (WebAssembly.compile = () => new Promise(() => {}))");
    const pending = errorOf(remote.compile(slow));
    await page().evaluate("void setTimeout(() => { throw new TypeError('a timer has failed'); })");
    expect(((await pending) as BrowserEnded).reason).toBe("an error in its page: a timer has failed");
  });

  test("closed", async () => {
    const { running, pid } = await slowRun();
    await host.close();
    expect(((await running) as BrowserEnded).reason).toBe("it was closed");
    expect(await isGone(pid)).toBe(true);
    await host.close();
    expect(await (await train(remote)).step(0)).toBeGreaterThan(0);
  });
});
