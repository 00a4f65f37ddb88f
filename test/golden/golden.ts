// Reads the golden files that make_torch.py writes. Their form is described in README.md.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface GoldenTensor {
  readonly dtype: "real" | "index";
  readonly shape: readonly number[];
  /** Row-major, float64. */
  readonly data: readonly number[];
}

export type GoldenTensors = Readonly<Record<string, GoldenTensor>>;

/** A program and all that it is run on. */
export interface GoldenCase {
  readonly name: string;
  /** The program, Frond source. */
  readonly source: string;
  /** Of each example, by axis. */
  readonly lengths: Readonly<Record<string, readonly number[]>>;
  readonly inputs: GoldenTensors;
  /** Before the first step. */
  readonly parameters: GoldenTensors;
}

export interface OutputGolden extends GoldenCase {
  /** By name, zeros in the padding. */
  readonly outputs: GoldenTensors;
}

export interface LayerGolden extends OutputGolden {
  readonly loss: number;
  readonly gradients: GoldenTensors;
  readonly inputGradients: GoldenTensors;
}

export interface OptimizerGolden extends GoldenCase {
  /** PyTorch multiplies by norm / (total + epsilon) where that is below 1. */
  readonly clip: { readonly norm: number; readonly epsilon: number } | null;
  readonly steps: readonly {
    /** Loss and gradient norm before the step, parameters after it. */
    readonly loss: number;
    readonly norm: number;
    readonly parameters: GoldenTensors;
  }[];
}

const folder = fileURLToPath(new URL("./torch/", import.meta.url));
const isOptimizer = (name: string) => /^(adam|sgd)/.test(name);
const names = readdirSync(folder)
  .filter(file => file.endsWith(".json"))
  .map(file => file.replace(".json", ""));

const read = (name: string) => ({
  ...JSON.parse(readFileSync(`${folder}${name}.json`, "utf8")),
  name,
  source: readFileSync(`${folder}${name}.frond`, "utf8"),
});

export const layerGoldens: readonly LayerGolden[] = names.filter(name => !isOptimizer(name)).map(read);
export const optimizerGoldens: readonly OptimizerGolden[] = names.filter(isOptimizer).map(read);

/** Nested arrays of a matrix. */
export function matrix({ shape, data }: GoldenTensor): number[][] {
  const width = shape[1] ?? 1;
  return Array.from({ length: shape[0] ?? 1 }, (_, row) => data.slice(row * width, (row + 1) * width));
}

/** Nested arrays of a tensor of three dimensions. */
export function cube({ shape, data }: GoldenTensor): number[][][] {
  const [outer = 1, ...inner] = shape;
  const size = data.length / outer;
  return Array.from({ length: outer }, (_, i) =>
    matrix({ dtype: "real", shape: inner, data: data.slice(i * size, (i + 1) * size) }),
  );
}
