// Definitions in a circle: names that need each other at the same step, with no delay on the way. They are reported as
// the equations that form the circle. Orders that fail for other reasons are the scheduler's to report.

import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import { listed, textOf } from "../diagnostics/wording.ts";
import type { Expression } from "../syntax/ast.ts";
import { findBuiltin } from "./builtins.ts";
import type { ImmediateRead, Reads } from "./reads.ts";
import type { DefinitionScope, EquationDraft, EquationGroup } from "./scope.ts";
import type { AxisName } from "./typed.ts";
import { components } from "./walk.ts";

export function checkCycles(scope: DefinitionScope, reads: Reads): void {
  const drafts = scope.groups.flatMap(group => group.drafts).filter(draft => draft.typed !== null);
  reportCycles(scope, drafts, reads.immediate);
}

/** Before types are known: true when equations need each other at the same step, which explains why there are none. */
export function checkWrittenCycles(scope: DefinitionScope, groups: readonly EquationGroup[]): boolean {
  const immediate = new Map<string, readonly ImmediateRead[]>();
  for (const { statement, drafts } of groups) {
    const reads = unshiftedReads(statement.value);
    for (const draft of drafts) immediate.set(draft.name, reads);
  }
  return reportCycles(
    scope,
    groups.flatMap(group => group.drafts),
    immediate,
  );
}

function unshiftedReads(expression: Expression): readonly ImmediateRead[] {
  switch (expression.kind) {
    case "name": {
      const plain = (expression.indices ?? []).every(index => index.kind === "name");
      return plain ? [{ name: expression.name.name, span: expression.span, whole: null }] : [];
    }
    case "call": {
      const axis = wholeAxis(expression);
      const reads = expression.args.flatMap(arg => unshiftedReads(arg.value));
      return axis === null ? reads : reads.map(({ name }) => ({ name, span: expression.span, whole: axis }));
    }
    case "unary":
      return unshiftedReads(expression.operand);
    case "binary":
      return [...unshiftedReads(expression.left), ...unshiftedReads(expression.right)];
    case "error":
    case "number":
    case "bool":
      return [];
  }
}

/** The axis over which a call of a function reduces, `mean[t](..)`. */
function wholeAxis({ callee, axes }: Extract<Expression, { kind: "call" }>): AxisName | null {
  const [axis] = axes ?? [];
  return axis?.kind === "name" && findBuiltin(callee.name) !== null ? axis.name.name : null;
}

type Immediate = Reads["immediate"];

function reportCycles(
  scope: DefinitionScope,
  drafts: readonly EquationDraft[],
  immediate: Immediate,
): boolean {
  let found = false;
  const at = new Map(drafts.map((draft, index) => [draft.name, index]));
  const next = (from: number): readonly number[] =>
    (immediate.get(drafts[from]!.name) ?? []).flatMap(({ name }) => at.get(name) ?? []);
  for (const members of components(drafts.length, next)) {
    const [only] = members;
    if (only === undefined || (members.length === 1 && !next(only).includes(only))) continue;
    const inside = new Set(members.map(member => drafts[member]!.name));
    const start = drafts[Math.min(...members)]!;
    scope.report(tellCycle(scope, start, shortestCycle(start.name, inside, immediate)));
    found = true;
  }
  return found;
}

interface Step {
  readonly from: string;
  readonly read: ImmediateRead;
}

/** The shortest way from a name back to itself, breadth first. */
function shortestCycle(start: string, inside: ReadonlySet<string>, immediate: Immediate): readonly Step[] {
  const ways: Step[][] = [[]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const from = way.at(-1)?.read.name ?? start;
    for (const read of immediate.get(from) ?? []) {
      if (!inside.has(read.name)) continue;
      const longer = [...way, { from, read }];
      if (read.name === start) return longer;
      if (seen.has(read.name)) continue;
      seen.add(read.name);
      ways.push(longer);
    }
  }
  return [];
}

function tellCycle(scope: DefinitionScope, start: EquationDraft, cycle: readonly Step[]): Diagnostic {
  const written = (name: string): string => {
    const symbol = scope.symbols.get(name);
    return symbol?.kind === "equation" ? textOf(symbol.draft.targetSpan) : name;
  };
  const notes = cycle.map(({ from, read }) => ({
    span: read.span,
    text: `\`${written(from)}\` needs \`${textOf(read.span)}\``,
  }));
  const whole = cycle.find(({ read }) => read.whole !== null)?.read.whole ?? null;
  if (whole !== null) {
    const names = listed([...new Set(cycle.map(({ from }) => from))]);
    const label = `needs itself at all of \`${whole}\``;
    const help = [`keep a running value, \`m[${whole}] = m[${whole}-1] + ..\`, or look at single steps`];
    return report("F0503", { names, axis: whole }, start.targetSpan, { label, notes, help });
  }
  const names = [...cycle.map(step => step.from), start.name].join(" -> ");
  const label =
    cycle.length === 1
      ? "needs itself at the same step"
      : "needs itself, through the others, at the same step";
  const [axis] = start.order;
  const back = start.order.map(one => (one === axis ? `${one}-1` : one)).join(", ");
  const help =
    axis === undefined
      ? ["without an axis there is no step in between that could break the circle"]
      : [`did you mean the step before, \`${start.name}[${back}]\`?`];
  return report("F0501", { names }, start.targetSpan, { label, notes, help });
}
