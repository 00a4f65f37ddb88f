// frond backends: lists where programs can run here, and what is missing for the others; with --explain, how fast a
// model is on each, and which one is taken for it.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { command } from "./command.ts";
import { explain } from "./explain.ts";
import { explanationJson, explanationText } from "./explain-text.ts";
import { Inputs, modelOptions } from "./inputs.ts";
import type { Io } from "./io.ts";
import { flag, inputFile, text } from "./options.ts";
import { printJson, table } from "./print.ts";
import { settingOf, settingOptions } from "./setting.ts";
import { summaries } from "./summaries.ts";
import { threadsOption } from "./training.ts";

export const backends = command({
  name: "frond backends",
  summary: summaries.backends,
  usage: "",
  arity: { least: 0, most: 0 },
  doc: `Asks each backend whether it is available here; one that is not says what would make it so.

With --explain, a model is measured on each that is there, and the one named that commands take for it
without --backend: the fastest. What was measured is remembered in the user's folder for caches, by
program, machine, versions and size, for 30 days. Commands measure by themselves, for a second and a half
at the most, where several backends are worth it.`,
  options: {
    explain: inputFile("say which backend is taken for this model, and why"),
    ...modelOptions,
    backend: text("NAME", "as if a command were given this one"),
    threads: threadsOption,
    ...settingOptions,
    again: flag("measure anew what is remembered"),
    json: flag("print the list as JSON"),
  },
  examples: [
    "frond backends",
    "frond backends --json",
    "frond backends --explain tagger.frond --batch 8 --length 1000",
  ],
  run: async ({ positionals: _, values }, io) => {
    if (values.explain === null) {
      checkAlone(values);
      await list(values.json, io);
      return 0;
    }
    const model = await new Inputs(io).model(values.explain, values);
    const explanation = await explain(model, settingOf(model, values), values, io);
    if (values.json) printJson(explanationJson(explanation), io.out);
    else io.out.write(explanationText(explanation, io.out.columns));
    return 0;
  },
});

/** Options that would be ignored in a plain list. */
function checkAlone(values: {
  readonly model: string | null;
  readonly size: object;
  readonly backend: string | null;
  readonly threads: number;
  readonly batch: number | null;
  readonly length: { readonly all: number | null; readonly byName: object };
  readonly again: boolean;
}): void {
  const { model, size, backend, threads, batch, length, again } = values;
  const given = {
    model: model !== null,
    size: Object.keys(size).length > 0,
    backend: backend !== null,
    threads: threads !== 1,
    batch: batch !== null,
    length: length.all !== null || Object.keys(length.byName).length > 0,
    again,
  };
  const [option] = Object.entries(given).find(([, isGiven]) => isGiven) ?? [];
  if (option === undefined) return;
  const what = `--explain FILE with \`--${option}\``;
  throw new FrondError([report("F0923", { command: "frond backends", what }, null)]);
}

async function list(json: boolean, io: Io): Promise<void> {
  const { all } = await io.load.backends();
  const rows = [];
  for (const backend of all) rows.push({ name: backend.name, doc: backend.doc, ...(await backend.probe()) });
  if (json) {
    printJson(rows, io.out);
    return;
  }
  const lines = rows.flatMap(row => [
    [row.name, row.available ? "available" : "missing", row.doc],
    ["", "", row.available ? row.detail : `${row.reason}; ${row.remedy}`],
  ]);
  io.out.write(table(lines));
}
