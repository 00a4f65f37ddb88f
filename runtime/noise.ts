// What errors of a program's values are relative to. Where sums cancel, what is left is rounding of the operands, and
// so is all that is made of it: relative to its own size it is as wrong as can be, on any backend. (The gradient of a
// bias below a softmax is zero; Adam divides what is left of it by its own size.) So beside its size, a value has a
// noise: what a few roundings of float32 in its operands make of it, to first order and by largest magnitudes.

import type { Graph, Node, NodeId, OpName } from "../compiler/graph/graph.ts";
import type { Schedule, Step } from "../compiler/schedule/schedule.ts";
import { largestOf, leastScale, type Pair, smallestOf } from "./errors.ts";

/** Relative to what is added up. */
const roundings = 1e-6;

/**
 * For each value the size that its error is divided by: its largest magnitude, or more where its noise is larger than
 * `tolerance` times that.
 */
export function scalesOf(
  { graph, steps }: Pick<Schedule, "graph" | "steps">,
  pairs: ReadonlyMap<NodeId, Pair>,
  tolerance: number,
): ReadonlyMap<NodeId, number> {
  const sizes = new Map([...pairs].map(([id, pair]) => [id, largestOf(pair)] as const));
  const least = leastScale * tolerance;
  const noises = new Map([...pairs.keys()].map(id => [id, least] as const));
  const order = inOrder(steps).filter(id => pairs.has(id));
  // Twice, so that what a loop hands on to its next step has arrived; more would grow without end in some loops.
  for (let round = 0; round < 2; round++)
    for (const id of order) noises.set(id, Math.max(least, noiseOf(graph, id, { pairs, sizes, noises })));
  return new Map([...sizes].map(([id, size]) => [id, Math.max(size, noises.get(id)! / tolerance)] as const));
}

const inOrder = (steps: readonly Step[]): readonly NodeId[] =>
  steps.flatMap(step => (step.kind === "loop" ? inOrder(step.body) : [step.node]));

interface Known {
  readonly pairs: ReadonlyMap<NodeId, Pair>;
  /** Largest magnitudes. */
  readonly sizes: ReadonlyMap<NodeId, number>;
  readonly noises: ReadonlyMap<NodeId, number>;
}

function noiseOf({ nodes }: Graph, id: NodeId, { pairs, sizes, noises }: Known): number {
  const { op, inputs } = nodes.get(id)!;
  if (inputs.some(input => !pairs.has(input))) return 0;
  const size = (input: NodeId): number => sizes.get(input)!;
  const noise = (input: NodeId): number => noises.get(input)!;
  const [a, b] = inputs;
  if (sums.has(op))
    return Math.max(0, ...inputs.map(input => Math.max(roundings * size(input), noise(input))));
  if (op === "contract" || op === "mul") {
    const crossed = Math.max(noise(a!) * size(b!), noise(b!) * size(a!));
    return op === "mul" ? crossed : Math.max(roundings * size(a!) * size(b!), crossed);
  }
  if (op === "div") return Math.max(noise(a!), noise(b!) * size(id)) / smallestOf(pairs.get(b!)!);
  if (op === "sqrt") return Math.sqrt(noise(a!));
  if (!handingOn.has(op)) return 0;
  return Math.max(0, ...inputs.filter(input => isReal(nodes.get(input)!)).map(noise));
}

const isReal = ({ type }: Node): boolean => type.dtype === "real";

const sums: ReadonlySet<OpName> = new Set<OpName>([
  "add",
  "sub",
  "accumulate",
  "sum",
  "scatterAdd",
  "unpatches",
]);

/** What makes no more of a small error than it is. */
const handingOn: ReadonlySet<OpName> = new Set<OpName>([
  ...(["neg", "abs", "sin", "cos", "tanh", "sigmoid", "softplus", "stopGradient"] as const),
  ...(["maximum", "minimum", "max", "logsumexp", "where"] as const),
  ...(["broadcast", "reshape", "transpose", "slice", "pad", "concat", "patches", "stack", "gather"] as const),
  ...(["shift", "at"] as const),
]);
