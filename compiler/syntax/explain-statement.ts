// The rules of explain.ts that look at a whole statement, header or item: its first word, and what it lacks.

import type { Diagnostic, Note } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { textOf } from "../diagnostics/wording.ts";
import {
  closing,
  describe,
  equalsIndex,
  isStatementWord,
  reservedWords,
  type Scene,
  spanOf,
  statementWords,
  wantsMore,
} from "./scene.ts";

const chooses = "`where(condition, a, b)` chooses between two values";
const axisLoops = "an equation holds at every index of its axes: `h[t] = f(h[t-1])` is the loop";
const named = "a layer's results are named in its header: `layer f(x: real) -> y { y = .. }`";
const equation = "an equation needs no word: `name = ..`";
const layered = "a layer is written `layer f(x: real) -> y { .. }`";

/** Words of other languages, each with what Frond has instead. */
const foreignWords: ReadonlyMap<string, string> = new Map([
  ["if", chooses],
  ["else", chooses],
  ["then", chooses],
  ["for", axisLoops],
  ["while", axisLoops],
  ["return", named],
  ["let", equation],
  ["const", equation],
  ["var", equation],
  ["def", layered],
  ["fn", layered],
  ["func", layered],
  ["function", layered],
  ["class", layered],
  ["lambda", "name the function: `layer f(x: real) -> y { .. }`, and pass `f`"],
]);

/** A top-level stretch that is neither import nor definition. */
export function explainItem({ source, what, tokens }: Scene): Diagnostic | null {
  if (what !== "item") return null;
  const first = tokens[0]!;
  const last = tokens.findLast(
    token => token.start === first.start || sameLine(source.text, first.start, token.start),
  );
  const span = spanOf(source, first, last);
  if (first.text === "import") {
    return report("F0031", {}, span, { help: ['write `import { name } from "./file.frond"`'] });
  }
  if (first.kind === "close") return report("F0005", { bracket: first.text }, spanOf(source, first));
  if (foreignWords.has(first.text)) return foreignWord(source, first);
  const help = didYouMean(first.text, ["layer", "model", "import"]);
  return report("F0025", { found: describe(first) }, span, { notes: endOfBlock(source, first.start), help });
}

/** Where a brace right before a place has closed the block that the author may still mean. */
function endOfBlock(source: Scene["source"], before: number): readonly Note[] {
  const end = source.text.slice(0, before).trimEnd().length;
  if (source.text[end - 1] !== "}") return [];
  return [{ span: { source, start: end - 1, end }, text: "the block ends here" }];
}

function sameLine(text: string, from: number, to: number): boolean {
  return !text.slice(from, to).includes("\n");
}

function foreignWord(source: Scene["source"], token: Scene["tokens"][number]): Diagnostic {
  return report("F0019", { word: token.text }, spanOf(source, token), {
    help: [foreignWords.get(token.text) ?? ""],
  });
}

/** Words of other languages, reserved words as names, misspelt statement words. */
export function explainWords({
  source,
  what,
  tokens,
  found,
  previous,
  next,
  index,
}: Scene): Diagnostic | null {
  const first = tokens[0]!;
  for (const token of [first, previous, found]) {
    if (token?.kind !== "word" || !foreignWords.has(token.text)) continue;
    const after = tokens[tokens.indexOf(token) + 1]?.text ?? "";
    if (!["=", "[", ":", ",", ")", "("].includes(after) || (token === first && after === "(")) {
      return foreignWord(source, token);
    }
  }
  if (found?.kind === "word" && reservedWords.has(found.text)) {
    const asName =
      previous === null || isStatementWord(previous.text) || next?.text === "=" || next?.text === ":";
    if (asName) return report("F0020", { word: found.text }, spanOf(source, found), { label: "not a name" });
  }
  if (what !== "statement" || index !== 1 || first.kind !== "word" || found?.kind !== "word") return null;
  if (isStatementWord(first.text)) {
    if (first.text !== "train") return null;
    const help = ["settings stand in braces: `train { epochs: 5 }`"];
    return report("F0017", { before: "`train`" }, spanOf(source, first), { help });
  }
  return report("F0016", {}, spanOf(source, first), { help: didYouMean(first.text, statementWords) });
}

/** Parts that a header lacks, or has too many of. */
export function explainHeader(scene: Scene): Diagnostic | null {
  const { source, what, tokens, found, open, previous } = scene;
  if (what !== "header") return null;
  const first = tokens[0]!;
  const kind = first.text;
  if (kind !== "layer" && kind !== "model") {
    const help = didYouMean(kind, ["layer", "model"]);
    return report("F0025", { found: describe(first) }, spanOf(source, first), { help });
  }
  if (open.length > 0) return untypedParameter(scene);
  if (tokens[1]?.kind !== "word") return lacks(scene, kind, "a name", first);
  if (kind === "model") {
    const surplus =
      found?.text === "[" ? "axes" : found !== null && /->|→/.test(found.text) ? "results" : null;
    if (surplus === null || found === null) return null;
    const help = surplus === "axes" ? "write `axis t` in the body" : "write `output name = ..` in the body";
    return report("F0027", { what: surplus }, spanOf(source, found), { help: [help] });
  }
  if (previous !== null && wantsMore(previous)) return null;
  if (!tokens.some(token => token.text === "(")) return lacks(scene, kind, "arguments, `(..)`", tokens[1]);
  if (!tokens.some(token => /->|→/.test(token.text)))
    return lacks(scene, kind, "results, `-> name`", tokens[1]);
  return null;
}

function lacks({ source }: Scene, kind: string, what: string, at: Scene["tokens"][number]): Diagnostic {
  const help = kind === "layer" ? ["a header reads `layer name[t](x[t]: real[d]) -> y[t]`"] : [];
  return report("F0026", { kind, what }, spanOf(source, at), { help });
}

/** `(x, y: real)` or `(units = 4)`: a parameter that ends before its type. */
function untypedParameter({ source, tokens, found, previous, index, open }: Scene): Diagnostic | null {
  if (open.length !== 1 || previous === null || found === null || found.kind === "foreign") return null;
  const from = tokens.slice(0, index).findLastIndex(token => token.text === "," || token === open[0]);
  const parameter = tokens.slice(from + 1, index);
  const name = parameter[0];
  if (name?.kind !== "word" || parameter.some(token => token.text === ":")) return null;
  if (found.kind === "open" || found.text === ":" || (previous.kind !== "word" && previous.text !== "]"))
    return null;
  const help = [`write \`${name.text}: size\`, \`${name.text}: real[d]\` or another type`];
  return report("F0022", { what: describe(name) }, spanOf(source, name, previous), { help });
}

/** `input x[t]` and `param W = zeros()`: a declaration without its type; `last` ends its left side. */
export function untypedDeclaration(
  source: Scene["source"],
  tokens: Scene["tokens"],
  last: Scene["previous"] | undefined,
): Diagnostic | null {
  const [word, name] = tokens;
  if (word === undefined || name?.kind !== "word" || tokens.some(token => token.text === ":")) return null;
  if (!["input", "target", "param"].includes(word.text)) return null;
  const span = spanOf(source, name, last ?? name);
  const shape = word.text === "param" ? "real[n, m]" : "real[n]";
  const help = [`write \`${word.text} ${textOf(span)}: ${shape}\` or another type`];
  return report("F0022", { what: describe(name) }, span, { label: "of which type?", help });
}

/** Nothing is wrong with the tokens but that the statement ends, or that it is none. */
export function explainEnd({ source, what, tokens, found, previous, open }: Scene): Diagnostic | null {
  const first = tokens[0]!;
  const untyped = found === null && open.length === 0 ? untypedDeclaration(source, tokens, previous) : null;
  if (untyped !== null) return untyped;
  const innermost = open.at(-1);
  if (found === null && innermost !== undefined) {
    const notes = [
      { span: spanOf(source, tokens.at(-1)!), text: `it ends here without \`${closing[innermost.text]}\`` },
    ];
    return report("F0004", { bracket: innermost.text }, spanOf(source, innermost), { notes });
  }
  if (found === null && tokens.length === 1 && isStatementWord(first.text)) {
    return report("F0017", { before: describe(first) }, spanOf(source, first));
  }
  if (what === "statement" && equalsIndex(tokens) < 0 && !isStatementWord(first.text)) {
    const compares = tokens.some(token => token.text === "==");
    const help = [compares ? "an equation is written with one `=`" : "an equation is written `name = ..`"];
    return report("F0016", {}, spanOf(source, first, tokens.at(-1)), { help });
  }
  return null;
}
