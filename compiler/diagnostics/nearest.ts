// "did you mean": the nearest of the names that exist.

import { distance } from "fastest-levenshtein";

/** A help line with the name that is most likely meant, or none. */
export function didYouMean(name: string, candidates: Iterable<string>): readonly string[] {
  const found = nearest(name, candidates);
  return found === null ? [] : [`did you mean \`${found}\`?`];
}

/**
 * The candidate that is most likely meant, or null where none is near enough: one letter wrong, or a third of them; two
 * neighbouring letters exchanged; or the beginning of it, `glorot`. A name that differs only in case comes first; two
 * names without a letter in common are never near.
 */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  const folded = name.toLowerCase();
  let best: string | null = null;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate === name || candidate === "") continue;
    const edits = editsBetween(folded, candidate.toLowerCase());
    if (edits < least && edits < Math.max(name.length, candidate.length)) [best, least] = [candidate, edits];
  }
  return best;
}

function editsBetween(name: string, candidate: string): number {
  if (name === candidate) return 0.5;
  if (isSwap(name, candidate)) return 0.75;
  const edits = distance(name, candidate);
  return name.length >= 4 && candidate.startsWith(name) ? Math.min(edits, 1.25) : edits;
}

/** Two neighbouring letters exchanged, `tahn`: one slip of the fingers, but two edits. */
function isSwap(name: string, candidate: string): boolean {
  if (name.length !== candidate.length) return false;
  let at = 0;
  while (at < name.length && name[at] === candidate[at]) at += 1;
  const swapped = name.slice(0, at) + name.charAt(at + 1) + name.charAt(at) + name.slice(at + 2);
  return swapped === candidate;
}
