// Syntax trees as JSON text and back: how the library ships parsed. A span is written `[start, end]`; its source is
// the file's, put back when the tree is read.

import type { Source, Span } from "../diagnostics/diagnostic.ts";
import type { Definition, Import, SourceFile } from "./ast.ts";

export interface PackedFile {
  readonly name: string;
  readonly text: string;
  /** JSON of the imports and definitions, spans as pairs. */
  readonly tree: string;
}

const spanKeys: ReadonlySet<string> = new Set(["span", "operatorSpan", "headerSpan", "pathSpan"]);

export function pack(file: SourceFile): PackedFile {
  const { name, text } = file.source;
  const tree = JSON.stringify(
    { imports: file.imports, definitions: file.definitions },
    (key, value: unknown) => (spanKeys.has(key) ? packSpan(value as Span) : value),
  );
  return { name, text, tree };
}

function packSpan({ start, end }: Span): readonly [number, number] {
  return [start, end];
}

export function unpack(packed: PackedFile): SourceFile {
  const source: Source = { name: packed.name, text: packed.text };
  const tree: { imports: Import[]; definitions: Definition[] } = JSON.parse(packed.tree);
  revive(tree, source);
  return { source, ...tree };
}

/** Replaces every packed span inside `value`, which nobody else has seen yet. */
function revive(value: object, source: Source): void {
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    const part = record[key];
    if (typeof part !== "object" || part === null) continue;
    if (!spanKeys.has(key)) revive(part, source);
    else if (Array.isArray(part)) record[key] = { source, start: Number(part[0]), end: Number(part[1]) };
  }
}
