// Where two backends part: the order in which values are computed, what is rounding and what is not, and that of all
// operations the one that is wrong is named, in whole programs.

import { describe, expect, test } from "vitest";
import type { Backend, Tensor } from "../../backends/api.ts";
import { openBackend } from "../../backends/registry.ts";
import type { AxisId, NodeId, OpName } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { withAllResults } from "../../compiler/program/results.ts";
import { sampleFeeds } from "../../runtime/data/sample.ts";
import { agrees, diff } from "../../runtime/diff.ts";
import { apart, type Pair } from "../../runtime/errors.ts";
import { scalesOf } from "../../runtime/noise.ts";
import { firstParting, placeOf } from "../../runtime/parting.ts";
import { Session } from "../../runtime/session.ts";
import { broken } from "../harness/broken.ts";
import { compileNamed } from "../harness/models.ts";
import { merged, scheduled } from "../harness/schedules.ts";

const t = "t" as AxisId;
const tensor = (shape: readonly number[], data: readonly number[]): Tensor => ({
  dtype: "real",
  shape,
  data: Float32Array.from(data),
});
const pair = (a: readonly number[], b: readonly number[], shape = [a.length]): Pair => [
  tensor(shape, a),
  tensor(shape, b),
];

describe("how far two tensors are apart", () => {
  test.each([
    [[1, 2, 4], [1, 2, 4.4], 0.1, 2],
    [[0, 0], [0, 0], 0, 0],
    [[Number.NaN, 1], [Number.NaN, 1], 0, 0],
    [[Number.NaN, 1], [2, 1], Infinity, 0],
    [[Infinity, 1], [Infinity, 1], 0, 0],
    [[Infinity, 1], [-Infinity, 1], Infinity, 0],
    [[2, 1e9], [2, 1], 5e8, 1],
  ])("%j and %j", (a, b, error, at) => {
    const found = apart(pair(a, b));
    expect(found.at).toBe(at);
    if (!Number.isFinite(error) || error === 0) expect(found.error).toBe(error);
    else expect(found.error / error).toBeCloseTo(1, 5);
  });

  test("other shapes are as far apart as can be", () => {
    expect(apart([tensor([2], [1, 2]), tensor([2, 1], [1, 2])]).error).toBe(Infinity);
  });
});

test("a place: example, positions, feature", () => {
  const type = { dtype: "real", shape: [2, 3], axes: [t], batched: true } as const;
  expect(placeOf({ type }, [4, 5, 2, 3], 1 * 30 + 2 * 6 + 5)).toEqual({
    example: 1,
    positions: [[t, 2]],
    feature: [1, 2],
  });
  const total = { dtype: "real", shape: [], axes: [], batched: false } as const;
  expect(placeOf({ type: total }, [], 0)).toEqual({ example: null, positions: [], feature: [] });
});

/** `h[t] = tanh(x[t] + h[t-1])` and the sum of h over t; with offset -1 the other way round. */
function loop(offset: 1 | -1) {
  const b = new GraphBuilder([{ id: t, length: null }]);
  const x = b.input("x", { axes: [t] });
  const slot = b.placeholder({ dtype: "real", shape: [] });
  const before = b.shift(slot, b.constant(0), t, offset);
  const inner = b.add(x, before);
  const h = b.tanh(inner);
  b.bind(slot, h);
  const total = b.sum(h, { axes: [t] });
  b.output("total", total);
  const graph = b.finish();
  const ids: { [name: string]: NodeId } = {};
  for (const { id, op } of graph.nodes.values()) ids[op] = id;
  return { schedule: scheduled(graph, merged), ids: ids as Readonly<Record<OpName, NodeId>> };
}

describe("the first value that differs", () => {
  const right = [1, 2, 3, 1, 2, 3];
  const wrongAt = (...places: readonly number[]) =>
    pair(
      right.map((value, i) => (places.includes(i) ? value + 1 + i : value)),
      right,
      [2, 3],
    );
  const found = (offset: 1 | -1, wrong: Partial<Record<OpName, Pair>>) => {
    const { schedule, ids } = loop(offset);
    const pairs = new Map(Object.entries(wrong).map(([op, each]) => [ids[op as OpName], each] as const));
    const parting = firstParting(schedule, pairs, scalesOf(schedule, pairs, 1e-4), 1e-4);
    return parting === null
      ? null
      : [parting.node.op, parting.place.example, parting.place.positions[0]?.[1]];
  };

  test("none", () => expect(found(1, { add: wrongAt(), tanh: wrongAt() })).toBeNull());

  test("in the turn of the loop that comes first, whatever the order of its steps", () => {
    expect(found(1, { add: wrongAt(1, 2), tanh: wrongAt(0, 1, 2) })).toEqual(["tanh", 0, 0]);
    expect(found(1, { add: wrongAt(1, 2), tanh: wrongAt(1, 2) })).toEqual(["add", 0, 1]);
    expect(found(1, { shift: wrongAt(2, 5), add: wrongAt(2, 4, 5) })).toEqual(["add", 1, 1]);
  });

  test("in a loop that runs backward", () => {
    expect(found(-1, { add: wrongAt(0, 1), tanh: wrongAt(0, 1, 2) })).toEqual(["tanh", 0, 2]);
    expect(found(-1, { add: wrongAt(0, 1), tanh: wrongAt(0, 3, 4) })).toEqual(["add", 0, 1]);
  });

  test("before the loop, and of a sum after it", () => {
    expect(found(1, { input: wrongAt(5), tanh: wrongAt(0) })).toEqual(["input", 1, 2]);
    const total = pair([5, 6], [6, 6]);
    expect(found(1, { sum: total, tanh: wrongAt(5) })).toEqual(["tanh", 1, 2]);
    expect(found(1, { sum: total, tanh: wrongAt() })).toEqual(["sum", 0, undefined]);
  });
});

test("what is left where a sum cancels is rounding, and what is made of it", () => {
  const b = new GraphBuilder([]);
  const [x, y, z] = [b.input("x", {}), b.input("y", {}), b.input("z", {})];
  const rest = b.sub(x, y);
  const scaled = b.div(rest, z);
  b.output("y", b.tanh(scaled));
  const { schedule, graph } = (graph => ({ schedule: scheduled(graph), graph }))(b.finish());
  const values: { readonly [O in OpName]?: readonly [number, number] } = {
    sub: [3e-8, 1e-8],
    div: [0.3, 0.1],
    tanh: [0.2913, 0.0997],
  };
  const inputs = new Map([
    ["x", 1],
    ["y", 1],
    ["z", 1e-7],
  ]);
  const pairs = new Map(
    [...graph.nodes.values()].map(node => {
      const [a, b] = node.op === "input" ? Array(2).fill(inputs.get(node.attrs.name)) : values[node.op]!;
      return [node.id, pair([a], [b])] as const;
    }),
  );
  expect(firstParting(schedule, pairs, scalesOf(schedule, pairs, 1e-4), 1e-4)).toBeNull();
  const sub = [...graph.nodes.values()].find(({ op }) => op === "sub")!.id;
  const wrong = new Map(pairs).set(sub, pair([2e-6], [0]));
  expect(firstParting(schedule, wrong, scalesOf(schedule, wrong, 1e-4), 1e-4)?.node.op).toBe("sub");
});

test("a program with all its values as results gives the same results, and those that it had no names for", async () => {
  const program = compileNamed("bidirectional").gradients();
  const { program: all, names } = withAllResults(program);
  expect(all.results).toEqual([...program.results, ...names.values()]);
  expect(new Set(names.keys())).toEqual(new Set(program.graph.nodes.keys()));
  expect(all.graph.nodes.size).toBe(program.graph.nodes.size);
});

/** Operations of the same attributes. */
const others: { readonly [O in OpName]?: OpName } = {
  tanh: "sin",
  sigmoid: "tanh",
  mul: "add",
  sub: "add",
  exp: "tanh",
  maximum: "minimum",
};

describe.each(["lstm", "attention", "grid", "clockwork", "backward"])("%s", name => {
  const model = compileNamed(name);
  const program = model.gradients();
  const lengths = new Map(
    program.graph.axes.flatMap(({ id, length }) => (length === null ? [[id, 4] as const] : [])),
  );
  const feeds = sampleFeeds(program.inputs, program.graph.axes, { batch: 3, lengths, ragged: true }, 1);
  const compare = async (a: Backend, b: Backend) => {
    const weights = new Session({ model, backend: b, seed: 1 }).weights();
    return diff({ backends: [a, b], program, weights, feeds, tolerance: 1e-4 });
  };

  test.each(["wasm", "cpu"])("%s agrees with the reference", async backend => {
    const found = await compare(await openBackend(backend), await openBackend("reference"));
    expect(agrees(found, 1e-4)).toBe(true);
    expect(found.compared).toBe(program.graph.nodes.size);
  });

  test("the operation that is wrong is the one that is named", async () => {
    const [reference, wasm] = [await openBackend("reference"), await openBackend("wasm")];
    const nodes = [...program.graph.nodes.values()].filter(({ op }) => others[op] !== undefined);
    for (let i = 0; i < 5; i++) {
      const { id, op } = nodes[(i * 37 + 11) % nodes.length]!;
      const { parting } = await compare(
        broken(reference, node => node.id === id, others[op]!),
        wasm,
      );
      expect(parting?.node.id).toBe(id);
    }
  });
});
