// Which argument of a call goes to which parameter: positional ones first, then named ones, as in `dense(x, n: 10)`.

import type { Span } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import { counted } from "../diagnostics/wording.ts";
import type { Argument } from "../syntax/ast.ts";
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
  let sound = true;
  const complain = (diagnostic: ReturnType<typeof report>): void => {
    reportAt(place, diagnostic);
    sound = false;
  };
  let next = 0;
  let named: Argument | null = null;
  for (const arg of args) {
    if (arg.label === null) {
      const formal = formals[next];
      if (named !== null) {
        const notes = [{ span: named.span, text: "after this named argument" }];
        complain(
          report("F0405", { callee }, arg.span, {
            label: "positional",
            notes,
            help: ["put it first, or name it"],
          }),
        );
      } else if (formal === undefined) {
        complain(tooMany(callee, formals, arg));
      } else {
        const before = given.get(formal.name);
        if (before === undefined) given.set(formal.name, [arg]);
        else before.push(arg);
        if (!formal.many) next += 1;
      }
      continue;
    }
    named ??= arg;
    const { name, span } = arg.label;
    const formal = formals.find(parameter => parameter.name === name);
    const before = given.get(name)?.[0];
    if (formal === undefined) {
      const help = didYouMean(
        name,
        formals.map(parameter => parameter.name),
      );
      const along = `axes stand in brackets after the name: \`${callee}[t](..)\``;
      const known = ["axis", "dim"].includes(name)
        ? [along]
        : [`it takes ${formals.map(parameter => `\`${parameter.name}\``).join(", ")}`];
      const values = { callee, argument: name };
      complain(
        report("F0403", values, span, { label: "no such argument", help: help.length > 0 ? help : known }),
      );
    } else if (before !== undefined) {
      const notes = [{ span: before.span, text: "given here already" }];
      complain(
        report("F0404", { callee, argument: name }, arg.span, { label: "for the second time", notes }),
      );
    } else given.set(name, [arg]);
  }
  for (const formal of sound ? formals : []) {
    if (formal.optional || given.has(formal.name)) continue;
    const notes = formal.span === null ? [] : [{ span: formal.span, text: "it is declared here" }];
    complain(
      report("F0402", { callee, argument: formal.name }, callSpan, {
        label: `\`${formal.name}\` is missing`,
        notes,
      }),
    );
  }
  return sound ? given : null;
}

function tooMany(callee: string, formals: readonly FormalParameter[], arg: Argument) {
  const most = formals.length;
  const help = most === 0 ? [] : [`it takes ${formals.map(parameter => `\`${parameter.name}\``).join(", ")}`];
  return report("F0401", { callee, most: counted(most, "argument", "arguments") }, arg.span, {
    label: "one too many",
    help,
  });
}
