// Pass `fold`: computes what depends on constants only.
//
// Needs nothing. Guarantees that no node without axes has only constants as operands, but for large results (over
// 4,096 numbers, where computing again is cheaper than keeping). Method: operands first, by the ops' own float64
// evaluation, so that a folded value is what the reference would compute.

import type { Graph, Node, NodeId, OpName } from "../graph/graph.ts";
import type { Evaluation, Value } from "../ops/op.ts";
import { sizeOf } from "../ops/shapes.ts";
import { opRecord } from "../ops/table.ts";
import { InternalError } from "../unreachable.ts";
import type { Pass } from "./pass.ts";
import { operandsFirst, Rewriter } from "./rewriter.ts";

export const fold: Pass = {
  name: "fold",
  doc: "Computes what depends on constants only.",
  run: foldConstants,
};

const largest = 4096;

function foldConstants(graph: Graph): Graph {
  const rewriter = new Rewriter(graph);
  for (const { id } of operandsFirst(graph)) {
    const node = rewriter.node(id);
    const operands = node.inputs.map(input => rewriter.node(input));
    if (!isFoldable(node, operands)) continue;
    const values = evaluateConstant(node, operands);
    const { dtype, shape } = node.type;
    rewriter.replace(id, rewriter.add("constant", [], { dtype, shape, values: compress(values) }, node));
  }
  return rewriter.changes === 0 ? graph : rewriter.finish();
}

function isFoldable({ type, inputs, attrs }: Node, operands: readonly Node[]): boolean {
  if (inputs.length === 0 || type.batched || type.axes.length > 0) return false;
  if ("batch" in attrs && attrs.batch) return false;
  return operands.every(({ op }) => op === "constant") && sizeOf(type.shape) <= largest;
}

function evaluateConstant(node: Node, operands: readonly Node[]): readonly number[] {
  const nodes = new Map(operands.map(operand => [operand.id, operand] as const));
  const inputs: readonly NodeId[] = operands.map(({ id }) => id);
  const values = operands.map(constantValue);
  const record = opRecord<OpName>(node.op);
  return [...record.evaluate({ ...node, inputs }, new Map(), onlyTypes(nodes), values)];
}

function constantValue(node: Node): Value {
  if (node.op !== "constant") throw new InternalError("fold", `%${node.id} is no constant`);
  const { shape, values } = node.attrs;
  const size = sizeOf(shape);
  return {
    rows: 1,
    data: values.length === 1 ? new Float64Array(size).fill(values[0]!) : Float64Array.from(values),
  };
}

/** Constants have no batch, no axes and nothing fed: an evaluation that asks for them is a bug. */
function onlyTypes(nodes: ReadonlyMap<NodeId, Node>): Evaluation {
  const none = (): never => {
    throw new InternalError("fold", "a constant depends on what is known at run time only");
  };
  return {
    graph: { axes: [], nodes, outputs: new Map() },
    batch: 1,
    extent: none,
    length: none,
    fed: none,
    draw: none,
  };
}

const compress = (values: readonly number[]): readonly number[] =>
  values.length > 1 && values.every(value => Object.is(value, values[0])) ? values.slice(0, 1) : values;
