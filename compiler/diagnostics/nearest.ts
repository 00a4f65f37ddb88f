// "did you mean": the nearest of the names that exist.

import { distance } from "fastest-levenshtein";

/**
 * The candidate that is most likely meant, or null where none is near enough: one letter wrong, or a third of them.
 * A name that differs only in case comes first; two names without a letter in common are never near.
 */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  const folded = name.toLowerCase();
  let best: string | null = null;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate === name) continue;
    const other = candidate.toLowerCase();
    const edits = other === folded ? 0.5 : distance(folded, other);
    if (edits < least && edits < Math.max(name.length, candidate.length)) [best, least] = [candidate, edits];
  }
  return best;
}
