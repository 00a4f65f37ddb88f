// Loops are found, not declared: where they are, what is outside of them, and what is said where there are none.

import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { verify } from "../../compiler/ops/verify.ts";
import { schedule } from "../../compiler/schedule/build.ts";
import type { Step } from "../../compiler/schedule/schedule.ts";
import { storedFloats } from "../../compiler/schedule/storage.ts";
import { parseSchedule, printSchedule } from "../../compiler/schedule/text.ts";
import { unrollBy } from "../../compiler/unroll/partial.ts";
import { outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import {
  attention,
  bidirectional,
  dot,
  graphs,
  grid,
  gru,
  lags,
  languageModel,
  lstm,
  twoLevel,
} from "../harness/graphs.ts";
import {
  count,
  distributed,
  looped,
  loopsOf,
  merged,
  nodesOf,
  orderProblems,
  repeated,
  scheduled,
  sunk,
  training,
} from "../harness/schedules.ts";
import { tolerances } from "../harness/tolerances.ts";

const levels = Object.entries({ distributed, sunk, merged, looped, repeated });

describe.each(Object.entries(graphs))("%s", (_, make) => {
  const graph = training(make());

  test.each(levels)("%s: every operand is there in time", (_, options) => {
    expect(orderProblems(scheduled(graph, options))).toEqual([]);
  });

  test.each(Object.entries({ merged, looped, repeated }))(
    "%s: computing again gives the same",
    (_, options) => {
      const { graph: changed } = scheduled(graph, options);
      expect(verify(changed)).toEqual([]);
      const environment = randomEnvironment(graph, {
        classes: new Map([
          ["word", 11],
          ["next", 11],
        ]),
      });
      const error = outputsError(evaluateGraph(changed, environment), evaluateGraph(graph, environment));
      expect(error).toBeLessThan(tolerances.rearranged);
    },
  );

  test.each(levels)("%s: prints and parses back", (_, options) => {
    const whole = unrollBy(scheduled(graph, options), options.recompute ? 2 : 1);
    const text = printSchedule(whole);
    const parsed = parseSchedule(text);
    if (!parsed.ok) throw new Error(`${parsed.line}: ${parsed.problem}`);
    expect(parsed.schedule.steps).toEqual(whole.steps);
    expect(parsed.schedule.keeping).toEqual(whole.keeping);
    expect(printSchedule(parsed.schedule)).toBe(text);
  });

  test("merging never stores more", () => {
    const stored = levels.map(([, options]) => storedFloats(scheduled(graph, options)));
    for (const [i, floats] of stored.entries()) expect(floats).toBeLessThanOrEqual(stored[i - 1] ?? Infinity);
  });
});

const outline = (steps: readonly Step[]): readonly unknown[] =>
  loopsOf(steps).map(({ axis, direction, body }) => [axis, direction, ...outline(body)]);

describe("where the loops are", () => {
  test("a recurrence and its adjoint run in opposite directions", () => {
    expect(outline(scheduled(training(lstm())).steps)).toEqual([
      ["t", "forward"],
      ["t", "backward"],
    ]);
  });

  test("lags 2 and 3 share a loop, an advance has its own", () => {
    expect(outline(scheduled(lags()).steps)).toEqual([
      ["t", "forward"],
      ["t", "backward"],
    ]);
  });

  test("two directions", () => {
    expect(outline(scheduled(bidirectional()).steps)).toEqual([
      ["t", "forward"],
      ["t", "backward"],
    ]);
  });

  test("loops nest", () => {
    const forward = ["t", "forward", ["s", "forward"]];
    const backward = ["t", "backward", ["s", "backward"]];
    expect(outline(scheduled(training(twoLevel())).steps)).toEqual([forward, backward]);
    expect(outline(scheduled(grid()).steps)).toEqual([["i", "forward", ["j", "forward"]]]);
  });

  test("attention over another axis is a vector op inside the loop", () => {
    const decoder = scheduled(attention(), distributed);
    expect(outline(decoder.steps)).toEqual([
      ["s", "forward"],
      ["t", "forward"],
    ]);
    const body = nodesOf(decoder, loopsOf(decoder.steps)[1]!.body);
    expect(count(body, "logsumexp")).toBe(1);
  });

  test("only what outputs reach is scheduled", () => {
    const b = new GraphBuilder();
    const t = b.axis("t", null);
    const x = b.input("x", { axes: [t] });
    b.tanh(x);
    b.output("y", b.neg(x));
    expect(scheduled(b.finish()).steps.length).toBe(2);
  });
});

describe("an LSTM of 128 units", () => {
  const graph = training(lstm(128, 10));
  const whole = scheduled(graph);
  const [forward, backward] = loopsOf(whole.steps);

  test("has one product inside each loop; the input's and both weight gradients are outside", () => {
    expect(count(nodesOf(whole, forward!.body), "contract")).toBe(1);
    expect(count(nodesOf(whole, backward!.body), "contract")).toBe(1);
    const outside = nodesOf(whole, whole.steps);
    const shapes = outside.filter(({ op }) => op === "contract").map(({ type }) => type.shape);
    expect(shapes).toEqual(expect.arrayContaining([[512], [10, 512], [128, 512]]));
  });

  test("adds up its bias gradient inside the backward loop", () => {
    const sums = backward!.body.filter(({ kind }) => kind === "accumulate");
    expect(sums.length).toBe(1);
  });

  test("stores 1,793 numbers an example and step, not the 3,329 of plain distribution", () => {
    expect(storedFloats(scheduled(graph, distributed))).toBe(3329);
    expect(storedFloats(scheduled(graph, sunk))).toBe(1921);
    expect(storedFloats(whole)).toBe(1793);
  });

  test("stores 768 with its products inside the loops: the gates, the cell and the output", () => {
    const lean = scheduled(graph, looped);
    expect(storedFloats(lean)).toBe(6 * 128);
    expect(nodesOf(lean, lean.steps).filter(({ type }) => type.axes.length > 0)).toEqual([
      expect.objectContaining({ op: "input" }),
    ]);
    const sums = loopsOf(lean.steps)[1]!.body.filter(({ kind }) => kind === "accumulate");
    expect(sums.length).toBe(3);
  });

  test("stores 256 where products are computed again: the cell and the output", () => {
    const least = scheduled(graph, repeated);
    expect(storedFloats(least)).toBe(2 * 128);
    const [there, back] = loopsOf(least.steps).map(({ body }) => nodesOf(least, body));
    const sequences = there!.filter(({ id }) =>
      [...(least.keeping.get(id)?.values() ?? [])].some(({ kind }) => kind === "sequence"),
    );
    expect(sequences.map(({ op }) => op)).toEqual(["add", "mul"]);
    // x @ W and h[t-1] @ U again, the product of the adjoints, and the two matrices' gradients.
    expect(count(back!, "contract")).toBe(5);
  });

  test("keeps sequences only of what is read outside, and rings of one step for its state", () => {
    const kept = forward!.body.flatMap(step =>
      step.kind === "compute"
        ? [[whole.graph.nodes.get(step.node)!.op, whole.keeping.get(step.node)] as const]
        : [],
    );
    const sequences = kept.filter(([, axes]) => [...axes!.values()][0]?.kind === "sequence");
    // Four gates, the cell, the output.
    expect(sequences.map(([op]) => op).sort()).toEqual([
      "add",
      "mul",
      "sigmoid",
      "sigmoid",
      "sigmoid",
      "tanh",
    ]);
    const inference = scheduled(lstm());
    const rings = [...inference.keeping.values()]
      .flatMap(axes => [...axes.values()])
      .filter(({ kind }) => kind === "ring");
    expect(rings).toEqual([{ kind: "ring", slots: 1 }]);
  });
});

test("a GRU with separate matrices has one product a level", () => {
  const whole = scheduled(training(gru()));
  const [forward, backward] = loopsOf(whole.steps);
  expect(count(nodesOf(whole, forward!.body), "contract")).toBe(2);
  expect(count(nodesOf(whole, backward!.body), "contract")).toBe(2);
});

test("the longest delay decides how long a ring is", () => {
  const whole = scheduled(lags(), distributed);
  const rings = [...whole.keeping.values()]
    .flatMap(axes => [...axes.values()])
    .filter(({ kind }) => kind === "ring");
  // h is read outside, so it is a sequence; g, which is an output, too: no ring is left.
  expect(rings).toEqual([]);
  const b = new GraphBuilder();
  const t = b.axis("t", null);
  const h = b.placeholder({ dtype: "real", shape: [] });
  const zero = b.constant(0);
  const sum = b.add(b.shift(h, zero, t, 2), b.shift(h, zero, t, 3));
  b.bind(h, b.tanh(b.add(sum, b.input("x", { axes: [t] }))));
  b.output("y", b.neg(sum));
  const lagged = scheduled(b.finish());
  expect([...lagged.keeping.values()].flatMap(axes => [...axes.values()])).toContainEqual({
    kind: "ring",
    slots: 3,
  });
});

describe("cycles without an order", () => {
  test("through a sum over the axis", () => {
    const b = new GraphBuilder();
    const t = b.axis("t", null);
    const h = b.placeholder({ dtype: "real", shape: [] });
    const x = b.input("x", { axes: [t] });
    const total = b.sum(b.shift(h, b.constant(0), t, 1), { axes: [t] });
    b.bind(h, b.add(x, total));
    b.output("y", total);
    const result = schedule(b.finish());
    if (result.kind === "scheduled") throw new Error("an order was found");
    expect(result.problems.length).toBe(1);
    expect(result.problems[0]?.obstacles).toEqual([{ kind: "lacks", axis: "t", node: total }]);
    expect(result.problems[0]?.cycle).toContain(total);
    expect(result.problems[0]?.cycle.length).toBe(3);
  });

  test("both ways along one axis", () => {
    const b = new GraphBuilder();
    const t = b.axis("t", null);
    const h = b.placeholder({ dtype: "real", shape: [] });
    const zero = b.constant(0);
    const delay = b.shift(h, zero, t, 1);
    const advance = b.shift(h, zero, t, -1);
    const next = b.add(b.input("x", { axes: [t] }), b.add(delay, advance));
    b.bind(h, next);
    b.output("y", next);
    const result = schedule(b.finish());
    if (result.kind === "scheduled") throw new Error("an order was found");
    expect(result.problems[0]?.obstacles).toEqual([{ kind: "directions", axis: "t", delay, advance }]);
  });

  test("that only a skewed schedule could run: h[i-1, j+1] and h[i+1, j-1]", () => {
    const b = new GraphBuilder();
    const i = b.axis("i", null);
    const j = b.axis("j", null);
    const h = b.placeholder({ dtype: "real", shape: [] });
    const zero = b.constant(0);
    const move = (di: number, dj: number) => b.shift(b.shift(h, zero, i, di), zero, j, dj);
    const next = b.add(b.input("x", { axes: [i, j] }), b.add(move(1, -1), move(-2, 1)));
    b.bind(h, next);
    b.output("y", next);
    const result = schedule(b.finish());
    if (result.kind === "scheduled") throw new Error("an order was found");
    expect(result.problems[0]?.obstacles.map(({ kind }) => kind)).toEqual(["directions", "directions"]);
  });

  test("inside a loop that was found: the message says which", () => {
    const b = new GraphBuilder();
    const t = b.axis("t", null);
    const s = b.axis("s", null);
    const h = b.placeholder({ dtype: "real", shape: [] });
    const zero = b.constant(0);
    const both = b.add(b.shift(h, zero, s, 1), b.shift(h, zero, s, -1));
    const next = b.add(b.input("x", { axes: [t, s] }), b.add(both, b.shift(h, zero, t, 1)));
    b.bind(h, next);
    b.output("y", next);
    const result = schedule(b.finish());
    if (result.kind === "scheduled") throw new Error("an order was found");
    expect(result.problems[0]?.within).toEqual(["t"]);
    expect(result.problems[0]?.obstacles.map(({ kind, axis }) => [kind, axis])).toEqual([
      ["directions", "s"],
    ]);
  });
});

describe("sinking", () => {
  test("a sum whose terms need the finished loop stays outside", () => {
    const b = new GraphBuilder();
    const t = b.axis("t", null);
    const h = b.placeholder({ dtype: "real", shape: [] });
    const next = b.tanh(b.add(b.input("x", { axes: [t] }), b.shift(h, b.constant(0), t, 1)));
    b.bind(h, next);
    const all = b.logsumexp(next, { axes: [t] });
    b.output("softmax", b.sum(b.expdiff(next, all), { axes: [t] }));
    b.output("plain", b.sum(b.mul(next, next), { axes: [t] }));
    const whole = scheduled(b.finish());
    expect(orderProblems(whole)).toEqual([]);
    const [loop] = loopsOf(whole.steps);
    expect(loop!.body.filter(({ kind }) => kind === "accumulate").length).toBe(1);
    expect(count(nodesOf(whole, whole.steps), "sum")).toBe(1);
  });

  test("what a loop reads ahead stays outside", () => {
    const b = new GraphBuilder();
    const t = b.axis("t", null);
    const h = b.placeholder({ dtype: "real", shape: [] });
    const zero = b.constant(0);
    const cheap = b.exp(b.input("x", { axes: [t] }));
    const next = b.tanh(b.add(b.shift(cheap, zero, t, -1), b.shift(h, zero, t, 1)));
    b.bind(h, next);
    b.output("y", next);
    const whole = scheduled(b.finish());
    expect(orderProblems(whole)).toEqual([]);
    expect(count(nodesOf(whole, whole.steps), "exp")).toBe(1);
    expect(count(nodesOf(whole, loopsOf(whole.steps)[0]!.body), "shift")).toBe(2);
  });

  test("a product with per-step weights stays outside, an attention score inside the loop does not move", () => {
    const b = new GraphBuilder();
    const t = b.axis("t", null);
    const h = b.placeholder({ dtype: "real", shape: [2] });
    const x = b.input("x", { shape: [2], axes: [t] });
    const score = dot(b, x, x);
    const next = b.mul(score, b.add(x, b.shift(h, b.constant(0, "real", [2]), t, 1)));
    b.bind(h, next);
    b.output("y", next);
    const whole = scheduled(b.finish());
    expect(count(nodesOf(whole, whole.steps), "contract")).toBe(1);
  });
});

test("analysis of a three-layer language model takes well under 150 ms", () => {
  const model = languageModel(16, 11);
  scheduled(training(model));
  const start = performance.now();
  scheduled(training(model));
  expect(performance.now() - start).toBeLessThan(150);
});
