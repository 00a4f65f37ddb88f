// Lines and columns of a text: places for messages, and how wide its characters are in a terminal.

/** One visible unit: a character with its combining marks, as it is printed. */
export interface Cell {
  readonly text: string;
  /** Terminal columns. */
  readonly width: number;
  /** Code points and UTF-16 code units in the source. */
  readonly points: number;
  readonly units: number;
}

export interface Place {
  /** From 0. */
  readonly line: number;
  /** Code points before the place in its line. */
  readonly column: number;
  /** UTF-16 code units before the place in its line. */
  readonly unit: number;
}

/** A line as it is printed. The lists have an entry for each cell and one for the end. */
export interface PrintedLine {
  readonly cells: readonly Cell[];
  /** Terminal columns before each cell. */
  readonly columns: readonly number[];
  /** Code points and UTF-16 code units before each cell. */
  readonly points: readonly number[];
  readonly units: readonly number[];
}

export interface LineIndex {
  lineOf(offset: number): number;
  place(offset: number): Place;
  /** Without the line end. */
  text(line: number): string;
  row(line: number): PrintedLine;
}

const tabWidth = 4;

export function lineIndex(text: string): LineIndex {
  const rows = new Map<number, PrintedLine>();
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);

  const lineOf = (offset: number): number => firstFrom(starts, offset + 1) - 1;
  const lineText = (line: number): string => {
    const end = (starts[line + 1] ?? text.length + 1) - 1;
    return text.slice(starts[line], end).replace(/\r$/, "");
  };
  const row = (line: number): PrintedLine => {
    const known = rows.get(line) ?? printedLine(lineText(line));
    rows.set(line, known);
    return known;
  };
  return {
    lineOf,
    text: lineText,
    place(offset) {
      const line = lineOf(offset);
      const start = starts[line]!;
      const unit = offset - start;
      const mark = line === 0 && unit > 0 && text.startsWith("\uFEFF") ? 1 : 0;
      const { points, units } = row(line);
      const cell = firstFrom(units, unit + 1) - 1;
      const inside = text.slice(start + units[cell]!, offset);
      return { line, column: points[cell]! + [...inside].length - mark, unit };
    },
    row,
  };
}

function printedLine(line: string): PrintedLine {
  const cells = cellsOf(line);
  const columns = [0];
  const points = [0];
  const units = [0];
  for (const [at, cell] of cells.entries()) {
    columns.push(columns[at]! + cell.width);
    points.push(points[at]! + cell.points);
    units.push(units[at]! + cell.units);
  }
  return { cells, columns, points, units };
}

/** Tabs become spaces, controls a visible sign, so that underlines stand where they should. */
function cellsOf(line: string): readonly Cell[] {
  const cells: Cell[] = [];
  let column = 0;
  for (const character of line) {
    const last = cells.at(-1);
    const cell = cellOf(character, column);
    if (cell.width === 0 && last !== undefined) {
      cells[cells.length - 1] = {
        text: last.text + cell.text,
        width: last.width,
        points: last.points + 1,
        units: last.units + cell.units,
      };
    } else {
      cells.push(cell);
    }
    column += cell.width;
  }
  return cells;
}

function cellOf(character: string, column: number): Cell {
  const units = character.length;
  if (character === "\t") {
    const width = tabWidth - (column % tabWidth);
    return { text: " ".repeat(width), width, points: 1, units };
  }
  if (character === "\uFEFF") return { text: "", width: 0, points: 1, units };
  if (/\p{M}|\u200D/u.test(character)) return { text: character, width: 0, points: 1, units };
  // Controls and invisible marks (some turn the direction of writing) are never passed on to the terminal.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(character))
    return { text: "\uFFFD", width: 1, points: 1, units };
  return { text: character, width: isWide(character.codePointAt(0) ?? 0) ? 2 : 1, points: 1, units };
}

/** East Asian wide and full-width characters, and emoji: the ranges that terminals agree on. */
function isWide(code: number): boolean {
  if (code < 0x1100) return false;
  return wideRanges.some(([from, to]) => code >= from && code <= to);
}

const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];

/** The terminal column at which the code unit `unit` of a line begins; the line's end stands for what is beyond. */
export function columnAt({ columns, units }: PrintedLine, unit: number): number {
  const at = firstFrom(units, unit);
  const beyond = at === units.length ? unit - units.at(-1)! : 0;
  return columns[Math.min(at, columns.length - 1)]! + (Number.isFinite(beyond) ? beyond : 0);
}

/** The index of the first of the ascending numbers that is not below `least`. */
export function firstFrom(numbers: readonly number[], least: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
