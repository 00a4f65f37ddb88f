// Functions that work on each element by itself; the result has the argument's shape.

import { reportWanted, unifyAny, unifyNumbers, wantAll } from "./dtypes.ts";
import { guessElementwise } from "./operators.ts";
import { type BuiltinRecord, one, type RuleInput, type RuleResult, realOf, value } from "./rule.ts";
import { broadcastAll, guessShape } from "./shapes.ts";

function real(doc: string): BuiltinRecord {
  const type = (input: RuleInput): RuleResult | null =>
    wantAll(input, "real") ? one(realOf(input.args[0]!.type.shape)) : null;
  return { doc, parameters: [value("x")], brackets: "none", type };
}

/** Of reals or indices. */
function numeric(doc: string): BuiltinRecord {
  const type = (input: RuleInput): RuleResult | null => {
    const unified = unifyNumbers(input, true);
    return unified && one({ dtype: unified.dtype, classes: null, shape: input.args[0]!.type.shape });
  };
  return { doc, parameters: [value("x")], brackets: "none", type };
}

function unchanged(doc: string): BuiltinRecord {
  const type = (input: RuleInput): RuleResult => {
    const { dtype, classes, shape } = input.args[0]!.type;
    return one({ dtype, classes, shape });
  };
  return { doc, parameters: [value("x")], brackets: "none", type };
}

const cast: BuiltinRecord = {
  doc: "An index or truth value as a real number: true is 1, false is 0.",
  parameters: [value("x")],
  brackets: "none",
  type: input => one(realOf(input.args[0]!.type.shape)),
};

const where: BuiltinRecord = {
  doc: "a where the condition holds, b elsewhere; the branch not taken has no influence, not even on gradients.",
  parameters: [value("condition"), value("a"), value("b")],
  brackets: "none",
  type: input => {
    const [condition, a, b] = input.args;
    if (condition === undefined || a === undefined || b === undefined) return null;
    if (condition.type.dtype !== "bool") return reportWanted(input, condition, "a truth value first");
    const unified = unifyAny(input, [a, b]);
    const shape = unified && broadcastAll(input);
    if (!unified || !shape) return null;
    return { ...one({ dtype: unified.dtype, classes: null, shape }), args: [condition, ...unified.args] };
  },
  guess: ([condition, a, b]) => {
    const branch = guessElementwise([a ?? null, b ?? null]);
    const shape = guessShape([condition, branch].filter(part => part != null).map(part => part.shape));
    return branch === null || shape === null ? null : { ...branch, shape };
  },
};

export const elementwiseRules = {
  identity: unchanged("x itself."),
  exp: real("e to the power of x."),
  log: real("The natural logarithm of x."),
  log1p: real("log(1 + x), exact for small x."),
  sqrt: real("The square root of x."),
  square: real("x * x."),
  reciprocal: real("1 / x."),
  sin: real("The sine of x."),
  cos: real("The cosine of x."),
  tanh: real("The hyperbolic tangent of x."),
  sigmoid: real("1 / (1 + exp(-x))."),
  softplus: real("log(1 + exp(x)), without overflow."),
  softsign: real("x / (1 + abs(x))."),
  relu: real("x where it is positive, 0 elsewhere."),
  leakyRelu: real("x where it is positive, 0.01 * x elsewhere."),
  elu: real("x where it is positive, exp(x) - 1 elsewhere."),
  gelu: real("x times the normal distribution function, in its tanh form (Hendrycks & Gimpel 2016)."),
  silu: real("x * sigmoid(x)."),
  hardSigmoid: real("0.2 * x + 0.5, cut to 0..1."),
  abs: numeric("x without its sign."),
  sign: numeric("-1, 0 or 1."),
  floor: real("The greatest whole number that is not above x."),
  real: cast,
  where,
  stopGradient: unchanged("x itself, for gradients a constant."),
} as const;
