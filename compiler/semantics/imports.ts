// Files that import each other: each is read and parsed once, circles are refused.

import type { Diagnostic, Source } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../diagnostics/nearest.ts";
import { report } from "../diagnostics/report.ts";
import type { Import, SourceFile } from "../syntax/ast.ts";
import type { Gaps } from "../syntax/parse.ts";
import { FileGlobals, type Globals, type Workshop } from "./globals.ts";

/** Reads a file named by an import; `from` is the name of the importing source. Null where there is none. */
export type ReadImport = (path: string, from: string) => Source | null;
export type Parse = (source: Source) => {
  readonly file: SourceFile;
  readonly diagnostics: readonly Diagnostic[];
  readonly gaps: Gaps;
};

export interface Loader {
  readonly read: ReadImport;
  readonly parse: Parse;
  readonly library: Globals;
  readonly workshop: Workshop;
  readonly report: (diagnostic: Diagnostic) => void;
  /** By source name. */
  readonly done: Map<string, FileGlobals>;
  /** Names of the sources being loaded, outermost first. */
  readonly under: string[];
}

/** What a file sees: its own definitions, and those it imports. */
export function loadFile(loader: Loader, file: SourceFile, gaps: Gaps): FileGlobals {
  const { name } = file.source;
  const globals = new FileGlobals([file], loader.library, loader.workshop, gaps);
  loader.done.set(name, globals);
  loader.under.push(name);
  for (const statement of file.imports) importNames(loader, file, globals, statement);
  loader.under.pop();
  return globals;
}

function importNames(loader: Loader, file: SourceFile, globals: FileGlobals, statement: Import): void {
  const source = loader.read(statement.path, file.source.name);
  const giveUp = (): void => {
    for (const { name, alias } of statement.names) globals.addGap((alias ?? name).name);
  };
  if (source === null) {
    giveUp();
    const help = ['paths are relative to this file and end in `.frond`: `"./attention.frond"`'];
    const values = { path: statement.path };
    loader.report(report("F0105", values, statement.pathSpan, { label: "there is no such file", help }));
    return;
  }
  const start = loader.under.indexOf(source.name);
  if (start >= 0) {
    giveUp();
    const chain = [...loader.under.slice(start), source.name].join(" -> ");
    loader.report(report("F0106", { path: statement.path }, statement.pathSpan, { label: chain }));
    return;
  }
  if (loader.under.length >= mostNested) {
    giveUp();
    const values = { what: "imports", levels: mostNested };
    loader.report(report("F0113", values, statement.pathSpan, { label: "one more" }));
    return;
  }
  const imported = loader.done.get(source.name) ?? loadSource(loader, source);
  for (const { name, alias } of statement.names) {
    const target = imported.own(name.name);
    const local = alias ?? name;
    if (target === null) {
      globals.addGap(local.name);
      if (imported.gaps.names.has(name.name)) continue;
      const help = didYouMean(name.name, imported.ownNames());
      const values = { path: statement.path, name: name.name };
      loader.report(report("F0107", values, name.span, { label: "not defined there", help }));
      continue;
    }
    const before = globals.own(local.name) ?? globals.imported(local.name);
    if (before !== null) {
      const notes = [{ span: before.definition.name.span, text: "first defined here" }];
      loader.report(report("F0102", { name: local.name }, local.span, { label: "defined again", notes }));
    } else globals.import(local.name, target);
  }
}

/** Files that wait for what they import. */
const mostNested = 100;

function loadSource(loader: Loader, source: Source): FileGlobals {
  const { file, diagnostics, gaps } = loader.parse(source);
  for (const diagnostic of diagnostics) loader.report(diagnostic);
  return loadFile(loader, file, gaps);
}

/** Imports that nothing uses. Called after everything has been checked. */
export function warnUnusedImports(
  file: SourceFile,
  globals: FileGlobals,
  sink: (diagnostic: Diagnostic) => void,
): void {
  for (const { name, alias } of file.imports.flatMap(statement => statement.names)) {
    const local = alias ?? name;
    if (globals.used.has(local.name) || globals.imported(local.name) === null) continue;
    sink(report("F0108", { what: "import", name: local.name }, local.span, { label: "never used" }));
  }
}
