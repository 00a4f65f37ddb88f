// The WebGL device in a headless browser: it opens, keeps no texture that nobody needs, and empty matrices are like
// others.

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { inBrowserTests } from "../browser/harness.ts";
import { type OpenPage, openPage } from "./page.ts";

inBrowserTests(() => {
  let opened: OpenPage;
  beforeAll(async () => {
    opened = await openPage();
  });
  afterAll(() => opened?.close());
  let complaints = 0;
  beforeEach(() => {
    complaints = opened.complaints.length;
  });
  const noComplaints = () => expect(opened.complaints.slice(complaints)).toEqual([]);

  test("says what it is, and can be opened and closed more often than a page may have contexts", async () => {
    const details = await opened.page.evaluate(async () => {
      const details = [];
      for (let k = 0; k < 20; k++) {
        const device = await window.frond.open();
        details.push(device.detail);
        device.close();
      }
      return details;
    });
    expect(new Set(details).size).toBe(1);
    expect(details[0]).toMatch(/^tfjs-backend-webgl 4\.\d+\.\d+, ./);
    noComplaints();
  });

  test("empty matrices have no texture, and are inputs and results like others", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frond.open();
      const manager = device.backend.getTextureManager();
      const none = device.upload(0, 7, new Float32Array(0));
      const one = device.upload(1, 1, Float32Array.of(1, 2, 3, 4));
      const body =
        "vec4f texel(i32 row, i32 column) { return u[0] > 0 ? read0(row, column) : read1(0, 0) * 2.0; }";
      const program = device.compile({ rows: 1, inputs: 2, integers: 1, body });
      const empty = device.run(program, [none, one], [0], 3, 0);
      // Its texture becomes that of the next result, though the unit of the empty input may still have it.
      const gone = device.upload(1, 1, new Float32Array(4));
      device.free(device.run(program, [gone, one], [1], 1, 1));
      device.free(gone);
      const full = device.run(program, [none, one], [0], 1, 1);
      device.copy(none, device.allocate(4, 7), 4);
      const read = await Promise.all([none, empty, full].map(matrix => device.read(matrix)));
      for (const matrix of [none, empty, full, one]) device.free(matrix);
      const used = manager.getNumUsedTextures();
      device.close();
      return { used, read: read.map(numbers => [...numbers]) };
    });
    // The one that was copied into.
    expect(found).toEqual({ used: 1, read: [[], [], [2, 4, 6, 8]] });
    noComplaints();
  });

  test("many runs, reads and copies leave no texture and no data behind", async () => {
    const counts = await opened.page.evaluate(async () => {
      const device = await window.frond.open({ edge: 64 });
      const { backend } = device;
      const manager = backend.getTextureManager();
      const body = "vec4f texel(i32 row, i32 column) { return read0(row, column) + f32(u[0]); }";
      const program = device.compile({ rows: 1, inputs: 1, integers: 1, body });
      const four = "mat4f texels(i32 row, i32 column) { return mat4f(1.0) * f32(u[0]) + f32(row + column); }";
      const fours = device.compile({ rows: 4, inputs: 0, integers: 1, body: four });
      let state = device.upload(100, 2, new Float32Array(800));
      const all = device.allocate(300, 2, 100);
      const count = () => {
        const textures = [manager.getNumUsedTextures(), manager.getNumFreeTextures()];
        return [...textures, manager.numBytesAllocated, backend.numDataIds()];
      };
      const seen = [];
      for (let step = 1; step <= 200; step++) {
        const next = device.run(program, [state], [step], 100, 2);
        device.free(state);
        state = next;
        device.copy(state, all, 100 * (step % 3));
        device.free(device.run(fours, [], [step], 6, 3));
        if (step % 50 === 0) seen.push(count(), [(await device.read(all))[0]!]);
      }
      device.close();
      return seen;
    });
    // Of 100 rows in two panels two, of 300 rows in five, of 2 x 4 rows.
    const bytes = 16 * (2 * 50 * 2 * 2 + 60 * 5 * 2 + 8 * 3);
    const same = [2, 2, bytes, 0];
    expect(counts).toEqual([same, [1176], same, [4950], same, [11325], same, [19701]]);
    noComplaints();
  });

  test("textures of shapes that do not come again are given back", async () => {
    const megabytes = await opened.page.evaluate(async () => {
      const device = await window.frond.open();
      const manager = device.backend.getTextureManager();
      const body = "mat4f texels(i32 row, i32 column) { return mat4f(1.0); }";
      const fours = device.compile({ rows: 4, inputs: 0, integers: 0, body });
      const before = window.frond.tf.env().getNumber("WEBGL_DELETE_TEXTURE_THRESHOLD");
      let most = 0;
      for (let rows = 400; rows < 500; rows++) {
        device.free(device.allocate(rows, 1000));
        device.free(device.run(fours, [], [], rows, 250));
        most = Math.max(most, manager.numBytesAllocated);
      }
      const same = before === window.frond.tf.env().getNumber("WEBGL_DELETE_TEXTURE_THRESHOLD");
      device.close();
      return same ? most / 2 ** 20 : "a flag of tfjs has changed";
    });
    expect(megabytes).toBeLessThan(80);
    noComplaints();
  });
});
