// How far results may be from what is expected, in one place, each with its reason.

export const tolerances = {
  /** Log-mel energies, absolute: float32 keeps values of up to 23 (the floor's logarithm) to 1e-6. */
  features: 1e-5,
  /** Hand-written cells against PyTorch, absolute: both compute in float64, with values of order 1. */
  handwritten: 1e-12,
  /** Against PyTorch in float64 on the reference, relative to a tensor's largest value: rounding only. */
  torchFloat64: 1e-10,
  /** The same on a backend of float32. */
  torchFloat32: 1e-5,
  /** Ten optimiser steps against PyTorch: Adam's first steps divide small gradients by their own size. */
  torchSteps: 1e-4,
  /** Orthonormality of factors of small matrices in float64: some hundred roundings of 1e-16. */
  float64Rounding: 1e-13,
  /** The same after rounding each entry to float32. */
  float32Rounding: 1e-6,
  /**
   * Adjoints of single ops against fourth-order central differences with step 1e-3, relative to max(1, |derivative|):
   * truncation step^4 = 1e-12 times a fifth derivative, rounding 1e-16 / 1e-3 times the loss.
   */
  adjoints: 1e-8,
  /** A graph rewritten by passes, scheduled or unrolled, on the float64 reference: sums in another order. */
  rearranged: 1e-12,
  /**
   * A float32 backend against the float64 reference on the same numbers, relative to a tensor's largest value: a
   * hundred roundings of 6e-8 and what recurrences make of them.
   */
  float32: 1e-4,
  /** After some steps of Adam, whose first moves are gradients divided by their own size: small ones lose digits. */
  float32Steps: 1e-3,
  /** Gradients of whole programs against central differences, relative to the largest gradient: what the issue asks. */
  differences: 1e-6,
} as const;
