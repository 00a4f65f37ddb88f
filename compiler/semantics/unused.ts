// Warnings about names that nothing reads. Siblings in a tuple are excused: a split gives all its parts.

import { report } from "../diagnostics/report.ts";
import { textOf } from "../diagnostics/wording.ts";
import type { DefinitionScope, LocalSymbol } from "./scope.ts";

export function warnUnused(scope: DefinitionScope): void {
  const excused = new Set(scope.definition.results.map(({ name }) => name.name));
  for (const { drafts } of scope.groups) {
    const needed = drafts.some(
      draft => scope.used.has(draft.name) || excused.has(draft.name) || draft.role !== "plain",
    );
    if (needed) for (const draft of drafts) excused.add(draft.name);
  }
  for (const { target } of scope.definition.body.filter(statement => statement.kind === "generate")) {
    excused.add(target.name.name);
  }
  for (const [name, symbol] of scope.symbols) {
    if (name === "" || scope.used.has(name) || excused.has(name) || symbol.kind === "inferred") continue;
    const help =
      symbol.kind === "equation" && scope.definition.kind === "model"
        ? [`to read it after a run: \`output ${textOf(symbol.span)} = ..\``]
        : [];
    scope.report(
      report("F0108", { what: wordFor(symbol), name }, symbol.span, { label: "never read", help }),
    );
  }
}

function wordFor(symbol: LocalSymbol): string {
  switch (symbol.kind) {
    case "static":
    case "inferred":
      return "argument";
    case "axis":
      return "axis";
    case "value":
      return symbol.role;
    case "param":
      return "parameter";
    case "equation":
      return "equation";
    case "share":
      return "shared layer";
  }
}
