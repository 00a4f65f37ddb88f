// The index items of a name: `t`, `t-k`, `t+k`, `first`, `last`, `last-k`, `first+k`. The parser takes any expression;
// here it must be the name's own axis (or an end of it) plus an offset known before the run.

import type { Diagnostic, Span } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { counted, textOf } from "../diagnostics/wording.ts";
import type { Expression } from "../syntax/ast.ts";
import { axisNames, findAxis, isNews, type Place, reportAt } from "./scope.ts";
import { addSizes, constantSize, negateSize, type Size, signOf } from "./size.ts";
import { sizeOf, staticSize } from "./statics.ts";
import type { AxisName, Index } from "./typed.ts";

/** A name that is read, with what is known of it. */
export interface Indexed {
  readonly name: string;
  readonly span: Span;
  readonly order: readonly AxisName[];
  /** Where it was declared. */
  readonly declaration: Span;
}

/** One index for each axis of the name; null after a complaint. */
export function resolveIndices(
  place: Place,
  target: Indexed,
  items: readonly Expression[] | null,
): readonly Index[] | null {
  const { name, order } = target;
  const declared = { span: target.declaration, text: `\`${written(name, order)}\` is declared here` };
  if (items === null) {
    if (order.length === 0) return [];
    const help = [`write \`${written(name, order)}\``];
    reportAt(
      place,
      report("F0203", { name }, target.span, { label: "without its indices", notes: [declared], help }),
    );
    return null;
  }
  if (items.length !== order.length) {
    const label = order.length === 0 ? "it has no axes" : `${items.length} instead of ${order.length}`;
    const help = countHelp(target, items);
    const values = countsOf(name, order, items);
    reportAt(place, report("F0204", values, target.span, { label, notes: [declared], help }));
    return null;
  }
  const indices: Index[] = [];
  for (const [at, item] of items.entries()) {
    const index = resolveIndex(place, target, item, order[at]!);
    // Of two permuted indices, one complaint says it all.
    if (index === null) return null;
    indices.push(index);
  }
  return indices;
}

export const written = (name: string, order: readonly AxisName[]): string =>
  order.length === 0 ? name : `${name}[${order.join(", ")}]`;

/** What is wrong with axes that stand for a name elsewhere than in its equation; null where they are its own. */
export function axesMismatch(
  { name, order, declaration, span }: Indexed,
  axes: readonly string[],
): Diagnostic | null {
  const at = axes.findIndex((axis, index) => axis !== order[index]);
  if (at < 0 && axes.length === order.length) return null;
  const notes = [{ span: declaration, text: `\`${written(name, order)}\` is defined here` }];
  if (axes.length === order.length) {
    return report("F0205", { name, wanted: order[at] ?? "", found: axes[at] ?? "" }, span, { notes });
  }
  return report("F0204", countsOf(name, order, axes), span, {
    notes,
    help: [`write \`${written(name, order)}\``],
  });
}

const countsOf = (name: string, order: readonly AxisName[], found: readonly unknown[]) => ({
  name,
  axes: counted(order.length, "axis", "axes"),
  found: counted(found.length, "index", "indices"),
});

function countHelp({ name, order }: Indexed, items: readonly Expression[]): readonly string[] {
  const given = written(
    name,
    items.map(item => textOf(item.span)),
  );
  if (order.length === 0)
    return [`write \`${name}\`, or give it its axis where it is declared: \`${given}\``];
  const features = "brackets hold axes only; features are taken by `slice` or `split`";
  return [`write \`${written(name, order)}\``, ...(items.length > order.length ? [features] : [])];
}

/** A sum taken apart: the axis or end it counts from, and the rest. */
interface Sum {
  readonly base: { readonly name: string; readonly span: Span; readonly negative: boolean } | null;
  readonly rest: readonly { readonly negative: boolean; readonly term: Expression }[];
}

function resolveIndex(place: Place, target: Indexed, item: Expression, axis: AxisName): Index | null {
  const sum = takeApart(place, item, axis);
  if (sum.base === null) return reportNoAxis(place, item, axis);
  const { base } = sum;
  if (base.negative) {
    const help = ["what runs from the end is a call: `gru[-t](..)`; single steps are `last`, `last-1`, .."];
    reportAt(place, report("F0217", { axis: base.name }, item.span, { label: "indices run forward", help }));
    return null;
  }
  let offset: Size = constantSize(0);
  for (const { negative, term } of sum.rest) {
    const size = sizeOf(place, term, true);
    if (size === null) return null;
    offset = addSizes(offset, negative ? size : negateSize(size));
  }
  if (base.name === "first" || base.name === "last") return resolveEnd(place, item, axis, base.name, offset);
  if (base.name !== axis) return reportWrongAxis(place, target, item, base.name, axis);
  findAxis(place.scope, axis);
  const moved = place.moved.get(axis);
  if (moved !== undefined) offset = addSizes(offset, moved);
  return { kind: "offset", axis, offset: staticSize(offset) };
}

/** `offset` counts delays, so `first + 2` comes as -2 and `last - 2` as 2. */
function resolveEnd(
  place: Place,
  item: Expression,
  axis: AxisName,
  from: "first" | "last",
  offset: Size,
): Index | null {
  const inward = from === "first" ? negateSize(offset) : offset;
  if (signOf(inward) === "negative") {
    const label = from === "first" ? "before the first step" : "after the last step";
    reportAt(place, report("F0209", { text: textOf(item.span) }, item.span, { label }));
    return null;
  }
  findAxis(place.scope, axis);
  return { kind: "end", axis, from, offset: staticSize(inward) };
}

function takeApart(place: Place, item: Expression, axis: AxisName): Sum {
  const terms: { negative: boolean; term: Expression }[] = [];
  const collect = (expression: Expression, negative: boolean): void => {
    if (expression.kind === "binary" && (expression.operator === "+" || expression.operator === "-")) {
      collect(expression.left, negative);
      collect(expression.right, negative !== (expression.operator === "-"));
    } else if (expression.kind === "unary" && expression.operator === "-") {
      collect(expression.operand, !negative);
    } else terms.push({ negative, term: expression });
  };
  collect(item, false);
  const bare = (term: Expression): string | null =>
    term.kind === "name" && term.indices === null ? term.name.name : null;
  const isAxis = (name: string | null): boolean =>
    name !== null && (name === "first" || name === "last" || place.scope.symbols.get(name)?.kind === "axis");
  const runTime = (name: string | null): boolean => {
    const symbol = name === null ? undefined : place.scope.symbols.get(name);
    return isAxis(name) && (symbol?.kind !== "axis" || symbol.axis.kind !== "static");
  };
  // The name's own axis, else an axis of unknown length, else any: in `x[t-k]` a static k is part of the offset.
  const at = [(name: string | null) => name === axis, runTime, isAxis]
    .map(wanted => terms.findIndex(({ term }) => wanted(bare(term))))
    .find(found => found >= 0);
  const found = at === undefined ? undefined : terms[at];
  if (found === undefined) return { base: null, rest: terms };
  const base = { name: bare(found.term)!, span: found.term.span, negative: found.negative };
  return { base, rest: terms.filter(term => term !== found) };
}

function reportWrongAxis(
  place: Place,
  target: Indexed,
  item: Expression,
  found: string,
  wanted: AxisName,
): null {
  const { name, order } = target;
  reportAt(
    place,
    report("F0205", { name, wanted, found }, item.span, {
      label: `\`${found}\` stands where \`${name}\` has \`${wanted}\``,
      notes: [{ span: target.declaration, text: `\`${written(name, order)}\` is declared here` }],
      help: order.includes(found)
        ? [`its indices are written in the order of its declaration: \`${written(name, order)}\``]
        : [],
    }),
  );
  return null;
}

/** Nothing in the item is an axis: a number, an unknown name, a multiple of an axis. */
function reportNoAxis(place: Place, item: Expression, axis: AxisName): null {
  const { scope } = place;
  const forms = [
    `indices are \`${axis}\`, \`${axis}-k\`, \`${axis}+k\`, \`first\`, \`last\`, \`first+k\` or \`last-k\``,
  ];
  if (item.kind === "name" && item.indices === null && !scope.symbols.has(item.name.name)) {
    return reportUnknownAxis(place, item.name.name, item.span, forms);
  }
  const text = textOf(item.span);
  const number = item.kind === "number" ? item.value : null;
  const help = [...forms];
  const back = item.kind === "unary" && item.operand.kind === "number" ? item.operand.value : 0;
  if (back >= 1)
    help.unshift(
      `${back === 1 ? "the last step is" : "counted from the end, it is"} \`${back === 1 ? "last" : `last-${back - 1}`}\``,
    );
  if (number !== null && Number.isSafeInteger(number) && number >= 0) {
    help.unshift(
      number === 0 ? "the first step is `first`" : `counted from 0, step ${number} is \`first+${number}\``,
    );
  }
  reportAt(place, report("F0209", { text }, item.span, { label: `not a position along \`${axis}\``, help }));
  return null;
}

export function reportUnknownAxis(
  place: Place,
  name: string,
  span: Span,
  otherwise?: readonly string[],
): null {
  if (!isNews(place, name)) return null;
  const symbol = place.scope.symbols.get(name);
  const { kind, name: definition } = place.scope.definition;
  const near = symbol === undefined ? didYouMean(name, axisNames(place.scope)) : [];
  const declare =
    symbol !== undefined
      ? "sizes and values are no axes; features need no brackets, as in `softmax(x[t])`"
      : kind === "model"
        ? `axes are declared by \`axis ${name}\``
        : `a layer's axes stand in its header: \`layer ${definition.name}[${name}](..)\``;
  reportAt(
    place,
    report("F0202", { name }, span, {
      label: symbol === undefined ? "no axis has this name" : "this name is no axis",
      notes: symbol === undefined ? [] : [{ span: symbol.span, text: "it is declared here" }],
      help: near.length > 0 ? near : (otherwise ?? [declare]),
    }),
  );
  return null;
}

/** How far back a read looks along an axis; null where only an instance can tell. */
export function signOfOffset(
  place: Pick<Place, "scope">,
  offset: Index["offset"],
): "before" | "after" | "here" | null {
  if (offset.kind === "number") return offset.value > 0 ? "before" : offset.value < 0 ? "after" : "here";
  if (offset.kind !== "size") return null;
  const sign = signOf(offset.size, name => (place.scope.symbols.get(name)?.kind === "axis" ? null : 1));
  return sign === "positive" ? "before" : sign === "negative" ? "after" : sign === "zero" ? "here" : null;
}
