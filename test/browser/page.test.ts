// Backends in the page of a real browser: the same results as here, threads, refusals, and what a page offers.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inBrowser } from "../../backends/browser/index.ts";
import { reference } from "../../backends/reference/index.ts";
import { wasm } from "../../backends/wasm/index.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { roundedToFloat32 } from "../backends/run.ts";
import { outputsError } from "../harness/differences.ts";
import { compileNamed, compileText, environmentOf } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { feedsOf, onBackend, valuesOf } from "../harness/training.ts";
import { bits, build, errorOf, inBrowserTests, train, valuesIn, watchedBrowser } from "./harness.ts";

const models = [
  "lstm",
  "bidirectional",
  "attention",
  "grid",
  "convolution",
  "dropout",
  "ctc",
  "tied-embedding",
];

inBrowserTests(() => {
  const { host, page } = watchedBrowser();
  beforeAll(build);
  afterAll(() => host.close());

  describe.each(["wasm", "cpu"])("%s in the page", name => {
    const remote = inBrowser(name, { host });

    test("is available, and says where", async () => {
      const { detail } = (await remote.probe()) as { detail: string };
      expect(detail).toMatch(/, in chromium \d+\./);
    });

    test.each(models)("gradients of %s", async model => {
      const program = compileNamed(model).gradients();
      const environment = roundedToFloat32(environmentOf(program, { seed: 3, batch: 3, extent: 5 }));
      for (const unroll of [1, "full"] as const) {
        const actual = await onBackend(remote, program, environment, { unroll });
        const expected = await onBackend(reference, program, environment);
        expect(outputsError(actual, expected, 0.01)).toBeLessThan(tolerances.float32);
      }
    });

    test("ten steps of Adam", async () => {
      const [far, near] = [await train(remote), await train(reference)];
      for (let step = 0; step < 10; step++) {
        const [actual, expected] = [await far.step(step), await near.step(step)];
        expect(Math.abs(actual / expected - 1)).toBeLessThan(tolerances.float32Steps);
      }
      const [actual, expected] = [await valuesIn(far.state), await valuesIn(near.state)];
      expect(outputsError(actual, expected)).toBeLessThan(tolerances.float32Steps);
      for (const { state, executable } of [far, near]) {
        state.dispose();
        executable.dispose();
      }
    });
  });

  test("code of our own gives the same bits as in Node, on one thread and on two", async () => {
    const program = compileNamed("lstm").gradients();
    const environment = environmentOf(program, { batch: 21, extent: 9 });
    const [one, two] = [1, 2].map(threads => onBackend(wasm, program, environment, { threads }));
    const remote = inBrowser("wasm", { host });
    expect(bits(await onBackend(remote, program, environment, { threads: 1 }))).toEqual(bits(await one!));
    expect(bits(await onBackend(remote, program, environment, { threads: 2 }))).toEqual(bits(await two!));
    // Sums over examples are added in another order: there were two.
    expect(bits(await two!)).not.toEqual(bits(await one!));
  });

  test("the page has shared memory, and WebGL 2 with textures of floats", async () => {
    const { connection } = await host.open();
    expect(await connection.ready).toMatchObject({ isolated: true });
    const graphics = await page().evaluate(() => {
      const gl = document.createElement("canvas").getContext("webgl2");
      return gl?.getExtension("EXT_color_buffer_float") != null;
    });
    expect(graphics).toBe(true);
  });

  test("the page can load what the backend webgl stands on", async () => {
    // As text: what stands here as a function, vitest has rewritten.
    const version = await page().evaluate(`(async () => {
      const core = await import("@tensorflow/tfjs-core");
      const { version_webgl } = await import("@tensorflow/tfjs-backend-webgl");
      await core.setBackend("webgl");
      await core.ready();
      const sum = await core.sum(core.tensor1d([1, 2, 3.5])).data();
      return [version_webgl, core.getBackend(), sum[0]];
    })()`);
    expect(version).toEqual(["4.22.0", "webgl", 6.5]);
  });

  test("what does not fit into the page's memory is refused, and the page goes on", async () => {
    const wide = compileText("wide.frond", "model Wide {\n  input x: real[2]\n  output p = exp(sum(x) * fill(5000000, 1))\n}\n"); // biome-ignore format: a model
    const program = wide.infer();
    const executable = await inBrowser("wasm", { host }).compile(program);
    const state = executable.createState(new Map());
    const many = environmentOf(program, { batch: 1000 });
    const error = await errorOf(executable.run(feedsOf(many), state));
    expect((error as FrondError).diagnostics.map(({ code }) => code)).toEqual(["F0905"]);
    const results = await executable.run(feedsOf(environmentOf(program, { batch: 1 })), state);
    expect((await results.read("output.p")).shape).toEqual([1, 5_000_000]);
  });

  test("several executables at once, and big values there and back", async () => {
    const text =
      "model Big(n: size = 1000000) {\n  input x: real\n  param w: real[n] = ones()\n  output p = x * w\n}\n";
    const program = compileText("big.frond", text).infer();
    const remote = inBrowser("wasm", { host });
    const environment = environmentOf(program, { batch: 2 });
    const values = valuesOf(program, environment);
    const runs = [1, 2, 3].map(() => onBackend(remote, program, environment));
    const expected = (await onBackend(wasm, program, environment)).get("output.p")!.data;
    for (const run of runs) {
      const { data } = (await run).get("output.p")!;
      expect(Buffer.compare(Buffer.from(data.buffer, data.byteOffset), Buffer.from(expected.buffer))).toBe(0);
    }
    expect(values.get("w")!.data.length).toBe(1_000_000);
  });

  test("diagnostics of the page are those of Node", async () => {
    const program = compileNamed("lstm").infer();
    const environment = environmentOf(program);
    const feeds = { ...feedsOf(environment), inputs: new Map() };
    const [far, near] = [inBrowser("wasm", { host }), wasm].map(async backend => {
      const executable = await backend.compile(program);
      return errorOf(executable.run(feeds, executable.createState(valuesOf(program, environment))));
    });
    expect(await far).toBeInstanceOf(FrondError);
    expect(((await far) as FrondError).diagnostics).toEqual(((await near) as FrondError).diagnostics);
    expect(String(await errorOf(inBrowser("wasm", { host }).compile(program, { unroll: 0 })))).toContain(
      "F0903",
    );
  });
});
