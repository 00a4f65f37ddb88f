// Names that a piece of syntax reads: before types are known, equations are ordered by them.

import type { Expression } from "../syntax/ast.ts";

export function namesRead(expression: Expression, into: Set<string> = new Set()): Set<string> {
  switch (expression.kind) {
    case "name":
      into.add(expression.name.name);
      break;
    case "call":
      for (const arg of expression.args) namesRead(arg.value, into);
      break;
    case "unary":
      namesRead(expression.operand, into);
      break;
    case "binary":
      namesRead(expression.left, into);
      namesRead(expression.right, into);
      break;
    case "error":
    case "number":
    case "bool":
      break;
  }
  return into;
}

/** Names of layers and functions called, and bare names given to calls: they may be function arguments. */
export function namesCalled(expression: Expression, into: Set<string> = new Set()): Set<string> {
  if (expression.kind === "call") {
    into.add(expression.callee.name);
    for (const { value } of expression.args) {
      if (value.kind === "name") into.add(value.name.name);
      else namesCalled(value, into);
    }
  } else if (expression.kind === "unary") namesCalled(expression.operand, into);
  else if (expression.kind === "binary") {
    namesCalled(expression.left, into);
    namesCalled(expression.right, into);
  }
  return into;
}

/**
 * Strongly connected components in dependency order (Tarjan 1972), without recursion: chains of equations may be
 * long. `next(i)` are the indices that i needs.
 */
export function components(
  count: number,
  next: (at: number) => readonly number[],
): readonly (readonly number[])[] {
  const order = new Array<number>(count).fill(-1);
  const low = new Array<number>(count).fill(0);
  const stacked = new Array<boolean>(count).fill(false);
  const stack: number[] = [];
  const found: number[][] = [];
  let counter = 0;
  const enter = (at: number) => {
    order[at] = low[at] = counter++;
    stack.push(at);
    stacked[at] = true;
    return { at, edges: next(at), edge: 0 };
  };
  for (let root = 0; root < count; root++) {
    if (order[root] !== -1) continue;
    const work = [enter(root)];
    while (work.length > 0) {
      const frame = work[work.length - 1]!;
      const { at } = frame;
      const to = frame.edges[frame.edge++];
      if (to !== undefined) {
        if (order[to] === -1) work.push(enter(to));
        else if (stacked[to]) low[at] = Math.min(low[at]!, order[to]!);
        continue;
      }
      work.pop();
      const parent = work[work.length - 1];
      if (parent !== undefined) low[parent.at] = Math.min(low[parent.at]!, low[at]!);
      if (low[at] !== order[at]) continue;
      const members = stack.splice(stack.lastIndexOf(at));
      for (const member of members) stacked[member] = false;
      found.push(members);
    }
  }
  return found;
}
