// Filled constants, positions along axes, and random draws. A draw is made for each example; `[t]` after the name
// draws anew at each step, and a draw from an argument (bernoulli, sample) anew wherever the argument has an axis.

import { wantAll } from "./dtypes.ts";
import { reportRank } from "./features.ts";
import { axis, type BuiltinRecord, number, one, realOf, shape, size, value } from "./rule.ts";

const noise = (doc: string, parameters: BuiltinRecord["parameters"]): BuiltinRecord => ({
  doc,
  parameters,
  brackets: "added",
  type: input => one(realOf(input.sizes.get("shape") ?? [])),
});

const positional = (doc: string): BuiltinRecord => ({
  doc,
  parameters: [axis("axis")],
  brackets: "none",
  type: () => one({ dtype: "index", classes: null, shape: [] }),
});

export const drawRules = {
  fill: {
    doc: "A vector of n times the same number.",
    parameters: [size("n"), number("value")],
    brackets: "none",
    type: input => one(realOf(input.sizes.get("n")!)),
  },
  index: positional("The position along an axis, from 0; from the end inside a reversed layer."),
  length: positional("The number of steps of this example."),
  dropout: {
    doc: "In training, each feature is 0 with probability `rate` and divided by 1 - rate otherwise; elsewhere x itself.",
    parameters: [value("x"), number("rate")],
    brackets: "none",
    type: input => (wantAll(input, "real") ? one(realOf(input.args[0]!.type.shape)) : null),
  },
  bernoulli: {
    doc: "True with probability p, for each element by itself.",
    parameters: [value("p")],
    brackets: "added",
    type: input =>
      wantAll(input, "real") ? one({ dtype: "bool", classes: null, shape: input.args[0]!.type.shape }) : null,
  },
  normal: noise("Numbers drawn from the normal distribution of mean 0 and deviation 1.", [shape("shape")]),
  uniform: noise("Numbers drawn evenly between 0 and 1.", [shape("shape")]),
  sample: {
    doc: "An index drawn with the probabilities p[n].",
    parameters: [value("p")],
    brackets: "added",
    type: input => {
      const [p] = input.args;
      if (p === undefined || !wantAll(input, "real")) return null;
      const classes = p.type.shape[0];
      if (p.type.shape.length !== 1 || classes === undefined)
        return reportRank(input, p, "a vector of probabilities");
      return one({ dtype: "index", classes, shape: [] });
    },
  },
} as const satisfies Record<string, BuiltinRecord>;
