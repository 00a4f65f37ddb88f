// Times a program on a backend, for a moment: enough to tell which of several is the fastest, on data of the program's
// own shapes. `frond bench` measures with more patience.

import type { Backend, CompileOptions, Executable, Feeds, State, Tensor } from "../backends/api.ts";
import type { AxisId } from "../compiler/graph/graph.ts";
import type { Program } from "../compiler/program/program.ts";
import { staticLength, staticShape } from "./axes.ts";
import { withStates } from "./states.ts";
import { zeros } from "./tensor.ts";

/** What is to be run. */
export interface Trial {
  readonly program: Program;
  readonly batch: number;
  /** Of every axis of unknown length. */
  readonly lengths: ReadonlyMap<AxisId, number>;
  readonly compile?: CompileOptions;
  /** What the executable must be able to say. */
  readonly needs?: "memory" | "profile";
}

export interface Limits {
  /** Runs end when they have taken so long together, after the first. */
  readonly milliseconds: number;
  /** Milliseconds of the best backend so far, or infinite: clearly slower ones need no second look. */
  readonly best: number;
  /** When nobody waits for the result any more. */
  readonly deadline: number;
  /** Milliseconds. */
  readonly now: () => number;
}

export type Measured =
  /** The fastest run: others may have been disturbed. */
  | { readonly kind: "time"; readonly milliseconds: number; readonly runs: number }
  | { readonly kind: "refused"; readonly why: string };

export type Measure = (backend: Backend, trial: Trial, limits: Limits) => Promise<Measured>;

export const notReady = "was not ready in time";

/** Runs that count, at the least. */
const leastRuns = 2;
/** So many times slower is out of the question. */
const clearly = 3;

export const measure: Measure = async (backend, trial, limits) => {
  const executable = await backend.compile(trial.program, trial.compile);
  try {
    const why = await lackOf(executable, trial);
    if (why !== null) return { kind: "refused", why };
    return await timed(executable, trial, limits);
  } finally {
    executable.dispose();
  }
};

async function lackOf(executable: Executable, { needs, batch, lengths }: Trial): Promise<string | null> {
  if (needs === "memory" && (await executable.memory(batch, lengths)) === null)
    return "does not know how much memory a run takes";
  return needs === "profile" && executable.profile === undefined ? "makes no profiles" : null;
}

async function timed(executable: Executable, trial: Trial, limits: Limits): Promise<Measured> {
  const { milliseconds, best, deadline, now } = limits;
  const feeds = feedsOf(trial);
  const state = executable.createState(withStates(weightsOf(trial.program), trial.program));
  let [least, runs] = [Number.POSITIVE_INFINITY, 0];
  try {
    // Shaders are compiled now, memory is taken, engines see what is worth optimising.
    await run(executable, feeds, state);
    const end = now() + milliseconds;
    while (now() < deadline && (runs < leastRuns || now() < end)) {
      const start = now();
      await run(executable, feeds, state);
      least = Math.min(least, now() - start);
      runs++;
      if (least > clearly * best) break;
    }
  } finally {
    state.dispose();
  }
  return runs === 0 ? { kind: "refused", why: notReady } : { kind: "time", milliseconds: least, runs };
}

/** Reading waits for devices that compute on their own. */
async function run(executable: Executable, feeds: Feeds, state: State): Promise<void> {
  const results = await executable.run(feeds, state);
  for (const name of results.names) await results.read(name);
  results.dispose();
}

/** As sampleFeeds makes them, but at once: time does not depend on the values, and to draw many takes long. */
function feedsOf({ program: { inputs, graph }, batch, lengths }: Trial): Feeds {
  const extent = (id: AxisId): number => staticLength(graph.axes, id) ?? lengths.get(id)!;
  const tensors = inputs.map(({ name, dtype, classes, axes, shape }) => {
    const tensor = zeros(dtype, [batch, ...axes.map(extent), ...shape]);
    const { data } = tensor;
    const most = dtype === "bool" ? 2 : (classes ?? 2);
    for (let i = 0; i < data.length; i++) data[i] = dtype === "real" ? 0.1 * ((i % 17) - 8) : i % most;
    return [name, tensor] as const;
  });
  const own = [...lengths].map(([id, length]) => [id, new Int32Array(batch).fill(length)] as const);
  return { batch, inputs: new Map(tensors), lengths: new Map(own), seed: 0, step: 0 };
}

/** Small numbers, made at once: time does not depend on them, and to draw real initial weights may take longer. */
function weightsOf({ parameters, graph }: Program): ReadonlyMap<string, Tensor> {
  const weights = parameters.map(spec => {
    const tensor = zeros("real", staticShape(graph.axes, spec));
    for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = 0.01 * ((i % 13) - 6);
    return [spec.name, tensor] as const;
  });
  return new Map(weights);
}
