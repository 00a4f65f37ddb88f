// The fixed numbers by which features are brought to mean 0 and deviation 1: those of the training recordings.

import { bands } from "./features.ts";

/** As digits.json keeps it: one number a band. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** `[frames * bands]` of extract(), as the network was trained on them. */
export function normalise(features: Float32Array, { mean, deviation }: Normalisation): Float32Array {
  return features.map((value, i) => (value - mean[i % bands]!) / deviation[i % bands]!);
}
