// What is timed: layers (models/*.frond) at shapes, in training and in inference. A training step is forward, backward
// through time and Adam (rate 1e-3, no clipping). Losses are the cheapest that every peer can state: a `Tagger` has a
// dense softmax over ten classes with cross entropy at every step, a `Last` the mean square of its last state. What
// inference reads is the classes' probabilities or that last state.

export const tasks = ["train", "infer"] as const;
export type Task = (typeof tasks)[number];

export interface Shape {
  readonly batch: number;
  readonly steps: number;
  /** Features of a step. */
  readonly inputs: number;
  readonly units: number;
}

export interface Case extends Shape {
  readonly task: Task;
  /** The model's file, models/LAYER.frond. */
  readonly layer: string;
  readonly model: "Tagger" | "Last";
}

const shape = (batch: number, steps: number, inputs: number, units: number): Shape => ({
  batch,
  steps,
  inputs,
  units,
});

/** The README's tagger, and what all layers are compared at. */
const usual = shape(32, 50, 10, 128);

/** The other six of performance.md: from one step of one example to a language model's and pixel by pixel. */
const others: readonly Shape[] = [
  shape(1, 50, 10, 128),
  shape(1, 1, 10, 128),
  shape(64, 100, 64, 256),
  shape(32, 100, 256, 512),
  shape(64, 35, 650, 650),
  shape(16, 784, 1, 128),
];

/** A long sequence: all that minGRU is for. */
const long = shape(1, 4096, 10, 128);

/** Layers that users of other libraries know, and one that exists in no library. */
const layers = ["gru", "layer-norm-lstm", "min-gru", "bidirectional", "attention", "tidal"];

/** Five layers of a user's own; what they cost is compared with the lstm, per floating-point operation. */
export const unusual: readonly string[] = ["echo", "deepening", "committee", "notebook", "resonator"];

/** A layer at a shape, in every task. */
const both = (layer: string, model: Case["model"], at: Shape): readonly Case[] =>
  tasks.map(task => ({ task, layer, model, ...at }));

export const cases: readonly Case[] = [
  ...both("lstm", "Tagger", usual),
  ...others.flatMap(at => both("lstm", "Last", at)),
  ...layers.flatMap(layer => both(layer, "Tagger", usual)),
  ...["min-gru", "lstm"].flatMap(layer => both(layer, "Last", long)),
  ...unusual.flatMap(layer => both(layer, "Tagger", usual)),
];

export const shapeName = ({ batch, steps, inputs, units }: Shape): string =>
  `${batch}x${steps}x${inputs}x${units}`;

/** `train/lstm/32x50x10x128` */
export const caseName = (one: Case): string => `${one.task}/${one.layer}/${shapeName(one)}`;
