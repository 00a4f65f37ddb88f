// Initialisers and train blocks with their numbers worked out.

import type { Span } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import type { Static, TypedInitializer, TypedTrain } from "../semantics/typed.ts";
import { unreachable } from "../unreachable.ts";
import type { Instance } from "./instance.ts";
import type { Initializer, OptimizerConfig, TrainConfig } from "./model.ts";
import { evaluateNumber, evaluateStatic } from "./statics.ts";

type Numbers = ReadonlyMap<string, Static>;

export function lowerInitializer(init: TypedInitializer, instance: Instance, span: Span): Initializer {
  if (init.kind === "concat") {
    const parts = init.parts.map(part => ({
      size: instance.size(part.size, span),
      init: lowerInitializer(part.init, instance, span),
    }));
    return { kind: "concat", parts };
  }
  const number = (name: string, otherwise: number): number => {
    const value = init.numbers.get(name);
    return value === undefined ? otherwise : evaluateNumber(value, instance.statics);
  };
  switch (init.kind) {
    case "zeros":
      return { kind: "fill", value: 0 };
    case "ones":
      return { kind: "fill", value: 1 };
    case "fill":
      return { kind: "fill", value: number("value", 0) };
    case "uniform":
      return { kind: "uniform", low: number("low", -0.05), high: number("high", 0.05) };
    case "normal":
      return { kind: "normal", mean: number("mean", 0), deviation: number("deviation", 0.05) };
    case "orthogonal":
    case "identity":
      return { kind: init.kind, gain: number("gain", 1) };
    case "glorotUniform":
    case "glorotNormal":
    case "heUniform":
    case "heNormal":
    case "lecunNormal":
      return { kind: init.kind };
    default:
      return unreachable(init);
  }
}

/** What a setting may be. */
interface Range {
  readonly wanted: string;
  readonly legal: (value: number) => boolean;
}

const positive: Range = { wanted: "a number above 0", legal: value => value > 0 && Number.isFinite(value) };
const count: Range = {
  wanted: "a whole number from 1",
  legal: value => Number.isSafeInteger(value) && value >= 1,
};
const notNegative: Range = {
  wanted: "a number that is not negative",
  legal: value => value >= 0 && Number.isFinite(value),
};
const fraction: Range = { wanted: "at least 0 and below 1", legal: value => value >= 0 && value < 1 };

export function lowerTrain(train: TypedTrain, instance: Instance): TrainConfig {
  const { statics } = instance;
  const setting = (name: string, value: Static, { wanted, legal }: Range): number => {
    const number = evaluateNumber(value, statics);
    if (!legal(number)) instance.refuse(report("F0720", { name, wanted, value: number }, train.span));
    return number;
  };
  return {
    optimizer: lowerOptimizer(train.optimizer.kind, train.optimizer.numbers, setting, instance),
    clipNorm: train.clipNorm === null ? null : setting("clip", train.clipNorm, positive),
    batch: setting("batch", train.batch, count),
    epochs: setting("epochs", train.epochs, count),
  };
}

/** The checker fills in what is left out; the defaults here are the same. */
function lowerOptimizer(
  kind: "sgd" | "adam",
  numbers: Numbers,
  setting: (name: string, value: Static, range: Range) => number,
  instance: Instance,
): OptimizerConfig {
  const number = (name: string, otherwise: number, range: Range): number => {
    const value = numbers.get(name);
    return value === undefined ? otherwise : setting(name, value, range);
  };
  if (kind === "adam") {
    return {
      kind,
      rate: number("rate", 1e-3, notNegative),
      beta1: number("beta1", 0.9, fraction),
      beta2: number("beta2", 0.999, fraction),
      epsilon: number("epsilon", 1e-7, notNegative),
    };
  }
  const nesterov = numbers.get("nesterov");
  return {
    kind,
    rate: number("rate", 1e-2, notNegative),
    momentum: number("momentum", 0, fraction),
    nesterov: nesterov !== undefined && Boolean(evaluateStatic(nesterov, instance.statics)),
  };
}
