// Expressions to nodes. Operators that lean to the left (a + b + c + ..) are walked without recursion: a sum of ten
// thousand terms is legal.

import type { NodeId } from "../graph/graph.ts";
import type { TypedExpression } from "../semantics/typed.ts";
import { InternalError, unreachable } from "../unreachable.ts";
import { type BuiltinExpression, BuiltinUse } from "./builtins/use.ts";
import { builtinLowerings } from "./builtins.ts";
import { calledInstance, type Scope } from "./instance.ts";
import { nodeOfName } from "./names.ts";
import { lowerRead } from "./read.ts";
import { evaluateStatic } from "./statics.ts";

/** The value of an expression; one expression gives one node, however often it is asked for. */
export function lowerExpression(expression: TypedExpression, scope: Scope): NodeId {
  const { values, lowering } = scope.instance;
  const spine: BuiltinExpression[] = [];
  let leaf = expression;
  while (leaf.kind === "builtin" && leaf.args.length === 2 && !values.has(leaf)) {
    spine.push(leaf);
    leaf = leaf.args[0]!;
  }
  let node = values.get(leaf) ?? lowerLeaf(leaf, scope);
  values.set(leaf, node);
  for (const outer of spine.toReversed()) {
    const first = node;
    node = lowering.builder.withPlace({ span: outer.span }, () => lowerBuiltin(outer, scope, first));
    values.set(outer, node);
  }
  return node;
}

function lowerLeaf(expression: TypedExpression, scope: Scope): NodeId {
  const { builder } = scope.instance.lowering;
  return builder.withPlace({ span: expression.span }, () => {
    switch (expression.kind) {
      case "static":
        return lowerStatic(expression, scope);
      case "read":
        return lowerRead(expression, scope);
      case "builtin":
        return lowerBuiltin(expression, scope, null);
      case "call":
        return lowerCall(expression, scope);
      default:
        return unreachable(expression);
    }
  });
}

const lowerBuiltin = (expression: BuiltinExpression, scope: Scope, first: NodeId | null): NodeId =>
  builtinLowerings[expression.name](
    new BuiltinUse(expression, scope, arg => lowerExpression(arg, scope), first),
  );

function lowerStatic(expression: Extract<TypedExpression, { kind: "static" }>, { instance }: Scope): NodeId {
  const value = evaluateStatic(expression.value, instance.statics);
  return instance.lowering.builder.constant(Number(value), expression.type.dtype);
}

function lowerCall({ call, result }: Extract<TypedExpression, { kind: "call" }>, scope: Scope): NodeId {
  const instance = calledInstance(call, scope);
  const name = call.layer.results[result];
  if (name === undefined) throw new InternalError("lower", `${call.layer.name} has no result ${result}`);
  const node = nodeOfName(instance, name);
  // A layer that ignores an argument still has a value at each index of the argument's axes.
  const { mapped, lowering } = instance;
  return mapped.length === 0 ? node : lowering.builder.broadcast(node, { axes: mapped });
}
