// How the WebGL device lays out matrices, in a headless browser: folded into panels or not, single rows or fours, what
// goes there, comes back, is copied and computed is the same.

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

  // Rows over edges of 8: one, one that is full, two, three, and as many as there can be.
  const sizes = [
    [1, 1],
    [8, 8],
    [9, 4],
    [17, 2],
    [61, 1],
  ] as const;

  test.each(sizes)("%i x %i texels go there and back", async (rows, texels) => {
    const same = await opened.page.evaluate(
      async ({ rows, texels }) => {
        const device = await window.frond.open({ edge: 8 });
        const special = [NaN, Infinity, -Infinity, -0, 1e-30, -3.4e38];
        const data = Float32Array.from({ length: 4 * rows * texels }, (_, i) => special[i % 9] ?? i / 7);
        const matrix = device.upload(rows, texels, data);
        const shared = new Float32Array(new SharedArrayBuffer(data.byteLength));
        shared.set(data);
        const other = device.upload(rows, texels, shared);
        const both = [device.read(matrix), device.read(other)];
        // Reads under way do not mind.
        device.free(matrix);
        device.free(other);
        const got = await Promise.all(both);
        device.close();
        return got.map(
          numbers => numbers.every((x, i) => Object.is(x, data[i])) && numbers.length === data.length,
        );
      },
      { rows, texels },
    );
    expect(same).toEqual([true, true]);
    noComplaints();
  });

  test("programs see the same numbers however their matrices are folded", async () => {
    const found = await opened.page.evaluate(async () => {
      const body = `vec4f texel(i32 row, i32 column) {
        vec4f sum = vec4f(f32(row), f32(column), f32(u[0]), f32(u[1]));
        for (i32 k = 0; k < u[1]; k++) { sum += read0(row * u[0], k) + read2(k, column); }
        return sum + read1(row, 0);
      }`;
      const compute = async (edge: number): Promise<number[]> => {
        const device = await window.frond.open({ edge });
        const matrix = (rows: number, texels: number) =>
          device.upload(
            rows,
            texels,
            Float32Array.from({ length: 4 * rows * texels }, (_, i) => i % 97),
          );
        const inputs = [matrix(39, 2), matrix(20, 1), matrix(2, 3)];
        const program = device.compile({ rows: 1, inputs: 3, integers: 2, body });
        const tall = device.run(program, inputs, [2, 2], 20, 3);
        const flat = device.run(program, [tall, inputs[1]!, inputs[2]!], [1, 2], 4, 3);
        const again = device.run(program, inputs, [2, 2], 20, 3);
        const got: number[] = [];
        for (const result of [tall, flat, again]) got.push(...(await device.read(result)));
        if (device.backend.gpgpu.gl.getError() !== 0) throw new Error("WebGL reports an error");
        device.close();
        return got;
      };
      return Promise.all([64, 30, 19, 10].map(compute));
    });
    expect(found[0]!.length).toBe(4 * (60 + 12 + 60));
    for (const other of found.slice(1)) expect(other).toEqual(found[0]);
    noComplaints();
  });

  test("rows that are computed by fours are the same, as results and as inputs", async () => {
    const found = await opened.page.evaluate(async () => {
      const row = (i: string) => `read0(${i}, column) * f32(u[0]) + read1(0, column) + vec4f(f32(${i}))`;
      const single = `vec4f texel(i32 row, i32 column) { return ${row("row")}; }`;
      const four = `mat4f texels(i32 row, i32 column) {
        return mat4f(${["row", "row + 1", "row + 2", "row + 3"].map(row).join(", ")});
      }`;
      const compute = async (rows: 1 | 4, edge: number, height: number): Promise<number[]> => {
        const device = await window.frond.open({ edge });
        const data = Float32Array.from({ length: 4 * height * 2 }, (_, i) => i % 89);
        const inputs = [device.upload(height, 2, data), device.upload(1, 2, data.subarray(0, 8))];
        const body = rows === 4 ? four : single;
        const program = device.compile({ rows, inputs: 2, integers: 1, body });
        const reader = device.compile({ rows: 1, inputs: 2, integers: 1, body: single });
        const first = device.run(program, inputs, [3], height, 2);
        const second = device.run(program, [first, first], [2], height, 2);
        const third = device.run(reader, [second, first], [1], height, 2);
        const got = [];
        for (const result of [first, second, third]) got.push(...(await device.read(result)));
        if (first.fours !== (rows === 4) || third.fours) throw new Error("fours are not told");
        if (device.backend.gpgpu.gl.getError() !== 0) throw new Error("WebGL reports an error");
        device.close();
        return got;
      };
      const heights = [1, 4, 7, 8, 9, 30, 31, 41, 64];
      const differences = [];
      for (const height of heights) {
        const right = await compute(1, 64, height);
        // Single rows are folded from an edge of 30 on, fours of 41 and 64 rows by one of 10 too.
        for (const edge of [64, 30, 15, 10].filter(edge => height <= (edge / 2) * edge)) {
          const got = await compute(4, edge, height);
          if (got.length !== right.length || got.some((x, i) => x !== right[i]))
            differences.push({ height, edge });
        }
      }
      return differences;
    });
    expect(found).toEqual([]);
    noComplaints();
  });

  test("copies go to every panel, in one piece for blocks", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frond.open({ edge: 16 });
      const gl = device.backend.gpgpu.gl as unknown as WebGL2RenderingContext;
      let calls = 0;
      const copy = gl.copyTexSubImage2D.bind(gl);
      gl.copyTexSubImage2D = (...parameters) => {
        calls++;
        copy(...parameters);
      };
      const outcomes = [];
      // Blocks of 5 rows in panels of 15; folded into others; and larger than a panel.
      for (const [block, blocks, texels] of [
        [5, 8, 3],
        [20, 2, 2],
        [16, 3, 1],
        [1, 40, 4],
      ] as const) {
        const all = device.allocate(block * blocks, texels, block);
        const data = Float32Array.from({ length: 4 * block * blocks * texels }, (_, i) => i);
        const size = 4 * block * texels;
        calls = 0;
        for (let k = blocks - 1; k >= 0; k--) {
          const one = device.upload(block, texels, data.subarray(k * size, (k + 1) * size));
          device.copy(one, all, k * block);
          device.free(one);
        }
        const got = await device.read(all);
        outcomes.push({ right: got.every((x, i) => x === data[i]), calls: calls / blocks });
      }
      device.close();
      return outcomes;
    });
    expect(found).toEqual([1, 3, 1, 1].map(calls => ({ right: true, calls })));
    noComplaints();
  });
});
