// Checks one definition: declares its names, finds and checks the types of its equations, then what concerns the
// definition as a whole.

import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { textOf } from "../diagnostics/wording.ts";
import { checkCycles } from "./cycles.ts";
import { declare, plainPlace } from "./declare.ts";
import { checkGenerate } from "./generate.ts";
import type { CheckedDefinition, Formal } from "./globals.ts";
import { axesMismatch } from "./indices.ts";
import { inferAndCheck } from "./infer.ts";
import { functionNamed } from "./layer-functions.ts";
import { collectReads, endsInside, immediateArguments, type LayerFacts, type Reads } from "./reads.ts";
import type { DefinitionScope, EquationDraft, FunctionValue, Target } from "./scope.ts";
import { checkTrain } from "./train.ts";
import type { TypedDefinition, TypedEquation, ValueType } from "./typed.ts";
import { warnUnused } from "./unused.ts";

export function checkDefinition(
  target: Target,
  functions: ReadonlyMap<string, FunctionValue>,
  facts: LayerFacts,
  sink: (diagnostic: Diagnostic) => void,
): CheckedDefinition {
  let failed = false;
  const complaints: Diagnostic[] = [];
  const scope = newScope(target, functions, diagnostic => {
    failed ||= diagnostic.severity === "error";
    if (functions.size === 0) sink(diagnostic);
    else if (diagnostic.severity === "error") complaints.push(diagnostic);
  });
  const declared = declare(scope);
  inferAndCheck(scope);
  const drafts = scope.groups.flatMap(group => group.drafts);
  const results = checkResults(scope);
  const reads = collectReads(scope, facts);
  if (drafts.every(draft => draft.typed !== null) && !hasGaps(scope))
    checkBoundariesRead(scope, reads, facts);
  checkCycles(scope, reads);
  if (target.definition.kind === "model") checkModel(scope, drafts);
  const train = checkTrain(plainPlace(scope), drafts);
  const generate = checkGenerate(plainPlace(scope));
  // What errors hide may have been what reads a name.
  if (!failed && !hasGaps(scope) && scope.failures.size === 0) warnUnused(scope);
  const { definition } = target;
  const typed: TypedDefinition = {
    kind: definition.kind,
    name: definition.name.name,
    ...declared,
    equations: new Map(
      drafts.flatMap(draft => (draft.typed === null ? [] : [[draft.name, draft.typed] as const])),
    ),
    results,
    train,
    generate,
    constraints: scope.constraints,
    doc: definition.doc,
    span: definition.span,
    headerSpan: definition.headerSpan,
  };
  return { ...summary(scope, typed, reads, facts, failed), complaints };
}

function newScope(
  target: Target,
  functions: ReadonlyMap<string, FunctionValue>,
  report: (diagnostic: Diagnostic) => void,
): DefinitionScope {
  const { definition, globals } = target;
  const scope = {
    definition,
    globals,
    symbols: new Map(),
    axes: [],
    groups: [],
    used: new Set<string>(),
    constraints: [],
    instances: new Map(),
    failures: new Set<never>(),
    unknown: new Set<string>(),
    report: report,
  };
  return { ...scope, functions: boundFunctions({ ...scope, functions: new Map() }, functions) };
}

/** Function arguments not given take their default; without one, a layer is checked with `identity`. */
function boundFunctions(
  scope: DefinitionScope,
  given: ReadonlyMap<string, FunctionValue>,
): ReadonlyMap<string, FunctionValue> {
  const bound = new Map(given);
  for (const { target, type, default: otherwise } of scope.definition.parameters) {
    if (type.kind !== "function" || bound.has(target.name.name)) continue;
    const value = otherwise === null ? null : functionNamed(plainPlace(scope), otherwise);
    bound.set(target.name.name, value ?? { kind: "builtin", name: "identity" });
  }
  return bound;
}

/** The results of the header must be equations along the same axes. */
function checkResults(scope: DefinitionScope): readonly string[] {
  for (const { name, indices, span } of scope.definition.results) {
    const symbol = scope.symbols.get(name.name);
    if (symbol?.kind !== "equation") {
      if (scope.globals.gaps.names.has(name.name) || scope.unknown.has(name.name)) continue;
      const equations = scope.groups.flatMap(group => group.drafts.map(draft => draft.name));
      const near = didYouMean(name.name, equations);
      const help = near.length > 0 ? near : [`add an equation \`${textOf(span)} = ..\``];
      scope.report(report("F0112", { name: name.name }, span, { label: "no equation defines it", help }));
      continue;
    }
    scope.used.add(name.name);
    const { draft } = symbol;
    if (!draft.sound) continue;
    const target = { name: name.name, order: draft.order, declaration: draft.targetSpan, span };
    const mismatch = axesMismatch(
      target,
      indices.map(item => textOf(item.span)),
    );
    if (mismatch !== null) scope.report(mismatch);
  }
  return scope.definition.results.map(({ name }) => name.name);
}

/** Text that did not parse may have held what seems to be missing. */
const hasGaps = (scope: DefinitionScope): boolean => scope.globals.gaps.any;

/** A boundary that nobody reads says something that the author believes to matter. */
function checkBoundariesRead(scope: DefinitionScope, reads: Reads, facts: LayerFacts): void {
  const results = new Set(scope.definition.results.map(({ name }) => name.name));
  for (const draft of scope.groups.flatMap(group => group.drafts)) {
    const { typed } = draft;
    if (typed === null || results.has(draft.name)) continue;
    const inside =
      typed.value.kind === "call" && typed.alias
        ? endsInside(typed.value.call, typed.value.result, facts)
        : [];
    const read = [...(reads.ends.get(draft.name) ?? []), ...inside];
    const unknown = typed.value.kind === "call" && facts(typed.value.call)?.failed !== false;
    for (const { axis, side, targetSpan } of draft.boundaries) {
      if (unknown || read.some(end => end.axis === axis && end.side === side)) continue;
      const shifted = draft.order.map(one =>
        one === axis ? `${one}${side === "before" ? "-1" : "+1"}` : one,
      );
      const other = read.some(end => end.axis === axis);
      const values = { boundary: textOf(targetSpan) };
      const label = `nothing reads \`${draft.name}[${shifted.join(", ")}]\``;
      const swapped = side === "before" ? `${axis}>last` : `${axis}<0`;
      const help = other ? [`it is read on the other side: \`${draft.name}[${swapped}] = ..\``] : [];
      scope.report(report("F0212", values, targetSpan, { label, help }));
    }
  }
}

function checkModel(scope: DefinitionScope, drafts: readonly EquationDraft[]): void {
  const { name, headerSpan } = scope.definition;
  if (drafts.some(draft => draft.role === "output" || draft.role === "loss") || hasGaps(scope)) return;
  const help = ["mark what the model computes, `output p[t] = ..`, or give it a `loss = ..`"];
  scope.report(
    report("F0601", { name: name.name }, headerSpan, { label: "computes nothing that leaves it", help }),
  );
}

function summary(
  scope: DefinitionScope,
  typed: TypedDefinition,
  reads: Reads,
  facts: LayerFacts,
  failed: boolean,
): Omit<CheckedDefinition, "complaints"> {
  const isArgument = (name: string): boolean => scope.symbols.get(name)?.kind === "value";
  const equation = (name: string): TypedEquation | null => typed.equations.get(name) ?? null;
  const resultTypes = typed.results.map((name): ValueType | null => equation(name)?.type ?? null);
  const endsRead = typed.results.map(name => {
    const value = equation(name)?.value;
    const inside =
      value?.kind === "call" && equation(name)?.alias ? endsInside(value.call, value.result, facts) : [];
    return [name, [...(reads.ends.get(name) ?? []), ...inside]] as const;
  });
  return {
    typed,
    formals: formalsOf(scope),
    results: resultTypes,
    immediate: immediateArguments(reads, typed.results, isArgument),
    endsRead: new Map(endsRead),
    failed: failed || scope.failures.size > 0 || resultTypes.some(type => type === null),
  };
}

const formalsOf = (scope: DefinitionScope): readonly Formal[] =>
  scope.definition.parameters.map(({ target, default: otherwise }) => {
    const symbol = scope.symbols.get(target.name.name);
    const kind = symbol?.kind === "static" ? symbol.parameter.kind : "value";
    return { name: target.name.name, kind, optional: otherwise !== null };
  });
