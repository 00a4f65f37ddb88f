// What the results of a nest share is computed once, be it that a device takes several parts of a row at once or that one of
// them is taken: the texts of an LSTM's programs have each of its functions once. Results that share nothing are ways of
// their own.

import { expect, test } from "vitest";
import type { Device, ProgramText } from "../../backends/gpu/device.ts";
import { GpuExecutable } from "../../backends/gpu/executable.ts";
import { wgsl } from "../../backends/webgpu/wgsl.ts";
import { compileText, environmentOf } from "../harness/models.ts";
import { feedsOf, valuesOf } from "../harness/training.ts";

const lstm = "input x[t]: real[4]\n  h[t] = lstm[t](x[t], 8)\n  output p = h[last]";
const apart =
  "input x[t]: real[4]\n  input y[t]: real[4]\n  output p[t] = tanh(x[t])\n  output q[t] = sin(y[t]) * y[t]";

/** The texts that a run asks a device for, which computes nothing. */
async function textsOf(equations: string, takesParts: boolean): Promise<readonly ProgramText[]> {
  const text = `model Any {\n  axis t\n  ${equations}\n}\n`;
  const program = compileText("any.frond", text).infer();
  const texts: ProgramText[] = [];
  const device: Device = {
    dialect: wgsl,
    takesParts,
    inputs: 16,
    limits: { texels: 16384, total: 2 ** 25 },
    lost: null,
    compile(text) {
      texts.push(text);
      return { text };
    },
    run: (_program, _inputs, _integers, rows, texels) => ({ rows, texels }),
    allocate: (rows, texels) => ({ rows, texels }),
    upload: (rows, texels) => ({ rows, texels }),
    copy() {},
    read: async ({ rows, texels }) => new Float32Array(4 * rows * texels),
    free() {},
  };
  const open = async () => device;
  const executable = await GpuExecutable.compile({ backend: "texts", open }, program);
  const environment = environmentOf(program, { batch: 2, extent: 3 });
  await executable.run(feedsOf(environment), executable.createState(valuesOf(program, environment)));
  return texts;
}

const calls = (texts: readonly ProgramText[]): number =>
  texts.reduce((sum, { body }) => sum + [...body.matchAll(/\b(tanh|sigmoid)\d\(/g)].length, 0);

test("each of the cell's five functions once", async () => {
  const texts = await textsOf(lstm, true);
  expect(texts.map(({ parts }) => parts)).toContain(2);
  expect(calls(texts)).toBe(5);
  expect(calls(await textsOf(lstm, false))).toBe(5);
});

test("a way for each of two results that have nothing to do with each other", async () => {
  const [nest] = (await textsOf(apart, false)).map(({ body }) => body);
  expect(nest).toMatch(/if \([^)]* == 0\)[^}]*tanh4[^}]*\}\s*if \([^)]* == 1\)[^}]*sin4/);
});
