// Compares a program's gradients with central differences of its loss. Meant for the reference backend: in float32
// the differences drown in rounding.

import type { Backend, Executable, Feeds, Tensor } from "../backends/api.ts";
import type { Program } from "../compiler/program/program.ts";
import { draws } from "./draws.ts";
import { scalar } from "./tensor.ts";

export interface GradientCheck {
  readonly backend: Backend;
  /** Outputs `loss` and `gradient.NAME`. */
  readonly program: Program;
  readonly values: ReadonlyMap<string, Tensor>;
  readonly feeds: Feeds;
  /** Elements checked of each parameter, drawn by `seed`. */
  readonly samples: number;
  readonly seed: number;
  readonly onProgress?: (name: string) => void;
}

/** Of one parameter, the element where the two differ most. */
export interface GradientRow {
  readonly name: string;
  readonly shape: readonly number[];
  readonly checked: number;
  /** |gradient - difference| / max(|gradient|, |difference|, `floor` below). */
  readonly worst: number;
  readonly gradient: number;
  readonly difference: number;
}

/**
 * Steps of the differences, which are of order h^4: the first leaves 1e-12 of a fifth derivative and 1e-13 of the
 * loss's rounding; the second is for losses that bend sharply (a square root near zero), at ten times the rounding.
 */
const steps = [1e-3, 1e-4];

/** An error small enough that no second step is tried. */
const clear = 1e-7;

/**
 * What errors are relative to at least: a thousandth of the parameter's largest gradient, and so much that an error of
 * 1e-6 is more than ten roundings of the loss make of a difference.
 */
function floorOf(gradient: Tensor, loss: number, step: number): number {
  let largest = 0;
  for (const value of gradient.data) largest = Math.max(largest, Math.abs(value));
  // Never zero, so that a parameter without influence compares 0 with 0.
  return Math.max(largest * 1e-3, (1e7 * Number.EPSILON * Math.abs(loss)) / step, 1e-12);
}

export async function checkGradients(check: GradientCheck): Promise<readonly GradientRow[]> {
  const { backend, program, feeds, onProgress } = check;
  const values = new Map([...check.values].map(([name, tensor]) => [name, inFloat64(tensor)] as const));
  const executable = await backend.compile(program);
  try {
    const gradients = await run(executable, feeds, values, program.results);
    const loss = scalar(gradients.get("loss")!);
    const rows: GradientRow[] = [];
    for (const { name } of program.parameters) {
      onProgress?.(name);
      const gradient = gradients.get(`gradient.${name}`);
      if (gradient === undefined) continue;
      rows.push(await checkParameter(check, executable, values, name, gradient, loss));
    }
    return rows;
  } finally {
    executable.dispose();
  }
}

async function checkParameter(
  { feeds, samples, seed }: GradientCheck,
  executable: Executable,
  values: ReadonlyMap<string, Tensor>,
  name: string,
  gradient: Tensor,
  loss: number,
): Promise<GradientRow> {
  const tensor = values.get(name)!;
  const elements = chosen(tensor.data.length, samples, seed, name);
  let row: GradientRow = {
    name,
    shape: tensor.shape,
    checked: elements.length,
    worst: 0,
    gradient: 0,
    difference: 0,
  };
  for (const element of elements) {
    const lossAt = async (offset: number): Promise<number> => {
      const data = Float64Array.from(tensor.data);
      data[element]! += offset;
      const moved = new Map([...values, [name, { ...tensor, data }]]);
      return scalar((await run(executable, feeds, moved, ["loss"])).get("loss")!);
    };
    const found = gradient.data[element]!;
    const { difference, error } = await compare(found, lossAt, step => floorOf(gradient, loss, step));
    // A gradient that is no number must not pass for a small error.
    if (!(error <= row.worst)) row = { ...row, worst: error, gradient: found, difference };
    if (Number.isNaN(error)) break;
  }
  return row;
}

/** The difference that comes nearest to the gradient found, of those with the steps that have to be tried. */
async function compare(
  found: number,
  lossAt: (offset: number) => Promise<number>,
  floor: (step: number) => number,
): Promise<{ readonly difference: number; readonly error: number }> {
  let best = { difference: Number.NaN, error: Number.POSITIVE_INFINITY };
  for (const step of steps) {
    const difference = await centralDifference(lossAt, step);
    const error = Math.abs(found - difference) / Math.max(Math.abs(found), Math.abs(difference), floor(step));
    if (!(error >= best.error)) best = { difference, error };
    if (best.error <= clear || Number.isNaN(error)) break;
  }
  return best;
}

/** Of fourth order. */
async function centralDifference(lossAt: (offset: number) => Promise<number>, step: number): Promise<number> {
  const near = (await lossAt(step)) - (await lossAt(-step));
  const far = (await lossAt(2 * step)) - (await lossAt(-2 * step));
  return (8 * near - far) / (12 * step);
}

/** Different elements, ascending; all of them where there are few. */
function chosen(size: number, samples: number, seed: number, name: string): readonly number[] {
  if (size <= samples) return Array.from({ length: size }, (_, i) => i);
  const numbers = draws(seed, `gradcheck ${name}`);
  const elements = new Set<number>();
  for (let i = 0; elements.size < samples; i++) elements.add(Math.floor(numbers.uniform(i) * size));
  return [...elements].sort((a, b) => a - b);
}

async function run(
  executable: Executable,
  feeds: Feeds,
  values: ReadonlyMap<string, Tensor>,
  names: readonly string[],
): Promise<ReadonlyMap<string, Tensor>> {
  const state = executable.createState(values);
  const results = await executable.run(feeds, state);
  try {
    const read = new Map<string, Tensor>();
    for (const name of names) read.set(name, await results.read(name));
    return read;
  } finally {
    results.dispose();
    state.dispose();
  }
}

const inFloat64 = (tensor: Tensor): Tensor => ({ ...tensor, data: Float64Array.from(tensor.data) });
