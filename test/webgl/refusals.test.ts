// What the WebGL device refuses, and what it leaves alone: too large, misused, lost; and other people's tfjs.

import { afterAll, beforeAll, expect, test } from "vitest";
import { inBrowserTests } from "../browser/harness.ts";
import { type OpenPage, openPage } from "./page.ts";

inBrowserTests(() => {
  let opened: OpenPage;
  beforeAll(async () => {
    opened = await openPage();
  });
  afterAll(() => opened?.close());

  test("a matrix that is too large is refused, and nothing is lost", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frond.open();
      const { texels, total } = device.limits;
      const wide = await window.frond.refusal(() => device.allocate(1, texels + 1));
      const large = await window.frond.refusal(() => device.allocate(total / 1024 + 1, 1024));
      const long = await window.frond.refusal(() => device.allocate(texels * texels, 2));
      // Each side would do.
      const square = await window.frond.refusal(() => device.allocate(texels, total / texels + 1));
      const body = "mat4f texels(i32 row, i32 column) { return mat4f(1.0); }";
      const fours = device.compile({ rows: 4, inputs: 0, integers: 0, body });
      const lines = await window.frond.refusal(() =>
        device.run(fours, [], [], 4 * texels, total / texels / 4 + 1),
      );
      const numbers = await device.read(device.upload(1, 1, Float32Array.of(1, 2, 3, 4)));
      const made = device.backend.getTextureManager().getNumUsedTextures();
      const { lost } = device;
      device.close();
      return { refused: [wide, large, long, square, lines], numbers: [...numbers], made, lost };
    });
    const refused = expect.stringMatching(/^RangeError: .*memory/);
    expect(found).toEqual({
      refused: Array(5).fill(refused),
      numbers: [1, 2, 3, 4],
      made: 1,
      lost: null,
    });
  });

  test("misuse is a bug of ours", async () => {
    const found = await opened.page.evaluate(async () => {
      const { refusal } = window.frond;
      const device = await window.frond.open();
      const body = "vec4f texel(i32 row, i32 column) { return read0(row, column); }";
      const program = device.compile({ rows: 1, inputs: 1, integers: 0, body });
      const freed = device.upload(1, 1, new Float32Array(4));
      device.free(freed);
      const matrix = device.upload(2, 1, new Float32Array(8));
      const broken = device.compile({
        rows: 1,
        inputs: 0,
        integers: 0,
        body: body.replace("row, column); }", "rwo);}"),
      });
      const same = device.compile({ rows: 1, inputs: 1, integers: 0, body }) === program;
      const four = "mat4f texels(i32 row, i32 column) { return mat4f(1.0); }";
      const fours = device.run(device.compile({ rows: 4, inputs: 0, integers: 0, body: four }), [], [], 2, 1);
      const refusals = [
        await refusal(() => device.copy(fours, matrix, 0)),
        await refusal(() => device.free(freed)),
        await refusal(() => device.read(freed)),
        await refusal(() => device.run(program, [freed], [], 1, 1)),
        await refusal(() => device.run(program, [], [], 1, 1)),
        await refusal(() => device.copy(matrix, matrix, 0)),
        await refusal(() => device.upload(2, 1, new Float32Array(7))),
        await refusal(() => device.run(broken, [], [], 1, 1)),
      ];
      const used = device.backend.getTextureManager().getNumUsedTextures();
      device.close();
      return { same, refusals, used };
    });
    expect(found.refusals.map(text => text.slice(0, 14))).toEqual(Array(8).fill("InternalError:"));
    expect(found.refusals.at(-1)).toMatch(/'rwo' : undeclared identifier[\s\S]*#version 300 es/);
    expect(found).toMatchObject({ same: true, used: 2 });
  });

  test("a lost device rejects what is pending and all that comes, and another can be opened", async () => {
    const found = await opened.page.evaluate(async () => {
      const { open, refusal } = window.frond;
      const device = await open();
      const body = "vec4f texel(i32 row, i32 column) { return read0(row, column); }";
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
      const atOnce = await Promise.all(actions.map(refusal));
      const rejected = await Promise.all(pending);
      await new Promise(resolve => setTimeout(resolve, 50));
      const later = await Promise.all(actions.map(refusal));
      device.free(matrix);
      const next = await open();
      const numbers = await next.read(next.upload(1, 1, Float32Array.of(1, 2, 3, 4)));
      next.close();
      return { rejected, atOnce, later, numbers: [...numbers], help: device.lost?.diagnostics[0]?.help };
    });
    const lost = "FrondError: F0915: the graphics device of `webgl` was lost";
    expect(found).toEqual({
      rejected: Array(3).fill(lost),
      atOnce: Array(5).fill(lost),
      later: Array(5).fill(lost),
      numbers: [1, 2, 3, 4],
      help: ["results that were not read are gone", "the next run opens another device"],
    });
  });

  test("a loss while a draw is under way rejects too", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frond.open();
      const body = `vec4f texel(i32 row, i32 column) {
        vec4f sum = vec4f(0.0);
        for (i32 k = 0; k < u[0]; k++) { sum += read0(row, (column + k) % 64); }
        return sum;
      }`;
      const program = device.compile({ rows: 1, inputs: 1, integers: 1, body });
      const matrix = device.upload(64, 64, new Float32Array(4 * 64 * 64));
      const pending = window.frond.refusal(() =>
        device.read(device.run(program, [matrix], [20_000], 64, 64)),
      );
      setTimeout(() => device.close(), 10);
      return pending;
    });
    expect(found).toContain("F0915");
  });

  test("other people's tfjs keeps its flags and gets contexts of its own", async () => {
    await opened.restart();
    const found = await opened.page.evaluate(async () => {
      const { tf, tfBackend } = window.frond;
      const before = { ...tf.env().getFlags() };
      const device = await window.frond.open();
      const [after, chosen] = [{ ...tf.env().getFlags() }, tf.engine().backendName];
      tf.env().set("SOFTWARE_WEBGL_ENABLED", true);
      const theirs = new tfBackend.MathBackendWebGL();
      const another = await window.frond.open();
      // tfjs keeps one context for all who do not bring their own.
      const again = new tfBackend.GPGPUContext();
      const contexts = [device.backend, theirs, another.backend].map(({ gpgpu }) => gpgpu.gl);
      const own = new Set(contexts).size;
      const info = theirs.makeTensorInfo([2, 2], "float32", Float32Array.of(1, 2, 3, 4));
      const sum = theirs.runWebGLProgram(
        {
          variableNames: ["A"],
          outputShape: [2, 2],
          userCode: "void main() { setOutput(getAAtOutCoords() * 2.0); }",
        },
        [info],
        "float32",
      );
      const doubled = theirs.readSync(sum.dataId);
      const notOurs = ![device, another].some(({ backend }) => backend.gpgpu.gl === again.gl);
      device.close();
      another.close();
      return { before, after, chosen, own, notOurs, doubled: Array.from(doubled as Float32Array) };
    });
    expect(found.after).toEqual(found.before);
    expect(found).toMatchObject({ own: 3, notOurs: true, doubled: [2, 4, 6, 8] });
    expect(found.chosen ?? null).toBe(null);
  });
});
