// The WebGPU device in a headless browser: it opens, keeps no buffer that nobody needs, and empty matrices are like others.

import { beforeEach, expect, test } from "vitest";
import { inWebGPUTests } from "./page.ts";

await inWebGPUTests(opened => {
  let complaints = 0;
  beforeEach(() => {
    complaints = opened.complaints.length;
  });
  const noComplaints = () => expect(opened.complaints.slice(complaints)).toEqual([]);

  test("says what it is, and can be opened and closed often", async () => {
    const details = await opened.page.evaluate(async () => {
      const details = [];
      for (let k = 0; k < 20; k++) {
        const device = await window.frondGpu.open();
        details.push(device.detail);
        device.close();
      }
      return details;
    });
    expect(new Set(details).size).toBe(1);
    expect(details[0]).toMatch(/^tfjs-backend-webgpu, ./);
    noComplaints();
  });

  test("has what the adapter has, and not what every adapter has", async () => {
    const found = await opened.page.evaluate(async () => {
      const { limits } = (await navigator.gpu.requestAdapter())!;
      const device = await window.frondGpu.open();
      const { inputs } = device;
      const { total } = device.limits;
      device.close();
      return { inputs: inputs + 1 - limits.maxStorageBuffersPerShaderStage, least: 16 * total >= 2 ** 28 };
    });
    expect(found).toEqual({ inputs: 0, least: true });
  });

  test("empty matrices have no buffer, and are inputs and results like others", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frondGpu.open();
      const pool = device.backend.bufferManager;
      const before = pool.getNumUsedBuffers();
      const none = device.upload(0, 7, new Float32Array(0));
      const one = device.upload(1, 1, Float32Array.of(1, 2, 3, 4));
      const body = `fn texel(row: i32, column: i32) -> vec4f {
        return select(read1(0, 0) * 2.0, read0(row, column), u[0] > 0);
      }`;
      const program = device.compile({ rows: 1, inputs: 2, integers: 1, body });
      const empty = device.run(program, [none, one], [0], 3, 0);
      const full = device.run(program, [none, one], [0], 1, 1);
      device.copy(none, device.allocate(4, 7), 4);
      const read = await Promise.all([none, empty, full].map(matrix => device.read(matrix)));
      for (const matrix of [none, empty, full, one]) device.free(matrix);
      const used = pool.getNumUsedBuffers() - before;
      device.close();
      return { used, read: read.map(numbers => [...numbers]) };
    });
    // The one that was copied into.
    expect(found).toEqual({ used: 1, read: [[], [], [2, 4, 6, 8]] });
    noComplaints();
  });

  test("many runs, reads and copies leave no buffer and no data behind", async () => {
    const counts = await opened.page.evaluate(async () => {
      const device = await window.frondGpu.open();
      const { backend } = device;
      const pool = backend.bufferManager;
      const body = "fn texel(row: i32, column: i32) -> vec4f { return read0(row, column) + f32(u[0]); }";
      const program = device.compile({ rows: 1, inputs: 1, integers: 1, body });
      const four = `fn texels(row: i32, column: i32) -> mat4f {
        let all = vec4f(f32(u[0] + row + column));
        return mat4f(all, all, all, all);
      }`;
      const fours = device.compile({ rows: 4, inputs: 0, integers: 1, body: four });
      let state = device.upload(100, 2, new Float32Array(800));
      const all = device.allocate(300, 2);
      const count = () => {
        const buffers = [pool.getNumUsedBuffers(), pool.getNumFreeBuffers()];
        return [...buffers, pool.numBytesAllocated, backend.numDataIds(), device.counts.groups];
      };
      const seen = [];
      for (let step = 1; step <= 200; step++) {
        const next = device.run(program, [state], [step], 100, 2);
        device.free(state);
        state = next;
        device.copy(state, all, 100 * (step % 3));
        device.free(device.run(fours, [], [step], 6, 3));
        if (step % 50 === 0) {
          const numbers = await device.read(all);
          seen.push(count(), [numbers[0]!]);
        }
      }
      device.close();
      return seen;
    });
    const [same] = counts;
    expect(counts).toEqual([same, [1176], same, [4950], same, [11325], same, [19701]]);
    noComplaints();
  });

  test("buffers of sizes that do not come again are given back", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frondGpu.open();
      const pool = device.backend.bufferManager;
      const body = "fn texel(row: i32, column: i32) -> vec4f { return read0(row, column) + 1.0; }";
      const program = device.compile({ rows: 1, inputs: 1, integers: 0, body });
      const one = device.upload(1, 1, Float32Array.of(1, 2, 3, 4));
      let most = 0;
      let last = device.upload(1, 1, Float32Array.of(1, 2, 3, 4));
      for (let k = 0; k < 60; k++) {
        const rows = Math.round(200 * 1.03 ** k);
        // Commands that are not submitted yet write to what is given back.
        device.free(device.run(program, [one], [], rows, 1000));
        const next = device.run(program, [last], [], 1, 1);
        device.free(last);
        last = next;
        most = Math.max(most, pool.numBytesAllocated);
      }
      const numbers = await device.read(last);
      device.close();
      return { megabytes: most / 2 ** 20, last: numbers[0] };
    });
    // All sizes together have some 190; 64 may be kept, and the largest, of 18, is asked for before others go.
    expect(found.megabytes).toBeLessThan(90);
    expect(found.last).toBe(61);
    noComplaints();
  });
});
