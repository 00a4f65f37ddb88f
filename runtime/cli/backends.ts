// frond backends: lists where programs can run here, and what is missing for the others.

import { command } from "./command.ts";
import { flag } from "./options.ts";
import { printJson, table } from "./print.ts";
import { summaries } from "./summaries.ts";

export const backends = command({
  name: "frond backends",
  summary: summaries.backends,
  usage: "",
  arity: { least: 0, most: 0 },
  doc: "Asks each backend whether it is available here; one that is not says what would make it so.",
  options: { json: flag("print the list as JSON") },
  examples: ["frond backends", "frond backends --json"],
  run: async ({ values }, io) => {
    const { all } = await io.load.backends();
    const rows = [];
    for (const backend of all)
      rows.push({ name: backend.name, doc: backend.doc, ...(await backend.probe()) });
    if (values.json) printJson(rows, io.out);
    else {
      const lines = rows.flatMap(row => [
        [row.name, row.available ? "available" : "missing", row.doc],
        ["", "", row.available ? row.detail : `${row.reason}; ${row.remedy}`],
      ]);
      io.out.write(table(lines));
    }
    return 0;
  },
});
