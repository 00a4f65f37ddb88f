// What the graphics backends refuse of what others take: indices that float32 numbers cannot tell apart, and parameters that
// are too large for the device; and that they work afterwards.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Feeds, Tensor } from "../../backends/api.ts";
import { openBackend } from "../../backends/registry.ts";
import type { FrondError } from "../../compiler/diagnostics/error.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { makeDataset } from "../../runtime/data/dataset.ts";
import { Session } from "../../runtime/session.ts";
import { programOf } from "../backends/run.ts";
import { errorOf } from "../browser/harness.ts";
import { compileText } from "../harness/models.ts";
import { onDevices } from "./devices.ts";

const t = "t" as AxisId;
const large = 2 ** 24;

const users = compileText(
  "users.frond",
  "model Users {\n  input user: index(100000000)\n  output p = user == 16777000\n}\n",
).infer();

const indices = (shape: readonly number[], ...data: readonly number[]): Tensor => ({
  dtype: "index",
  shape,
  data: Int32Array.from(data),
});
const feedsOf = (inputs: Readonly<Record<string, Tensor>>, lengths: readonly number[] = []): Feeds => ({
  batch: Object.values(inputs)[0]!.shape[0]!,
  inputs: new Map(Object.entries(inputs)),
  lengths: new Map(lengths.length === 0 ? [] : [[t, Int32Array.from(lengths)]]),
  seed: 0,
  step: 0,
});
const none = new Map<string, Tensor>();

/** The index that is fed, less one, along t. */
function before(): ReturnType<typeof programOf> {
  const b = new GraphBuilder();
  const x = b.input("x", { dtype: "index", axes: [b.axis("t", null)] });
  b.output("result", b.sub(x, b.constant(1, "index")));
  return programOf(b.finish());
}

await onDevices(name => {
  describe("indices from 2^24 on are refused", () => {
    test("in data, in the words of the page, and smaller ones are right", async () => {
      const executable = await (await openBackend(name)).compile(users);
      const state = executable.createState(none);
      const run = (user: Tensor) => executable.run(feedsOf({ user }), state);
      const error = (await errorOf(run(indices([2], 5, large + 1)))) as FrondError;
      const frame = render(error.diagnostics, { color: false }).trimEnd().replace("`webgpu`", "`webgl`");
      expect(readFileSync("spec/errors/F0916.md", "utf8")).toContain(`\`\`\`text\n${frame}\n\`\`\``);
      const results = await run(indices([3], 16777000, 16777001, large - 1));
      expect([...(await results.read("output.p")).data]).toEqual([1, 0, 0]);
    });

    test("but not in padding", async () => {
      const program = before();
      const executable = await (await openBackend(name)).compile(program);
      const state = executable.createState(none);
      const run = (x: Tensor) => executable.run(feedsOf({ x }, [1, 2]), state);
      const results = await run(indices([2, 2], large - 1, large + 3, -7, 1 - large));
      expect([...(await results.read("result")).data]).toEqual([large - 2, 0, -8, -large]);
      for (const value of [large, -large])
        expect(await errorOf(run(indices([2, 2], 1, 2, 3, value)))).toMatchObject({
          diagnostics: [{ code: "F0916", title: expect.stringContaining(`${value}`) }],
        });
    });

    test("as constants and states", async () => {
      const backend = await openBackend(name);
      const b = new GraphBuilder();
      const count = b.state("count", { dtype: "index", shape: [2] });
      b.output("result", b.equal(count, b.constant(large + 1, "index")));
      expect(await errorOf(backend.compile(programOf(b.finish())))).toMatchObject({
        diagnostics: [{ code: "F0916" }],
      });
      const other = new GraphBuilder();
      const own = other.state("count", { dtype: "index", shape: [2] });
      other.output("result", other.equal(own, other.constant(large, "index")));
      const executable = await backend.compile(programOf(other.finish()));
      const run = async (...values: readonly number[]) => {
        const state = executable.createState(new Map([["count", indices([2], ...values)]]));
        const feeds: Feeds = { ...feedsOf({ x: indices([1], 0) }), inputs: none };
        return (await executable.run(feeds, state)).read("result");
      };
      expect([...(await run(1, large - 1)).data]).toEqual([0, 0]);
      expect(await errorOf(run(1, large + 1))).toMatchObject({ diagnostics: [{ code: "F0916" }] });
    });
  });

  test("what does not keep within a bound on memory is refused, and the bound is kept where that is possible", async () => {
    const model = compileText(
      "line.frond",
      "model Line {\n  axis t\n  input x[t]: real[4]\n  target y[t]: real[4]\n  param w: real[4] = zeros()\n  loss = mean[t](mse(w * x[t], y[t]))\n}\n",
    );
    const ones: Tensor = { dtype: "real", shape: [8, 50, 4], data: new Float32Array(1600).fill(1) };
    const data = makeDataset("data", new Map(["x", "y"].map(each => [each, ones])));
    const backend = await openBackend(name);
    const train = (memory: number) => new Session({ model, backend, memory }).train(data, { epochs: 1 });
    expect(await errorOf(train(2 ** 14))).toMatchObject({
      diagnostics: [{ code: "F0906", help: expect.arrayContaining([expect.stringMatching(/^batches of/)]) }],
    });
    await train(2 ** 17);
  });

  // Rows of textures are short; buffers take so much.
  test.skipIf(name === "webgpu")("parameters that do not fit are refused, and others are not", async () => {
    const scaled = (size: number) =>
      compileText(
        "scaled.frond",
        `model Scaled {\n  input x: real\n  param w: real[${size}] = ones()\n  output p = x * sum(w)\n}\n`,
      ).infer();
    const backend = await openBackend(name);
    const run = async (size: number) => {
      const executable = await backend.compile(scaled(size));
      const ones: Tensor = { dtype: "real", shape: [size], data: new Float32Array(size).fill(1) };
      const state = executable.createState(new Map([["w", ones]]));
      const x: Tensor = { dtype: "real", shape: [1], data: Float32Array.of(2) };
      return (await executable.run(feedsOf({ x }), state)).read("output.p");
    };
    const { diagnostics } = (await errorOf(run(1_000_000))) as FrondError;
    expect(diagnostics).toMatchObject([
      { code: "F0905", help: [expect.stringMatching(/^its parameters and states alone do not fit/)] },
    ]);
    expect([...(await run(1000)).data]).toEqual([2000]);
  });
});
