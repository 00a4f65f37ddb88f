// The graph as text, one node a line, and back. Printing and parsing round-trip, floats, infinities, NaN and -0
// included; spans are not kept. Parsing reads what is written, types too: whether they are right is the verifier's
// (compiler/ops/read.ts does both).
//
//   axis t
//   axis k = 3
//   %12 = contract(%3, %7) {left: [0], right: [0, 1], out: [1], axes: [], batch: false} : real[512] @ t batched  # h
//   output loss = %40

import { attributeProblem, attributesFit, type Fields, isOp, type Written } from "./attributes.ts";
import type { Axis, AxisId, DType, Graph, Node, NodeId, NodeOf, NodeType, OpName } from "./graph.ts";

export type Parsed =
  | { readonly ok: true; readonly graph: Graph }
  /** `line` counts from 1. */
  | { readonly ok: false; readonly line: number; readonly problem: string };

// Printing.

export function printGraph(graph: Graph): string {
  const lines = graph.axes.map(
    ({ id, length }) => `axis ${printWord(id)}${length === null ? "" : ` = ${length}`}`,
  );
  for (const node of graph.nodes.values()) lines.push(printNode(node));
  for (const [name, id] of graph.outputs) lines.push(`output ${printWord(name)} = %${id}`);
  return `${lines.join("\n")}\n`;
}

/** One line, without its end. */
export function printNode({ id, op, inputs, attrs, type, label }: Node): string {
  const operands = inputs.map(input => `%${input}`).join(", ");
  const fields = Object.keys(attrs).length === 0 ? "" : ` ${printValue(attrs)}`;
  const comment = label === "" ? "" : `  # ${isPlainLabel(label) ? label : JSON.stringify(label)}`;
  return `%${id} = ${op}(${operands})${fields} : ${printType(type)}${comment}`;
}

export function printType({ dtype, shape, axes, batched }: NodeType): string {
  const features = shape.length === 0 ? "" : `[${shape.join(", ")}]`;
  const along = axes.length === 0 ? "" : ` @ ${axes.map(printWord).join(", ")}`;
  return `${dtype}${features}${along}${batched ? " batched" : ""}`;
}

const wordPattern = /[^\s,:"@#()[\]{}=%]+/uy;

const isWord = (text: string): boolean => /^[^\s,:"@#()[\]{}=%]+$/u.test(text) && text !== "batched";

const printWord = (text: string): string => (isWord(text) ? text : JSON.stringify(text));

const isPlainLabel = (label: string): boolean =>
  !label.startsWith('"') && label === label.trim() && !/[\r\n\u2028\u2029]/.test(label);

/** Attributes: numbers, booleans, strings, lists and records of them. */
function printValue(value: unknown): string {
  if (typeof value === "number") return printNumber(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(printValue).join(", ")}]`;
  const fields: readonly (readonly [string, unknown])[] = Object.entries(value);
  return `{${fields.map(([name, item]) => `${name}: ${printValue(item)}`).join(", ")}}`;
}

/** The shortest decimal that reads back as the same number. */
function printNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

// Parsing.

/** Thrown and caught in this file only. */
class Unreadable extends Error {}

export function parseGraph(text: string): Parsed {
  const axes: Axis[] = [];
  const nodes = new Map<NodeId, Node>();
  const outputs = new Map<string, NodeId>();
  for (const [i, line] of text.split("\n").entries()) {
    const at = new Line(line);
    try {
      if (at.ends()) continue;
      if (at.takes("%")) addNode(at, nodes);
      else if (at.takesWord("axis")) axes.push(parseAxis(at));
      else if (at.takesWord("output")) addOutput(at, outputs);
      else at.fail("a node, `axis` or `output`");
      if (!at.ends()) at.fail("the end of the line");
    } catch (error) {
      if (error instanceof Unreadable) return { ok: false, line: i + 1, problem: error.message };
      throw error;
    }
  }
  return { ok: true, graph: { axes, nodes, outputs } };
}

function parseAxis(at: Line): Axis {
  const id = at.word() as AxisId;
  return { id, length: at.takes("=") ? at.natural() : null };
}

function addOutput(at: Line, outputs: Map<string, NodeId>): void {
  const name = at.word();
  at.expect("=");
  at.expect("%");
  if (outputs.has(name)) throw new Unreadable(`output ${name} stands twice`);
  outputs.set(name, at.natural() as NodeId);
}

function addNode(at: Line, nodes: Map<NodeId, Node>): void {
  const id = at.natural() as NodeId;
  if (nodes.has(id)) throw new Unreadable(`%${id} stands twice`);
  at.expect("=");
  const op = at.word();
  if (!isOp(op)) throw new Unreadable(`there is no op \`${op}\``);
  at.expect("(");
  const inputs = at.list(")", () => {
    at.expect("%");
    return at.natural() as NodeId;
  });
  const attrs = at.takes("{") ? at.fields() : {};
  if (!attributesFit(op, attrs)) throw new Unreadable(attributeProblem(op, attrs) ?? "wrong attributes");
  at.expect(":");
  const node: NodeOf<OpName> = { id, op, inputs, attrs, type: parseType(at), span: null, label: at.label() };
  nodes.set(id, node as Node);
}

function parseType(at: Line): NodeType {
  const dtype = at.word();
  if (!isDType(dtype)) throw new Unreadable(`there is no dtype \`${dtype}\``);
  const shape = at.takes("[") ? at.list("]", () => at.natural()) : [];
  const axes: AxisId[] = [];
  if (at.takes("@")) {
    do axes.push(at.word() as AxisId);
    while (at.takes(","));
  }
  return { dtype, shape, axes, batched: at.takesWord("batched") };
}

const isDType = (word: string): word is DType => word === "real" || word === "index" || word === "bool";

/** A position in one line; blanks before what is asked for are skipped. */
class Line {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Nothing is left but a comment. */
  ends(): boolean {
    this.#skip();
    return this.#at >= this.#text.length || this.#text[this.#at] === "#";
  }

  takes(token: string): boolean {
    this.#skip();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.takes(token)) this.fail(`\`${token}\``);
  }

  takesWord(word: string): boolean {
    this.#skip();
    if (this.#match(wordPattern) !== word) return false;
    this.#at += word.length;
    return true;
  }

  /** A bare or quoted word. */
  word(): string {
    this.#skip();
    if (this.#text[this.#at] === '"') return this.#quoted();
    const word = this.#match(wordPattern);
    if (word === null) this.fail("a word");
    this.#at += word.length;
    return word;
  }

  natural(): number {
    const word = this.word();
    if (!/^\d+$/.test(word)) throw new Unreadable(`\`${word}\` is no natural number`);
    return Number(word);
  }

  list<T>(end: string, item: () => T): readonly T[] {
    const items: T[] = [];
    if (this.takes(end)) return items;
    do items.push(item());
    while (this.takes(","));
    this.expect(end);
    return items;
  }

  /** After `{`. */
  fields(): Fields {
    const entries = this.list("}", () => {
      const name = this.word();
      this.expect(":");
      return [name, this.#value()] as const;
    });
    return Object.fromEntries(entries);
  }

  #value(): Written {
    if (this.takes("[")) return this.list("]", () => this.#value());
    if (this.takes("{")) return this.fields();
    this.#skip();
    if (this.#text[this.#at] === '"') return this.#quoted();
    const word = this.word();
    if (word === "true" || word === "false") return word === "true";
    if (word === "nan") return Number.NaN;
    if (word === "inf" || word === "-inf") return word === "inf" ? Infinity : -Infinity;
    if (!/^-?\d/.test(word) || Number.isNaN(Number(word))) throw new Unreadable(`\`${word}\` is no value`);
    return Number(word);
  }

  /** The rest of the line, which must be a comment or nothing. */
  label(): string {
    if (!this.takes("#")) return "";
    const label = this.#text.slice(this.#at).trim();
    this.#at = this.#text.length;
    if (!label.startsWith('"')) return label;
    return new Line(label).#quoted();
  }

  fail(expected: string): never {
    const found = this.#text.slice(this.#at).trim();
    throw new Unreadable(`expected ${expected}, found ${found === "" ? "the line's end" : `\`${found}\``}`);
  }

  #quoted(): string {
    const quoted = this.#match(/"(?:[^"\\]|\\.)*"/y);
    if (quoted === null) this.fail("the closing quote");
    this.#at += quoted.length;
    try {
      return String(JSON.parse(quoted));
    } catch {
      throw new Unreadable(`${quoted} is no string`);
    }
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? null;
  }

  #skip(): void {
    while (this.#text[this.#at] === " " || this.#text[this.#at] === "\t" || this.#text[this.#at] === "\r")
      this.#at++;
  }
}
