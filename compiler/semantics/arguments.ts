// Which argument of a call goes to which parameter: positional ones first, then named ones, as in `dense(x, n: 10)`.

import type { Diagnostic, Span } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { counted } from "../diagnostics/wording.ts";
import type { Argument, Identifier } from "../syntax/ast.ts";
import { type Place, reportAt } from "./scope.ts";

export interface FormalParameter {
  readonly name: string;
  /** Takes all further positional arguments. */
  readonly many: boolean;
  readonly optional: boolean;
  readonly span: Span | null;
}

/** The arguments by parameter; null after a complaint. */
export function matchArguments(
  place: Place,
  callee: string,
  formals: readonly FormalParameter[],
  args: readonly Argument[],
  callSpan: Span,
): ReadonlyMap<string, readonly Argument[]> | null {
  const given = new Map<string, Argument[]>();
  const firstNamed = args.find(arg => arg.label !== null) ?? null;
  let next = 0;
  let sound = true;
  for (const arg of args) {
    const wrong =
      arg.label === null
        ? wrongPlace(callee, formals, arg, formals[next], firstNamed)
        : wrongName(callee, formals, arg, arg.label, given);
    const formal = arg.label === null ? formals[next] : { name: arg.label.name, many: true };
    if (wrong !== null || formal === undefined) {
      if (wrong !== null) reportAt(place, wrong);
      sound = false;
      continue;
    }
    const before = given.get(formal.name);
    if (before === undefined) given.set(formal.name, [arg]);
    else before.push(arg);
    if (!formal.many) next += 1;
  }
  for (const { name, span, optional } of sound ? formals : []) {
    if (optional || given.has(name)) continue;
    const notes = span === null ? [] : [{ span, text: "it is declared here" }];
    const label = `\`${name}\` is missing`;
    reportAt(place, report("F0402", { callee, argument: name }, callSpan, { label, notes }));
    sound = false;
  }
  return sound ? given : null;
}

type Formals = readonly FormalParameter[];

/** What is wrong with a positional argument that would go to `formal`. */
function wrongPlace(
  callee: string,
  formals: Formals,
  arg: Argument,
  formal: FormalParameter | undefined,
  firstNamed: Argument | null,
): Diagnostic | null {
  if (firstNamed !== null && firstNamed.span.start < arg.span.start) {
    const notes = [{ span: firstNamed.span, text: "after this named argument" }];
    const help = ["put it first, or name it"];
    return report("F0405", { callee }, arg.span, { label: "positional", notes, help });
  }
  if (formal !== undefined) return null;
  const most =
    formals.length === 0 ? "no arguments" : `at most ${counted(formals.length, "argument", "arguments")}`;
  const help = formals.length === 0 ? [] : [taken(formals)];
  return report("F0401", { callee, most }, arg.span, { label: "one too many", help });
}

const taken = (formals: Formals): string => `it takes ${formals.map(({ name }) => `\`${name}\``).join(", ")}`;

function wrongName(
  callee: string,
  formals: Formals,
  arg: Argument,
  { name, span }: Identifier,
  given: ReadonlyMap<string, readonly Argument[]>,
): Diagnostic | null {
  const values = { callee, argument: name };
  if (formals.every(formal => formal.name !== name)) {
    const near = didYouMean(
      name,
      formals.map(formal => formal.name),
    );
    const along = `axes stand in brackets after the name: \`${callee}[t](..)\``;
    const known = name === "axis" || name === "dim" ? along : taken(formals);
    const help = near.length > 0 ? near : [known];
    return report("F0403", values, span, { label: "no such argument", help });
  }
  const before = given.get(name)?.[0];
  if (before === undefined) return null;
  const notes = [{ span: before.span, text: "given here already" }];
  return report("F0404", values, arg.span, { label: "for the second time", notes });
}
