// The real tfjs-node with TensorFlow's library, where it is installed (`frond setup native`): it loads and computes
// beside Frond's other backends, in this process and, on every Node there is, in one of its own. Skipped where it is
// not, unless FROND_REQUIRE lists native.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { describe, expect, test, vi } from "vitest";
import { loadTfjsNode } from "../../backends/native/load.ts";
import type { Binding, TfjsNode } from "../../backends/native/tfjs-node.ts";
import { openBackend } from "../../backends/registry.ts";
import { check } from "../../runtime/node/native/check.ts";
import { runner } from "../../runtime/node/native/run.ts";
import { setUpNative, thisMachine } from "../../runtime/node/native/setup.ts";
import { compileNamed, environmentOf } from "../harness/models.ts";
import { onBackend } from "../harness/training.ts";

interface Tf extends TfjsNode {
  engine(): unknown;
  findBackend(name: string): { readonly binding: Binding };
}

const own = createRequire(import.meta.url);
const core: Tf = own("@tensorflow/tfjs-core");
own("@tensorflow/tfjs-backend-cpu");
await core.setBackend("cpu");

const warn = vi.spyOn(console, "warn");
const native = await loadTfjsNode();
const warnings = warn.mock.calls.length;
warn.mockRestore();
const required = (process.env.FROND_REQUIRE ?? "").split(",").includes("native");
const why = native.available ? "" : `: ${native.reason}; ${native.remedy}`;
// The reporter counts what is skipped, and no more.
if (why !== "") process.stderr.write(`skipped, native does not load${why}\n`);

test.runIf(required || native.available)(`it loads${why}`, () => {
  expect(native).toMatchObject({ available: true });
});

describe.runIf(native.available)(`the library${why}`, () => {
  const { tf, binding, folder, detail } = native as Extract<typeof native, { available: true }>;

  test("is loaded once, without a word, and says what it is", async () => {
    expect(warnings).toBe(0);
    expect(await loadTfjsNode()).toBe(native);
    expect(detail).toMatch(/^TensorFlow 2\.\d+\.\d+, tfjs-node 4\.\d+\.\d+$/);
  });

  test("shares Frond's tfjs-core, and does not become the active backend", () => {
    expect(createRequire(`${folder}/package.json`)("@tensorflow/tfjs-core")).toBe(core);
    expect(core.getBackend()).toBe("cpu");
    expect(core.findBackend("tensorflow").binding).toBe(binding);
  });

  test("runs TensorFlow's own ops", () => {
    const type = { name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
    const transpose = (which: string, value: boolean) => ({
      name: `transpose_${which}`,
      type: binding.TF_ATTR_BOOL,
      value,
    });
    const a = binding.createTensor([2, 3], binding.TF_FLOAT, Float32Array.of(1, 2, 3, 4, 5, 6));
    const attributes = [type, transpose("a", true), transpose("b", false)];
    const [product] = binding.executeOp("MatMul", attributes, [a, a], 1);
    expect(product).toMatchObject({ shape: [3, 3], dtype: binding.TF_FLOAT });
    expect([...binding.tensorDataSync(product!.id)]).toEqual([17, 22, 27, 22, 29, 36, 27, 36, 45]);
    for (const id of [a, product!.id]) binding.deleteTensor(id);
    expect(() => binding.executeOp("NoSuchOp", [], [], 1)).toThrow("NoSuchOp");
  });

  test("is used by tfjs when it is made active, whatever made the tensors", async () => {
    const values = [
      [1, 2],
      [3, 4],
    ];
    const before = core.tensor2d(values);
    await core.setBackend("tensorflow");
    expect([...tf.matMul(before, core.tensor2d(values)).dataSync()]).toEqual([7, 10, 15, 22]);
    await core.setBackend("cpu");
    expect([...core.matMul(before, before).dataSync()]).toEqual([7, 10, 15, 22]);
  });

  test("leaves the backend cpu as it is", async () => {
    const program = compileNamed("lstm").train();
    const environment = environmentOf(program, { padding: "zero" });
    const results = await onBackend(await openBackend("cpu"), program, environment);
    const [loss] = results.get("loss")!.data;
    const expected = await onBackend(await openBackend("reference"), program, environment);
    expect(loss).toBeCloseTo(expected.get("loss")!.data[0]!, 4);
  });

  const run = runner(new AbortController().signal);

  test("loads in a process of its own, and there is nothing to set up then", async () => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    const said: string[] = [];
    const work = { machine: thisMachine(process.env), run, say: (step: string) => said.push(step) };
    expect(await check(work)).toMatchObject({ available: true, detail, folder });
    await setUpNative(work);
    expect(said).toEqual(["there"]);
  });
});
