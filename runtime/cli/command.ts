// What a command is: its documentation, its options and what it does. One command a file; frond.ts lists them.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { type Parsed, parse } from "./arguments.ts";
import type { Io } from "./io.ts";
import { flag, type Options } from "./options.ts";

/** 0: ok; 1: the input is wrong; 2: misuse of the command line; 3: a bug in Frond. */
export type ExitCode = 0 | 1 | 2 | 3;

export interface CommandSpec<O extends Options> {
  /** As it is typed: `frond train`. */
  readonly name: string;
  readonly summary: string;
  /** The arguments that are no options: `STAGE FILE`. */
  readonly usage: string;
  /** How many of those there must be. */
  readonly arity: { readonly least: number; readonly most: number };
  /** A paragraph for its help. */
  readonly doc: string;
  readonly options: O;
  readonly examples: readonly string[];
  readonly run: (parsed: Parsed<O>, io: Io) => Promise<ExitCode>;
}

export interface Command {
  readonly execute: (argv: readonly string[], io: Io) => Promise<ExitCode>;
}

/** Adds `--help` and the checks of arguments that all commands share. */
export function command<O extends Options>(spec: CommandSpec<O>): Command {
  const { name, arity, usage } = spec;
  return {
    execute: async (argv, io) => {
      if (wantsHelp(argv)) {
        io.out.write(help(spec));
        return 0;
      }
      const parsed = parse(name, argv, spec.options);
      const { positionals } = parsed;
      if (positionals.length < arity.least) {
        const what = usage.split(" ")[positionals.length] ?? usage;
        const example = `for example \`${spec.examples[0]}\``;
        throw new FrondError([report("F0923", { command: name, what }, null, { help: [example] })]);
      }
      const extra = positionals[arity.most];
      if (extra !== undefined) {
        const note = [`usage: ${name} ${`${usage} [options]`.trimStart()}`];
        throw new FrondError([report("F0924", { command: name, argument: extra }, null, { help: note })]);
      }
      return spec.run(parsed, io);
    },
  };
}

/** The option that every command has; it is answered before the others are looked at. */
const helpOption = flag("show this help");

function wantsHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).some(argument => argument === "--help" || argument === "-h");
}

function help<O extends Options>({ name, summary, usage, doc, options, examples }: CommandSpec<O>): string {
  const entries = Object.entries({ ...options, help: helpOption }).map(
    ([option, { placeholder, doc: text }]) => [`--${option} ${placeholder}`.trimEnd(), text] as const,
  );
  return `${[
    `${name}: ${summary}`,
    "",
    `usage: ${name} ${`${usage} [options]`.trimStart()}`,
    "",
    doc,
    "",
    "options:",
    columns(entries),
    "",
    "examples:",
    ...examples.map(example => `  ${example}`),
  ].join("\n")}\n`;
}

/** Two aligned columns, indented; a wide left entry has a line to itself. */
export function columns(entries: readonly (readonly [string, string])[]): string {
  const widest = 26;
  const width = Math.max(...entries.map(([left]) => (left.length > widest ? 0 : left.length)));
  return entries
    .map(([left, right]) => {
      const gap = left.length > width ? `\n${" ".repeat(width + 4)}` : " ".repeat(width - left.length + 2);
      return `  ${left}${gap}${right}`;
    })
    .join("\n");
}
