// Options of commands: declared once, with their documentation, and read into typed values. What is not known or
// not understood is refused with the nearest known name.

import { parseArgs } from "node:util";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { nearest } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";

/** `read` gets the texts given, in order (none where the option is left out), and returns a problem as a string. */
export interface Option<T> {
  readonly kind: "flag" | "value";
  /** What stands for the value in the help: `FILE`. */
  readonly placeholder: string;
  readonly doc: string;
  /** What is wanted, for the error. */
  readonly expected: string;
  readonly read: (texts: readonly string[]) => T | Wrong;
}

/** The texts cannot be read. */
const wrong = Symbol("wrong");
type Wrong = typeof wrong;

export type Options = Readonly<Record<string, Option<unknown>>>;
export type Values<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

export interface Parsed<O extends Options> {
  readonly positionals: readonly string[];
  readonly values: Values<O>;
}

export const flag = (doc: string): Option<boolean> => ({
  kind: "flag",
  placeholder: "",
  doc,
  expected: "no value",
  read: texts => texts.length > 0,
});

/** The last one counts. */
export const text = (placeholder: string, doc: string): Option<string | null> => ({
  kind: "value",
  placeholder,
  doc,
  expected: `a value: ${placeholder}`,
  read: texts => texts.at(-1) ?? null,
});

export const choice = <const C extends string>(choices: readonly C[], doc: string): Option<C | null> => ({
  kind: "value",
  placeholder: choices.join("|"),
  doc,
  expected: choices.map(name => `\`${name}\``).join(" or "),
  read: texts => {
    const given = texts.at(-1);
    return given === undefined ? null : (choices.find(name => name === given) ?? wrong);
  },
});

/** A whole number of at least `least`. */
export const count = (placeholder: string, doc: string, least = 1): Option<number | null> => ({
  kind: "value",
  placeholder,
  doc,
  expected: `a whole number, ${least} or more`,
  read: texts => {
    const given = texts.at(-1);
    if (given === undefined) return null;
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    return Number.isSafeInteger(value) && value >= least ? value : wrong;
  },
});

/** A positive number. */
export const positive = (placeholder: string, doc: string): Option<number | null> => ({
  kind: "value",
  placeholder,
  doc,
  expected: "a positive number",
  read: texts => {
    const given = texts.at(-1);
    if (given === undefined) return null;
    const value = given.trim() === "" ? Number.NaN : Number(given);
    return Number.isFinite(value) && value > 0 ? value : wrong;
  },
});

/** `NAME=N`, any number of times. */
export const sizes = (doc: string): Option<Readonly<Record<string, number>>> => ({
  kind: "value",
  placeholder: "NAME=N",
  doc,
  expected: "a name and a whole number, as in `units=64`",
  read: texts => {
    const pairs = texts.map(given => /^([^=\s]+)=(\d+)$/.exec(given));
    if (!pairs.every(pair => pair !== null)) return wrong;
    return Object.fromEntries(pairs.map(pair => [pair[1]!.normalize("NFC"), Number(pair[2])]));
  },
});

/** Reads the arguments after the command's name; throws a FrondError with all that is wrong. */
export function parse<O extends Options>(command: string, argv: readonly string[], options: O): Parsed<O> {
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  const problems: Diagnostic[] = [];
  for (const token of tokens(argv, options)) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) problems.push(unknown(command, token.rawName, options));
    else if (!hasRightValue(option, token)) problems.push(bad(token.rawName, option));
    else given.set(token.name, [...(given.get(token.name) ?? []), token.value ?? ""]);
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const value = option.read(given.get(name) ?? []);
    if (value === wrong) problems.push(bad(`--${name}`, option));
    else values[name] = value;
  }
  if (problems.length > 0) throw new FrondError(problems);
  return { positionals, values: values as Values<O> };
}

function tokens(argv: readonly string[], options: Options) {
  const types = Object.entries(options).map(([name, { kind }]) => [
    name,
    { type: typeOf(kind), multiple: true },
  ]);
  return parseArgs({
    args: [...argv],
    options: Object.fromEntries(types) as Record<string, { type: "boolean" | "string"; multiple: true }>,
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

const typeOf = (kind: Option<unknown>["kind"]): "boolean" | "string" =>
  kind === "flag" ? "boolean" : "string";

/** `--data --json` is a forgotten value, `--data=--json` a strange name. */
function hasRightValue(
  option: Option<unknown>,
  token: { readonly value: string | undefined; readonly inlineValue: boolean | undefined },
): boolean {
  if (option.kind === "flag") return token.value === undefined;
  if (token.value === undefined) return false;
  return token.inlineValue === true || !token.value.startsWith("--");
}

function unknown(command: string, option: string, options: Options): Diagnostic {
  const near = nearest(option.replace(/^-+/, ""), Object.keys(options));
  const help =
    near === null ? `\`frond ${command} --help\` lists its options` : `did you mean \`--${near}\`?`;
  return report("F0921", { command, option }, null, { help: [help] });
}

const bad = (option: string, { expected }: Option<unknown>): Diagnostic =>
  report("F0922", { option, expected }, null);
