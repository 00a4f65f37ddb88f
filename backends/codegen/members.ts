// The members of a nest as code, one vector of each: values between them stay in locals.

import type { Graph, NodeId } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { sourceFinder } from "../plan/fusion.ts";
import type { FusedItem } from "../plan/plan.ts";
import type { FunctionBuilder } from "./builder.ts";
import type { Expr } from "./code.ts";
import { expressionOf, filled, type Term } from "./expressions.ts";

/** Adds the code of all members. `loaded`: a vector of each of the nest's loads, in locals. */
export function computeMembers(
  f: FunctionBuilder,
  graph: Graph,
  { nodes, loads }: FusedItem,
  loaded: readonly Expr[],
): ReadonlyMap<NodeId, Expr> {
  const find = sourceFinder(graph, nodes, loads);
  const values = new Map<NodeId, Expr>();
  for (const id of nodes) {
    const node = graph.nodes.get(id)!;
    const terms = node.inputs.map((input, k): Term => {
      const { dtype } = graph.nodes.get(input)!.type;
      const source = find(node, k);
      if (source.kind === "member") return { value: values.get(source.node)!, dtype, fill: null };
      if (source.kind === "fill") {
        return { value: filled(source.value, dtype), dtype, fill: source.value };
      }
      return { value: loaded[source.index]!, dtype, fill: null };
    });
    const value = expressionOf(f, node, terms);
    if (value === null) throw new InternalError("codegen", `%${id} = ${node.op} is not elementwise`);
    const local = f.let(value);
    values.set(id, { kind: "local", type: local.type, local });
  }
  return values;
}
