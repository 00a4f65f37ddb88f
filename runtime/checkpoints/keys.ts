// Finds a name that stands twice in a JSON object: JSON.parse keeps the last one without a word.

/** The first key that the outermost object of a valid JSON text has twice, or null. */
export function firstDuplicateKey(json: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    else if (character === '"') {
      const end = endOfString(json, i);
      if (depth === 1 && /^\s*:/.test(json.slice(end, end + 64))) {
        const key: string = JSON.parse(json.slice(i, end));
        if (seen.has(key)) return key;
        seen.add(key);
      }
      i = end - 1;
    }
  }
  return null;
}

/** The position after the string that starts at `start`. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i + 1;
}
