// Turns whatever a program throws into a message and an exit code. No input ends in a stack trace.

import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { ExitCode } from "./command.ts";
import type { Io } from "./io.ts";
import { diagnosticJson, printJson, warn } from "./print.ts";

/** Runs `main`, which was started as `program` with the arguments `argv`. */
export async function guarded(
  program: string,
  argv: readonly string[],
  io: Io,
  main: () => Promise<ExitCode>,
): Promise<ExitCode> {
  const json = argv.includes("--json");
  try {
    return await main();
  } catch (thrown) {
    const error = explained(thrown);
    if (error instanceof FrondError) {
      if (json) printJson({ diagnostics: error.diagnostics.map(diagnosticJson) }, io.out);
      else await warn(error.diagnostics, io);
      return exitCode(error.diagnostics);
    }
    const message = error instanceof Error ? error.message : String(error);
    if (json) printJson({ bug: message }, io.out);
    io.err.write(
      `internal error: ${message}\n\n` +
        "This is a bug in Frond, not in your program. Please report it with the files and this command:\n" +
        `  ${[program, ...argv].join(" ")}\n`,
    );
    if ((io.env.FROND_DEBUG ?? "") === "1" && error instanceof Error) io.err.write(`\n${error.stack}\n`);
    else io.err.write("FROND_DEBUG=1 shows where it happened.\n");
    return 3;
  }
}

/** F09xx are about the command line and the backends it names; all else is about files. */
function exitCode(diagnostics: readonly Diagnostic[]): ExitCode {
  return diagnostics.some(({ code }) => code.startsWith("F09")) ? 2 : 1;
}

/** What is not our bug though nobody foresaw it, as a diagnostic; other errors as they are. */
export function explained(error: unknown): unknown {
  const isMemory = error instanceof RangeError && /allocation failed|array length/i.test(error.message);
  if (!isMemory) return error;
  const help = [
    "smaller batches take less: `--batch N`",
    "so do smaller sizes of the model: `--size NAME=N`",
  ];
  return new FrondError([report("F0846", {}, null, { help })]);
}
