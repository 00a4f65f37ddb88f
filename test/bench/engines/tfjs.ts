// tfjs-layers on one of tfjs's backends, in Node or in a page. Only what of its interface is used is declared here.

import type { Tensor } from "../../../backends/api.ts";
import { checkedSteps, type Engine, type Opened, type Probe, picked } from "../engine.ts";
import type { Work } from "../work.ts";

interface Disposable {
  dispose(): void;
}

interface TfTensor extends Disposable {
  data(): Promise<Float32Array>;
}

/** tfjs-core and tfjs-layers, as the package tfjs has them together. */
export interface Tf {
  sequential(): Sequential;
  layers: Readonly<Record<"lstm" | "bidirectional" | "dense", (options: object) => Layer>>;
  setBackend(name: string): Promise<boolean>;
  tensor(data: Tensor["data"], shape: readonly number[], dtype: "float32"): TfTensor;
  train: { adam(rate: number, beta1: number, beta2: number, epsilon: number): Disposable };
}

interface Layer {
  setWeights(weights: readonly TfTensor[]): void;
}

interface Sequential extends Disposable {
  add(layer: Layer): void;
  compile(options: { optimizer: unknown; loss: string }): void;
  trainOnBatch(x: TfTensor, y: TfTensor): Promise<number>;
  predictOnBatch(x: TfTensor): TfTensor;
}

/** Where it comes from. */
export interface Library {
  probe(): Promise<Probe>;
  /** With the backend, ready to be chosen. */
  load(): Promise<Tf>;
}

export const tfjsEngine = (backend: string, { probe, load }: Library): Engine => ({
  probe,
  open: async work => open(await load(), backend, work),
});

async function open(tf: Tf, backend: string, work: Work): Promise<Opened> {
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs cannot open its backend ${backend}`);
  const { task, batch, steps, units, model: kind } = work.case;
  const made: Disposable[] = [];
  const keep = <T extends Disposable>(one: T): T => {
    made.push(one);
    return one;
  };
  const close = () => {
    for (const one of made) one.dispose();
  };
  const tensor = (name: string, shape = work.tensors.get(name)!.shape): TfTensor =>
    keep(tf.tensor(work.tensors.get(name)!.data, shape, "float32"));
  const model = build(tf, work, tensor);
  keep(model);
  const x = tensor("x");
  if (task === "infer") {
    const run = async () => {
      const result = model.predictOnBatch(x);
      const values = await result.data();
      result.dispose();
      return values;
    };
    return { check: picked(await run()), run, close };
  }
  const loss = kind === "Tagger" ? "sparseCategoricalCrossentropy" : "meanSquaredError";
  model.compile({ optimizer: keep(tf.train.adam(1e-3, 0.9, 0.999, 1e-7)), loss });
  const y =
    kind === "Tagger"
      ? tensor("y", [batch, steps, 1])
      : keep(tf.tensor(new Float32Array(batch * units), [batch, units], "float32"));
  const run = () => model.trainOnBatch(x, y);
  const check: number[] = [];
  for (let at = 0; at < checkedSteps; at++) check.push(await run());
  return { check, run, close };
}

/** The model, layer by layer; weights can be set once the layer has its place. Frond's layouts are Keras's. */
function build(
  { sequential, layers }: Tf,
  { case: { layer, model: kind, steps, inputs, units } }: Work,
  tensor: (name: string) => TfTensor,
): Sequential {
  const model = sequential();
  const add = (made: Layer, names: readonly string[]) => {
    model.add(made);
    made.setWeights(names.map(name => tensor(name)));
  };
  const lstm = (options: object) => {
    // Its orthogonal initialiser takes long, for nothing.
    const usual = { units, recurrentActivation: "sigmoid", recurrentInitializer: "zeros" };
    return layers.lstm({ ...usual, returnSequences: kind === "Tagger", ...options });
  };
  const own = (name: string) => [`${name}.W`, `${name}.U`, `${name}.b`];
  const inputShape = [steps, inputs];
  if (layer === "lstm") add(lstm({ inputShape }), own("h"));
  else {
    for (const at of [1, 2]) {
      const both = layers.bidirectional({ layer: lstm({}), mergeMode: "concat", inputShape });
      add(both, [...own(`f${at}`), ...own(`b${at}`)]);
    }
  }
  if (kind === "Tagger") add(layers.dense({ units: 10, activation: "softmax" }), ["logits.W", "logits.b"]);
  return model;
}
