// The checker's front: from a parsed file to typed definitions, with everything that is wrong in them.

import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import type { Definition, SourceFile } from "../syntax/ast.ts";
import { type Gaps, noGaps, parse } from "../syntax/parse.ts";
import { checkDefinition } from "./definition.ts";
import { type CheckedDefinition, FileGlobals, type Globals, Workshop } from "./globals.ts";
import { loadFile, type ReadImport, warnUnusedImports } from "./imports.ts";
import type { LayerFacts } from "./reads.ts";
import type { LayerCall, TypedDefinition } from "./typed.ts";
import { namesCalled } from "./walk.ts";

export type { ReadImport };

export interface Checked {
  /** Of this file, in its order. Where a definition has errors, its tree lacks the equations concerned. */
  readonly definitions: readonly TypedDefinition[];
  /** Those of them that no other definition of the file calls. */
  readonly outermost: readonly TypedDefinition[];
  /** In the order of their place in the file; those of imported files last. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The layers of typed trees with what the checker knows of them. The trees are shared, so the knowledge is too. */
const knowledge = new WeakMap<TypedDefinition, CheckedDefinition>();

const facts: LayerFacts = (call: LayerCall) => knowledge.get(call.layer) ?? null;

function workshop(sink: (diagnostic: Diagnostic) => void): Workshop {
  return new Workshop((target, functions) => {
    const checked = checkDefinition(target, functions, facts, sink);
    knowledge.set(checked.typed, checked);
    return checked;
  });
}

interface Library {
  readonly globals: Globals;
  /** Empty, unless the library itself is wrong. */
  readonly diagnostics: Diagnostic[];
}

const libraries = new WeakMap<readonly SourceFile[], Library>();

/** A library is checked once, layer by layer as they are used. */
function libraryOf(files: readonly SourceFile[]): Library {
  const known = libraries.get(files);
  if (known !== undefined) return known;
  const diagnostics: Diagnostic[] = [];
  const sink = (diagnostic: Diagnostic): void => {
    if (diagnostic.severity === "error") diagnostics.push(diagnostic);
  };
  const library = { globals: new FileGlobals(files, null, workshop(sink)), diagnostics };
  libraries.set(files, library);
  return library;
}

/** `gaps` are the parser's: what it could not read. */
export function checkFile(
  file: SourceFile,
  library: readonly SourceFile[],
  readImport: ReadImport,
  gaps: Gaps = noGaps,
): Checked {
  const found: Diagnostic[] = [];
  const sink = (diagnostic: Diagnostic): void => {
    if (!found.some(other => isSame(other, diagnostic))) found.push(diagnostic);
  };
  const { globals: libraryGlobals, diagnostics: libraryErrors } = libraryOf(library);
  const shop = workshop(sink);
  const globals = loadFile(
    {
      read: readImport,
      parse,
      library: libraryGlobals,
      workshop: shop,
      report: sink,
      done: new Map(),
      under: [],
    },
    file,
    gaps,
  );
  reportTwice(file.definitions, sink);
  const definitions = file.definitions.flatMap(definition => {
    const checked = shop.check({ definition, globals }, new Map());
    return typeof checked === "string" ? [] : [checked.typed];
  });
  warnUnusedImports(file, globals, sink);
  for (const diagnostic of libraryErrors) sink(diagnostic);
  const called = calledIn(file.definitions);
  const outermost = definitions.filter(({ name }) => !called.has(name));
  return { definitions, outermost, diagnostics: inOrder(file, found) };
}

/** The names of a file's definitions that others of them call. */
function calledIn(definitions: readonly Definition[]): ReadonlySet<string> {
  const called = new Set<string>();
  for (const statement of definitions.flatMap(({ body }) => body)) {
    if (statement.kind === "equation" || statement.kind === "share") namesCalled(statement.value, called);
  }
  return called;
}

function reportTwice(definitions: readonly Definition[], sink: (diagnostic: Diagnostic) => void): void {
  const first = new Map<string, Definition>();
  for (const definition of definitions) {
    const { name, span } = definition.name;
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, definition);
      continue;
    }
    const notes = [{ span: before.name.span, text: "first defined here" }];
    sink(report("F0102", { name }, span, { label: "defined again", notes }));
  }
}

/** A layer that is checked for several functions may say the same of the same place more than once. */
const isSame = (left: Diagnostic, right: Diagnostic): boolean =>
  left.code === right.code &&
  left.span?.source === right.span?.source &&
  left.span?.start === right.span?.start &&
  left.span?.end === right.span?.end;

function inOrder(file: SourceFile, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const rank = ({ span }: Diagnostic): number =>
    span === null || span.source.name !== file.source.name ? 1 : 0;
  return [...diagnostics].sort(
    (a, b) =>
      rank(a) - rank(b) || (a.span?.start ?? 0) - (b.span?.start ?? 0) || a.code.localeCompare(b.code),
  );
}
