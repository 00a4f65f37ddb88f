// Two sizes that must agree: decided at once where they can be, by a model's defaults where it has some, and for each
// instance otherwise. And the host of the rules, which asks for that and complains.

import { report } from "../diagnostics/report.ts";
import type { RuleHost } from "./rules/rule.ts";
import { type DefinitionScope, type Place, reportAt } from "./scope.ts";
import {
  bareName,
  compareSizes,
  constantOf,
  evaluateSize,
  namesInSize,
  printSize,
  type Size,
} from "./size.ts";
import { isWhole } from "./statics.ts";

/** Two sizes that must agree. What only an instance can tell becomes a constraint of the definition. */
export function requireSame(
  place: Place,
  left: Size,
  right: Size,
  complain: () => ReturnType<typeof report>,
): boolean {
  const comparison = compareSizes(left, right);
  if (comparison === "equal") return true;
  if (comparison === "different") {
    reportAt(place, complain());
    return false;
  }
  // A model whose sizes have defaults must fit with them.
  const defaults = defaultSizes(place.scope, [...namesInSize(left), ...namesInSize(right)]);
  if (defaults !== null && evaluateSize(left, defaults) !== evaluateSize(right, defaults)) {
    const symbolic = complain();
    reportAt(place, { ...symbolic, label: withSizes(symbolic.label, defaults) });
    return false;
  }
  if (place.mode === "strict")
    place.scope.constraints.push({ check: sizes => checkInstance(left, right, sizes, complain) });
  return true;
}

/** The defaults of a model's sizes; null when one has none, and for layers, whose sizes come with each use. */
function defaultSizes(scope: DefinitionScope, names: readonly string[]): ReadonlyMap<string, number> | null {
  if (scope.definition.kind === "layer") return null;
  const found = new Map<string, number>();
  for (const name of names) {
    const symbol = scope.symbols.get(name);
    const otherwise = symbol?.kind === "static" ? symbol.parameter.default : null;
    if (otherwise === null) return null;
    if (otherwise.kind === "number") found.set(name, otherwise.value);
    else if (otherwise.kind === "size") {
      const inner = defaultSizes(scope, namesInSize(otherwise.size));
      if (inner === null) return null;
      found.set(name, evaluateSize(otherwise.size, inner));
    } else return null;
  }
  return found;
}

function checkInstance(
  left: Size,
  right: Size,
  sizes: ReadonlyMap<string, number>,
  complain: () => ReturnType<typeof report>,
) {
  const [a, b] = [evaluateSize(left, sizes), evaluateSize(right, sizes)];
  if (a === b) return null;
  const symbolic = complain();
  const names = [...new Set([...namesInSize(left), ...namesInSize(right)])];
  const values = new Map(names.map(name => [name, sizes.get(name) ?? 0] as const));
  return report("F0701", { left: printSize(left), a, right: printSize(right), b }, symbolic.span, {
    label: isPlain(left) && isPlain(right) ? symbolic.label : withSizes(symbolic.label, values),
    notes: symbolic.notes,
    help: symbolic.help,
  });
}

/** A name or a number: its value says all. */
const isPlain = (size: Size): boolean => bareName(size) !== null || constantOf(size) !== null;

/** A label with the values that make two sizes differ. */
const withSizes = (label: string, sizes: ReadonlyMap<string, number>): string =>
  `${label}, with ${[...sizes].map(([name, value]) => `${name} = ${value}`).join(", ")}`;

export function hostOf(place: Place): RuleHost {
  const { scope } = place;
  return {
    report: diagnostic => reportAt(place, diagnostic),
    require: (left, right, complain) => requireSame(place, left, right, complain),
    isWhole: value => isWhole(scope, value),
    axisLength: axis => {
      const symbol = scope.symbols.get(axis);
      return symbol?.kind === "axis" ? symbol.length : null;
    },
    isDefined: name => place.owners.includes(name),
    declaration: name => scope.symbols.get(name)?.span ?? null,
  };
}
