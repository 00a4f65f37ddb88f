// Splits a text into tokens. Ohm parses without any; they serve what Ohm cannot: the scan before the parse (strings
// and brackets that do not end, characters that mean nothing) and the explanation of what could not be parsed.
// Words and numbers are those of spec/frond.ohm.

export type TokenKind =
  | "word"
  | "number"
  | "string"
  /** `+`, `==`, `and`-like words excepted. */
  | "operator"
  | "open"
  | "close"
  /** `,` `:` `=` `.` `..` `->` */
  | "punctuation"
  /** An operator of other languages: `**`, `&&`, `:=`. */
  | "foreign"
  | "badNumber"
  | "badString"
  | "badComment"
  | "badCharacter";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly spaceBefore: boolean;
  readonly lineBefore: boolean;
}

/** One `///` line, without its slashes. */
export interface DocLine {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Tokens {
  readonly tokens: readonly Token[];
  readonly docs: readonly DocLine[];
}

// The combining marks of rule `mark` in spec/frond.ohm.
const marks =
  "\\u0300-\\u036F\\u0483-\\u0487\\u0591-\\u05BD\\u0610-\\u061A\\u064B-\\u065F\\u0670\\u0900-\\u0903\\u093A-\\u094F" +
  "\\u0981-\\u0983\\u09BC-\\u09CD\\u0B82\\u0BBE-\\u0BCD\\u0E31\\u0E34-\\u0E3A\\u0E47-\\u0E4E\\u1AB0-\\u1ADD" +
  "\\u1DC0-\\u1DFF\\u20D0-\\u20F0\\u3099-\\u309A\\uFE20-\\uFE2F";
const idPart = `[\\p{L}0-9_\\u2080-\\u2089${marks}]`;

const sticky = (pattern: string): RegExp => new RegExp(pattern, "uy");

const spaces = sticky("[ \\t\\r\\u00A0\\u2000-\\u200B\\u202F\\u205F\\u3000\\uFEFF]+");
const comment = sticky("//[^\\n]*");
const badNumber = sticky(`(?:[0-9]|\\.[0-9])(?:${idPart}|(?<=[0-9][eE])[+-](?=[0-9])|\\.(?!\\.))*`);
const goodNumber = /^(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/** Most words, found without trying the rest. */
const asciiWord = /[A-Za-z_][A-Za-z0-9_]*(?![^ -~\s])/y;

/** In this order at each place. Longer operators stand before their beginnings. */
const rules: readonly (readonly [TokenKind, RegExp])[] = [
  ["word", sticky(`[\\p{L}_]${idPart}*`)],
  ["badComment", sticky("#[^\\n]*|/\\*[^]*?\\*/|/\\*[^\\n]*")],
  ["string", sticky('"[^"\\n]*"')],
  ["badString", sticky(`"[^\\n]*|(?<!${idPart})['\`‘’“”][^'\`‘’“”\\n]*['\`‘’“”]`)],
  ["foreign", sticky("===|!==|\\*\\*|&&|\\|\\||:=|\\+=|-=|\\*=|/=|=>|\\+\\+|%|&|\\||\\?|!(?!=)|~")],
  ["punctuation", sticky("->|→|\\.\\.|\\.|,|:|=(?!=)")],
  ["operator", sticky("==|!=|<=|>=|[-+*/@^<>·⋅⊙−≤≥≠]")],
  ["open", sticky("[([{]")],
  ["close", sticky("[)\\]}]")],
  ["badCharacter", sticky("[^]")],
];

export function tokenize(text: string): Tokens {
  const tokens: Token[] = [];
  const docs: DocLine[] = [];
  let at = 0;
  let spaceBefore = false;
  let lineBefore = true;
  while (at < text.length) {
    const blank =
      matchAt(spaces, text, at) ?? (text[at] === "\n" ? "\n" : null) ?? matchAt(comment, text, at);
    if (blank !== null) {
      if (/^\/\/\/(?!\/)/.test(blank)) docs.push(docLine(blank, at));
      spaceBefore = true;
      lineBefore ||= blank === "\n";
      at += blank.length;
      continue;
    }
    const token = tokenAt(text, at, spaceBefore, lineBefore);
    tokens.push(token);
    at = token.end;
    spaceBefore = false;
    lineBefore = false;
  }
  return { tokens, docs };
}

function tokenAt(text: string, start: number, spaceBefore: boolean, lineBefore: boolean): Token {
  const place = { start, spaceBefore, lineBefore };
  const word = matchAt(asciiWord, text, start);
  if (word !== null) return { ...place, kind: "word", text: word, end: start + word.length };
  const number = matchAt(badNumber, text, start);
  if (number !== null) {
    const finite = goodNumber.test(number) && Number.isFinite(Number(number));
    return { ...place, kind: finite ? "number" : "badNumber", text: number, end: start + number.length };
  }
  for (const [kind, pattern] of rules) {
    const found = matchAt(pattern, text, start);
    if (found !== null) return { ...place, kind, text: found, end: start + found.length };
  }
  return { ...place, kind: "badCharacter", text: text[start] ?? "", end: start + 1 };
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found === null || found[0] === "" ? null : found[0];
}

function docLine(comment: string, start: number): DocLine {
  const text = comment.slice(3).replace(/\r$/, "").replace(/^ /, "");
  return { start, end: start + comment.length, text };
}
