// Binds a data set to a program's inputs: every input finds its array, the arrays' shapes agree with the types and
// with each other, every value that is not padding is legal. All that is wrong is reported in one go.

import type { Tensor } from "../../backends/api.ts";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { nearest } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { Axis, AxisId } from "../../compiler/graph/graph.ts";
import type { InputSpec } from "../../compiler/lower/model.ts";
import { staticLength } from "../axes.ts";
import { formatShape } from "../tensor.ts";
import { checkedValues } from "./check.ts";
import type { Dataset } from "./dataset.ts";
import { axisLengths } from "./lengths.ts";

/** A data set seen through a program's inputs. */
export interface Binding {
  readonly dataset: Dataset;
  readonly size: number;
  readonly inputs: readonly BoundInput[];
  readonly axes: readonly Axis[];
  /** Of every axis of unknown length that an input has: each example's own. */
  readonly lengths: ReadonlyMap<AxisId, Int32Array>;
  readonly warnings: readonly Diagnostic[];
}

export interface BoundInput {
  readonly spec: InputSpec;
  /** `[size, ...axes, ...shape]`, of the input's own type. */
  readonly tensor: Tensor;
}

/** An input, its array as the file has it, and the lengths the file gives for it, `[size, columns]`. */
export interface Candidate {
  readonly spec: InputSpec;
  readonly tensor: Tensor;
  readonly lengths: Int32Array | null;
}

/** Binds or throws a FrondError with all that is wrong. `axes` are the program's. */
export function bind(dataset: Dataset, inputs: readonly InputSpec[], axes: readonly Axis[]): Binding {
  const problems: Diagnostic[] = [];
  const candidates = inputs.flatMap(spec => {
    const found = candidate(dataset, spec, axes, inputs);
    if ("spec" in found) return [found];
    problems.push(found);
    return [];
  });
  // Lengths are judged only among arrays of the right shape, values only within known lengths.
  if (problems.length > 0) throw new FrondError(problems);
  const lengths = axisLengths(dataset, candidates, axes, problems);
  if (problems.length > 0) throw new FrondError(problems);
  const bound = candidates.map(entry => ({
    spec: entry.spec,
    tensor: checkedValues(dataset, entry, lengths, problems),
  }));
  if (problems.some(({ severity }) => severity === "error")) throw new FrondError(problems);
  const warnings = [...unused(dataset, inputs), ...problems];
  return { dataset, size: dataset.size, inputs: bound, axes, lengths, warnings };
}

function candidate(
  dataset: Dataset,
  spec: InputSpec,
  axes: readonly Axis[],
  inputs: readonly InputSpec[],
): Candidate | Diagnostic {
  const { name } = spec;
  const file = dataset.name;
  const tensor = dataset.arrays.get(name);
  if (tensor === undefined) {
    const free = [...dataset.arrays.keys()].filter(key => !inputs.some(input => input.name === key));
    const near = nearest(name, free);
    const has = `the file holds ${[...dataset.arrays.keys()].map(key => `\`${key}\``).join(", ") || "nothing"}`;
    const help = near === null ? has : `did you mean \`${near}\`?`;
    return report("F0833", { name, file }, null, { help: [help] });
  }
  const wanted = ["batch", ...spec.axes.map(id => staticLength(axes, id) ?? id), ...spec.shape];
  const shape = completed(tensor.shape, wanted);
  const fits =
    shape.length === wanted.length &&
    wanted.every((size, dim) => typeof size === "string" || size === shape[dim]);
  if (!fits) {
    const values = { name, file, found: formatShape(tensor.shape), expected: formatShape(wanted) };
    return report("F0834", values, null, { help: shapeHelp(tensor.shape, wanted) });
  }
  return { spec, tensor: { ...tensor, shape }, lengths: dataset.lengths.get(name) ?? null };
}

/** In JSON, empty sequences do not show what their elements would look like. */
function completed(found: readonly number[], wanted: readonly (number | string)[]): readonly number[] {
  if (found.at(-1) !== 0) return found;
  return [...found, ...wanted.slice(found.length).map(size => (typeof size === "number" ? size : 0))];
}

function shapeHelp(found: readonly number[], wanted: readonly (number | string)[]): readonly string[] {
  if (found.length !== wanted.length) {
    const missing = found.length === wanted.length - 1 && wanted.at(-1) === 1;
    if (missing) return ["a feature of size 1 is a dimension too: `x[..., None]` adds it"];
    return [`the array has ${found.length} dimensions, the input ${wanted.length}`];
  }
  return wanted.flatMap((size, dim) =>
    typeof size === "string" || size === found[dim]
      ? []
      : [`dimension ${dim} has size ${found[dim]}, not ${size}`],
  );
}

function unused(dataset: Dataset, inputs: readonly InputSpec[]): readonly Diagnostic[] {
  const known = new Set(inputs.map(input => input.name));
  return [...new Set([...dataset.arrays.keys(), ...dataset.lengths.keys()])]
    .filter(name => !known.has(name))
    .map(name => report("F0840", { name, file: dataset.name }, null));
}
