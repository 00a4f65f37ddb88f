// How each op is computed: as part of a nest, as a view, or by a draw of its own. The table is total over OpName.

import type { Graph, Node, NodeId, NodeOf, OpName } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { PlanTraits } from "../plan/plan.ts";
import type { Cell, Cells } from "./cells.ts";
import { writeContract } from "./contract.ts";
import type { Emitter } from "./emit.ts";
import {
  type Write,
  writeAt,
  writeConcat,
  writeGather,
  writeOneHot,
  writePad,
  writePatches,
  writeRandom,
  writeScatterAdd,
  writeShift,
  writeStack,
  writeUnpatches,
  writeView,
} from "./moves.ts";
import { Picks } from "./picks.ts";
import { writeArgmax, writeReduction } from "./reduce.ts";

type WriteKernel<O extends OpName> = (
  emitter: Emitter,
  cells: Cells,
  cell: Cell,
  node: NodeOf<O>,
  accumulate: boolean,
) => void;

export type Lowering<O extends OpName> =
  | { readonly kind: "source" | "elementwise" }
  /** `write` copies where the operand cannot be read in place. */
  | { readonly kind: "view" | "kernel"; readonly write: WriteKernel<O> };

const source = { kind: "source" } as const;
const elementwise = { kind: "elementwise" } as const;
const view = { kind: "view", write: writeView } as const;
const kernel = <O extends OpName>(write: Write<O> | WriteKernel<O>): Lowering<O> => ({
  kind: "kernel",
  write,
});

export const lowerings: { readonly [O in OpName]: Lowering<O> } = {
  constant: source,
  parameter: source,
  input: source,
  state: source,
  length: source,
  index: source,
  batchSize: source,
  random: kernel(writeRandom),

  neg: elementwise,
  exp: elementwise,
  log: elementwise,
  log1p: elementwise,
  sqrt: elementwise,
  sin: elementwise,
  cos: elementwise,
  tanh: elementwise,
  sigmoid: elementwise,
  softplus: elementwise,
  abs: elementwise,
  sign: elementwise,
  floor: elementwise,
  not: elementwise,
  cast: elementwise,
  add: elementwise,
  sub: elementwise,
  mul: elementwise,
  div: elementwise,
  pow: elementwise,
  maximum: elementwise,
  minimum: elementwise,
  expdiff: elementwise,
  equal: elementwise,
  notEqual: elementwise,
  less: elementwise,
  lessEqual: elementwise,
  greater: elementwise,
  greaterEqual: elementwise,
  and: elementwise,
  or: elementwise,
  where: elementwise,
  accumulate: elementwise,

  stopGradient: view,
  broadcast: view,
  reshape: view,
  transpose: view,
  slice: view,
  pad: kernel(writePad),
  concat: kernel(writeConcat),

  argmax: kernel(writeArgmax),
  oneHot: kernel(writeOneHot),
  gather: kernel(writeGather),
  scatterAdd: kernel(writeScatterAdd),
  patches: kernel(writePatches),
  unpatches: kernel(writeUnpatches),

  sum: kernel(writeReduction),
  max: kernel(writeReduction),
  logsumexp: kernel(writeReduction),
  contract: kernel(writeContract),
  shift: kernel(writeShift),
  at: kernel(writeAt),
  stack: kernel(writeStack),
};

export const isElementwise = ({ op }: Node): boolean => lowerings[op].kind === "elementwise";

/** What the plan may do: shifts and positions of static axes are read in place, but for those that the host reads. */
export function traitsOf(program: Program): PlanTraits {
  const read = outputViews(program.schedule.graph);
  const picks = new Picks(program);
  return {
    kindOf: node => lowerings[node.op].kind,
    readsDelay: node => !read.has(node.id),
    shows: node => (read.has(node.id) ? null : picks.shown(node)),
    parts: false,
  };
}

/** Outputs and what they may be views of: the host reads them, and knows nothing but strides. */
function outputViews(graph: Graph): ReadonlySet<NodeId> {
  const found = new Set<NodeId>(graph.outputs.values());
  for (const id of found) {
    const node = graph.nodes.get(id)!;
    if (lowerings[node.op].kind === "view" || node.op === "shift")
      for (const input of node.inputs) found.add(input);
  }
  return found;
}
