// Says what is wrong with a stretch of text that does not parse. The grammar knows only where it gave up; the rules
// here, tried in order, know the usual mistakes. The last one names what was found and what could stand there.

import type { Diagnostic, Source, Span } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import {
  explainEnd,
  explainHeader,
  explainItem,
  explainWords,
  untypedDeclaration,
} from "./explain-statement.ts";
import {
  beginsStatement,
  beginsValue,
  closing,
  describe,
  endsValue,
  equalsIndex,
  isStatementWord,
  reservedWords,
  type Scene,
  spanOf,
  wantsMore,
} from "./scene.ts";
import type { Token } from "./tokens.ts";

export type Rule = (scene: Scene) => Diagnostic | null;

export function explain(scene: Scene): Diagnostic {
  for (const rule of rules) {
    const diagnostic = rule(scene);
    if (diagnostic !== null) return diagnostic;
  }
  const expected = scene.expected();
  const label = expected === "" ? "" : `expected ${expected}`;
  const place = scene.found ?? scene.tokens.at(-1)!;
  return report("F0001", { found: describe(scene.found) }, spanOf(scene.source, place), { label });
}

const rules: readonly Rule[] = [
  explainItem,
  explainWords,
  foreignOperator,
  closer,
  rangeInIndex,
  sliceOfFeatures,
  unclosed,
  explainHeader,
  equals,
  opener,
  dot,
  range,
  comma,
  wrongForm,
  unknownType,
  colon,
  leftSide,
  emptyPlace,
  neighbours,
  explainEnd,
];

/** Operators of other languages, and what Frond writes. */
const ours: { readonly [written: string]: string } = {
  "**": "powers are written `a ^ b`",
  "&&": "write `and`",
  "&": "write `and`",
  "||": "write `or`",
  "|": "write `or`",
  "!": "write `not`",
  "~": "write `not`",
  "===": "write `==`",
  "!==": "write `!=`",
  ":=": "an equation is written with `=`",
  "=>": "results are written after `->`; at least is `>=`",
  "?": "write `where(condition, a, b)`",
};

function foreignOperator({ source, found }: Scene): Diagnostic | null {
  if (found?.kind !== "foreign") return null;
  const compound = /^[-+*/]=$|^\+\+$/.test(found.text);
  const help = compound
    ? "a name is defined once; the value one step before is `name[t-1]`"
    : (ours[found.text] ?? "see the list of operators on this error's page");
  return report("F0018", { operator: found.text }, spanOf(source, found), { help: [help] });
}

/** `)` where nothing, or something else, is open. */
function closer({ source, found, previous, open }: Scene): Diagnostic | null {
  if (found?.kind !== "close") return null;
  const innermost = open.at(-1);
  const span = spanOf(source, found);
  if (innermost === undefined)
    return report("F0005", { bracket: found.text }, span, { label: "nothing is open here" });
  const wanted = closing[innermost.text] ?? "";
  if (wanted !== found.text) {
    const notes = [{ span, text: `\`${wanted}\` is missing before this` }];
    return report("F0004", { bracket: innermost.text }, spanOf(source, innermost), { notes });
  }
  if (previous === innermost && innermost.text === "[") {
    const help = ["a name without axes is written without brackets"];
    return report("F0028", {}, spanOf(source, innermost, found), { help });
  }
  if (previous !== null && (previous === innermost || wantsMore(previous))) {
    return missingAfter(source, previous);
  }
  return null;
}

const missingAfter = (source: Source, token: Token): Diagnostic =>
  report("F0017", { before: describe(token) }, spanOf(source, token), { label: "a value must follow" });

/** `=` inside a call, twice in an equation, or after something that is not a name. */
function equals({ source, what, tokens, found, index, open }: Scene): Diagnostic | null {
  if (found?.text !== "=") return null;
  const span = spanOf(source, found);
  const innermost = open.at(-1);
  if (what === "setting") return report("F0010", {}, span, { help: ["settings are written `name: value`"] });
  if (innermost !== undefined && innermost === tokens[0]) {
    return report("F0004", { bracket: innermost.text }, spanOf(source, innermost), {
      notes: [{ span, text: `\`${closing[innermost.text]}\` is missing before this` }],
    });
  }
  if (innermost !== undefined) {
    const named = tokens[index - 1]?.kind === "word" && tokens[index - 2]?.kind !== "operator";
    const help = [named ? "named arguments are written `name: value`" : "equality is tested with `==`"];
    return report("F0010", {}, span, { help });
  }
  const first = equalsIndex(tokens);
  if (first >= 0 && first < index) {
    const notes = [{ span: spanOf(source, tokens[first]!), text: "the first one" }];
    return report("F0032", {}, span, { notes, help: ["write two equations, or `==` for equality"] });
  }
  const untyped = untypedDeclaration(source, tokens, tokens[index - 1]);
  if (untyped !== null) return untyped;
  const left = tokens[isStatementWord(tokens[0]!.text) && index > 1 ? 1 : 0]!;
  return report("F0035", {}, spanOf(source, left, tokens[index - 1] ?? left), { label: "not a name" });
}

/** `(` or `[` after a space, or after what is not a name. */
function opener({ source, what, found, previous }: Scene): Diagnostic | null {
  if (found?.kind !== "open" || found.text === "{" || previous === null || what === "item") return null;
  const span = spanOf(source, found);
  if (found.text === "[" && (wantsMore(previous) || previous.kind === "open")) {
    const help = ["brackets follow a name; there are no lists: values are joined by `concat`"];
    return report("F0001", { found: "`[`" }, span, { help });
  }
  if (previous.kind === "word" && !reservedWords.has(previous.text)) {
    if (!found.spaceBefore || isStatementWord(previous.text)) return null;
    const help = [`write \`${previous.text}${found.text}..${closing[found.text]}\` without the space`];
    const notes = [{ span: spanOf(source, previous), text: "the name it belongs to" }];
    return report("F0011", { bracket: found.text }, span, { help, notes });
  }
  if (previous.kind !== "close" || previous.text === "}") return null;
  const done = found.text === "(" ? "called" : "indexed";
  return report("F0012", { done }, span, {
    notes: [{ span: spanOf(source, previous), text: "this ends a value without a name" }],
    help: [
      found.text === "[" && previous.text === "]"
        ? "brackets hold axes only; features are taken by `slice(x[t], start, size)` or `split`"
        : "give the value a name by an equation of its own",
    ],
  });
}

/** `x[t, :]` and `x[:, 0]`. */
function sliceOfFeatures({ source, found, previous, next, open }: Scene): Diagnostic | null {
  if (found?.text !== ":" || open.at(-1)?.text !== "[" || previous === null) return null;
  if (previous.text !== "," && previous.text !== "[" && next?.text !== "]" && next?.text !== ",") return null;
  const help = ["brackets hold axes only; features are taken by `slice(x[t], start, size)` or `split`"];
  return report("F0001", { found: "`:`" }, spanOf(source, found), { help });
}

/** `x[t: real]`, `(x: real[d] -> y`: a sign that cannot stand inside the bracket that is open. */
function unclosed({ source, found, open }: Scene): Diagnostic | null {
  const innermost = open.at(-1);
  if (innermost === undefined || found === null) return null;
  const outside = innermost.text === "[" ? /^(:|->|→|=|\{)$/ : /^(->|→|\{)$/;
  if (!outside.test(found.text)) return null;
  const notes = [
    { span: spanOf(source, found), text: `\`${closing[innermost.text]}\` is missing before this` },
  ];
  return report("F0004", { bracket: innermost.text }, spanOf(source, innermost), { notes });
}

function dot({ source, found, previous, next }: Scene): Diagnostic | null {
  if (found?.text !== "." || previous === null) return null;
  const help =
    next?.text === "T" || next?.text === "transpose"
      ? "write `transpose(..)`"
      : next?.text === "shape" || next?.text === "size"
        ? "sizes have names where types are declared: `x[t]: real[d]`"
        : "take the results of a layer apart on the left: `(a[t], b[t]) = ..`";
  const last = next?.kind === "word" && !next.spaceBefore ? next : found;
  return report("F0013", {}, spanOf(source, found, last), { help: [help] });
}

/** `sum[k = 0..3](..)` */
function rangeInIndex({ source, tokens, found, index, open }: Scene): Diagnostic | null {
  if (found?.text !== "=" || open.at(-1)?.text !== "[" || tokens[index + 2]?.text !== "..") return null;
  const text = source.text.slice(found.end, tokens[index + 3]?.end).trim();
  return rangeError(spanOf(source, found, tokens[index + 3] ?? found), tokens[index - 1]?.text, text);
}

function range({ source, found }: Scene): Diagnostic | null {
  return found?.text === ".." ? rangeError(spanOf(source, found)) : null;
}

function rangeError(span: Span, axis = "k", range = "0..n"): Diagnostic {
  const help = [`declare \`axis ${axis} = ${range}\` and use \`sum[${axis}](..)\``];
  return report("F0033", {}, span, { help });
}

/** `a, b = f(x)` and `y = (a, b)`. */
function comma({ source, what, tokens, found, previous, open, index }: Scene): Diagnostic | null {
  if (found?.text !== "," || what !== "statement") return null;
  if (previous !== null && (wantsMore(previous) || previous.kind === "open")) {
    return missingAfter(source, previous);
  }
  const innermost = open.at(-1);
  const at = innermost === undefined ? -1 : tokens.indexOf(innermost);
  const before = tokens[at - 1];
  const isGroup = innermost?.text === "(" && (before === undefined || !endsValue(before));
  if (open.length > 0 && !isGroup) return null;
  const equalsAt = equalsIndex(tokens);
  const left = equalsAt > index;
  const help = left ? "write `(a, b) = ..`" : "give each value its own equation, or join them by `concat`";
  return report("F0029", {}, spanOf(source, found), { help: [help] });
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ["int", "size"],
  ["integer", "size"],
  ["float", "real"],
  ["double", "real"],
  ["vector", "real[n]"],
  ["matrix", "real[n, m]"],
  ["tensor", "real[n, m]"],
  ["boolean", "bool"],
  ["fn", "function"],
]);

/** `real(4)`, `index[4]`, and a string where a value should be. */
function wrongForm({ source, found, previous }: Scene): Diagnostic | null {
  if (found === null) return null;
  const help =
    found.kind === "string"
      ? "strings stand only in imports; functions and settings are named without quotes"
      : found.text === "(" && previous?.text === "real"
        ? "the sizes of a value stand in square brackets: `real[n]`"
        : found.text === "[" && previous?.text === "index"
          ? "the range of an index stands in parentheses: `index(n)`"
          : null;
  return help && report("F0001", { found: describe(found) }, spanOf(source, found), { help: [help] });
}

function unknownType({ source, what, tokens, found, previous, open }: Scene): Diagnostic | null {
  if (found?.kind !== "word" || previous?.text !== ":" || reservedWords.has(found.text)) return null;
  const declares = ["input", "target", "param"].includes(tokens[0]!.text) && open.length === 0;
  if (!declares && what !== "header") return null;
  const near = typeNames.get(found.text.toLowerCase().replace(/\d+$/, ""));
  const help = [
    near === undefined ? "the types are `real[n]`, `index(n)`, `bool`" : `did you mean \`${near}\`?`,
  ];
  return report("F0023", { name: found.text }, spanOf(source, found), { help });
}

/** A type on the left of an equation. */
function colon({ source, what, tokens, found, open }: Scene): Diagnostic | null {
  if (found?.text !== ":" || what !== "statement" || open.length > 0 || equalsIndex(tokens.slice(0, 2)) >= 0)
    return null;
  const help = ["the types of equations are inferred; `input`, `target` and `param` declare one"];
  return report("F0016", {}, spanOf(source, found), { help });
}

/** `2 * h[t] = x[t]`: the parser gives up on the left, before the `=`. */
function leftSide({ source, what, tokens, index, found }: Scene): Diagnostic | null {
  const equalsAt = equalsIndex(tokens);
  if (what !== "statement" || found === null || index >= equalsAt) return null;
  const left = tokens[isStatementWord(tokens[0]!.text) && equalsAt > 1 ? 1 : 0]!;
  return report("F0035", {}, spanOf(source, left, tokens[equalsAt - 1]), { label: "not a name" });
}

/** An operator, or nothing, where a value should be. */
function emptyPlace({ source, found, previous }: Scene): Diagnostic | null {
  if (previous === null || !(wantsMore(previous) || previous.kind === "open")) return null;
  const nothing = found === null || !beginsValue(found);
  if (!nothing || (found === null && previous.kind === "open")) return null;
  return missingAfter(source, previous);
}

/** Two values side by side. */
function neighbours({ source, what, tokens, found, previous, open, index }: Scene): Diagnostic | null {
  if (found === null || previous === null || what === "header" || what === "item") return null;
  if (!endsValue(previous) || !beginsValue(found)) return null;
  const span = spanOf(source, found);
  if (open.length > 0 && !(previous.kind === "number" && !found.lineBefore)) {
    return report("F0009", {}, span, { label: "a comma must stand before this" });
  }
  if (what === "setting") return report("F0009", {}, span, { label: "a comma must stand before this" });
  const equalsAt = equalsIndex(tokens);
  if (equalsAt >= 0 && equalsAt < index && beginsStatement(tokens, index)) {
    return report("F0021", {}, span, { label: "begin a new line here" });
  }
  if (equalsAt < 0) return null;
  const product =
    previous.kind === "number" || found.kind === "number" || found.text === "("
      ? [`a product is written \`${previous.text} * ${found.text}${found.text === "(" ? "..)" : ""}\``]
      : [];
  const values = { left: describe(previous), right: describe(found) };
  return report("F0030", values, span, { label: "two values side by side", help: product });
}
