// Lines and columns of a text: places for messages, and how wide its characters are in a terminal.

/** One visible unit: a character with its combining marks, as it is printed. */
export interface Cell {
  readonly text: string;
  /** Terminal columns. */
  readonly width: number;
  /** UTF-16 code units in the source. */
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

export interface LineIndex {
  lineOf(offset: number): number;
  place(offset: number): Place;
  /** Without the line end. */
  text(line: number): string;
  cells(line: number): readonly Cell[];
}

const tabWidth = 4;

export function lineIndex(text: string): LineIndex {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);

  const lineOf = (offset: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const lineText = (line: number): string => {
    const end = (starts[line + 1] ?? text.length + 1) - 1;
    return text.slice(starts[line], end).replace(/\r$/, "");
  };
  return {
    lineOf,
    text: lineText,
    place(offset) {
      const line = lineOf(offset);
      const before = text.slice(starts[line], offset);
      const shown = line === 0 ? before.replace(/^\uFEFF/, "") : before;
      return { line, column: [...shown].length, unit: before.length };
    },
    cells: line => cellsOf(lineText(line)),
  };
}

/** Tabs become spaces, controls a visible sign, so that underlines stand where they should. */
export function cellsOf(line: string): readonly Cell[] {
  const cells: Cell[] = [];
  let column = 0;
  for (const character of line) {
    const last = cells.at(-1);
    const cell = cellOf(character, column);
    if (cell.width === 0 && last !== undefined) {
      cells[cells.length - 1] = {
        text: last.text + cell.text,
        width: last.width,
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
    return { text: " ".repeat(width), width, units };
  }
  if (character === "\uFEFF") return { text: "", width: 0, units };
  if (/\p{M}|\u200D/u.test(character)) return { text: character, width: 0, units };
  // Controls and invisible marks (some turn the direction of writing) are never passed on to the terminal.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(character)) return { text: "\uFFFD", width: 1, units };
  return { text: character, width: isWide(character.codePointAt(0) ?? 0) ? 2 : 1, units };
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

/** Columns of the cells that begin before the code unit `unit`. */
export function widthOf(cells: readonly Cell[], unit: number): number {
  let width = 0;
  let at = 0;
  for (const cell of cells) {
    if (at >= unit) break;
    width += cell.width;
    at += cell.units;
  }
  return unit === Number.POSITIVE_INFINITY || unit <= at ? width : width + (unit - at);
}
