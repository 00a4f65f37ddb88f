// The training loop: epochs of shuffled batches through a training step, scores as it goes, and a copy of the last
// state known to be good. Which optimiser makes the step is part of the program.

import type { Executable, State, Tensor } from "../backends/api.ts";
import { FrondError } from "../compiler/diagnostics/error.ts";
import { report } from "../compiler/diagnostics/report.ts";
import type { TrainConfig } from "../compiler/lower/model.ts";
import { batches } from "./data/batches.ts";
import type { Binding } from "./data/bind.ts";
import { take } from "./data/take.ts";
import { type Scores, Totals } from "./scores.ts";
import { scalar } from "./tensor.ts";

/** What a training tells while it runs. Epochs and steps count from 1. */
export type TrainEvent =
  | { readonly kind: "step"; readonly place: Place; readonly scores: Scores; readonly examples: number }
  | { readonly kind: "validate"; readonly place: Place; readonly examples: number; readonly of: number }
  | EpochEvent;

export interface EpochEvent {
  readonly kind: "epoch";
  readonly place: Place;
  readonly train: Scores;
  readonly validation: Scores | null;
}

export interface Place {
  readonly epoch: number;
  readonly epochs: number;
  /** Within the epoch. */
  readonly step: number;
  readonly steps: number;
  /** Examples of the whole data set. */
  readonly of: number;
}

/** Parameters and optimiser state after `step` steps and `epoch` whole epochs. */
export interface Snapshot {
  readonly values: ReadonlyMap<string, Tensor>;
  readonly step: number;
  readonly epoch: number;
}

export interface Training {
  readonly executable: Executable;
  readonly data: Binding;
  readonly config: TrainConfig;
  readonly batch: number;
  /** The last epoch to run; those up to `from.epoch` are done. */
  readonly epochs: number;
  readonly seed: number;
  readonly from: Snapshot;
  readonly validate: ((values: ReadonlyMap<string, Tensor>, place: Place) => Promise<Scores>) | null;
  /** Called after each epoch, with a state known to be good. */
  readonly onSnapshot: (snapshot: Snapshot) => void | Promise<void>;
  readonly onEvent: (event: TrainEvent) => void | Promise<void>;
  readonly signal: AbortSignal | null;
}

/** Trains; returns what happened in each epoch. Throws a FrondError when the loss is no number any more. */
export async function train(training: Training): Promise<readonly EpochEvent[]> {
  const { executable, from, epochs, onSnapshot, onEvent, signal } = training;
  const state = executable.createState(from.values);
  const history: EpochEvent[] = [];
  let good = from;
  try {
    for (let epoch = from.epoch + 1; epoch <= epochs; epoch++) {
      const done = await trainEpoch(training, state, good, epoch);
      if (done === null) break;
      good = done.snapshot;
      await onSnapshot(good);
      const validation = (await training.validate?.(good.values, done.place)) ?? null;
      const event: EpochEvent = { kind: "epoch", place: done.place, train: done.scores, validation };
      history.push(event);
      await onEvent(event);
      if (signal?.aborted) break;
    }
  } finally {
    state.dispose();
  }
  return history;
}

/** One epoch; null when it was told to stop in the middle: what it had learned by then is dropped. */
async function trainEpoch(
  training: Training,
  state: State,
  before: Snapshot,
  epoch: number,
): Promise<{ snapshot: Snapshot; scores: Scores; place: Place } | null> {
  const { data, batch, epochs, seed, onEvent, signal } = training;
  const plan = batches(data, { batch, shuffle: { seed, epoch } });
  const totals = new Totals();
  let examples = 0;
  let place: Place = { epoch, epochs, step: 0, steps: plan.length, of: data.size };
  for (const [i, indices] of plan.entries()) {
    if (signal?.aborted) return null;
    place = { ...place, step: i + 1 };
    const loss = await trainStep(training, state, indices, before.step + i, totals);
    if (!Number.isFinite(loss)) throw diverged(training, place, loss, before);
    examples += indices.length;
    await onEvent({ kind: "step", place, scores: totals.scores(), examples });
  }
  const snapshot = await takeSnapshot(state, before.step + plan.length, epoch);
  // The last step's update is not yet seen by any loss.
  if (!allFinite(snapshot)) throw diverged(training, place, Number.NaN, before);
  return { snapshot, scores: totals.scores(), place };
}

async function trainStep(
  { executable, data, seed }: Training,
  state: State,
  indices: Int32Array,
  step: number,
  totals: Totals,
): Promise<number> {
  const results = await executable.run(take(data, indices, seed, step), state);
  try {
    await totals.add(results);
    return scalar(await results.read("loss"));
  } finally {
    results.dispose();
  }
}

async function takeSnapshot(state: State, step: number, epoch: number): Promise<Snapshot> {
  const values = new Map<string, Tensor>();
  for (const name of state.names) values.set(name, await state.read(name));
  return { values, step, epoch };
}

const allFinite = ({ values }: Snapshot): boolean =>
  [...values.values()].every(tensor => tensor.data.every(value => Number.isFinite(value)));

function diverged(training: Training, place: Place, loss: number, good: Snapshot): FrondError {
  const { rate } = training.config.optimizer;
  const help = [
    `try a lower rate (it is ${rate}, try ${Number((rate / 10).toPrecision(3))})`,
    training.config.clipNorm === null
      ? "or clip the gradients: `clip: norm(1.0)` in the `train` block"
      : `or clip harder than norm(${training.config.clipNorm})`,
    good.epoch === 0
      ? "no epoch was completed: the initial weights are kept"
      : `the weights after epoch ${good.epoch} are kept`,
  ];
  const { epoch, step } = place;
  return new FrondError([report("F0850", { epoch, step, loss: String(loss) }, null, { help })]);
}
