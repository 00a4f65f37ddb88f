// The JavaScript body of a loop nest that computes a group of elementwise nodes.

import type { Graph, Node } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { sourceFinder } from "../plan/fusion.ts";
import type { FusedItem } from "../plan/plan.ts";
import type { Body } from "./elementwise.ts";
import { literal, type Term } from "./expressions.ts";
import { expressionOf } from "./lowering.ts";

/** Names go by position and not by node, so that equal bodies have equal texts. */
export function bodyOf(graph: Graph, { nodes, loads, stores }: FusedItem): Body {
  const find = sourceFinder(graph, nodes, loads);
  const termOf = (user: Node, k: number): Term => {
    const { dtype } = graph.nodes.get(user.inputs[k]!)!.type;
    const source = find(user, k);
    switch (source.kind) {
      case "member":
        return { text: `v${nodes.indexOf(source.node)}`, dtype, exact: false };
      case "fill":
        return { text: literal(source.value), dtype, exact: false };
      case "load":
        return { text: `l${source.index}`, dtype, exact: true };
    }
  };
  const statements = nodes.map((id, i) => {
    const node = graph.nodes.get(id)!;
    const terms = node.inputs.map((_, k) => termOf(node, k));
    return `const v${i} = ${expression(node, terms)};`;
  });
  return { loads: loads.length, statements, stores: stores.map(id => `v${nodes.indexOf(id)}`) };
}

function expression(node: Node, terms: readonly Term[]): string {
  if (node.op === "contract") return `(${terms[0]?.text} * ${terms[1]?.text})`;
  const text = expressionOf(node)?.(terms);
  if (text === undefined) throw new InternalError("bodyOf", `%${node.id} = ${node.op} is not elementwise`);
  return text;
}
