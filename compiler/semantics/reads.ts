// What the typed equations read: for cycles without a step in between, for boundaries that nobody needs, and for
// what callers must know of a layer. All of it looks at the finished tree.

import type { Span } from "../diagnostics/diagnostic.ts";
import type { CheckedDefinition, EndRead } from "./globals.ts";
import { signOfOffset } from "./indices.ts";
import type { DefinitionScope } from "./scope.ts";
import type { Boundary, Index, LayerCall, TypedExpression } from "./typed.ts";

/** A name read at the same step, or without regard to steps. */
export interface ImmediateRead {
  readonly name: string;
  readonly span: Span;
}

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
    visit(typed.value, true, found);
    for (const boundary of typed.boundaries) visit(boundary.value, false, []);
    immediate.set(draft.name, found);
  }
  return { immediate, ends };

  function visit(expression: TypedExpression, now: boolean, found: ImmediateRead[]): void {
    switch (expression.kind) {
      case "static":
        return;
      case "read":
        visitRead(expression, now, found);
        return;
      case "builtin":
        for (const arg of expression.args) visit(arg, now, found);
        return;
      case "call":
        visitCall(expression.call, expression.result, now, found);
    }
  }

  function visitRead(
    read: Extract<TypedExpression, { kind: "read" }>,
    now: boolean,
    found: ImmediateRead[],
  ): void {
    const beyond = read.indices.flatMap(index => sidesOf(index));
    if (beyond.length > 0) ends.set(read.name, [...(ends.get(read.name) ?? []), ...beyond]);
    const moves = read.indices.some(
      index => index.kind === "offset" && signOfOffset({ scope }, index.offset) !== "here",
    );
    if (!now) return;
    if (!moves) found.push({ name: read.name, span: read.span });
    else visitBoundaries(read.name, beyond, found);
  }

  /** Whoever looks beyond an end needs the boundary there, at the same step. */
  function visitBoundaries(name: string, beyond: readonly EndRead[], found: ImmediateRead[]): void {
    const symbol = scope.symbols.get(name);
    const typed = symbol?.kind === "equation" ? symbol.draft.typed : null;
    for (const boundary of typed === null ? [] : boundariesOf(typed.value, typed.boundaries)) {
      const needed = beyond.some(end => end.axis === boundary.axis && end.side === boundary.side);
      if (needed) visit(boundary.value, true, found);
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

  function visitCall(call: LayerCall, result: number, now: boolean, found: ImmediateRead[]): void {
    const name = call.layer.results[result];
    const known = facts(call);
    const needed = name === undefined ? undefined : known?.immediate.get(name);
    for (const [argument, value] of call.values) visit(value, now && (needed?.has(argument) ?? false), found);
    for (const boundary of [...call.boundaries.values()].flat()) visit(boundary.value, now, found);
  }
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
