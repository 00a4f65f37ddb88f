// Gives an array the type of its input and checks each value that is not padding. Index and bool arrays are copied
// with zeros in the padding, so that no backend ever looks up a row that is not there.

import type { Tensor } from "../../backends/api.ts";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { unreachable } from "../../compiler/unreachable.ts";
import { elementCount, zeros } from "../tensor.ts";
import type { Candidate } from "./bind.ts";
import type { Dataset } from "./dataset.ts";

/** The tensor to feed; what its values are not, the first of each array, is added to `found`. */
export function checkedValues(
  dataset: Dataset,
  { spec, tensor }: Candidate,
  lengths: ReadonlyMap<AxisId, Int32Array>,
  found: Diagnostic[],
): Tensor {
  if (spec.dtype === "real") {
    found.push(...notFinite(dataset, { spec, tensor }, lengths));
    return toReal(tensor);
  }
  const legal = legalValues(spec);
  const result = zeros(spec.dtype, tensor.shape);
  const block = elementCount(spec.shape);
  let wrong = -1;
  forEachStep(tensor.shape, spec.axes, lengths, at => {
    for (let i = at; i < at + block; i++) {
      const value = tensor.data[i]!;
      if (legal.test(value)) result.data[i] = value;
      else if (wrong < 0) wrong = i;
    }
  });
  if (wrong >= 0) {
    const value = tensor.data[wrong]!;
    const place = placeOf(wrong, tensor.shape, spec.axes);
    found.push(illegal(dataset, spec, value, place, legal.range));
  }
  return result;
}

/** A warning: a model may be made for such values, but most are not. */
function notFinite(
  dataset: Dataset,
  { spec, tensor }: Pick<Candidate, "spec" | "tensor">,
  lengths: ReadonlyMap<AxisId, Int32Array>,
): readonly Diagnostic[] {
  const { data, shape } = tensor;
  if (data.every(value => Number.isFinite(value))) return [];
  const block = elementCount(spec.shape);
  let odd = -1;
  forEachStep(shape, spec.axes, lengths, at => {
    for (let i = at; odd < 0 && i < at + block; i++) if (!Number.isFinite(data[i]!)) odd = i;
  });
  if (odd < 0) return [];
  const place = placeOf(odd, shape, spec.axes);
  const values = { name: spec.name, value: String(data[odd]), place, file: dataset.name };
  return [report("F0845", values, null)];
}

/** Float64 stays, for the reference's sake; integers and booleans become float32. */
function toReal(tensor: Tensor): Tensor {
  const { data, shape } = tensor;
  const isReal = data instanceof Float32Array || data instanceof Float64Array;
  return { dtype: "real", shape, data: isReal ? data : Float32Array.from(data) };
}

function legalValues({ dtype, classes }: Candidate["spec"]): {
  test: (value: number) => boolean;
  range: string;
} {
  switch (dtype) {
    case "index": {
      const most = classes === null ? 2 ** 31 - 1 : classes - 1;
      return { test: value => Number.isInteger(value) && value >= 0 && value <= most, range: `0 to ${most}` };
    }
    case "bool":
      return { test: value => value === 0 || value === 1, range: "false and true (0 and 1)" };
    case "real":
      return { test: () => true, range: "all numbers" };
    default:
      return unreachable(dtype);
  }
}

function illegal(
  dataset: Dataset,
  spec: Candidate["spec"],
  value: number,
  place: string,
  range: string,
): Diagnostic {
  const file = dataset.name;
  if (!Number.isInteger(value)) {
    const expected = spec.dtype === "index" ? `whole numbers, ${range}` : range;
    const help = [`${place} is ${value}`];
    const found = Number.isNaN(value) ? "a value that is no number" : "a fraction";
    return report("F0835", { name: spec.name, file, found, expected }, null, { help });
  }
  const help =
    spec.axes.length === 0 || dataset.lengths.has(spec.name)
      ? spec.dtype === "index"
        ? ["indices count from 0; the model must have room for the largest"]
        : []
      : [`if it is padding, give the lengths as \`${spec.name}.length\``];
  return report("F0836", { name: spec.name, file, value, place, range }, null, { help });
}

/** Calls `visit` with the position of the first feature at every index that is not padding. */
function forEachStep(
  shape: readonly number[],
  axes: readonly AxisId[],
  lengths: ReadonlyMap<AxisId, Int32Array>,
  visit: (position: number) => void,
): void {
  const strides = shape.map((_, dim) => elementCount(shape.slice(dim + 1)));
  const walk = (example: number, dim: number, position: number): void => {
    const axis = axes[dim];
    if (axis === undefined) {
      visit(position);
      return;
    }
    const count = lengths.get(axis)?.[example] ?? shape[dim + 1]!;
    for (let i = 0; i < count; i++) walk(example, dim + 1, position + i * strides[dim + 1]!);
  };
  for (let example = 0; example < shape[0]!; example++) walk(example, 0, example * strides[0]!);
}

/** `example 3, t = 5`; features, which have no name, by their positions. */
function placeOf(position: number, shape: readonly number[], axes: readonly AxisId[]): string {
  let rest = position;
  const places: string[] = [];
  const features: number[] = [];
  shape.forEach((_, dim) => {
    const stride = elementCount(shape.slice(dim + 1));
    const at = Math.floor(rest / stride);
    rest %= stride;
    if (dim === 0) places.push(`example ${at}`);
    else if (dim <= axes.length) places.push(`${axes[dim - 1]} = ${at}`);
    else features.push(at);
  });
  if (features.length > 0) places.push(`feature [${features.join(", ")}]`);
  return places.join(", ");
}
