// Options of commands: declared once, with their documentation, and read into typed values (arguments.ts does it).

import { byteUnits, readBytes } from "../bytes.ts";

/** `read` gets the texts given, in order (none where the option is left out), and returns a problem as a string. */
export interface Option<T> {
  readonly kind: "flag" | "value";
  /** What stands for the value in the help: `FILE`. */
  readonly placeholder: string;
  readonly doc: string;
  /** What is wanted, for the error. */
  readonly expected: string;
  /** A file that is read, so that `-` is standard input. */
  readonly isInput?: true;
  readonly read: (texts: readonly string[]) => T | Wrong;
}

/** The texts cannot be read. */
export const wrong = Symbol("wrong");
type Wrong = typeof wrong;

export type Options = Readonly<Record<string, Option<unknown>>>;
export type Values<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

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
  read: texts => (texts.at(-1) === "" ? wrong : (texts.at(-1) ?? null)),
});

/** A file to read. */
export const inputFile = (doc: string): Option<string | null> => ({ ...text("FILE", doc), isInput: true });

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

const wholeNumber = (given: string): number => (/^\d+$/.test(given) ? Number(given) : Number.NaN);

/** A whole number of at least 1. */
export const count = (placeholder: string, doc: string): Option<number | null> => ({
  kind: "value",
  placeholder,
  doc,
  expected: "a whole number, 1 or more",
  read: texts => {
    const given = texts.at(-1);
    if (given === undefined) return null;
    const value = wholeNumber(given);
    return Number.isSafeInteger(value) && value >= 1 ? value : wrong;
  },
});

/** As many as the backends have: backends/codegen/team.ts, which loads only to compile. */
export const mostThreads = 32;

/** Threads; 1 when left out. */
export const threads = (doc: string): Option<number> => ({
  kind: "value",
  placeholder: "N",
  doc,
  expected: `a whole number, 1 to ${mostThreads}`,
  read: texts => {
    const value = wholeNumber(texts.at(-1) ?? "1");
    return value >= 1 && value <= mostThreads ? value : wrong;
  },
});

/** Seeds are keys of 32 bits; two that differ must not draw the same. */
const largestSeed = 2 ** 32 - 1;

/** A seed; 0 when left out. */
export const seed = (doc: string): Option<number> => ({
  kind: "value",
  placeholder: "N",
  doc,
  expected: `a whole number, 0 to ${largestSeed}`,
  read: texts => {
    const value = wholeNumber(texts.at(-1) ?? "0");
    return value <= largestSeed ? value : wrong;
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

/** An amount of memory, in bytes. */
export const memorySize = (doc: string): Option<number | null> => ({
  kind: "value",
  placeholder: "SIZE",
  doc,
  expected: `a size with its unit, as in \`64MB\`: ${byteUnits.slice(0, -1).join(", ")} or ${byteUnits.at(-1)}`,
  read: texts => {
    const given = texts.at(-1);
    return given === undefined ? null : (readBytes(given) ?? wrong);
  },
});

/** More than this many copies of a loop's body help nobody. */
const mostCopies = 1024;

/** How loops become straight code. */
export const unrolling = (doc: string): Option<"full" | number | null> => ({
  kind: "value",
  placeholder: "full|K",
  doc,
  expected: `\`full\` or a whole number, 1 to ${mostCopies}`,
  read: texts => {
    const given = texts.at(-1);
    if (given === undefined) return null;
    if (given === "full") return "full";
    const value = wholeNumber(given);
    return value >= 1 && value <= mostCopies ? value : wrong;
  },
});

/** Unrolled code grows with the length. */
const longest = 10_000;

/** `NAME=N`, any number of times. */
export const lengths = (doc: string): Option<Readonly<Record<string, number>>> => ({
  kind: "value",
  placeholder: "NAME=N",
  doc,
  expected: `a name and a whole number up to ${longest}, as in \`t=8\``,
  read: texts => {
    const pairs = pairsOf(texts, wholeNumber);
    return pairs.every(([name, value]) => name !== "" && value <= longest)
      ? Object.fromEntries(pairs)
      : wrong;
  },
});

/** A length for all axes, or by name. */
export interface GivenLengths {
  readonly all: number | null;
  readonly byName: Readonly<Record<string, number>>;
}

/** `N` for all axes, `NAME=N` for one, several with commas between; any number of times. */
export const lengthsOrOne = (doc: string): Option<GivenLengths> => ({
  kind: "value",
  placeholder: "N|NAME=N,..",
  doc,
  expected: "a whole number, 1 or more, for all axes or by name, as in `s=20,t=100`",
  read: texts => {
    const parts = texts.flatMap(given => given.split(","));
    const all = parts.filter(part => !part.includes("=")).map(wholeNumber);
    const pairs = pairsOf(
      parts.filter(part => part.includes("=")),
      wholeNumber,
    );
    const isLength = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
    return all.every(isLength) && pairs.every(([name, value]) => name !== "" && isLength(value))
      ? { all: all.at(-1) ?? null, byName: Object.fromEntries(pairs) }
      : wrong;
  },
});

/** `NAME=VALUE` with a number or a truth value, any number of times. Which of them is legal is the model's to say. */
export const settings = (doc: string): Option<Readonly<Record<string, number | boolean>>> => ({
  kind: "value",
  placeholder: "NAME=N",
  doc,
  expected: "a name and a number, `true` or `false`, as in `units=64`",
  read: texts => {
    const pairs = pairsOf(texts, settingOf);
    return pairs.every(([name, value]) => name !== "" && !Number.isNaN(value))
      ? Object.fromEntries(pairs)
      : wrong;
  },
});

/** Texts `NAME=VALUE`; the name is empty where one has another form. */
const pairsOf = <T>(
  texts: readonly string[],
  read: (value: string) => T,
): readonly (readonly [string, T])[] =>
  texts.map(given => {
    const [, name = "", value = ""] = /^([^=\s]+)=(\S+)$/.exec(given) ?? [];
    return [name.normalize("NFC"), read(value)];
  });

const settingOf = (given: string): number | boolean =>
  given === "true" || given === "false"
    ? given === "true"
    : /^[-+.\deE]+$/.test(given)
      ? Number(given)
      : Number.NaN;
