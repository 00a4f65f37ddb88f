// What goes to the WebGPU device, comes back, is copied and computed: single rows and fours, many dispatches in one
// submission, more inputs and integers than are usual, more texels than a grid has groups in a row.

import { beforeEach, expect, test } from "vitest";
import { inWebGPUTests } from "./page.ts";

await inWebGPUTests(opened => {
  let complaints = 0;
  beforeEach(() => {
    complaints = opened.complaints.length;
  });
  const noComplaints = () => expect(opened.complaints.slice(complaints)).toEqual([]);

  test.each([
    [1, 1],
    [8, 8],
    [17, 3],
    [4097, 5],
  ] as const)("%i x %i texels go there and back", async (rows, texels) => {
    const same = await opened.page.evaluate(
      async ({ rows, texels }) => {
        const device = await window.frondGpu.same();
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
        device.free(device.upload(rows, texels, new Float32Array(data.length)));
        const got = await Promise.all(both);
        return got.map(
          numbers => numbers.every((x, i) => Object.is(x, data[i])) && numbers.length === data.length,
        );
      },
      { rows, texels },
    );
    expect(same).toEqual([true, true]);
    noComplaints();
  });

  test("parts of a row are computed at once, each in its place, also in more than a grid's row", async () => {
    const wrong = await opened.page.evaluate(async () => {
      const device = await window.frondGpu.same();
      const body = `fn texels(row: i32, column: i32) -> array<vec4f, 3> {
        let at = vec4f(f32(row), f32(column), 0.0, 1.0);
        return array<vec4f, 3>(at, at + 1.0, at * 2.0);
      }`;
      const program = device.compile({ rows: 1, parts: 3, inputs: 0, integers: 0, body });
      const refused = await window.frondGpu.refusal(() => device.run(program, [], [], 1, 4));
      const wrong: string[] = refused.startsWith("InternalError") ? [] : [refused];
      for (const [rows, each] of [
        [1, 1],
        [5, 7],
        [3000, 25],
      ] as const) {
        const result = device.run(program, [], [], rows, 3 * each);
        const got = await device.read(result);
        device.free(result);
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < each; column++) {
            const at = [row, column, 0, 1];
            const parts = [at, at.map(x => x + 1), at.map(x => 2 * x)];
            for (const [k, part] of parts.entries()) {
              const first = 4 * ((3 * row + k) * each + column);
              if (part.some((x, i) => got[first + i] !== x)) wrong.push(`${rows} ${each} ${row} ${column}`);
            }
          }
        }
      }
      return wrong.slice(0, 3);
    });
    expect(wrong).toEqual([]);
    noComplaints();
  });

  test("an upload into a buffer that was freed comes after the commands that read it", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frondGpu.same();
      const body = "fn texel(row: i32, column: i32) -> vec4f { return read0(row, column) * 2.0; }";
      const program = device.compile({ rows: 1, inputs: 1, integers: 0, body });
      const results = [];
      for (let k = 0; k < 100; k++) {
        const given = device.upload(1, 1, new Float32Array(4).fill(k));
        results.push(device.run(program, [given], [], 1, 1));
        device.free(given);
      }
      const read = await Promise.all(results.map(result => device.read(result)));
      for (const result of results) device.free(result);
      return read.map(([first]) => first);
    });
    expect(found).toEqual(Array.from({ length: 100 }, (_, k) => 2 * k));
    noComplaints();
  });

  test("rows that are computed by fours are the same, and can be copied", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frondGpu.same();
      const row = (i: string) => `read0(${i}, column) * f32(u[0]) + read1(0, column) + vec4f(f32(${i}))`;
      const single = `fn texel(row: i32, column: i32) -> vec4f { return ${row("row")}; }`;
      const four = `fn texels(row: i32, column: i32) -> mat4f {
        return mat4f(${["row", "row + 1", "row + 2", "row + 3"].map(row).join(", ")});
      }`;
      const compute = async (rows: 1 | 4, height: number): Promise<number[]> => {
        const data = Float32Array.from({ length: 4 * height * 2 }, (_, i) => i % 89);
        const inputs = [device.upload(height, 2, data), device.upload(1, 2, data.subarray(0, 8))];
        const program = device.compile({ rows, inputs: 2, integers: 1, body: rows === 4 ? four : single });
        const first = device.run(program, inputs, [3], height, 2);
        const second = device.run(program, [first, first], [2], height, 2);
        const all = device.upload(height + 3, 2, new Float32Array(8 * (height + 3)).fill(7));
        device.copy(second, all, 1);
        return [...(await device.read(all))];
      };
      const differences = [];
      for (const height of [1, 3, 4, 7, 8, 9, 30, 31, 64, 1001]) {
        const [right, got] = [await compute(1, height), await compute(4, height)];
        const isSame = got.length === right.length && got.every((x, i) => x === right[i]);
        if (!isSame || right.length !== 8 * (height + 3)) differences.push(height);
      }
      return differences;
    });
    expect(found).toEqual([]);
    noComplaints();
  });

  test("each of many dispatches has its own integers", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frondGpu.same();
      const sum = Array.from({ length: 150 }, (_, k) => `u[${k}] * ${k % 7}`).join(" + ");
      const program = (integers: number, value: string) =>
        device.compile({
          rows: 1,
          inputs: 0,
          integers,
          body: `fn texel(row: i32, column: i32) -> vec4f { return vec4f(f32(${value})); }`,
        });
      // 150 integers take three slots.
      const [few, many] = [program(2, "u[0] - u[1]"), program(150, sum)];
      const before = device.counts.submissions;
      const results = Array.from({ length: 150 }, (_, i) =>
        i % 2 === 0
          ? device.run(few, [], [3 * i, -5], 1, 1)
          : device.run(many, [], Array(150).fill(-i), 1, 1),
      );
      const submissions = device.counts.submissions - before;
      const read = await Promise.all(results.map(result => device.read(result)));
      return { submissions, read: read.map(([first]) => first) };
    });
    const weights = Array.from({ length: 150 }, (_, k) => k % 7).reduce((sum, x) => sum + x);
    const expected = Array.from({ length: 150 }, (_, i) => (i % 2 === 0 ? 3 * i + 5 : -i * weights));
    expect(found.read).toEqual(expected);
    // 300 slots, 64 at a time.
    expect(found.submissions).toBe(4);
    noComplaints();
  });

  test("a program may have more inputs than a device binds", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frondGpu.same();
      const compute = async (inputs: number): Promise<number[]> => {
        const matrices = Array.from({ length: inputs }, (_, k) =>
          device.upload(
            3,
            k + 1,
            Float32Array.from({ length: 12 * (k + 1) }, (_, i) => i + 100 * k),
          ),
        );
        const terms = matrices.map((_, k) => `read${k}(row, ${k} - column % ${Math.min(k + 1, 2)})`);
        const body = `fn texel(row: i32, column: i32) -> vec4f { return ${terms.join(" + ")} + f32(u[0]); }`;
        const program = device.compile({ rows: 1, inputs, integers: 1, body });
        return [...(await device.read(device.run(program, matrices, [1000], 3, 2)))];
      };
      const counts = [device.inputs - 1, device.inputs, device.inputs + 1, 40];
      return { counts, results: await Promise.all(counts.map(compute)) };
    });
    const expected = found.counts.map(inputs =>
      Array.from({ length: 24 }, (_, i) => {
        const [row, column, lane] = [Math.floor(i / 8), Math.floor(i / 4) % 2, i % 4];
        const terms = Array.from({ length: inputs }, (_, k) => {
          const texel = row * (k + 1) + k - (column % Math.min(k + 1, 2));
          return 4 * texel + lane + 100 * k;
        });
        return terms.reduce((sum, x) => sum + x, 1000);
      }),
    );
    expect(found.results).toEqual(expected);
    noComplaints();
  });

  test("a result may have more texels than a row of the grid", async () => {
    const found = await opened.page.evaluate(async () => {
      const device = await window.frondGpu.same();
      const body = `fn texel(row: i32, column: i32) -> vec4f {
        return vec4f(f32(row), f32(column), 0.0, 1.0);
      }`;
      const program = device.compile({ rows: 1, inputs: 0, integers: 0, body });
      // 65,535 groups of 64 are 4,194,240.
      const [rows, texels] = [4200, 1000];
      const whole = device.run(program, [], [], rows, texels);
      const sum = `fn texel(row: i32, column: i32) -> vec4f {
        var wrong = 0.0;
        for (var k = 0; k < ${texels}; k++) {
          if (any(read0(row, k) != vec4f(f32(row), f32(k), 0.0, 1.0))) { wrong = wrong + 1.0; }
        }
        return vec4f(wrong);
      }`;
      const check = device.compile({ rows: 1, inputs: 1, integers: 0, body: sum });
      const wrong = await device.read(device.run(check, [whole], [], rows, 1));
      device.free(whole);
      return wrong.reduce((all, x) => all + x);
    });
    expect(found).toBe(0);
    noComplaints();
  });
});
