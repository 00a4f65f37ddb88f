// What is wrong with fed data is said with its code, all at once; what is right is cut to the extent.

import { describe, expect, test } from "vitest";
import type { Feeds, Tensor } from "../../backends/api.ts";
import { normalizeFeeds } from "../../backends/feeds.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { programOf, t } from "./programs.ts";

const k = "k" as AxisId;

/** x[t]: real[2], word[t]: index(5), y[k]: real, k static of length 3. */
const program = (() => {
  const b = new GraphBuilder([
    { id: t, length: null },
    { id: k, length: 3 },
  ]);
  const spec = { role: "input", span: null } as const;
  return programOf(b.finish(), {
    inputs: [
      { ...spec, name: "x", dtype: "real", shape: [2], axes: [t], classes: null },
      { ...spec, name: "word", dtype: "index", shape: [], axes: [t], classes: 5 },
      { ...spec, name: "y", dtype: "real", shape: [], axes: [k], classes: null },
    ],
  });
})();

const reals = (...shape: readonly number[]): Tensor => {
  const count = shape.reduce((n, m) => n * m, 1);
  return { dtype: "real", shape, data: Float32Array.from({ length: count }, (_, i) => i) };
};
const words = (...values: readonly number[]): Tensor => ({
  dtype: "index",
  shape: [2, values.length / 2],
  data: Int32Array.from(values),
});

interface Change {
  readonly batch?: number;
  readonly inputs?: Readonly<Record<string, Tensor | null>>;
  readonly lengths?: Readonly<Record<string, readonly number[]>>;
}

/** Sound feeds of two examples with four steps, changed. */
function feeds({ batch = 2, inputs = {}, lengths = {} }: Change): Feeds {
  const all = { x: reals(2, 4, 2), word: words(0, 1, 2, 3, 4, 4, 4, 4), y: reals(2, 3), ...inputs };
  return {
    batch,
    inputs: new Map(
      Object.entries(all).flatMap(([name, tensor]) => (tensor === null ? [] : [[name, tensor]])),
    ),
    lengths: new Map(Object.entries(lengths).map(([axis, list]) => [axis as AxisId, Int32Array.from(list)])),
    seed: 0,
    step: 0,
  };
}

function problems(change: Change): readonly string[] {
  try {
    normalizeFeeds(program, feeds(change));
    return [];
  } catch (error) {
    if (!(error instanceof FrondError)) throw error;
    return error.diagnostics.map(({ code, title }) => `${code}: ${title}`);
  }
}

describe("what is wrong", () => {
  const cases: readonly (readonly [string, Change])[] = [
    ["F0801: input `y` is missing", { inputs: { y: null } }],
    ["F0802: the program has no input `yy`", { inputs: { yy: reals(2, 3) } }],
    ["F0803: input `word` is real, expected index", { inputs: { word: reals(2, 4) } }],
    ["F0804: input `x` has shape [2, 4, 3], expected [batch, t, 2]", { inputs: { x: reals(2, 4, 3) } }],
    ["F0804: input `x` has shape [4, 2], expected [batch, t, 2]", { inputs: { x: reals(4, 2) } }],
    ["F0804: input `y` has shape [2, 4], expected [batch, 3]", { inputs: { y: reals(2, 4) } }],
    [
      "F0805: input `y` holds 6 numbers, its shape [3, 3] needs 9",
      { inputs: { y: { ...reals(2, 3), shape: [3, 3] } } },
    ],
    ["F0806: input `y` has 1 examples, the call says 2", { inputs: { y: reals(1, 3) } }],
    ["F0807: 1 lengths along `t` for 2 examples", { lengths: { t: [3] } }],
    ["F0808: example 1 has length 5 along `t`, expected 0 to 4", { lengths: { t: [4, 5] } }],
    ["F0808: example 0 has length -1 along `t`, expected 0 to 4", { lengths: { t: [-1, 2] } }],
    [
      "F0809: input `word` holds 5 at [1, 2], expected 0 to 4",
      { inputs: { word: words(0, 0, 0, 0, 0, 0, 5, 0) } },
    ],
    ["F0811: input `word` has 3 steps along `t`, `x` has 4", { inputs: { word: words(0, 0, 0, 0, 0, 0) } }],
    ["F0812: lengths are given for `u`, which is no axis of the program", { lengths: { u: [1, 1] } }],
    ["F0812: lengths are given for `k`, which has the static length 3", { lengths: { k: [3, 3] } }],
  ];
  test.each(cases)("%s", (expected, change) => expect(problems(change)).toEqual([expected]));
  test("all at once", () => {
    const change = { inputs: { y: null, x: reals(2, 4, 3), z: reals(2) } };
    expect(problems(change).map(problem => problem.slice(0, 5))).toEqual(["F0801", "F0802", "F0804"]);
  });
  test("an axis without an input and without lengths", () => {
    const bare = { ...program, inputs: [] };
    const call = { batch: 2, inputs: new Map(), lengths: new Map(), seed: 0, step: 0 };
    expect(() => normalizeFeeds(bare, call)).toThrow(/F0810: the length of axis `t` is not known/);
  });
});

describe("what is right", () => {
  test("without lengths every example is as long as the arrays", () => {
    const normal = normalizeFeeds(program, feeds({}));
    expect([...normal.lengths.get(t)!]).toEqual([4, 4]);
    expect([...normal.extents]).toEqual([
      [t, 4],
      [k, 3],
    ]);
  });
  test("padding beyond the longest example is cut away", () => {
    const normal = normalizeFeeds(program, feeds({ lengths: { t: [1, 2] } }));
    expect(normal.extents.get(t)).toBe(2);
    expect(normal.inputs.get("x")).toMatchObject({ shape: [2, 2, 2] });
    expect([...normal.inputs.get("x")!.data]).toEqual([0, 1, 2, 3, 8, 9, 10, 11]);
    expect([...normal.inputs.get("word")!.data]).toEqual([0, 1, 4, 4]);
  });
  test("positions in the padding are not looked at", () => {
    const word = words(0, 0, 77, -1, 0, 77, 77, 77);
    expect(problems({ inputs: { word }, lengths: { t: [2, 1] } })).toEqual([]);
  });
  test("arrays may differ beyond the lengths", () => {
    expect(problems({ inputs: { word: words(0, 0, 0, 0, 0, 0) }, lengths: { t: [3, 2] } })).toEqual([]);
  });
  test("examples of length 0 and an empty batch", () => {
    expect(problems({ lengths: { t: [0, 0] } })).toEqual([]);
    const empty = { x: reals(0, 4, 2), word: { ...words(), shape: [0, 4] }, y: reals(0, 3) };
    expect(problems({ batch: 0, inputs: empty })).toEqual([]);
  });
});
