// Random data that fit a program's inputs: for gradient checks where no data are given, and to time programs.

import type { Feeds, Tensor } from "../../backends/api.ts";
import type { Axis, AxisId } from "../../compiler/graph/graph.ts";
import type { InputSpec } from "../../compiler/lower/model.ts";
import { staticLength } from "../axes.ts";
import { draws } from "../draws.ts";
import { zeros } from "../tensor.ts";
import { type Dataset, makeDataset } from "./dataset.ts";

/** Examples of different lengths, the longest not first. */
const sampleLengths = [3, 5, 2];

/** Three examples; reals are standard normal, indices uniform over their classes. */
export function sampleDataset(inputs: readonly InputSpec[], axes: readonly Axis[], seed: number): Dataset {
  const fixed = (id: AxisId) => staticLength(axes, id);
  const longest = Math.max(...sampleLengths);
  const arrays = new Map<string, Tensor>();
  for (const spec of inputs) {
    const sizes = spec.axes.map(id => fixed(id) ?? longest);
    arrays.set(spec.name, sample(spec, [sampleLengths.length, ...sizes, ...spec.shape], seed));
    if (spec.axes.length === 0) continue;
    const lengths = sampleLengths.flatMap(length => spec.axes.map(id => fixed(id) ?? length));
    const shape = [sampleLengths.length, spec.axes.length];
    arrays.set(`${spec.name}.length`, { dtype: "index", shape, data: Int32Array.from(lengths) });
  }
  return makeDataset("random data", arrays);
}

export interface SampleSize {
  readonly batch: number;
  /** Of axes of unknown length. */
  readonly lengths: ReadonlyMap<AxisId, number>;
  /** Examples are of different lengths, some as long as that; all are when left out. */
  readonly ragged?: boolean;
}

/** So many examples, at most as long as the axes are; what stands in the padding is random too. */
export function sampleFeeds(
  inputs: readonly InputSpec[],
  axes: readonly Axis[],
  { batch, lengths, ragged = false }: SampleSize,
  seed: number,
): Feeds {
  const extent = (id: AxisId): number => staticLength(axes, id) ?? lengths.get(id)!;
  const tensors = inputs.map(
    spec => [spec.name, sample(spec, [batch, ...spec.axes.map(extent), ...spec.shape], seed)] as const,
  );
  const own = (length: number): Int32Array =>
    Int32Array.from({ length: batch }, (_, i) => (ragged ? raggedLength(length, i, batch) : length));
  const each = [...lengths].map(([id, length]) => [id, own(length)] as const);
  return { batch, inputs: new Map(tensors), lengths: new Map(each), seed, step: 0 };
}

/** As in `sampleLengths`, stretched; a single example has the whole length. */
function raggedLength(length: number, example: number, batch: number): number {
  if (batch === 1) return length;
  const part = sampleLengths[example % sampleLengths.length]! / Math.max(...sampleLengths);
  return Math.max(1, Math.round(length * part));
}

function sample({ name, dtype, classes }: InputSpec, shape: readonly number[], seed: number): Tensor {
  const numbers = draws(seed, `sample ${name}`);
  const { data } = zeros(dtype, shape);
  const value = (i: number): number => {
    if (dtype === "real") return numbers.normal(i);
    if (dtype === "bool") return numbers.uniform(i) < 0.5 ? 1 : 0;
    return Math.floor(numbers.uniform(i) * (classes ?? sampleLengths.length));
  };
  for (let i = 0; i < data.length; i++) data[i] = value(i);
  return { dtype, shape, data };
}
