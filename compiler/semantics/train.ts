// The `train` block: optimiser, clipping, batch size, epochs. Every number is filled in, so that what is left out here
// means the same on every backend.

import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { shorten, textOf } from "../diagnostics/wording.ts";
import type { Expression, Setting } from "../syntax/ast.ts";
import { matchArguments } from "./arguments.ts";
import type { EquationDraft, Place } from "./scope.ts";
import { staticOf } from "./statics.ts";
import type { Static, TypedTrain } from "./typed.ts";

const keys = ["optimizer", "clip", "batch", "epochs"];

/** Kingma & Ba 2015 for Adam's defaults, with the epsilon that Keras and tfjs use. */
const optimizers = {
  adam: { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  sgd: { rate: 1e-2, momentum: 0, nesterov: false },
} as const;

const numberStatic = (value: number): Static => ({ kind: "number", value });

export function checkTrain(place: Place, drafts: readonly EquationDraft[]): TypedTrain | null {
  const { scope } = place;
  const [first, ...more] = scope.definition.body.filter(statement => statement.kind === "train");
  if (first === undefined || scope.definition.kind !== "model") return null;
  for (const { span } of more) {
    const notes = [{ span: first.span, text: "the first one is here" }];
    scope.report(report("F0614", {}, span, { label: "a second block", notes }));
  }
  if (drafts.every(draft => draft.role !== "loss") && !scope.globals.gaps.any) {
    const help = ["write what is to become small: `loss = mean[t](crossEntropy(logits[t], y[t]))`"];
    scope.report(report("F0610", {}, first.span, { label: "trained for what?", help }));
  }
  const settings = settingsByKey(place, first.settings);
  const optimizer = settings.get("optimizer");
  const clip = settings.get("clip");
  const whole = (key: string, byDefault: number): Static => {
    const setting = settings.get(key);
    if (setting === undefined) return numberStatic(byDefault);
    return wholeNumber(place, setting) ?? numberStatic(byDefault);
  };
  return {
    optimizer: (optimizer && optimizerOf(place, optimizer.value)) ?? {
      kind: "adam",
      numbers: filled("adam"),
    },
    clipNorm: clip === undefined ? null : clipOf(place, clip.value),
    batch: whole("batch", 32),
    epochs: whole("epochs", 1),
    span: first.span,
  };
}

function settingsByKey(place: Place, settings: readonly Setting[]): ReadonlyMap<string, Setting> {
  const found = new Map<string, Setting>();
  for (const setting of settings) {
    const { name, span } = setting.key;
    const before = found.get(name);
    if (!keys.includes(name)) {
      const near = didYouMean(name, keys);
      const help = near.length > 0 ? near : [`the settings are ${keys.join(", ")}`];
      place.scope.report(report("F0604", { key: name }, span, { label: "no such setting", help }));
    } else if (before !== undefined) {
      const notes = [{ span: before.key.span, text: "given here already" }];
      place.scope.report(
        report("F0404", { callee: "train", argument: name }, span, { label: "for the second time", notes }),
      );
    } else found.set(name, setting);
  }
  return found;
}

function wholeNumber(place: Place, { key, value }: Setting): Static | null {
  const found = staticOf(place, value, "number", `\`${key.name}\``);
  if (found === null) return null;
  if (found.kind === "number" && (!Number.isSafeInteger(found.value) || found.value < 1)) {
    return reportSetting(place, key.name, value, "a whole number from 1");
  }
  return found;
}

function reportSetting(place: Place, key: string, value: Expression, wanted: string): null {
  const found = shorten(textOf(value.span));
  place.scope.report(report("F0605", { key, found }, value.span, { help: [`it is ${wanted}`] }));
  return null;
}

function optimizerOf(place: Place, value: Expression): TypedTrain["optimizer"] | null {
  const name = value.kind === "call" ? value.callee.name : "";
  if (value.kind !== "call" || value.axes !== null || (name !== "adam" && name !== "sgd")) {
    return reportSetting(place, "optimizer", value, "a call, `adam(rate: 1e-3)` or `sgd(rate: 1e-2)`");
  }
  const byDefault: Readonly<Record<string, number | boolean>> = optimizers[name];
  const formals = Object.keys(byDefault).map(key => ({ name: key, many: false, optional: true, span: null }));
  const given = matchArguments(place, name, formals, value.args, value.span);
  if (given === null) return null;
  const numbers = new Map(filled(name));
  for (const [key, [arg]] of given) {
    if (arg === undefined) continue;
    const wanted = typeof byDefault[key] === "boolean" ? "bool" : "number";
    const found = staticOf(place, arg.value, wanted, `\`${key}\` of \`${name}\``);
    if (found === null) continue;
    if (found.kind === "number" && !(found.value >= 0)) {
      reportSetting(place, key, arg.value, "a number that is not negative");
    }
    numbers.set(key, found);
  }
  return { kind: name, numbers };
}

const filled = (name: keyof typeof optimizers): ReadonlyMap<string, Static> =>
  new Map(
    Object.entries(optimizers[name]).map(([key, value]): [string, Static] => [
      key,
      typeof value === "boolean" ? { kind: "bool", value } : { kind: "number", value },
    ]),
  );

/** `clip: norm(1.0)`. */
function clipOf(place: Place, value: Expression): Static | null {
  const wanted = "`norm(1.0)`: gradients that are longer in all are shortened to that length";
  if (value.kind !== "call" || value.callee.name !== "norm" || value.axes !== null) {
    return reportSetting(place, "clip", value, wanted);
  }
  const formals = [{ name: "length", many: false, optional: false, span: null }];
  const arg = matchArguments(place, "norm", formals, value.args, value.span)?.get("length")?.[0];
  const found = arg === undefined ? null : staticOf(place, arg.value, "number", "`length` of `norm`");
  if (arg !== undefined && found?.kind === "number" && !(found.value > 0)) {
    return reportSetting(place, "clip", arg.value, "a positive number");
  }
  return found;
}
