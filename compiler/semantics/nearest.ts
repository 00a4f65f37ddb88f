// Help lines with the nearest of the names that would have been right.

import { nearest } from "../diagnostics/nearest.ts";

/** A help line, or none. */
export function didYouMean(name: string, candidates: Iterable<string>): readonly string[] {
  const others = [...candidates].filter(candidate => candidate !== name && candidate !== "");
  const found = others.find(candidate => isSwap(name, candidate)) ?? nearest(name, others);
  return found === null ? [] : [`did you mean \`${found}\`?`];
}

/** Two neighbouring letters exchanged, `tahn`: one slip of the fingers, but two edits. */
function isSwap(name: string, candidate: string): boolean {
  const at = [...name].findIndex((letter, index) => letter !== candidate[index]);
  return (
    at >= 0 &&
    name.length === candidate.length &&
    name.slice(0, at) + name.charAt(at + 1) + name.charAt(at) + name.slice(at + 2) === candidate
  );
}

/** "1 axis", "2 axes". */
export const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;
