// Where the rows of a matrix stand in its texture. Rows beyond the largest texture are folded into panels side by side:
// line l stands in panel l / height at l % height. A line is a row; or four, in as many layers, where a program made the
// matrix that computes four at once.

export interface Fold {
  readonly rows: number;
  readonly texels: number;
  /** Row r is line r / 4 of layer r % 4. */
  readonly fours: boolean;
  /** Lines of a panel; those of the last one may be fewer. */
  readonly height: number;
  readonly panels: number;
}

export interface Limits {
  /** Of a texture, in both directions. */
  readonly texels: number;
  readonly total: number;
}

export const layersOf = ({ fours }: Fold): 1 | 4 => (fours ? 4 : 1);

const linesOf = (rows: number, fours: boolean): number => (fours ? Math.ceil(rows / 4) : rows);

/**
 * @param block lines that should stand in one panel; a multiple of it does, from a multiple of it on.
 * @throws RangeError where the matrix is too large; larger textures may fail by losing the context.
 */
export function fold(limits: Limits, rows: number, texels: number, fours = false, block = 1): Fold {
  const edge = limits.texels;
  const lines = linesOf(rows, fours);
  const most = limits.total / (fours ? 4 : 1);
  if (rows * texels === 0 || (lines <= edge && texels <= edge && lines * texels <= most))
    return { rows, texels, fours, height: lines, panels: 1 };
  const step = block <= edge ? block : 1;
  const panels = Math.ceil(lines / (Math.floor(edge / step) * step));
  const height = Math.ceil(lines / panels / step) * step;
  if (panels * texels > edge || height * panels * texels > most)
    throw new RangeError(`a matrix of ${rows} x ${texels} texels does not fit the memory of a texture`);
  return { rows, texels, fours, height, panels };
}

/** The panels with their first lines and how many they have. */
export function panelsOf(place: Fold): readonly { readonly x: number; first: number; lines: number }[] {
  const { rows, texels, fours, height, panels } = place;
  const all = linesOf(rows, fours);
  return Array.from({ length: panels }, (_, panel) => ({
    x: panel * texels,
    first: panel * height,
    lines: Math.min(height, all - panel * height),
  }));
}

/**
 * How the matrices of a draw stand, in one number: a digit to base 4 for each input, of which 1 means folded and 2 rows in
 * fours, and above them one for the result.
 */
export function formOf(inputs: readonly Fold[], result: Fold): number {
  let form = 0;
  for (let k = inputs.length - 1; k >= 0; k--) form = form * 4 + digitOf(inputs[k]!);
  return form + (result.panels > 1 ? 4 ** inputs.length : 0);
}

/** Nothing is folded, nothing in fours. */
export const PLAIN = 0;

const digitOf = ({ panels, fours }: Fold): number => (panels > 1 ? 1 : 0) + (fours ? 2 : 0);

const digit = (form: number, input: number): number => Math.floor(form / 4 ** input) % 4;

export const isFolded = (form: number, input: number): boolean => digit(form, input) % 2 === 1;
export const isInFours = (form: number, input: number): boolean => digit(form, input) >= 2;
/** @param inputs how many there are. */
export const isResultFolded = (form: number, inputs: number): boolean => digit(form, inputs) === 1;
