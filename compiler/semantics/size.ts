// Sizes as integer polynomials in named sizes: `4*units + 1`. Definitions are checked with the names left open, so
// two sizes are equal, different, or cannot be told apart before the instance. A division that does not come out is
// rounded down and kept as an opaque factor. Every named size is at least 1; that is what `compare` knows of it.

import { InternalError } from "../unreachable.ts";

/** A sum of terms in canonical order (by their factors), none with coefficient 0. Zero is the empty sum. */
export interface Size {
  readonly terms: readonly Term[];
}

export interface Term {
  readonly coefficient: number;
  /** In canonical order, repeated for powers; empty for the constant term. */
  readonly factors: readonly Factor[];
}

/** A named size, or floor(numerator / denominator). */
export type Factor =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "quotient"; readonly numerator: Size; readonly denominator: Size };

/** The value of each named size. */
export type SizeEnvironment = ReadonlyMap<string, number>;

export const constantSize = (value: number): Size => ({
  terms: value === 0 ? [] : [{ coefficient: value, factors: [] }],
});

export const namedSize = (name: string): Size => ({
  terms: [{ coefficient: 1, factors: [{ kind: "name", name }] }],
});

/** The number that a size without names is; null for others. */
export function constantOf(size: Size): number | null {
  const [first] = size.terms;
  if (first === undefined) return 0;
  return size.terms.length === 1 && first.factors.length === 0 ? first.coefficient : null;
}

/** The name that a size consists of (`d`); null for others. */
export function bareName(size: Size): string | null {
  const [term] = size.terms;
  const [factor] = term?.factors ?? [];
  const bare = size.terms.length === 1 && term?.coefficient === 1 && term.factors.length === 1;
  return bare && factor?.kind === "name" ? factor.name : null;
}

export const addSizes = (...sizes: readonly Size[]): Size => collect(sizes.flatMap(size => size.terms));

export const negateSize = (size: Size): Size => ({
  terms: size.terms.map(term => ({ ...term, coefficient: -term.coefficient })),
});

export const subtractSizes = (left: Size, right: Size): Size => addSizes(left, negateSize(right));

export const multiplySizes = (...sizes: readonly Size[]): Size =>
  sizes.reduce(
    (left, right) => collect(left.terms.flatMap(a => right.terms.map(b => multiplyTerms(a, b)))),
    constantSize(1),
  );

/**
 * floor(left / right). What divides exactly is divided: (4*units + 3) / 2 is 2*units + 1. Null for a division by
 * the constant zero.
 */
export function divideSizes(left: Size, right: Size): Size | null {
  const divisor = constantOf(right);
  if (divisor === 0) return null;
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const term of left.terms) {
    const quotient = right.terms.length === 1 ? divideTerm(term, right.terms[0]!) : null;
    if (quotient === null) rest.push(term);
    else whole.push(quotient);
  }
  if (rest.length === 0) return collect(whole);
  const remainder = collect(rest);
  if (isSame(remainder, right)) return addSizes(collect(whole), constantSize(1));
  const number = constantOf(remainder);
  if (number !== null && divisor !== null)
    return addSizes(collect(whole), constantSize(Math.floor(number / divisor)));
  const quotient: Factor = { kind: "quotient", numerator: remainder, denominator: right };
  return addSizes(collect(whole), { terms: [{ coefficient: 1, factors: [quotient] }] });
}

/** The quotient where the division comes out for all values; null otherwise. */
export function divideExactly(left: Size, right: Size): Size | null {
  const quotient = divideSizes(left, right);
  return quotient !== null && isSame(multiplySizes(quotient, right), left) ? quotient : null;
}

/** Throws when a name has no value: the checker has resolved every name. */
export function evaluateSize(size: Size, environment: SizeEnvironment): number {
  return size.terms.reduce(
    (sum, term) =>
      sum +
      term.factors.reduce((value, factor) => value * evaluateFactor(factor, environment), term.coefficient),
    0,
  );
}

function evaluateFactor(factor: Factor, environment: SizeEnvironment): number {
  if (factor.kind === "quotient") {
    return Math.floor(
      evaluateSize(factor.numerator, environment) / evaluateSize(factor.denominator, environment),
    );
  }
  const value = environment.get(factor.name);
  if (value === undefined) throw new InternalError("evaluateSize", `the size ${factor.name} has no value`);
  return value;
}

/** Each name replaced by a size; names that the map lacks stay. */
export function substituteSizes(size: Size, values: ReadonlyMap<string, Size>): Size {
  return addSizes(
    ...size.terms.map(term =>
      multiplySizes(
        constantSize(term.coefficient),
        ...term.factors.map(factor => substituteFactor(factor, values)),
      ),
    ),
  );
}

function substituteFactor(factor: Factor, values: ReadonlyMap<string, Size>): Size {
  if (factor.kind === "name") return values.get(factor.name) ?? namedSize(factor.name);
  const numerator = substituteSizes(factor.numerator, values);
  const denominator = substituteSizes(factor.denominator, values);
  return divideSizes(numerator, denominator) ?? { terms: [{ coefficient: 1, factors: [factor] }] };
}

export function namesInSize(size: Size): readonly string[] {
  const names = size.terms.flatMap(term =>
    term.factors.flatMap(factor =>
      factor.kind === "name"
        ? [factor.name]
        : [...namesInSize(factor.numerator), ...namesInSize(factor.denominator)],
    ),
  );
  return [...new Set(names)];
}

export const isSame = (left: Size, right: Size): boolean => subtractSizes(left, right).terms.length === 0;

export type Comparison = "equal" | "different" | "unknown";

/** `different` only where no sizes >= 1 make the two equal. */
export function compareSizes(left: Size, right: Size): Comparison {
  const difference = subtractSizes(left, right);
  if (difference.terms.length === 0) return "equal";
  return signOf(difference) === "unknown" ? "unknown" : "different";
}

/**
 * The sign that a size has for all values of its names. `atLeast` gives the least value of a name, or null where it
 * may be anything (the position along a static axis).
 */
export function signOf(
  size: Size,
  atLeast: (name: string) => number | null = () => 1,
): "positive" | "negative" | "zero" | "unknown" {
  if (size.terms.length === 0) return "zero";
  // Around the least values all other values are non-negative: n = least + n'.
  const moved = new Map<string, Size>();
  for (const name of namesInSize(size)) {
    const least = atLeast(name);
    if (least === null) return "unknown";
    moved.set(name, addSizes(namedSize(name), constantSize(least)));
  }
  const around = substituteSizes(size, moved);
  const constant = around.terms.find(term => term.factors.length === 0)?.coefficient ?? 0;
  if (constant > 0 && around.terms.every(term => term.coefficient > 0)) return "positive";
  if (constant < 0 && around.terms.every(term => term.coefficient < 0)) return "negative";
  return "unknown";
}

/** `4*units + 1`; descending degree, names in alphabetical order. */
export function printSize(size: Size): string {
  if (size.terms.length === 0) return "0";
  return size.terms
    .map((term, at) => {
      const text = printTerm({ ...term, coefficient: Math.abs(term.coefficient) });
      if (at === 0) return term.coefficient < 0 ? `-${text}` : text;
      return term.coefficient < 0 ? ` - ${text}` : ` + ${text}`;
    })
    .join("");
}

function printTerm(term: Term): string {
  const factors = term.factors.map(printFactor);
  if (factors.length === 0) return String(term.coefficient);
  return (term.coefficient === 1 ? factors : [String(term.coefficient), ...factors]).join("*");
}

function printFactor(factor: Factor): string {
  if (factor.kind === "name") return factor.name;
  const part = (size: Size): string =>
    bareName(size) !== null || constantOf(size) !== null ? printSize(size) : `(${printSize(size)})`;
  return `(${part(factor.numerator)}/${part(factor.denominator)})`;
}

function multiplyTerms(left: Term, right: Term): Term {
  const factors = [...left.factors, ...right.factors];
  factors.sort((a, b) => order(printFactor(a), printFactor(b)));
  return { coefficient: left.coefficient * right.coefficient, factors };
}

function divideTerm(term: Term, divisor: Term): Term | null {
  const coefficient = term.coefficient / divisor.coefficient;
  if (!Number.isInteger(coefficient)) return null;
  const factors = [...term.factors];
  for (const factor of divisor.factors) {
    const at = factors.findIndex(other => printFactor(other) === printFactor(factor));
    if (at < 0) return null;
    factors.splice(at, 1);
  }
  return { coefficient, factors };
}

/** Adds up terms with the same factors and puts them into the canonical order. */
function collect(terms: readonly Term[]): Size {
  const sums = new Map<string, Term>();
  for (const term of terms) {
    const key = term.factors.map(printFactor).join("*");
    const sum = (sums.get(key)?.coefficient ?? 0) + term.coefficient;
    sums.set(key, { coefficient: sum, factors: term.factors });
  }
  const kept = [...sums].filter(([, term]) => term.coefficient !== 0);
  kept.sort(([a, left], [b, right]) => right.factors.length - left.factors.length || order(a, b));
  return { terms: kept.map(([, term]) => term) };
}

const order = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
