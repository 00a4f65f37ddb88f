// `frond`: finds the command and runs it.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { nearest } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { type Command, columns, type ExitCode } from "./command.ts";
import { guarded } from "./guard.ts";
import type { Io } from "./io.ts";
import { type CommandName, summaries } from "./summaries.ts";

/** Each is imported only when it runs. */
const commands: { readonly [C in CommandName]: () => Promise<Command> } = {
  check: async () => (await import("./check.ts")).check,
  summary: async () => (await import("./summary.ts")).summary,
  bench: async () => (await import("./bench.ts")).bench,
  dump: async () => (await import("./dump.ts")).dump,
  gradcheck: async () => (await import("./gradcheck.ts")).gradcheck,
  diff: async () => (await import("./diff.ts")).diff,
  train: async () => (await import("./train.ts")).train,
  eval: async () => (await import("./eval.ts")).evaluate,
  run: async () => (await import("./run.ts")).run,
  backends: async () => (await import("./backends.ts")).backends,
  setup: async () => (await import("./setup.ts")).setup,
};

const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);

/** Runs the command line `argv` (without the program's name). */
export const frond = (argv: readonly string[], io: Io): Promise<ExitCode> =>
  guarded("frond", argv, io, () => dispatch(argv, io));

async function dispatch(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    io.err.write(overview());
    return 2;
  }
  if (name === "--help" || name === "-h" || (name === "help" && rest[0] === undefined)) {
    io.out.write(overview());
    return 0;
  }
  if (name === "--version" || name === "-V") {
    const { version } = await import("../node/version.ts");
    io.out.write(`frond ${version()}\n`);
    return 0;
  }
  const wanted = name === "help" ? rest[0]! : name;
  if (!isCommand(wanted)) throw unknownCommand(wanted);
  return (await commands[wanted]()).execute(name === "help" ? ["--help"] : rest, io);
}

function overview(): string {
  return `${[
    "frond: recurrent networks written as equations, compiled",
    "",
    "usage: frond COMMAND [arguments] [options]",
    "",
    "commands:",
    columns(Object.entries(summaries)),
    "",
    "  frond COMMAND --help   what a command does, its options and examples",
    "  frond --version        the version",
    "",
    "exit codes: 0 ok, 1 the input is wrong, 2 misuse of the command line, 3 a bug in Frond",
  ].join("\n")}\n`;
}

function unknownCommand(name: string): FrondError {
  const near = nearest(name, [...Object.keys(commands), "--help", "--version"]);
  const help = near === null ? "`frond --help` lists the commands" : `did you mean \`frond ${near}\`?`;
  return new FrondError([report("F0920", { name }, null, { help: [help] })]);
}
