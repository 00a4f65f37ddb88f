// Over features, or over the axes in brackets: sum(x) adds up all features, sum[t](x) all steps and keeps features.
// With two or more arguments max, min and logsumexp work element by element.

import { report } from "../../diagnostics/report.ts";
import { reportWanted, unifyNumbers, wantAll } from "./dtypes.ts";
import { guessElementwise } from "./operators.ts";
import {
  type BuiltinRecord,
  type Feature,
  one,
  type RuleInput,
  type RuleResult,
  realOf,
  value,
  values,
} from "./rule.ts";
import { broadcastAll } from "./shapes.ts";

const scalarOrSame = (input: RuleInput): Feature["shape"] =>
  input.axes.length > 0 ? input.args[0]!.type.shape : [];

/** Sums and means of real numbers; truth values count as 0 and 1. */
function total(doc: string, brackets: "reduced" | "mustReduce"): BuiltinRecord {
  const type = (input: RuleInput): RuleResult | null => {
    const [x] = input.args;
    if (x === undefined) return null;
    if (x.type.dtype === "index") return reportWanted(input, x, "real numbers");
    return one(realOf(scalarOrSame(input)));
  };
  return { doc, parameters: [value("x")], brackets, type };
}

function extreme(doc: string, indexAllowed: boolean): BuiltinRecord {
  const type = (input: RuleInput): RuleResult | null => {
    const unified = unifyNumbers(input, indexAllowed);
    if (unified === null) return null;
    if (input.args.length > 1 && input.axes.length > 0) return reportBoth(input);
    const shape = input.args.length > 1 ? broadcastAll(input) : scalarOrSame(input);
    return shape && { ...one({ dtype: unified.dtype, classes: null, shape }), args: unified.args };
  };
  const guess = (args: readonly (Feature | null)[]): Feature | null =>
    args.length > 1 ? guessElementwise(args) : null;
  return { doc, parameters: [values("x")], brackets: "reduced", type, guess };
}

function reportBoth(input: RuleInput): null {
  const axes = input.axes.join(", ");
  input.host.report(
    report("F0224", { name: input.name }, input.span, {
      label: `${input.args.length} arguments and [${axes}]`,
      help: [
        `\`${input.name}(a, b)\` works element by element, \`${input.name}[${axes}](a)\` along the axis; nest them`,
      ],
    }),
  );
  return null;
}

function normalisation(doc: string): BuiltinRecord {
  const type = (input: RuleInput): RuleResult | null => {
    if (!wantAll(input, "real")) return null;
    const { shape } = input.args[0]!.type;
    if (shape.length > 0 || input.axes.length > 0) return one(realOf(shape));
    input.host.report(
      report("F0308", { name: input.name, wanted: "features", found: "real" }, input.args[0]!.span, {
        label: "this is a scalar: there is nothing to normalise over",
        help: [`\`${input.name}[t](..)\` normalises over an axis`],
      }),
    );
    return null;
  };
  return { doc, parameters: [value("x")], brackets: "kept", type };
}

export const reductionRules = {
  max: extreme("The largest: of several, of all features, or along [axes].", true),
  min: extreme("The smallest: of several, of all features, or along [axes].", true),
  logsumexp: extreme(
    "log(exp(a) + exp(b) + ..), without overflow: of several, of all features, or along [axes].",
    false,
  ),
  sum: total("The sum of all features, or along [axes]. Of truth values: how many hold.", "reduced"),
  mean: total(
    "The mean of all features, or along [axes] of each example. Of truth values: the fraction that holds.",
    "reduced",
  ),
  microMean: total(
    "The mean over all steps of all examples of the batch, so that long examples count more. For losses and metrics.",
    "mustReduce",
  ),
  softmax: normalisation("exp(x) / sum(exp(x)) over the last dimension, or over [axes]."),
  logSoftmax: normalisation("log(softmax(x)), without overflow."),
} as const;
