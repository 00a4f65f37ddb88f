// What the WebGPU device refuses, and what it leaves alone: too large, misused, lost; and other people's tfjs.

import { expect, test } from "vitest";
import { inWebGPUTests } from "./page.ts";

const lost = "FrondError: F0915: the graphics device of `webgpu` was lost";

await inWebGPUTests(opened => {
  test("a matrix that is too large is refused, and nothing is lost", async () => {
    const found = await opened.page.evaluate(async () => {
      const { open, refusal } = window.frondGpu;
      const device = await open();
      const { total } = device.limits;
      const body = "fn texel(row: i32, column: i32) -> vec4f { return vec4f(1.0); }";
      const program = device.compile({ rows: 1, inputs: 0, integers: 0, body });
      const used = device.backend.bufferManager.getNumUsedBuffers();
      const refused = [
        await refusal(() => device.allocate(1, total + 1)),
        await refusal(() => device.allocate(total + 1, 1)),
        await refusal(() => device.allocate(total / 1024 + 1, 1024)),
        await refusal(() => device.run(program, [], [], total, 2)),
      ];
      const numbers = await device.read(device.upload(1, 1, Float32Array.of(1, 2, 3, 4)));
      const made = device.backend.bufferManager.getNumUsedBuffers() - used;
      const { lost } = device;
      device.close();
      return { refused, numbers: [...numbers], made, lost };
    });
    const refused = expect.stringMatching(/^RangeError: .*memory/);
    expect(found).toEqual({
      refused: Array(4).fill(refused),
      numbers: [1, 2, 3, 4],
      made: 1,
      lost: null,
    });
  });

  test("misuse is a bug of ours", async () => {
    const found = await opened.page.evaluate(async () => {
      const { open, refusal } = window.frondGpu;
      const device = await open();
      const body = "fn texel(row: i32, column: i32) -> vec4f { return read0(row, column); }";
      const program = device.compile({ rows: 1, inputs: 1, integers: 0, body });
      const freed = device.upload(1, 1, new Float32Array(4));
      device.free(freed);
      const matrix = device.upload(2, 1, new Float32Array(8));
      const same = device.compile({ rows: 1, inputs: 1, integers: 0, body }) === program;
      const refusals = [
        await refusal(() => device.free(freed)),
        await refusal(() => device.read(freed)),
        await refusal(() => device.run(program, [freed], [], 1, 1)),
        await refusal(() => device.run(program, [], [], 1, 1)),
        await refusal(() => device.copy(matrix, matrix, 0)),
        await refusal(() => device.copy(matrix, device.allocate(2, 1), 1)),
        await refusal(() => device.upload(2, 1, new Float32Array(7))),
      ];
      const broken = device.compile({
        rows: 1,
        inputs: 1,
        integers: 0,
        body: body.replace("row, column); }", "rwo, column); }"),
      });
      // The device says so some time later; whatever is read then is nonsense.
      const read = await refusal(() => device.read(device.run(broken, [matrix], [], 1, 1)));
      const after = await refusal(() => device.allocate(1, 1));
      return { same, refusals, read, after };
    });
    expect(found.refusals.map(text => text.slice(0, 14))).toEqual(Array(7).fill("InternalError:"));
    expect(found.read).toMatch(/^InternalError: .*unresolved value 'rwo'[\s\S]*read0\(rwo, column\)/);
    expect(found).toMatchObject({ same: true, after: found.read });
  });

  test("a closed device rejects what is pending and all that comes, and another can be opened", async () => {
    const found = await opened.page.evaluate(async () => {
      const { open, refusal } = window.frondGpu;
      const device = await open();
      const body = "fn texel(row: i32, column: i32) -> vec4f { return read0(row, column); }";
      const program = device.compile({ rows: 1, inputs: 1, integers: 0, body });
      const matrix = device.upload(1, 1, new Float32Array(4));
      const pending = [1, 2, 3].map(() => refusal(() => device.read(matrix)));
      device.close();
      const actions = [
        () => device.run(program, [matrix], [], 1, 1),
        () => device.upload(1, 1, new Float32Array(4)),
        () => device.read(matrix),
        () => device.copy(matrix, matrix, 0),
        () => device.compile({ rows: 1, inputs: 1, integers: 0, body }),
      ];
      const atOnce = await Promise.all(actions.slice(0, 3).map(refusal));
      const rejected = await Promise.all(pending);
      await new Promise(resolve => setTimeout(resolve, 50));
      const later = await Promise.all(actions.map(refusal));
      device.free(matrix);
      const next = await open();
      const numbers = await next.read(next.upload(1, 1, Float32Array.of(1, 2, 3, 4)));
      next.close();
      return { rejected, atOnce, later, numbers: [...numbers], help: device.lost };
    });
    expect(found).toMatchObject({
      rejected: Array(3).fill(lost),
      atOnce: Array(3).fill(lost),
      later: Array(5).fill(lost),
      numbers: [1, 2, 3, 4],
    });
  });

  test("a device without memory is as good as lost", async () => {
    const found = await opened.page.evaluate(async () => {
      const { open, refusal } = window.frondGpu;
      const device = await open();
      const matrix = device.upload(1, 1, new Float32Array(4));
      const error = new GPUOutOfMemoryError("no more");
      device.backend.device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
      return refusal(() => device.read(matrix));
    });
    expect(found).toBe(lost);
  });

  test("a driver that crashes while it computes rejects too, and opens again", async () => {
    const pending = opened.page.evaluate(async () => {
      const device = await window.frondGpu.open();
      const body = `fn texel(row: i32, column: i32) -> vec4f {
        var sum = vec4f(0.0);
        for (var k = 0; k < u[0]; k++) { sum += read0(row, (column + k) % 64); }
        return sum;
      }`;
      const program = device.compile({ rows: 1, inputs: 1, integers: 1, body });
      const matrix = device.upload(64, 64, new Float32Array(4 * 64 * 64));
      document.title = "computing";
      const refused = await window.frondGpu.refusal(() =>
        device.read(device.run(program, [matrix], [400_000], 64, 64)),
      );
      const again = await window.frondGpu.refusal(() => device.read(matrix));
      return [refused, again];
    });
    await opened.page.waitForFunction(() => document.title === "computing");
    await opened.crashGpu();
    expect(await pending).toEqual([lost, lost]);
    const numbers = await opened.page.evaluate(async () => {
      // The browser takes some time to start the process again.
      const open = async (tries: number): ReturnType<typeof window.frondGpu.open> => {
        try {
          return await window.frondGpu.open();
        } catch (error) {
          if (tries === 0) throw error;
          await new Promise(resolve => setTimeout(resolve, 100));
          return open(tries - 1);
        }
      };
      const device = await open(50);
      const numbers = await device.read(device.upload(1, 1, Float32Array.of(1, 2, 3, 4)));
      device.close();
      return [...numbers];
    });
    expect(numbers).toEqual([1, 2, 3, 4]);
  });

  test("other people's tfjs keeps its flags and gets a device of its own", async () => {
    await opened.restart();
    const found = await opened.page.evaluate(async () => {
      const { tf, open } = window.frondGpu;
      const before = { ...tf.env().getFlags() };
      const device = await open();
      const [after, chosen] = [{ ...tf.env().getFlags() }, tf.engine().backendName];
      await tf.setBackend("webgpu");
      const theirs = tf.backend() as typeof device.backend;
      const doubled = await tf.mul(tf.tensor([1, 2, 3]), 2).data();
      const notOurs = theirs !== device.backend && theirs.device !== device.backend.device;
      device.close();
      const squared = await tf.square(tf.tensor([1, 2, 3])).data();
      return { before, after, chosen, notOurs, doubled: [...doubled], squared: [...squared] };
    });
    expect(found.after).toEqual(found.before);
    expect(found).toMatchObject({ notOurs: true, doubled: [2, 4, 6], squared: [1, 4, 9] });
    expect(found.chosen ?? null).toBe(null);
  });
});
