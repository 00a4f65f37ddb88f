// Makes a diagnostic from its code: the title comes from spec/errors/CODE.md, so that what is documented is what is
// shown. The placeholders of a title are checked by the type checker.

import { messages } from "../generated/messages.ts";
import type { Diagnostic, DiagnosticCode, Note, Span } from "./diagnostic.ts";

type Placeholder<Title extends string> = Title extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholder<Rest>
  : never;

/** What the title of a code wants to be told. */
export type MessageValues<Code extends DiagnosticCode> = {
  readonly [Name in Placeholder<(typeof messages)[Code]["title"]>]: string | number;
};

export interface Extra {
  readonly label?: string;
  readonly notes?: readonly Note[];
  readonly help?: readonly string[];
}

/** A diagnostic with the documented title of `code`, its placeholders filled in. */
export function report<Code extends DiagnosticCode>(
  code: Code,
  values: MessageValues<Code>,
  span: Span | null,
  extra: Extra = {},
): Diagnostic {
  const { severity, title } = messages[code];
  const filled: Readonly<Record<string, string | number>> = values;
  return {
    code,
    severity,
    title: title.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(filled[name])),
    span,
    label: extra.label ?? "",
    notes: extra.notes ?? [],
    help: extra.help ?? [],
  };
}
