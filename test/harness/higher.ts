// Programs made of programs: the gradient of a gradient, the gradient through a step of training. They exist to be
// differentiated: what comes out of autodiff and of the optimiser is a graph like any other.

import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import type { Graph, NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";

/** A new `loss`, the sum of squares of outputs of `graph`, with `gradient.NAME` for every parameter. */
export function squaresOf(graph: Graph, outputs: readonly string[]): Graph {
  const builder = GraphBuilder.from(graph);
  const squares = outputs.map(name => {
    const id = graph.outputs.get(name)!;
    const { shape, axes, batched } = builder.typeOf(id);
    return builder.sum(builder.mul(id, id), { dims: shape.map((_, dim) => dim), axes, batch: batched });
  });
  const loss = squares.reduce((a, b) => builder.add(a, b));
  for (const name of graph.outputs.keys()) builder.dropOutput(name);
  builder.output("loss", loss);
  return withGradients(builder.finish(), loss);
}

function withGradients(graph: Graph, loss: NodeId): Graph {
  const parameters = [...graph.nodes.values()].filter(node => node.op === "parameter");
  const wrt = parameters.map(({ id }) => id);
  const differentiated = differentiate(graph, loss, wrt);
  const builder = GraphBuilder.from(differentiated.graph);
  for (const { id, attrs } of parameters) {
    builder.output(`gradient.${attrs.name}`, differentiated.gradients.get(id)!);
  }
  return builder.finish();
}
