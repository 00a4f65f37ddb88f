// What the typed equations read: for cycles without a step in between, for boundaries that nobody needs, and for
// what callers must know of a layer. All of it looks at the finished tree.

import type { Span } from "../diagnostics/diagnostic.ts";
import { builtins } from "./builtins.ts";
import type { CheckedDefinition, EndRead } from "./globals.ts";
import { signOfOffset } from "./indices.ts";
import type { DefinitionScope } from "./scope.ts";
import type { AxisName, Boundary, Index, LayerCall, TypedExpression } from "./typed.ts";

/** A name read without a delay: at the same step, or at all steps of an axis at once. */
export interface ImmediateRead {
  readonly name: string;
  /** Of the read, or of what looks along the whole axis: `mean[t](h[t])`, `h[last]`. */
  readonly span: Span;
  readonly whole: AxisName | null;
}

/** What a read stands in that looks along a whole axis. */
type Whole = { readonly axis: AxisName; readonly span: Span } | null;

/** What is known of layers that have been checked already. */
export type LayerFacts = (call: LayerCall) => CheckedDefinition | null;

export interface Reads {
  /** For each name: what it needs without a step in between. Boundaries are needed by those who look beyond. */
  readonly immediate: ReadonlyMap<string, readonly ImmediateRead[]>;
  /** Beyond which ends each name is read. */
  readonly ends: ReadonlyMap<string, readonly EndRead[]>;
}

export function collectReads(scope: DefinitionScope, facts: LayerFacts): Reads {
  const immediate = new Map<string, ImmediateRead[]>();
  const ends = new Map<string, EndRead[]>();
  for (const draft of scope.groups.flatMap(group => group.drafts)) {
    const { typed } = draft;
    if (typed === null) continue;
    const found: ImmediateRead[] = [];
    visit(typed.value, null, found);
    for (const boundary of typed.boundaries) visit(boundary.value, null, null);
    immediate.set(draft.name, found);
  }
  return { immediate, ends };

  /** `found` is null where a step lies between: then only the ends that are read matter. */
  function visit(expression: TypedExpression, whole: Whole, found: ImmediateRead[] | null): void {
    switch (expression.kind) {
      case "static":
        return;
      case "read":
        visitRead(expression, whole, found);
        return;
      case "builtin":
        for (const arg of expression.args) visit(arg, whole ?? wholeOf(expression), found);
        return;
      case "call":
        visitCall(expression.call, expression.result, whole, found);
    }
  }

  function visitRead(
    read: Extract<TypedExpression, { kind: "read" }>,
    outer: Whole,
    found: ImmediateRead[] | null,
  ): void {
    const beyond = read.indices.flatMap(index => sidesOf(index));
    if (beyond.length > 0) ends.set(read.name, [...(ends.get(read.name) ?? []), ...beyond]);
    if (found === null) return;
    const moves = read.indices.some(
      index => index.kind === "offset" && signOfOffset({ scope }, index.offset) !== "here",
    );
    if (moves) {
      visitBoundaries(read.name, beyond, found);
      return;
    }
    const end = read.indices.find(index => index.kind === "end");
    const whole = outer ?? (end === undefined ? null : { axis: end.axis, span: read.span });
    found.push({ name: read.name, span: whole?.span ?? read.span, whole: whole?.axis ?? null });
  }

  /** Whoever looks beyond an end needs the boundary there, at the same step. */
  function visitBoundaries(name: string, beyond: readonly EndRead[], found: ImmediateRead[]): void {
    const symbol = scope.symbols.get(name);
    const typed = symbol?.kind === "equation" ? symbol.draft.typed : null;
    for (const boundary of typed === null ? [] : boundariesOf(typed.value, typed.boundaries)) {
      const needed = beyond.some(end => end.axis === boundary.axis && end.side === boundary.side);
      if (needed) visit(boundary.value, null, found);
    }
  }

  function sidesOf(index: Index): readonly EndRead[] {
    if (index.kind === "end") return [];
    const sign = signOfOffset({ scope }, index.offset);
    const { axis } = index;
    if (sign === null)
      return [
        { axis, side: "before" },
        { axis, side: "after" },
      ];
    return sign === "here" ? [] : [{ axis, side: sign }];
  }

  function visitCall(call: LayerCall, result: number, whole: Whole, found: ImmediateRead[] | null): void {
    const name = call.layer.results[result];
    const known = facts(call);
    const needed = name === undefined ? undefined : known?.immediate.get(name);
    for (const [argument, value] of call.values) visit(value, whole, needed?.has(argument) ? found : null);
    for (const boundary of [...call.boundaries.values()].flat()) visit(boundary.value, whole, found);
  }
}

/** The axis over which a primitive reduces or normalises. */
function wholeOf({ name, axes, span }: Extract<TypedExpression, { kind: "builtin" }>): Whole {
  const [axis] = axes;
  const { brackets } = builtins[name];
  return axis === undefined || brackets === "added" || brackets === "none" ? null : { axis, span };
}

const boundariesOf = (value: TypedExpression, own: readonly Boundary[]): readonly Boundary[] =>
  value.kind === "call" ? [...own, ...[...value.call.boundaries.values()].flat()] : own;

/** Beyond which ends the result of a call is read inside the layer, in the caller's axes and directions. */
export function endsInside(call: LayerCall, result: number, facts: LayerFacts): readonly EndRead[] {
  const name = call.layer.results[result];
  const inner = name === undefined ? [] : (facts(call)?.endsRead.get(name) ?? []);
  const bound = call.layer.axes.filter(axis => axis.kind === "bound");
  return inner.flatMap(({ axis, side }) => {
    const outer = call.axes[bound.findIndex(other => other.name === axis)];
    if (outer === undefined) return [];
    const flipped = side === "before" ? "after" : "before";
    return [{ axis: outer.axis, side: outer.reversed ? flipped : side }];
  });
}

/** The value arguments that each name needs at the same step, found through all names between. */
export function immediateArguments(
  reads: Reads,
  results: readonly string[],
  isArgument: (name: string) => boolean,
): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    results.map(result => {
      const seen = new Set<string>([result]);
      const pending = [result];
      for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
        for (const { name } of reads.immediate.get(next) ?? []) {
          if (seen.has(name)) continue;
          seen.add(name);
          pending.push(name);
        }
      }
      return [result, new Set([...seen].filter(isArgument))];
    }),
  );
}
