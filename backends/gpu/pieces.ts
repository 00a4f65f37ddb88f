// Preludes as pieces: a function's text for one number and for four, and those functions that a body needs, since compiling
// takes time.

/**
 * The text of a function for one number and for four: `$` stands for 1 or 4, F, I, U and B for the device's types of float,
 * int, uint and bool or the vectors of four of them. Where the two differ in more than that, both are given.
 */
export type Piece = string | { readonly one: string; readonly four: string };

/** A language's names of F, I, U and B. */
export type PieceTypes = Readonly<Record<1 | 4, Readonly<Record<"F" | "I" | "U" | "B", string>>>>;

/** The functions of a prelude by their names: pieces of both widths, and others as they are. */
export function preludeOf(
  pieces: Readonly<Record<string, Piece>>,
  types: PieceTypes,
  others: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const widths = [1, 4] as const;
  return new Map([
    ...Object.entries(pieces).flatMap(([name, piece]) =>
      widths.map((width): [string, string] => [`${name}${width}`, ofWidth(piece, width, types)]),
    ),
    ...Object.entries(others),
  ]);
}

function ofWidth(piece: Piece, width: 1 | 4, types: PieceTypes): string {
  if (typeof piece !== "string") return width === 1 ? piece.one : piece.four;
  const named: Readonly<Record<string, string>> = types[width];
  return piece.replaceAll(/\b[FIUB]\b/g, type => named[type]!).replaceAll("$", `${width}`);
}

/** The functions that a text calls, and those that they call, each after what it calls. */
export function calledFrom(
  prelude: ReadonlyMap<string, string>,
  text: string,
  found: Map<string, string> = new Map(),
): ReadonlyMap<string, string> {
  for (const [name] of text.matchAll(/\b[A-Za-z]\w*(?=\()/g)) {
    const called = prelude.get(name);
    // A function's own name stands in its head.
    if (called === undefined || called === text || found.has(name)) continue;
    calledFrom(prelude, called, found);
    found.set(name, called);
  }
  return found;
}
