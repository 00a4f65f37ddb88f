// All ops. The type says that none is missing: a new name in OpAttrs does not compile before its record is here.

import type { OpName } from "../graph/graph.ts";
import { contraction } from "./contraction.ts";
import { crossing } from "./crossing.ts";
import { elementwise } from "./elementwise.ts";
import { features } from "./features.ts";
import { lookup } from "./lookup.ts";
import type { OpRecord, OpTable } from "./op.ts";
import { reductions } from "./reductions.ts";
import { sources } from "./sources.ts";
import { windows } from "./windows.ts";

export const ops: OpTable = {
  ...sources,
  ...elementwise,
  ...features,
  ...lookup,
  ...windows,
  ...reductions,
  ...contraction,
  ...crossing,
};

/** The record of an op; with `Node`'s own `op`, its functions take that node. */
export function opRecord<O extends OpName>(op: O): OpRecord<O> {
  return ops[op];
}

export const isOpName = (name: string): name is OpName => Object.hasOwn(ops, name);
