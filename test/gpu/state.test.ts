// A state outlives its device: what it is after a loss, what is said of it and how often, and when it is copied. The devices
// keep numbers, and count nothing but how often a program has run.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Feeds, State, Tensor } from "../../backends/api.ts";
import type { Device, Devices, Matrix } from "../../backends/gpu/device.ts";
import { GpuExecutable } from "../../backends/gpu/executable.ts";
import { DeviceLost } from "../../backends/losses.ts";
import { glsl } from "../../backends/webgl/glsl.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { withStates } from "../../runtime/states.ts";
import { errorOf } from "../browser/harness.ts";
import { compileText } from "../harness/models.ts";
import { trainingConfig } from "../harness/training.ts";

interface Numbers extends Matrix {
  readonly data: Float32Array;
}

/** Draws give the sum of the numbers of their inputs, and 1. */
class Adder implements Device {
  readonly dialect = glsl;
  readonly takesParts = false;
  readonly inputs = 16;
  readonly limits = { texels: 16384, total: 2 ** 25 };
  held = 0;
  lost: Error | null = null;

  compile = (text: Parameters<Device["compile"]>[0]) => ({ text });
  run: Device["run"] = (_program, inputs, _integers, rows, texels) => {
    const read = inputs as readonly Numbers[];
    const sum = (i: number): number => read.reduce((total, { data }) => total + (data[i] ?? 0), 1);
    return this.upload(
      rows,
      texels,
      Float32Array.from({ length: 4 * rows * texels }, (_, i) => sum(i)),
    );
  };
  allocate = (rows: number, texels: number): Matrix =>
    this.upload(rows, texels, new Float32Array(4 * rows * texels));
  upload(rows: number, texels: number, data: Float32Array): Numbers {
    if (this.lost !== null) throw this.lost;
    if (rows * texels > this.limits.total) throw new RangeError("there is no memory for that");
    this.held++;
    return { rows, texels, data };
  }
  copy(): void {}
  async read(matrix: Matrix): Promise<Float32Array> {
    await null;
    if (this.lost !== null) throw this.lost;
    return (matrix as Numbers).data;
  }
  free(): void {
    this.held--;
  }
}

const program = compileText(
  "line.frond",
  "model Line {\n  input x: real[4]\n  target y: real[4]\n  param w: real[4] = zeros()\n  loss = mse(w * x, y)\n}\n",
).train(trainingConfig);

const vector = (...data: number[]): Tensor => ({
  dtype: "real",
  shape: [1, 4],
  data: Float32Array.from(data),
});
const feedsAt = (step: number): Feeds => ({
  batch: 1,
  inputs: new Map([
    ["x", vector(1, 2, 3, 4)],
    ["y", vector(1, 1, 1, 1)],
  ]),
  lengths: new Map(),
  seed: 0,
  step,
});

async function begun(copyEvery = 1e6) {
  const opened: Adder[] = [];
  const devices: Devices = {
    backend: "webgl",
    copyEvery,
    async open() {
      if (opened.at(-1)?.lost !== null) opened.push(new Adder());
      return opened.at(-1)!;
    },
  };
  const executable = await GpuExecutable.compile(devices, program);
  const first: Tensor = { dtype: "real", shape: [4], data: Float32Array.of(1, 2, 3, 4) };
  const state = executable.createState(withStates(new Map([["w", first]]), program));
  const run = async (step: number): Promise<void> => (await executable.run(feedsAt(step), state)).dispose();
  const lose = (error: Error = new DeviceLost("webgl")): void => {
    opened.at(-1)!.lost = error;
  };
  return { opened, executable, state, run, lose };
}

const readAll = async (state: State): Promise<readonly number[]> => {
  const all: number[] = [];
  for (const name of state.names) all.push(...(await state.read(name)).data);
  return all;
};

test("a loss is told once, with where the state is, and then runs go on from there on another device", async () => {
  const { opened, state, run, lose } = await begun();
  for (const step of [0, 1, 2]) await run(step);
  const copied = await readAll(state);
  await run(3);
  const later = await readAll(state);
  expect(later).not.toEqual(copied);
  for (const step of [4, 5, 6]) await run(step);
  lose();
  const error = (await errorOf(run(7))) as DeviceLost;
  expect([error.kept, error.lost]).toEqual([{ runs: 4, step: 3 }, 3]);
  expect(await readAll(state)).toEqual(later);
  await run(4);
  expect(opened.length).toBe(2);
  expect(await readAll(state)).not.toEqual(later);
  state.dispose();
  expect(opened[0]!.held).toBe(0);
});

test("the page of the error is what it says", async () => {
  const { state, run, lose } = await begun();
  await run(41);
  await readAll(state);
  for (const step of [42, 43, 44]) await run(step);
  lose();
  const error = (await errorOf(state.read("w"))) as DeviceLost;
  const frame = `\`\`\`text\n${render(error.diagnostics, { color: false }).trimEnd()}\n\`\`\``;
  expect(readFileSync("spec/errors/F0915.md", "utf8")).toContain(frame);
});

test("where nothing was lost, nobody need know", async () => {
  const { opened, state, run, lose } = await begun();
  lose();
  await run(0);
  expect(opened.length).toBe(2);
  const values = await readAll(state);
  lose();
  expect(await readAll(state)).toEqual(values);
  await run(1);
  expect(opened.length).toBe(3);
});

test("without a copy the state has its first values again", async () => {
  const { state, run, lose } = await begun();
  await run(0);
  lose();
  const error = (await errorOf(run(1))) as DeviceLost;
  expect([error.kept, error.lost]).toEqual([{ runs: 0, step: null }, 1]);
  expect(error.diagnostics[0]!.help[0]).toBe(
    "the state has its first values again: the step since then is lost",
  );
  expect([...(await state.read("w")).data]).toEqual([1, 2, 3, 4]);
});

test("a loss in the middle of a run is told by it, and one that a read meets by the read", async () => {
  const { opened, state, run, lose } = await begun();
  await run(0);
  const device = opened[0]!;
  const { upload } = device;
  device.upload = (...given) => {
    lose();
    return upload.apply(device, given);
  };
  expect(await errorOf(run(1))).toMatchObject({ kept: { runs: 0, step: null }, lost: 1 });
  await run(0);
  const reading = errorOf(state.read("w"));
  lose();
  expect(await reading).toMatchObject({ kept: { runs: 0, step: null }, lost: 1 });
});

test("copies are made in time, each of one moment", async () => {
  const { state, run, lose } = await begun(20);
  await run(0);
  await run(1);
  const wanted = new Map([["w", [...(await state.read("w")).data]]]);
  await new Promise(resolve => setTimeout(resolve, 100));
  lose();
  await run(2).then(() => {}); // Nothing was lost.
  lose();
  expect(await errorOf(run(3))).toMatchObject({ kept: { runs: 2, step: 1 }, lost: 1 });
  expect([...(await state.read("w")).data]).toEqual(wanted.get("w"));
});

test("a device that fails by a bug of ours says so, and the next call goes on", async () => {
  const { run, lose } = await begun();
  await run(0);
  const bug = new InternalError("webgpu", "a shader is wrong");
  lose(bug);
  expect(await errorOf(run(1))).toBe(bug);
  await run(1);
});

test("what does not fit the device is refused by the run, and nothing stays behind", async () => {
  const { opened, state, run } = await begun();
  Object.assign(opened[0]!.limits, { total: 0 });
  expect(await errorOf(run(0))).toMatchObject({ diagnostics: [{ code: "F0905" }] });
  expect(opened[0]!.held).toBe(0);
  Object.assign(opened[0]!.limits, { total: 2 ** 25 });
  await run(0);
  state.dispose();
});
