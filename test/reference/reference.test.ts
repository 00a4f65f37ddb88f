// The reference against plain loops, on long sequences, with garbage in the padding, and as a backend with state.

import { describe, expect, test } from "vitest";
import type { Tensor } from "../../backends/api.ts";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { reference } from "../../backends/reference/index.ts";
import { Interpreter } from "../../backends/reference/interpreter.ts";
import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { drawUniform } from "../../compiler/ops/random.ts";
import { tolerances } from "../harness/tolerances.ts";
import { elman, lstm, programOf, t } from "./programs.ts";

function drawn(step: number, ...shape: readonly number[]): Tensor {
  const count = shape.reduce((n, m) => n * m, 1);
  const draw = (feature: number): number =>
    drawUniform({ seed: 3, step, site: 0, example: 0, position: 0, feature }) - 0.5;
  return { dtype: "real", shape, data: Float64Array.from({ length: count }, (_, i) => draw(i)) };
}

/** Elman's network by three nested loops, for one example: h of every step. */
function elmanByHand(x: readonly (readonly number[])[], W: Tensor, U: Tensor, units: number): number[][] {
  const steps: number[][] = [];
  let h = new Array<number>(units).fill(0);
  for (const input of x) {
    const before = h;
    h = before.map((_, j) => {
      let sum = 0;
      for (const [i, value] of input.entries()) sum += value * W.data[i * units + j]!;
      for (const [i, value] of before.entries()) sum += value * U.data[i * units + j]!;
      return Math.tanh(sum);
    });
    steps.push(h);
  }
  return steps;
}

describe("Elman's network", () => {
  const [units, inputs, steps] = [4, 3, 7];
  const [W, U] = [drawn(1, inputs, units), drawn(2, units, units)];
  const parameters = new Map([
    ["h.W", W],
    ["h.U", U],
  ]);
  const lengths = new Map([[t, [7, 4, 0]]]);

  test.each([0, 1e30, Number.NaN])("equals loops written by hand, with %d in the padding", padding => {
    const x = drawn(3, 3, steps, inputs);
    const rows = (example: number, length: number): number[][] =>
      Array.from({ length }, (_, i) => {
        const start = (example * steps + i) * inputs;
        return [...x.data.subarray(start, start + inputs)];
      });
    const expected = [rows(0, 7), rows(1, 4), []].map(example => elmanByHand(example, W, U, units));
    x.data.fill(padding, (steps + 4) * inputs);
    const h = evaluateGraph(elman(inputs, units), {
      batch: 3,
      lengths,
      parameters,
      inputs: new Map([["x", x]]),
    });
    for (const [example, values] of expected.entries()) {
      const found = h.get("h")!.data.subarray(example * steps * units, (example + 1) * steps * units);
      const padded = [...values.flat(), ...new Array<number>((steps - values.length) * units).fill(0)];
      for (const [i, value] of padded.entries()) {
        expect(Math.abs(found[i]! - value)).toBeLessThan(tolerances.handwritten);
      }
    }
  });

  test("is NaN in the padding, for whatever reads it to be seen", () => {
    const graph = elman(inputs, units);
    const environment = { batch: 3, parameters, inputs: new Map([["x", drawn(3, 3, steps, inputs)]]) };
    const interpreter = new Interpreter(graph, {
      ...environment,
      lengths: new Map([[t, [7, 4, 0]]]),
      extents: new Map([[t, 7]]),
      states: new Map(),
      seed: 0,
      step: 0,
    });
    const { data } = interpreter.valueOf(graph.outputs.get("h")!, new Map([[t, 5]]));
    const perExample = [0, 1, 2].map(example => [...data.subarray(example * units, (example + 1) * units)]);
    expect(perExample.map(values => values.map(Number.isNaN))).toEqual(
      [false, true, true].map(isPadding => new Array(units).fill(isPadding)),
    );
  });

  test("a thousand steps need no deep recursion", () => {
    const x = drawn(4, 1, 1000, inputs);
    const graph = elman(inputs, units);
    const { graph: derived, gradients } = differentiate(graph, graph.outputs.get("loss")!, [
      [...graph.nodes.values()].find(({ op, attrs }) => op === "parameter" && attrs.name === "h.U")!.id,
    ]);
    const b = GraphBuilder.from(derived);
    for (const id of gradients.values()) b.output("gradient", id);
    const found = evaluateGraph(b.finish(), { batch: 1, parameters, inputs: new Map([["x", x]]) });
    expect(found.get("gradient")!.data.every(Number.isFinite)).toBe(true);
    expect(found.get("h")!.shape).toEqual([1, 1000, units]);
  });
});

test("an LSTM's gradients at 8 units, 3 examples, 7 steps take some milliseconds", () => {
  const { graph, loss, parameters } = lstm(5, 8);
  const { graph: derived, gradients } = differentiate(graph, loss, parameters);
  const b = GraphBuilder.from(derived);
  for (const [id, gradient] of gradients) b.output(`gradient.${id}`, gradient);
  const whole = b.finish();
  const environment = {
    batch: 3,
    lengths: new Map([[t, [7, 5, 1]]]),
    inputs: new Map([["x", drawn(1, 3, 7, 5)]]),
    parameters: new Map([
      ["h.W", drawn(2, 5, 32)],
      ["h.U", drawn(3, 8, 32)],
      ["h.b", drawn(4, 32)],
    ]),
  };
  evaluateGraph(whole, environment);
  const before = performance.now();
  for (let i = 0; i < 5; i++) evaluateGraph(whole, environment);
  // Measured: 6 ms on two busy cores; the bound leaves room for busier ones.
  expect((performance.now() - before) / 5).toBeLessThan(100);
});

describe("as a backend", () => {
  /** p' = p + sum over t and the batch of x; s' = s + 1. */
  function counter(): ReturnType<typeof programOf> {
    const b = new GraphBuilder([{ id: t, length: null }]);
    const x = b.input("x", { axes: [t] });
    const total = b.sum(x, { axes: [t], batch: true });
    b.output("total", total);
    b.output("update.p", b.add(b.parameter("p", []), total));
    b.output("update.s", b.add(b.state("s"), b.constant(1)));
    const none = { shape: [], axes: [] } as const;
    return programOf(b.finish(), {
      inputs: [{ name: "x", role: "input", dtype: "real", shape: [], axes: [t], classes: null, span: null }],
      parameters: [{ name: "p", ...none, init: { kind: "fill", value: 0 }, span: null }],
      states: [{ name: "s", dtype: "real", ...none, initial: 0 }],
      updates: [
        { target: "p", output: "update.p" },
        { target: "s", output: "update.s" },
      ],
      results: ["total"],
    });
  }
  const scalar = (value: number): Tensor => ({ dtype: "real", shape: [], data: Float32Array.of(value) });
  const feeds = (...values: readonly number[]) => ({
    batch: 1,
    inputs: new Map([
      ["x", { dtype: "real", shape: [1, values.length], data: Float32Array.from(values) } as const],
    ]),
    lengths: new Map(),
    seed: 0,
    step: 0,
  });

  test("runs, updates the state, keeps what was read", async () => {
    const executable = await reference.compile(counter());
    const state = executable.createState(
      new Map([
        ["p", scalar(10)],
        ["s", scalar(0)],
      ]),
    );
    const results = await executable.run(feeds(1, 2), state);
    await executable.run(feeds(5), state);
    expect((await results.read("total")).data).toEqual(Float64Array.of(3));
    expect((await state.read("p")).data).toEqual(Float64Array.of(18));
    expect((await state.read("s")).data).toEqual(Float64Array.of(2));
    expect(results.names).toEqual(["total"]);
    expect((await reference.probe()).available).toBe(true);
  });

  test("a run that fails leaves the state as it was", async () => {
    const executable = await reference.compile(counter());
    const state = executable.createState(
      new Map([
        ["p", scalar(10)],
        ["s", scalar(0)],
      ]),
    );
    await expect(executable.run({ ...feeds(1), batch: 2 }, state)).rejects.toThrow(/F0806/);
    expect((await state.read("p")).data).toEqual(Float64Array.of(10));
  });

  test("a state must fit", async () => {
    const executable = await reference.compile(counter());
    const make = (values: readonly (readonly [string, Tensor])[]) => () =>
      executable.createState(new Map(values));
    expect(make([["p", scalar(0)]])).toThrow(/F0814: state `s` has no value/);
    expect(
      make([
        ["p", { ...scalar(0), shape: [1] }],
        ["s", scalar(0)],
      ]),
    ).toThrow(/F0815: parameter `p` has shape \[1\], expected \[\]/);
    expect(
      make([
        ["p", scalar(0)],
        ["s", scalar(0)],
        ["q", scalar(0)],
      ]),
    ).toThrow(/F0813: `q` is no parameter or state/);
  });
});
