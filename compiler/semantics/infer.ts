// Finds the types of equations. Those on a cycle, `h[t] = tanh(x[t] @ W + h[t-1] @ U)`, are iterated with unknown
// names left out of account until nothing changes; then each equation is checked once, strictly, and must give what
// was found.

import { report } from "../diagnostics/report.ts";
import { checkWrittenCycles } from "./cycles.ts";
import { checkEquations, checkRightSide, placeOf } from "./equations.ts";
import { checkExpression } from "./expression.ts";
import { printFeature } from "./print-type.ts";
import type { Feature } from "./rules/rule.ts";
import { sameShape } from "./rules/shapes.ts";
import { type DefinitionScope, type EquationDraft, type EquationGroup, featureOf } from "./scope.ts";
import { components, namesRead } from "./walk.ts";

/** More rounds than any sound definition needs: each adds at least a dimension or a name. */
const mostRounds = 40;

export function inferAndCheck(scope: DefinitionScope): void {
  const { groups } = scope;
  const home = new Map<string, number>();
  for (const [at, group] of groups.entries()) for (const draft of group.drafts) home.set(draft.name, at);
  const needs = groups.map(group => neededBy(group, home));
  for (const members of components(groups.length, at => needs[at]!)) {
    const sorted = [...members].sort((a, b) => a - b);
    const parts = sorted.map(at => groups[at]!);
    const cyclic = members.length > 1 || needs[members[0]!]!.includes(members[0]!);
    if (cyclic) iterate(scope, parts);
    checkTogether(scope, parts, cyclic);
  }
}

function neededBy(group: EquationGroup, home: ReadonlyMap<string, number>): readonly number[] {
  const names = namesRead(group.statement.value);
  for (const draft of group.drafts) for (const boundary of draft.boundaries) namesRead(boundary.value, names);
  const found = new Set<number>();
  for (const name of names) {
    const at = home.get(name);
    if (at !== undefined) found.add(at);
  }
  return [...found];
}

function iterate(scope: DefinitionScope, groups: readonly EquationGroup[]): void {
  for (let round = 0; round < mostRounds; round++) {
    let changed = false;
    for (const group of groups) {
      const results = checkRightSide(
        placeOf(scope, group, "infer"),
        group.statement.value,
        group.drafts.length,
      );
      for (const [at, draft] of group.drafts.entries()) {
        const result = results[at];
        const before = draft.feature;
        const found = widest(result ? featureOf(result.type) : null, boundaryFeature(scope, group, draft));
        // Sizes that change from round to round (`h[t] = concat(h[t-1], x[t])`) would do so for ever.
        draft.feature = found === null || grows(before, found) ? before : found;
        changed ||= shown(before) !== shown(draft.feature);
      }
    }
    if (!changed) return;
  }
}

const grows = (before: Feature | null, found: Feature): boolean =>
  before !== null &&
  (found.shape.length > mostDimensions ||
    (before.shape.length === found.shape.length && !sameShape(before.shape, found.shape)));

/** Of a name on a cycle; more come only from a shape that grows with each round. */
const mostDimensions = 8;

const shown = (feature: Feature | null): string => (feature === null ? "" : printFeature(feature));

/** `h[t] = 0.9 * h[t-1]` has the shape of its first value. */
function boundaryFeature(scope: DefinitionScope, group: EquationGroup, draft: EquationDraft): Feature | null {
  const place = placeOf(scope, group, "infer");
  return draft.boundaries.reduce<Feature | null>((found, boundary) => {
    const value = checkExpression(place, boundary.value);
    return widest(found, value && featureOf(value.type));
  }, null);
}

const widest = (left: Feature | null, right: Feature | null): Feature | null =>
  left === null || (right !== null && right.shape.length > left.shape.length) ? right : left;

function checkTogether(scope: DefinitionScope, groups: readonly EquationGroup[], cyclic: boolean): void {
  let complaints = 0;
  const counted: DefinitionScope = {
    ...scope,
    report: diagnostic => {
      complaints += 1;
      scope.report(diagnostic);
    },
  };
  for (const group of groups) checkEquations(counted, group, cyclic);
  const drafts = groups.flatMap(group => group.drafts);
  const missing = drafts.find(draft => draft.typed === null);
  if (missing === undefined || complaints > 0 || drafts.some(draft => !draft.sound)) return;
  if (dependsOnFailed(scope, groups) || checkWrittenCycles(scope, groups)) return;
  const only =
    drafts.length === 1 ? "depends on itself only" : "depends on itself only, through other equations";
  scope.report(
    report("F0305", { name: missing.name }, missing.targetSpan, {
      label: only,
      help: firstValueHelp(missing),
    }),
  );
}

function firstValueHelp({ name, order }: EquationDraft): readonly string[] {
  if (order.length === 0) return [];
  const target = `${name}[${order.map((axis, at) => (at === 0 ? `${axis}<0` : axis)).join(", ")}]`;
  return [`give it a first value whose shape is known: \`${target} = zeros(n)\``];
}

/** Whether something that these equations read has been complained about. */
function dependsOnFailed(scope: DefinitionScope, groups: readonly EquationGroup[]): boolean {
  const own = new Set(groups.flatMap(group => group.drafts.map(draft => draft.name)));
  const names = new Set<string>();
  for (const group of groups) {
    namesRead(group.statement.value, names);
    for (const draft of group.drafts)
      for (const boundary of draft.boundaries) namesRead(boundary.value, names);
  }
  return (
    [...names].some(name => {
      const symbol = scope.symbols.get(name);
      if (symbol === undefined || own.has(name)) return false;
      if (symbol.kind === "equation") return symbol.draft.typed === null;
      if (symbol.kind === "value") return symbol.input === null;
      return symbol.kind === "param" && symbol.param === null;
    }) || callsFailed(scope)
  );
}

/** A layer with errors gives results without types; its own errors have been reported. */
const callsFailed = (scope: DefinitionScope): boolean => scope.failures.size > 0;
