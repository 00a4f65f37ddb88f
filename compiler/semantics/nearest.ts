// Help lines with the nearest of the names that would have been right.

import { nearest } from "../diagnostics/nearest.ts";

/** A help line, or none. */
export function didYouMean(name: string, candidates: Iterable<string>): readonly string[] {
  const found = nearest(name, [...candidates].filter(candidate => candidate !== name));
  return found === null ? [] : [`did you mean \`${found}\`?`];
}
