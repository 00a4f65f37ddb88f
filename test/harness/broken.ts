// Backends that compute one operation wrongly, for what is to find that out.

import type { Backend } from "../../backends/api.ts";
import type { Node, OpName } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";

/** The backend with another operation, of the same attributes, in place of those that `isWrong`. */
export const broken = (
  backend: Backend,
  isWrong: (node: Node, program: Program) => boolean,
  op: OpName,
  name = "broken",
): Backend => ({
  ...backend,
  name,
  compile: (program, options) => {
    const edit = (node: Node): Node => (isWrong(node, program) ? ({ ...node, op } as Node) : node);
    const nodes = new Map([...program.graph.nodes].map(([id, node]) => [id, edit(node)] as const));
    const graph = { ...program.graph, nodes };
    return backend.compile({ ...program, graph, schedule: { ...program.schedule, graph } }, options);
  },
});
