// What stands in a checkpoint: weights under their parameters' names, the optimiser's state beside them, and in the
// metadata which is which, the step, the epoch and the seed. Weights must fit the program exactly.

import type { Tensor } from "../../backends/api.ts";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { nearest } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { Axis, AxisId } from "../../compiler/graph/graph.ts";
import { staticShape } from "../axes.ts";
import { formatShape, sameShape } from "../tensor.ts";
import type { Checkpoint } from "./safetensors.ts";

export interface CheckpointContent {
  readonly values: ReadonlyMap<string, Tensor>;
  /** Names of those values that are weights; the others are training state. */
  readonly weights: ReadonlySet<string>;
  readonly step: number;
  readonly epoch: number;
  readonly seed: number;
  readonly model: string;
}

/** What a parameter or state must look like. */
interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axes: readonly AxisId[];
  /** Real when left out. */
  readonly dtype?: Tensor["dtype"];
}

export function packCheckpoint({ values, weights, step, epoch, seed, model }: CheckpointContent): Checkpoint {
  const state = [...values.keys()].filter(name => !weights.has(name));
  return {
    tensors: values,
    metadata: new Map([
      ["format", "frond"],
      ["frond.model", model],
      ["frond.step", String(step)],
      ["frond.epoch", String(epoch)],
      ["frond.seed", String(seed)],
      ["frond.state", JSON.stringify(state)],
    ]),
  };
}

/** Weights and training state told apart; `step` and `epoch` are null in files of other makers. */
export function unpackCheckpoint({ tensors, metadata }: Checkpoint): {
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly state: ReadonlyMap<string, Tensor>;
  readonly step: number | null;
  readonly epoch: number | null;
  /** The model that they were trained in; null in files of other makers. */
  readonly model: string | null;
} {
  const names = new Set(stateNames(metadata.get("frond.state")));
  const entries = [...tensors];
  return {
    weights: new Map(entries.filter(([name]) => !names.has(name))),
    state: new Map(entries.filter(([name]) => names.has(name))),
    step: count(metadata.get("frond.step")),
    epoch: count(metadata.get("frond.epoch")),
    model: metadata.get("frond.model") ?? null,
  };
}

/** Where weights come from, for messages. */
export interface Origin {
  readonly file: string;
  /** A further line of help, where something is known about the file. */
  readonly help: string | null;
}

/** The weights in the program's order, or a FrondError that says all that is missing, left over and misshapen. */
export function fitWeights(
  found: ReadonlyMap<string, Tensor>,
  { file, help }: Origin,
  wanted: readonly Wanted[],
  axes: readonly Axis[],
): Map<string, Tensor> {
  const names = new Set(wanted.map(spec => spec.name));
  const extra = [...found.keys()].filter(name => !names.has(name));
  const missing = wanted.filter(spec => !found.has(spec.name)).map(spec => spec.name);
  const problems: Diagnostic[] = [
    ...missing.map(name =>
      report("F0823", { name, file }, null, { help: suggestion(name, extra, "the file has") }),
    ),
    ...extra.map(name =>
      report("F0824", { name, file }, null, { help: suggestion(name, missing, "the model has") }),
    ),
  ];
  const fitting = new Map<string, Tensor>();
  for (const spec of wanted) {
    const tensor = found.get(spec.name);
    if (tensor === undefined) continue;
    const misfit = compare(spec, tensor, file, axes);
    if (misfit === null) fitting.set(spec.name, tensor);
    else problems.push(misfit);
  }
  const [first, ...others] = problems;
  if (first === undefined) return fitting;
  // Said once: where one weight is wrong, most are.
  const more =
    help ?? (first.code === "F0825" ? "the sizes must be those that they were trained with" : null);
  throw new FrondError([{ ...first, help: more === null ? first.help : [...first.help, more] }, ...others]);
}

function compare(spec: Wanted, tensor: Tensor, file: string, axes: readonly Axis[]): Diagnostic | null {
  const { name } = spec;
  const shape = staticShape(axes, spec);
  if (!sameShape(tensor.shape, shape)) {
    const values = { name, file, found: formatShape(tensor.shape), expected: formatShape(shape) };
    return report("F0825", values, null);
  }
  const { dtype = "real" } = spec;
  return tensor.dtype === dtype
    ? null
    : report("F0847", { name, file, found: tensor.dtype, expected: dtype }, null);
}

function suggestion(name: string, candidates: readonly string[], who: string): readonly string[] {
  const near = nearest(name, candidates);
  return near === null ? [] : [`${who} \`${near}\``];
}

function stateNames(text: string | undefined): readonly string[] {
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(value) ? value.filter(name => typeof name === "string") : [];
  } catch {
    return [];
  }
}

function count(text: string | undefined): number | null {
  const value = Number(text ?? "none");
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}
