// frond eval: loss and metrics of a model over a data set.

import { formatScores } from "../progress.ts";
import { command } from "./command.ts";
import { counter } from "./counter.ts";
import { Inputs, required } from "./inputs.ts";
import { plural, printJson } from "./print.ts";
import { summaries } from "./summaries.ts";
import { scoresJson } from "./train.ts";
import { openSession, sessionOptions, warnAboutData } from "./training.ts";

export const evaluate = command({
  name: "frond eval",
  summary: summaries.eval,
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: "Totals over all examples, divided once: the result does not depend on the batch size.",
  options: sessionOptions,
  examples: ["frond eval tagger.frond --data test.npz --weights tagger.safetensors"],
  run: async ({ positionals, values }, io) => {
    const inputs = new Inputs(io);
    required(values.data, "frond eval", "--data");
    const use = { io, use: "evaluate" } as const;
    const opened = await openSession("frond eval", positionals[0]!, values, inputs, use);
    const { session } = opened;
    try {
      const data = opened.data!;
      await warnAboutData(data, session.model.evaluate(), io);
      const count = counter("evaluating", data.size, "examples", values.quiet || values.json, io);
      const batch = values.batch === null ? {} : { batch: values.batch };
      const scores = await session.evaluate(data, { ...batch, onProgress: count.show });
      count.finish();
      const { model, backend } = session;
      if (values.json) {
        const result = { model: model.name, backend: backend.name, examples: data.size };
        printJson({ ...result, ...(scoresJson(scores) as object) }, io.out);
      } else io.out.write(`${model.name}: ${formatScores(scores)}  (${plural(data.size, "example")})\n`);
      return 0;
    } finally {
      session.dispose();
    }
  },
});
