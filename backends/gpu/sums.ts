// Sums of integers as text.

export const sum = (...terms: readonly string[]): string =>
  terms.filter(term => term !== "" && term !== "0").join(" + ") || "0";

export const times = (index: string, factor: number): string =>
  factor === 1 ? index : `(${index}) * ${factor}`;

/** A quarter of a sum of multiples of four, as its terms. */
export function quarter(at: string): readonly string[] {
  const terms = at.split(" + ").map(term => {
    if (/^\d+$/.test(term)) return Number(term) % 4 === 0 ? `${Number(term) / 4}` : null;
    const [, index, factor] = /^\(?(\w+)\)? \* (\d+)$/.exec(term) ?? [];
    if (index === undefined || Number(factor) % 4 !== 0) return null;
    return Number(factor) === 4 ? index : `${index} * ${Number(factor) / 4}`;
  });
  return terms.includes(null) ? [`(${at}) / 4`] : (terms as string[]);
}
