// Source text to lowered models, and lowered models to plain nested arrays on the reference.

import type { Tensor } from "../../backends/api.ts";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import type { AxisId, DType } from "../../compiler/graph/graph.ts";
import { type LowerResult, lower } from "../../compiler/lower/lower.ts";
import type { LoweredModel, Mode } from "../../compiler/lower/model.ts";
import { checkText } from "./check.ts";

export interface Options {
  readonly sizes?: Readonly<Record<string, number | boolean>>;
  readonly mode?: Mode;
}

/** Nested lists of numbers, as tests write them. */
export type Nested = number | readonly Nested[];

export interface PlainFeeds {
  readonly batch: number;
  readonly inputs?: Readonly<Record<string, Nested>>;
  readonly parameters?: Readonly<Record<string, Nested>>;
  readonly lengths?: Readonly<Record<string, readonly number[]>>;
}

function attempt(text: string, options: Options = {}): LowerResult {
  const { model, diagnostics } = checkText(text);
  if (model === null) return { lowered: null, dependsOnMode: false, diagnostics };
  return lower(model, {
    sizes: new Map(Object.entries(options.sizes ?? {})),
    mode: options.mode ?? "infer",
  });
}

/** The text's only model, lowered; throws with the diagnostics where there are errors. */
export function lowerText(text: string, options: Options = {}): LoweredModel {
  const { lowered, diagnostics } = attempt(text, options);
  if (lowered !== null) return lowered;
  throw new Error(diagnostics.map(({ code, title }) => `${code}: ${title}`).join("\n"));
}
lowerText.attempt = attempt;

/** Codes of the errors in a text, of the checker's and of lowering. */
export const codesOf = (text: string, options: Options = {}): readonly string[] =>
  attempt(text, options)
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code }) => code);

/** All outputs of a model as nested lists. */
export function run(model: LoweredModel, feeds: PlainFeeds): Record<string, Nested> {
  const dtypes = new Map(model.inputs.map(({ name, dtype }) => [name, dtype]));
  const tensors = (values: Readonly<Record<string, Nested>> = {}) =>
    new Map(
      Object.entries(values).map(([name, value]) => [name, tensorOf(value, dtypes.get(name) ?? "real")]),
    );
  const lengths = Object.entries(feeds.lengths ?? {}).map(
    ([axis, values]) => [axis as AxisId, Int32Array.from(values)] as const,
  );
  const results = evaluateGraph(model.graph, {
    batch: feeds.batch,
    inputs: tensors(feeds.inputs),
    parameters: tensors(feeds.parameters),
    lengths: new Map(lengths),
  });
  return Object.fromEntries([...results].map(([name, tensor]) => [name, nestedOf(tensor)]));
}

function tensorOf(value: Nested, dtype: DType): Tensor {
  const shape: number[] = [];
  for (let at = value; typeof at !== "number"; at = at[0] ?? 0) shape.push(at.length);
  const flat = [value].flat(20) as number[];
  return { dtype, shape, data: dtype === "index" ? Int32Array.from(flat) : Float64Array.from(flat) };
}

function nestedOf({ shape, data }: Tensor): Nested {
  const build = (dim: number, start: number): Nested => {
    const size = shape[dim];
    if (size === undefined) return data[start] ?? Number.NaN;
    const stride = shape.slice(dim + 1).reduce((product, n) => product * n, 1);
    return Array.from({ length: size }, (_, at) => build(dim + 1, start + at * stride));
  };
  return build(0, 0);
}
