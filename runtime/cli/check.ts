// frond check: reports what is wrong with programs. Loads no more of Frond than the parser and the checker.

import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { readImportFile } from "../node/imports.ts";
import { command } from "./command.ts";
import { Inputs } from "./inputs.ts";
import { flag } from "./options.ts";
import { diagnosticJson, plural, printJson, warn } from "./print.ts";
import { summaries } from "./summaries.ts";

export const check = command({
  name: "frond check",
  summary: summaries.check,
  usage: "FILE...",
  arity: { least: 1, most: Number.POSITIVE_INFINITY },
  doc: "Parses and checks each file and reports all errors and warnings. `-` is standard input.",
  options: { json: flag("print the diagnostics as JSON") },
  examples: [
    "frond check tagger.frond",
    "frond check --json models/*.frond",
    "cat tagger.frond | frond check -",
  ],
  run: async ({ positionals, values }, io) => {
    const inputs = new Inputs(io);
    const { checkSource } = await io.load.checker();
    const found: Diagnostic[] = [];
    for (const path of positionals) {
      try {
        found.push(...checkSource(await inputs.source(path), { readImport: readImportFile }));
      } catch (error) {
        // A file that cannot be read does not keep the others from being checked.
        if (!(error instanceof FrondError)) throw error;
        found.push(...error.diagnostics);
      }
    }
    const errors = found.filter(({ severity }) => severity === "error").length;
    if (values.json) {
      printJson({ files: positionals, errors, diagnostics: found.map(diagnosticJson) }, io.out);
    } else {
      await warn(found, io);
      io.err.write(
        `${plural(positionals.length, "file")} checked: ${summary(errors, found.length - errors)}\n`,
      );
    }
    return errors > 0 ? 1 : 0;
  },
});

function summary(errors: number, warnings: number): string {
  if (errors + warnings === 0) return "ok";
  const parts = [errors > 0 ? plural(errors, "error") : "", warnings > 0 ? plural(warnings, "warning") : ""];
  return parts.filter(part => part !== "").join(", ");
}
