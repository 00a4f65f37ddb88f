// The library's files as syntax trees. They were parsed when Frond was built; here they are only read.

import { std } from "../generated/std.ts";
import type { SourceFile } from "./ast.ts";
import { unpack } from "./pack.ts";

let loaded: readonly SourceFile[] | null = null;

/** The files of spec/std, named `std/NAME.frond`, in the order of their names. */
export function loadLibrary(): readonly SourceFile[] {
  loaded ??= std.map(unpack);
  return loaded;
}
