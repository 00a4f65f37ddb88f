// frond dump: prints a model after one of the compiler's stages, in the text form that parses back.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { didYouMean } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { DumpOptions } from "../../compiler/program/model.ts";
import { type Stage, stages } from "../../compiler/program/pipeline.ts";
import { exclusive } from "./arguments.ts";
import { checkAxes } from "./axes.ts";
import { command } from "./command.ts";
import { Inputs, modelOptions } from "./inputs.ts";
import { choice, flag, lengths, unrolling } from "./options.ts";
import { printJson } from "./print.ts";
import { summaries } from "./summaries.ts";

export const dump = command({
  name: "frond dump",
  summary: summaries.dump,
  usage: "STAGE FILE",
  arity: { least: 2, most: 2 },
  doc: `The stages, in the compiler's order:
  graph     the recurrence graph of the equations
  adjoint   the same with gradients and the optimiser's update
  schedule  the loops that were found, and what stands outside of them
  unrolled  straight code for given lengths
  program   what a backend gets`,
  options: {
    ...modelOptions,
    mode: choice(["infer", "train"], "which program: what infers or the training step"),
    length: lengths("for `unrolled`: the length of an axis, `t=8`; may be repeated"),
    unroll: unrolling("for `unrolled`: fully (default) or by a factor"),
    json: flag("print the text, and errors, as JSON"),
  },
  examples: [
    "frond dump graph tagger.frond",
    "frond dump schedule tagger.frond --mode train --size units=64",
    "frond dump unrolled tagger.frond --length t=4",
  ],
  run: async ({ positionals, values }, io) => {
    const stage = readStage(positionals[0]!);
    if (stage !== "unrolled" && values.unroll !== null) throw exclusive("--unroll", `the stage \`${stage}\``);
    if (stage !== "unrolled" && Object.keys(values.length).length > 0)
      throw exclusive("--length", `the stage \`${stage}\``);
    const model = await new Inputs(io).model(positionals[1]!, values);
    checkAxes(model, Object.keys(values.length));
    const options: DumpOptions = {
      ...(values.mode === null ? {} : { mode: values.mode }),
      lengths: values.length,
      unroll: values.unroll ?? "full",
    };
    const text = model.dump(stage, options);
    if (values.json) printJson({ model: model.name, stage, text }, io.out);
    else io.out.write(text.endsWith("\n") ? text : `${text}\n`);
    return 0;
  },
});

function readStage(given: string): Stage {
  const stage = stages.find(name => name === given);
  if (stage !== undefined) return stage;
  const near = didYouMean(given, stages);
  const help = near.length > 0 ? near : [`the stages are ${stages.join(", ")}`];
  throw new FrondError([report("F0926", { stage: given }, null, { help })]);
}
