// Lets a model continue its own input: each round runs it on all that there is so far and appends, example by
// example, what its `generate` statement gives for the last step. Every round begins again at the first step, so the
// time grows with the square of the length; nothing is carried from one round to the next.

import type { Feeds, Results } from "../backends/api.ts";
import type { AxisId } from "../compiler/graph/graph.ts";
import type { GenerateSpec, InputSpec } from "../compiler/lower/model.ts";
import type { Program } from "../compiler/program/program.ts";
import { take } from "./data/take.ts";
import { type Pass, type Prediction, typeOf } from "./evaluate.ts";
import { startOf, Tape, type Value } from "./tape.ts";
import { zeros, zerosLike } from "./tensor.ts";

export interface Generation extends Omit<Pass, "onProgress"> {
  /** Results `generate.NAME` and, where some statement says when to stop, `generate.until`. */
  readonly program: Program;
  readonly generated: readonly GenerateSpec[];
  /** The most values that an example gets. */
  readonly steps: number;
  readonly onProgress?: ((rounds: number) => void) | undefined;
}

/**
 * What every generated input was continued with, by name: the value that ends an example belongs to it, the one that
 * it starts from does not. An example ends too when another input along the same axis does.
 */
export async function generate(generation: Generation): Promise<ReadonlyMap<string, Prediction>> {
  const { data, batch, steps } = generation;
  const batches: Continued[] = [];
  for (let first = 0; first < data.size; first += batch) {
    const indices = Int32Array.from({ length: Math.min(batch, data.size - first) }, (_, i) => first + i);
    batches.push(await continueBatch(generation, indices, batches.length * steps));
  }
  return new Map(generation.generated.map((spec, at) => [spec.input, joined(generation, spec, at, batches)]));
}

/** A batch after its last round. */
interface Continued {
  /** In the order of `generated`. */
  readonly tapes: readonly Tape[];
  /** Values that each example got. */
  readonly counts: Int32Array;
}

/** Rounds are numbered on from `before`, so that no two batches draw the same. */
async function continueBatch(
  { executable, state, program, data, generated, steps, seed, onProgress }: Generation,
  indices: Int32Array,
  before: number,
): Promise<Continued> {
  const given = take(data, indices, seed, before);
  const tapes = generated.map(spec => new Tape(inputOf(program, spec), indices.length, spec.from));
  const counts = new Int32Array(indices.length);
  const limits = Int32Array.from(counts, (_, example) =>
    generated.reduce(
      (least, { axis }) => Math.min(least, given.lengths.get(axis)?.[example] ?? least),
      steps,
    ),
  );
  const open = Array.from(limits, limit => limit > 0);
  for (let round = 0; open.includes(true); round++) {
    const feeds = withPrefixes({ ...given, step: before + round }, generated, tapes, prefixes(counts, open));
    const results = await executable.run(feeds, state);
    try {
      const next = await readNext(program, generated, results);
      open.forEach((running, example) => {
        if (!running) return;
        const last = counts[example]!;
        next.values.forEach((value, at) => {
          tapes[at]!.append(example, last + 1, value);
        });
        counts[example] = last + 1;
        open[example] = last + 1 < limits[example]! && !next.stops(example, last);
      });
    } finally {
      results.dispose();
    }
    onProgress?.(before + round + 1);
  }
  return { tapes, counts };
}

/** How much of each tape is fed: what an example started from and has got; of one that has ended, no more than before. */
const prefixes = (counts: Int32Array, open: readonly boolean[]): Int32Array =>
  counts.map((count, example) => (open[example] ? count + 1 : count));

function withPrefixes(
  given: Feeds,
  generated: readonly GenerateSpec[],
  tapes: readonly Tape[],
  prefix: Int32Array,
): Feeds {
  const inputs = new Map(given.inputs);
  const lengths = new Map(given.lengths);
  generated.forEach(({ input, axis }, at) => {
    inputs.set(input, tapes[at]!.tensor);
    lengths.set(axis, prefix);
  });
  return { ...given, inputs, lengths };
}

async function readNext(
  program: Program,
  generated: readonly GenerateSpec[],
  results: Results,
): Promise<{
  readonly values: readonly Value[];
  readonly stops: (example: number, step: number) => boolean;
}> {
  const read = async (name: string): Promise<Value> => ({
    tensor: await results.read(name),
    type: typeOf(program, name),
  });
  const values: Value[] = [];
  for (const { input } of generated) values.push(await read(`generate.${input}`));
  const until = generated.some(({ hasUntil }) => hasUntil) ? await read("generate.until") : null;
  const stops = (example: number, step: number): boolean =>
    until !== null && until.tensor.data[startOf(until, example, step)] === 1;
  return { values, stops };
}

/** One input of all batches. */
function joined(
  { data, program }: Generation,
  { input, axis }: GenerateSpec,
  at: number,
  batches: readonly Continued[],
): Prediction {
  const { dtype, shape } = inputOf(program, { input });
  const counts = Int32Array.from(batches.flatMap(batch => [...batch.counts]));
  const longest = counts.reduce((most, count) => Math.max(most, count), 0);
  const whole = [data.size, longest, ...shape];
  const tensor = zerosLike(batches[0]?.tapes[at]?.answer ?? zeros(dtype, [0]), whole);
  let row = 0;
  for (const batch of batches) {
    batch.counts.forEach((count, example) => {
      batch.tapes[at]!.copy(example, count, tensor, row++);
    });
  }
  const axes: readonly AxisId[] = [axis];
  return { tensor, type: { dtype, shape, axes, batched: true }, lengths: new Map([[axis, counts]]) };
}

const inputOf = ({ inputs }: Program, { input }: Pick<GenerateSpec, "input">): InputSpec =>
  inputs.find(({ name }) => name === input)!;
