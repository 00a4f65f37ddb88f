// Data sets: JSON, binding to inputs, batches. Every way in which data can be wrong is in errors.test.ts.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Axis, AxisId } from "../../compiler/graph/graph.ts";
import type { InputSpec } from "../../compiler/lower/model.ts";
import { batches } from "../../runtime/data/batches.ts";
import { bind } from "../../runtime/data/bind.ts";
import { type Dataset, makeDataset, readDataset } from "../../runtime/data/dataset.ts";
import { toNested } from "../../runtime/data/json.ts";
import { sampleDataset } from "../../runtime/data/sample.ts";
import { take } from "../../runtime/data/take.ts";
import { tensors } from "./tensors.ts";

const axisId = (name: string) => name as AxisId;
const [s, t, k] = [axisId("s"), axisId("t"), axisId("k")];
const axes: readonly Axis[] = [
  { id: s, length: null },
  { id: t, length: null },
  { id: k, length: 2 },
];

function input(name: string, own: readonly AxisId[], rest: Partial<InputSpec> = {}): InputSpec {
  return { name, role: "input", dtype: "real", shape: [], axes: own, classes: null, span: null, ...rest };
}

const json = (value: unknown): Dataset =>
  readDataset(new TextEncoder().encode(JSON.stringify(value)), "data.json");

describe("JSON", () => {
  test("sequences of different lengths are padded, their lengths noted", () => {
    const data = json({
      x: [
        [
          [1, 2],
          [3, 4],
        ],
        [[5, 6]],
      ],
      y: [[0, 1], [1]],
    });
    expect(data.arrays.get("x")).toEqual({
      dtype: "index",
      shape: [2, 2, 2],
      data: Int32Array.of(1, 2, 3, 4, 5, 6, 0, 0),
    });
    expect(data.lengths.get("x")).toEqual(Int32Array.of(2, 1));
    expect(data.lengths.get("y")).toEqual(Int32Array.of(2, 1));
  });

  test("an array of examples is the same", () => {
    const columns = json({ x: [[1.5, 2], [3]], y: [0, 1] });
    const rows = json([
      { x: [1.5, 2], y: 0 },
      { x: [3], y: 1 },
    ]);
    expect(rows).toEqual(columns);
  });

  test("given lengths count more than the arrays' own", () => {
    const data = json({
      x: [
        [1, 2, 0],
        [3, 0, 0],
      ],
      "x.length": [2, 1],
    });
    expect(data.lengths.get("x")).toEqual(Int32Array.of(2, 1));
  });

  test("two axes may differ in length at once", () => {
    const data = json({ x: [[[1, 2, 3]], [[4], [5]]] });
    expect(data.arrays.get("x")!.shape).toEqual([2, 2, 3]);
    expect(data.lengths.get("x")).toEqual(Int32Array.of(1, 3, 2, 1));
  });

  test("an example of no steps, NaN and infinities", () => {
    const data = json({ x: [[], [[null], ["inf"], ["-inf"]]] });
    expect(data.lengths.get("x")).toEqual(Int32Array.of(0, 3));
    expect([...data.arrays.get("x")!.data].slice(3)).toEqual([Number.NaN, Infinity, -Infinity]);
    const binding = bind(data, [input("x", [t], { shape: [1] })], axes);
    expect(binding.lengths.get(t)).toEqual(Int32Array.of(0, 3));
  });

  test("tensors of rank 1 and more survive the way to JSON and back", () => {
    const filled = tensors().filter(({ shape }) => shape.length > 0 && shape.every(size => size > 0));
    fc.assert(
      fc.property(filled, tensor => {
        const back = json({ x: toNested(tensor) }).arrays.get("x")!;
        expect(back.shape).toEqual(tensor.shape);
        // JSON has the digits that a float32 needs; -0 and 0 are one number.
        const round = (value: number) =>
          (tensor.data instanceof Float32Array ? Math.fround(value) : value) + 0;
        expect([...back.data].map(round)).toEqual([...tensor.data].map(round));
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("binding", () => {
  test("any input gives the length of its axis to the others", () => {
    const data = json({
      x: [
        [1, 2],
        [3, 0],
      ],
      y: [
        [0, 1, 9, 9],
        [1, 9, 9, 9],
      ],
      "x.length": [2, 1],
    });
    const inputs = [input("x", [t]), input("y", [t], { dtype: "index", classes: 2 })];
    const binding = bind(data, inputs, axes);
    expect(binding.lengths.get(t)).toEqual(Int32Array.of(2, 1));
    const { inputs: fed } = take(binding, Int32Array.of(0, 1), 0, 0);
    expect(fed.get("y")).toEqual({ dtype: "index", shape: [2, 2], data: Int32Array.of(0, 1, 1, 0) });
  });

  test("whole numbers in float arrays may be classes, integers may be reals", () => {
    const data = makeDataset(
      "d",
      new Map([
        ["x", { dtype: "index", shape: [1, 1], data: Int32Array.of(3) }],
        ["y", { dtype: "real", shape: [1, 1], data: Float32Array.of(3) }],
      ]),
    );
    const binding = bind(data, [input("x", [t]), input("y", [t], { dtype: "index", classes: 4 })], axes);
    expect(binding.inputs.map(({ tensor }) => tensor.data)).toEqual([Float32Array.of(3), Int32Array.of(3)]);
  });

  test("a static axis has its size in the array and no length", () => {
    const binding = bind(
      json({
        x: [
          [
            [1, 2],
            [3, 4],
          ],
          [[5, 6]],
        ],
      }),
      [input("x", [t, k])],
      axes,
    );
    expect([...binding.lengths.keys()]).toEqual([t]);
  });

  test("arrays that no input uses are warned of", () => {
    const { warnings } = bind(json({ x: [[1]], z: [1] }), [input("x", [t])], axes);
    expect(warnings.map(({ code, title }) => `${code} ${title}`)).toEqual([
      "F0840 `z` of `data.json` is used by no input",
    ]);
  });
});

describe("batches", () => {
  const data = json({ x: Array.from({ length: 103 }, (_, i) => Array(1 + ((i * 37) % 20)).fill(i)) });
  const binding = bind(data, [input("x", [t])], axes);
  const plan = (epoch: number, seed = 1) => batches(binding, { batch: 8, shuffle: { seed, epoch } });
  const flat = (all: readonly Int32Array[]) => all.flatMap(batch => [...batch]);

  test("every example is in exactly one, the last ones too", () => {
    expect(flat(plan(1)).sort((a, b) => a - b)).toEqual(Array.from({ length: 103 }, (_, i) => i));
    expect(
      plan(1)
        .map(batch => batch.length)
        .filter(size => size !== 8),
    ).toEqual([7]);
  });

  test("the order depends on seed and epoch only", () => {
    expect(plan(1)).toEqual(plan(1));
    expect(flat(plan(2))).not.toEqual(flat(plan(1)));
    expect(flat(plan(1, 2))).not.toEqual(flat(plan(1)));
  });

  test("little is padded", () => {
    const lengths = binding.lengths.get(t)!;
    const steps = lengths.reduce((sum, length) => sum + length, 0);
    const padded = plan(1).map(batch => batch.length * Math.max(...[...batch].map(i => lengths[i]!)));
    expect(padded.reduce((sum, size) => sum + size, 0) / steps).toBeLessThan(1.15);
  });

  test("feeds hold the examples asked for, trimmed to the longest of them", () => {
    const two = bind(
      json({
        x: [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          [
            [7, 8, 9],
            [0, 0, 0],
          ],
          [
            [1, 1, 1],
            [2, 2, 2],
          ],
        ],
        "x.length": [
          [2, 3],
          [1, 2],
          [1, 1],
        ],
      }),
      [input("x", [s, t])],
      axes,
    );
    const feeds = take(two, Int32Array.of(2, 1), 5, 6);
    expect(feeds.batch).toBe(2);
    expect([feeds.seed, feeds.step]).toEqual([5, 6]);
    expect(feeds.lengths).toEqual(
      new Map([
        [s, Int32Array.of(1, 1)],
        [t, Int32Array.of(1, 2)],
      ]),
    );
    expect(feeds.inputs.get("x")).toEqual({
      dtype: "real",
      shape: [2, 1, 2],
      data: Float32Array.of(1, 1, 7, 8),
    });
  });

  test("taking agrees with picking elements one by one", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(102), { minLength: 1, maxLength: 9 }), picked => {
        const { inputs } = take(binding, Int32Array.from(picked), 0, 0);
        const { data: found, shape } = inputs.get("x")!;
        const extent = Math.max(...picked.map(i => binding.lengths.get(t)![i]!));
        expect(shape).toEqual([picked.length, extent]);
        picked.forEach((index, row) => {
          for (let i = 0; i < binding.lengths.get(t)![index]!; i++)
            expect(found[row * extent + i]).toBe(index);
        });
      }),
      { seed: 1 },
    );
  });
});

test("sample data fit what they were made for", () => {
  const inputs = [
    input("x", [s, t], { shape: [2] }),
    input("y", [t, k], { dtype: "index", classes: 3 }),
    input("z", [], { dtype: "bool" }),
  ];
  const data = sampleDataset(inputs, axes, 1);
  const binding = bind(data, inputs, axes);
  expect(binding.size).toBe(3);
  expect(binding.warnings).toEqual([]);
  expect(new Set(binding.lengths.get(t)).size).toBeGreaterThan(1);
});
