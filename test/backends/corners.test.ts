// Corners of the data on every backend, with loops and as straight code: one example, one step, one unit, no step, no
// example, an empty axis beside another, delays longer than the sequence, NaN among real values.

import { describe, expect, test } from "vitest";
import type { CompileOptions, Tensor } from "../../backends/api.ts";
import type { PlainEnvironment } from "../../backends/reference/evaluate.ts";
import { openBackend } from "../../backends/registry.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import type { CompiledModel, Program } from "../../compiler/index.ts";
import { float32Backends } from "../harness/backends.ts";
import { outputsError } from "../harness/differences.ts";
import type { EnvironmentOptions } from "../harness/environment.ts";
import { compileNamed, compileText, environmentOf, modelNames } from "../harness/models.ts";
import { tolerances } from "../harness/tolerances.ts";
import { feedsOf, valuesOf } from "../harness/training.ts";

const names = ["reference", ...float32Backends];
const variants: readonly CompileOptions[] = [{}, { unroll: "full" }];
const ways = names.flatMap(name => variants.map(options => ({ name, unroll: options.unroll ?? 1, options })));

/** All results of one run. */
async function resultsOf(
  name: string,
  program: Program,
  environment: Required<PlainEnvironment>,
  options: CompileOptions = {},
): Promise<ReadonlyMap<string, Tensor>> {
  const executable = await (await openBackend(name)).compile(program, options);
  const state = executable.createState(valuesOf(program, environment));
  const results = await executable.run(feedsOf(environment), state);
  const read = new Map<string, Tensor>();
  for (const result of results.names) read.set(result, await results.read(result));
  for (const variable of program.updates) read.set(variable.output, await state.read(variable.target));
  results.dispose();
  state.dispose();
  executable.dispose();
  return read;
}

const numbers = (results: ReadonlyMap<string, Tensor>, name: string): readonly number[] => [
  ...results.get(name)!.data,
];

/** One example of one step; some examples without a step; no step at all; no example. */
const shapes: readonly EnvironmentOptions[] = [
  { batch: 1, extent: 1 },
  { batch: 4, extent: 3, shortest: 0 },
  { batch: 2, extent: 0, shortest: 0 },
  { batch: 0 },
];
/** Of two axes one is empty. */
const oneEmpty: Readonly<Record<string, readonly EnvironmentOptions[]>> = {
  grid: [{ extents: { i: 0, j: 3 } }, { extents: { i: 3, j: 0 } }],
  "grid-boundaries": [{ extents: { i: 0, j: 3 } }, { extents: { i: 3, j: 0 } }],
  attention: [{ extents: { s: 0, t: 3 } }, { extents: { s: 3, t: 0 } }],
};

/** The largest of no values is -inf; a model that makes a loss of it has none. */
const hasNoLargest = (name: string, { shortest }: EnvironmentOptions): boolean =>
  name === "max-pooling" && shortest === 0;

describe.each(modelNames)("%s", name => {
  const program = compileNamed(name).gradients();
  const cases = [...shapes, ...(oneEmpty[name] ?? [])].filter(shape => !hasNoLargest(name, shape));

  test("is the same on every backend, however short", async () => {
    for (const shape of cases) {
      const environment = environmentOf(program, { seed: 5, padding: "nan", ...shape });
      const expected = await resultsOf("reference", program, environment);
      for (const way of ways.filter(({ name, unroll }) => name !== "reference" || unroll !== 1)) {
        const actual = await resultsOf(way.name, program, environment, way.options);
        const what = `${way.name}, ${way.unroll}, ${JSON.stringify(shape)}`;
        // Some gradients are small differences of large terms: errors count against 0.01 at least.
        expect(outputsError(actual, expected, 0.01), what).toBeLessThan(tolerances.float32);
      }
    }
  });

  test("gradients are finite, however short", async () => {
    for (const shape of cases) {
      const environment = environmentOf(program, { seed: 5, padding: "nan", ...shape });
      for (const [result, { data }] of await resultsOf("cpu", program, environment)) {
        // The loss itself may be infinite: CTC gives an empty sequence no chance to say a word.
        if (result !== "loss") expect(data.every(Number.isFinite), `${result} ${JSON.stringify(shape)}`).toBe(true); // biome-ignore format: one call
      }
    }
  });

  test("NaN stays in its example", async () => {
    const infer = compileNamed(name).infer();
    const sound = environmentOf(infer, { batch: 3, extent: 4, shortest: 2 });
    const poisoned = {
      ...sound,
      inputs: new Map([...sound.inputs].map(([input, x]) => [input, poison(x, 1)])),
    };
    for (const backend of names) {
      const [clean, dirty] = [
        await resultsOf(backend, infer, sound),
        await resultsOf(backend, infer, poisoned),
      ];
      for (const [output, expected] of clean) {
        const actual = dirty.get(output)!;
        for (const example of [0, 2]) expect(partOf(actual, example)).toEqual(partOf(expected, example));
      }
    }
  });
});

/** NaN in one example's reals. */
function poison(tensor: Tensor, example: number): Tensor {
  if (tensor.dtype !== "real") return tensor;
  const size = tensor.data.length / tensor.shape[0]!;
  const data = Float64Array.from(tensor.data);
  data.fill(Number.NaN, example * size, (example + 1) * size);
  return { ...tensor, data };
}

const partOf = ({ data, shape }: Tensor, example: number): readonly number[] => {
  const size = data.length / shape[0]!;
  return [...data.subarray(example * size, (example + 1) * size)];
};

/** A model, run on given data; parameters are all `weight`. */
async function run(
  way: (typeof ways)[number],
  model: CompiledModel,
  x: readonly (readonly number[])[],
  { weight = 0.5, program = model.infer() }: { weight?: number; program?: Program } = {},
): Promise<ReadonlyMap<string, Tensor>> {
  const longest = Math.max(0, ...x.map(example => example.length));
  const data = Float64Array.from(x.flatMap(row => [...row, ...new Array(longest - row.length).fill(NaN)]));
  const tensor: Tensor = { dtype: "real", shape: [x.length, longest], data };
  const parameters = new Map(
    [...valuesOf(program, empty)].map(([name, value]) => [name, { ...value, data: value.data.map(() => weight) }] as const), // biome-ignore format: a pair
  );
  const lengths = new Map([["t" as AxisId, x.map(row => row.length)]]);
  const inputs = new Map(program.inputs.map(input => [input.name, tensor]));
  return resultsOf(
    way.name,
    program,
    { ...empty, batch: x.length, lengths, inputs, parameters },
    way.options,
  );
}

const empty: Required<PlainEnvironment> = {
  batch: 0,
  lengths: new Map(),
  inputs: new Map(),
  parameters: new Map(),
  states: new Map(),
  seed: 0,
  step: 0,
};

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe.each(ways)("by hand on $name, unrolled $unroll", way => {
  const close = (actual: readonly number[], expected: readonly number[]): void => {
    expect(actual.length).toBe(expected.length);
    for (const [i, value] of expected.entries()) {
      if (Number.isFinite(value)) expect(actual[i]).toBeCloseTo(value, 5);
      else expect(actual[i]).toBe(value);
    }
  };

  test("an LSTM of one unit", async () => {
    const model = compileText("one.frond", "model One {\n  axis t\n  input x[t]: real\n  h[t] = lstm[t](reshape(x[t], 1), 1)\n  output p[t] = h[t]\n}\n"); // biome-ignore format: a model
    let [h, c] = [0, 0];
    const expected = [0.3, -1, 2].map(x => {
      const gate = 0.5 * x + 0.5 * h + 0.5;
      c = sigmoid(gate) * c + sigmoid(gate) * Math.tanh(gate);
      h = sigmoid(gate) * Math.tanh(c);
      return h;
    });
    close(numbers(await run(way, model, [[0.3, -1, 2]]), "output.p"), expected);
    close(numbers(await run(way, model, [[0.3]]), "output.p"), expected.slice(0, 1));
  });

  test("reductions of nothing", async () => {
    const model = compileText("none.frond", `model None {
  axis t
  input x[t]: real
  output total   = sum[t](x[t])
  output average = mean[t](x[t])
  output largest = max[t](x[t])
  output soft    = logsumexp[t](x[t])
  output end     = x[last]
  output begin   = x[first]
}
`); // biome-ignore format: a model
    const found = await run(way, model, [[], [2, 4], []]);
    close(numbers(found, "output.total"), [0, 6, 0]);
    close(numbers(found, "output.average"), [0, 3, 0]);
    close(numbers(found, "output.largest"), [-Infinity, 4, -Infinity]);
    close(numbers(found, "output.soft"), [-Infinity, Math.log(Math.exp(2) + Math.exp(4)), -Infinity]);
    close(numbers(found, "output.end"), [0, 4, 0]);
    close(numbers(found, "output.begin"), [0, 2, 0]);
  });

  test("a delay and an advance longer than the sequence", async () => {
    const model = compileText("far.frond", `model Far {
  axis t
  input x[t]: real
  param u: real = ones()
  h[t] = x[t] + u * h[t-100]
  h[t<0] = 3
  output back[t]  = h[t]
  output ahead[t] = x[t] + x[t+100]
}
`); // biome-ignore format: a model
    const found = await run(way, model, [[1, 2], [5]]);
    close(numbers(found, "output.back"), [2.5, 3.5, 6.5, 0]);
    close(numbers(found, "output.ahead"), [1, 2, 5, 0]);
  });

  test("a static axis of one index", async () => {
    const model = compileText("single.frond", `model Single {
  axis t
  axis k = 0..0
  input x[t]: real
  param W[k]: real = ones()
  output y[t] = sum[k](x[t-k] * W[k])
}
`); // biome-ignore format: a model
    close(numbers(await run(way, model, [[2, 4, 6]]), "output.y"), [1, 2, 3]);
  });

  test("a loss over empty sequences counts them as 0 and has no gradient from them", async () => {
    const model = compileText("loss.frond", `model Loss {
  axis t
  input x[t]: real
  param w: real = ones()
  loss = mean[t](w * x[t])
}
`); // biome-ignore format: a model
    const program = model.gradients();
    const found = await run(way, model, [[], [2, 4], []], { program });
    close(numbers(found, "loss"), [(0.5 * 3) / 3]);
    close(numbers(found, "gradient.w"), [1]);
    const none = await run(way, model, [[], []], { program });
    close(numbers(none, "loss"), [0]);
    close(numbers(none, "gradient.w"), [0]);
  });

  test("NaN reaches the steps after it, and no other example", async () => {
    const model = compileText("sum.frond", `model Sum {
  axis t
  input x[t]: real
  h[t] = x[t] + h[t-1]
  output y[t] = h[t]
  output top = max[t](x[t])
}
`); // biome-ignore format: a model
    const found = await run(way, model, [[1, NaN, 1], [1, 2, 3]]); // biome-ignore format: rows
    close(numbers(found, "output.y"), [1, NaN, NaN, 1, 3, 6]);
    close(numbers(found, "output.top"), [NaN, 3]);
  });

  test("no example: no rows, a loss of 0, parameters as they were", async () => {
    const model = compileNamed("lstm");
    const outputs = await resultsOf(way.name, model.infer(), environmentOf(model.infer(), { batch: 0 }), way.options); // biome-ignore format: one call
    expect(outputs.get("output.p")!.shape).toEqual([0, 0, 3]);
    const program = model.train();
    const environment = environmentOf(program, { batch: 0 });
    const trained = await resultsOf(way.name, program, environment, way.options);
    expect(numbers(trained, "loss.count")).toEqual([0]);
    expect(numbers(trained, "loss")).toEqual([0]);
    close(numbers(trained, "update.h.W"), [...environment.parameters.get("h.W")!.data]);
  });
});
