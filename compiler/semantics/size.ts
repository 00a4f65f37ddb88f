// Sizes as integer polynomials in named sizes: `4*units + 1`. Definitions are checked with the names left open, so
// two sizes are equal, different, or cannot be told apart before the instance.

/** Monomials ("d*units", "" for the constant) to non-zero integer coefficients; factors in alphabetical order. */
export interface Size {
  readonly terms: ReadonlyMap<string, number>;
}

/** The value of each named size. */
export type SizeEnvironment = ReadonlyMap<string, number>;
