// Finds the command and turns whatever it throws into a message and an exit code. No input ends in a stack trace.

import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { nearest } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { type Command, columns, type ExitCode } from "./command.ts";
import type { Io } from "./io.ts";
import { diagnosticJson, printJson, warn } from "./print.ts";

/** Each is imported only when it runs; the summaries are for `frond --help`, in the order in which they are used. */
const commands: ReadonlyMap<string, { summary: string; load: () => Promise<Command> }> = new Map([
  [
    "check",
    { summary: "report what is wrong with programs", load: async () => (await import("./check.ts")).check },
  ],
  [
    "dump",
    {
      summary: "print a model after a stage of the compiler",
      load: async () => (await import("./dump.ts")).dump,
    },
  ],
  [
    "gradcheck",
    {
      summary: "compare a model's gradients with central differences",
      load: async () => (await import("./gradcheck.ts")).gradcheck,
    },
  ],
  ["train", { summary: "train a model on data", load: async () => (await import("./train.ts")).train }],
  [
    "eval",
    {
      summary: "compute a model's loss and metrics on data",
      load: async () => (await import("./eval.ts")).evaluate,
    },
  ],
  [
    "run",
    { summary: "compute a model's outputs for data", load: async () => (await import("./run.ts")).run },
  ],
  [
    "backends",
    {
      summary: "list where programs can run on this machine",
      load: async () => (await import("./backends.ts")).backends,
    },
  ],
]);

/** Exit code of our own bugs. */
const bug = 3;

/** Runs the command line `argv` (without the program's name). */
export async function frond(argv: readonly string[], io: Io): Promise<ExitCode | typeof bug> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (!(error instanceof FrondError)) return reportBug(error, argv, io);
    if (argv.includes("--json")) printJson({ diagnostics: error.diagnostics.map(diagnosticJson) }, io.out);
    else await warn(error.diagnostics, io);
    return exitCode(error.diagnostics);
  }
}

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
  const entry = commands.get(wanted);
  if (entry === undefined) throw unknownCommand(wanted);
  return (await entry.load()).execute(name === "help" ? ["--help"] : rest, io);
}

function overview(): string {
  const entries = [...commands].map(([name, { summary }]) => [name, summary] as const);
  return `${[
    "frond: recurrent networks written as equations, compiled",
    "",
    "usage: frond COMMAND [arguments] [options]",
    "",
    "commands:",
    columns(entries),
    "",
    "  frond COMMAND --help   what a command does, its options and examples",
    "  frond --version        the version",
    "",
    "exit codes: 0 ok, 1 the input is wrong, 2 misuse of the command line, 3 a bug in Frond",
  ].join("\n")}\n`;
}

function unknownCommand(name: string): FrondError {
  const near = nearest(name, commands.keys());
  const help = near === null ? "`frond --help` lists the commands" : `did you mean \`frond ${near}\`?`;
  return new FrondError([report("F0920", { name }, null, { help: [help] })]);
}

/** F09xx are about the command line and the backends it names; all else is about files. */
function exitCode(diagnostics: readonly Diagnostic[]): ExitCode {
  return diagnostics.some(({ code }) => code.startsWith("F09")) ? 2 : 1;
}

function reportBug(error: unknown, argv: readonly string[], io: Io): typeof bug {
  const message = error instanceof Error ? error.message : String(error);
  io.err.write(`internal error: ${message}\n\n`);
  io.err.write(
    "This is a bug in Frond, not in your program. Please report it with the files and this command:\n",
  );
  io.err.write(`  frond ${argv.join(" ")}\n`);
  if ((io.env.FROND_DEBUG ?? "") === "1" && error instanceof Error) io.err.write(`\n${error.stack}\n`);
  else io.err.write("FROND_DEBUG=1 shows where it happened.\n");
  return bug;
}
