// Reads a command's arguments into typed values. What is not known or not understood is refused, all of it at once,
// with the nearest known name.

import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { didYouMean } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { type Option, type Options, type Values, wrong } from "./options.ts";

export interface Parsed<O extends Options> {
  readonly positionals: readonly string[];
  readonly values: Values<O>;
}

/** Reads the arguments after the command's name; throws a FrondError with all that is wrong. */
export function parse<O extends Options>(command: string, argv: readonly string[], options: O): Parsed<O> {
  const { positionals, given, problems } = sort(command, argv, options);
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const value = option.read(given.get(name) ?? []);
    if (value === wrong) problems.push(bad(`--${name}`, option));
    else values[name] = value;
  }
  if (problems.length > 0) throw new FrondError(problems);
  const inputs = Object.entries(options).flatMap(([name, { isInput }]) => (isInput ? [values[name]] : []));
  if ([...positionals, ...inputs].filter(path => path === "-").length > 1)
    throw new FrondError([report("F0925", {}, null)]);
  return { positionals, values: values as Values<O> };
}

interface Sorted {
  readonly positionals: string[];
  /** Each option's texts, in order; empty ones for flags. */
  readonly given: Map<string, string[]>;
  readonly problems: Diagnostic[];
}

/** Tells options from other arguments: `--name value`, `--name=value`, `--flag`; nothing is an option after `--`. */
function sort(command: string, argv: readonly string[], options: Options): Sorted {
  const sorted: Sorted = { positionals: [], given: new Map(), problems: [] };
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!;
    if (argument === "--") {
      sorted.positionals.push(...argv.slice(at + 1));
      break;
    }
    if (argument === "-" || !argument.startsWith("-")) {
      sorted.positionals.push(argument);
      continue;
    }
    const [, name = "", inline] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    const option = Object.hasOwn(options, name) ? options[name]! : null;
    if (option === null) {
      sorted.problems.push(unknown(command, argument.split("=")[0]!, options));
      continue;
    }
    const value = valueFor(option, inline, argv[at + 1]);
    if (value === null) sorted.problems.push(bad(`--${name}`, option));
    else sorted.given.set(name, [...(sorted.given.get(name) ?? []), value]);
    if (option.kind === "value" && inline === undefined && value !== null) at += 1;
  }
  return sorted;
}

/** `--data --json` is a forgotten value, `--data=--json` a strange name. */
function valueFor(
  { kind }: Option<unknown>,
  inline: string | undefined,
  next: string | undefined,
): string | null {
  if (kind === "flag") return inline === undefined ? "" : null;
  return inline ?? (next === undefined || next.startsWith("--") ? null : next);
}

function unknown(command: string, option: string, options: Options): Diagnostic {
  const near = didYouMean(
    option,
    Object.keys(options).map(name => `--${name}`),
  );
  const help = near.length > 0 ? near : [`\`${command} --help\` lists its options`];
  return report("F0921", { command, option }, null, { help });
}

/** The error for an option that makes no sense together with another. */
export const exclusive = (option: string, other: string): FrondError =>
  new FrondError([report("F0928", { option, other }, null, { help: ["leave one of them out"] })]);

const bad = (option: string, { expected }: Option<unknown>): Diagnostic =>
  report("F0922", { option, expected }, null);
