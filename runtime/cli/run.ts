// frond run: computes a model's outputs for data, or with --generate what it continues its own inputs with.

import type { Dataset } from "../data/dataset.ts";
import type { Session } from "../session.ts";
import { exclusive } from "./arguments.ts";
import { command } from "./command.ts";
import { counter } from "./counter.ts";
import { Inputs, required } from "./inputs.ts";
import type { Io } from "./io.ts";
import { count, flag, text } from "./options.ts";
import { type Outputs, outputsWriter } from "./outputs.ts";
import { printJson } from "./print.ts";
import { summaries } from "./summaries.ts";
import { openSession, sessionOptions } from "./training.ts";

const { json: _, ...options } = sessionOptions;

export const run = command({
  name: "frond run",
  summary: summaries.run,
  usage: "FILE",
  arity: { least: 1, most: 1 },
  doc: `Writes every output, the examples in the data's order. In JSON each sequence has its own length; in
.npz it is padded with zeros and \`NAME.length\` says how long it is.

With --generate the model continues the inputs of its \`generate\` statements instead, and these are
written: from the first generated value to the one that ends the example, or N of them. The other
inputs come from --data; a model that has no others needs none and makes --count examples.`,
  options: {
    ...options,
    generate: count("N", "let the model generate, at most N steps an example"),
    count: count("N", "examples to generate where no data are given (default 1)"),
    out: text("FILE", "a .npz or .json file; `-` (default) prints JSON"),
    json: flag("print errors as JSON too, with --out a summary; no progress"),
  },
  examples: [
    "frond run tagger.frond --data test.npz --weights tagger.safetensors --out result.npz",
    "cat one.json | frond run tagger.frond --data - --weights tagger.safetensors",
    "frond run speaker.frond --generate 100 --count 5 --seed 7 --weights speaker.safetensors",
  ],
  run: async ({ positionals, values }, io) => {
    const inputs = new Inputs(io);
    checkGoTogether(values);
    const out = values.out ?? "-";
    const write = outputsWriter(out, io);
    const use = { io, use: values.generate === null ? "infer" : "generate" } as const;
    const { session, data } = await openSession("frond run", positionals[0]!, values, inputs, use);
    try {
      const { examples, outputs } = await compute(session, data, values, io);
      write(outputs);
      const { model, backend } = session;
      if (values.json && out !== "-")
        printJson({ model: model.name, backend: backend.name, examples, saved: out }, io.out);
      return 0;
    } finally {
      session.dispose();
    }
  },
});

interface RunValues {
  readonly data: string | null;
  readonly generate: number | null;
  readonly count: number | null;
  readonly batch: number | null;
  readonly quiet: boolean;
  readonly json: boolean;
}

/** Found out first, so that a wrong command line costs no computing. */
function checkGoTogether({ data, generate, count: examples }: RunValues): void {
  if (generate === null) required(data, "frond run", "--data or --generate");
  if (examples === null) return;
  if (generate === null) throw exclusive("--count", "a run without `--generate`");
  if (data !== null) throw exclusive("--count", "`--data`");
}

async function compute(
  session: Session,
  data: Dataset | null,
  values: RunValues,
  io: Io,
): Promise<{ readonly examples: number; readonly outputs: Outputs }> {
  const batch = values.batch === null ? {} : { batch: values.batch };
  const silent = values.quiet || values.json;
  const { generate: steps } = values;
  if (steps === null) {
    const given = data!;
    const shown = counter("running", given.size, "examples", silent, io);
    const outputs = await session.infer(given, { ...batch, onProgress: shown.show });
    shown.finish();
    return { examples: given.size, outputs };
  }
  const examples = data?.size ?? values.count ?? 1;
  const shown = counter("generating", steps, "steps", silent, io);
  const options = { ...batch, steps, count: examples, onProgress: shown.show };
  const outputs = await session.generate(data, options);
  shown.finish();
  return { examples, outputs };
}
