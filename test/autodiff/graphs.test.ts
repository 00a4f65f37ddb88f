// Differentiation of hand-built recurrence graphs: first derivatives against differences, whatever stands in the
// padding, and second derivatives by differentiating the result again.

import { describe, expect, test } from "vitest";
import { evaluateGraph } from "../../backends/reference/evaluate.ts";
import { differentiate } from "../../compiler/autodiff/differentiate.ts";
import type { Graph, NodeId } from "../../compiler/graph/graph.ts";
import { GraphBuilder } from "../../compiler/ops/builder.ts";
import { gradientError, outputsError } from "../harness/differences.ts";
import { randomEnvironment } from "../harness/environment.ts";
import { graphs, withGradients } from "../harness/graphs.ts";

const cases = Object.entries(graphs).map(([name, make]) => [name, make()] as const);
const classes = new Map([
  ["word", 11],
  ["next", 11],
  ["x", 11],
  ["y", 11],
]);

describe.each(cases)("%s", (_, graph) => {
  const adjoint = withGradients(graph);

  test("agrees with central differences", () => {
    const environment = randomEnvironment(adjoint, { classes });
    expect(gradientError(adjoint, environment, { limit: 12 })).toBeLessThan(1e-8);
  });

  test("does not see the padding", () => {
    const values = (["zero", "nan", "huge"] as const).map(padding =>
      evaluateGraph(adjoint, randomEnvironment(adjoint, { padding, classes })),
    );
    const gradients = values.map(all => new Map([...all].filter(([name]) => name !== "h")));
    expect(outputsError(gradients[1]!, gradients[0]!)).toBe(0);
    expect(outputsError(gradients[2]!, gradients[0]!)).toBe(0);
  });

  test("differentiates twice", () => {
    const again = gradientOfGradientNorm(adjoint);
    const environment = randomEnvironment(again, { classes });
    expect(gradientError(again, environment, { limit: 5 })).toBeLessThan(1e-7);
  });
});

/** The gradient of |gradient|^2: `loss` and `gradient.*` replaced. */
function gradientOfGradientNorm(adjoint: Graph): Graph {
  const builder = GraphBuilder.from(adjoint);
  const names = [...adjoint.outputs.keys()].filter(name => name.startsWith("gradient."));
  const squares = names.map(name => {
    const id = adjoint.outputs.get(name)!;
    const { shape, axes } = builder.typeOf(id);
    return builder.sum(builder.mul(id, id), { dims: shape.map((_, dim) => dim), axes });
  });
  const loss = squares.reduce((a, b) => builder.add(a, b));
  builder.output("loss", loss);
  const parameters = new Map<string, NodeId>();
  for (const node of adjoint.nodes.values())
    if (node.op === "parameter") parameters.set(node.attrs.name, node.id);
  const { graph, gradients } = differentiate(builder.finish(), loss, [...parameters.values()]);
  const result = GraphBuilder.from(graph);
  for (const [name, id] of parameters) result.output(`gradient.${name}`, gradients.get(id)!);
  return result.finish();
}
