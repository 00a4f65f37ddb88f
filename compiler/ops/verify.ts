// Says what is wrong with a graph, so that a broken pass is caught where it breaks. It checks:
//
//  1. axes: declared once each, lengths null or natural numbers;
//  2. nodes: the key is the node's id, ids ascend strictly, the op exists;
//  3. operands: they exist, and as many as the op takes;
//  4. types: exactly what the op's rule gives for the operands' types, axes declared and in the graph's order;
//  5. attributes: the op's own `check`; axes named in attributes are declared, ordered, no duplicates;
//  6. static axes where they are needed: parameters and states along them only, `stack` along them of as many operands;
//  7. cycles: each passes through the value edge of a shift (the initial value is an edge of distance zero);
//  8. outputs exist.
//
// It does not check that axes and `batched` are the *least* fixpoint, nor that a cycle can be scheduled.

import type { AxisId, Graph, Node, NodeId, NodeType } from "../graph/graph.ts";
import { printType } from "../graph/text.ts";
import { InternalError } from "../unreachable.ts";
import { type AxisOrder, axisOrder, orderAxes, sameList, sameType, typeByRule } from "./infer.ts";
import { isOpName, opRecord } from "./table.ts";

/** The problems of a graph, each naming its node; none when it is sound. */
export function verify(graph: Graph): readonly string[] {
  const problems = checkAxes(graph);
  if (problems.length > 0) return problems;
  const order = axisOrder(graph.axes);
  let last = -1;
  for (const [id, node] of graph.nodes) {
    const found = id === node.id ? checkNode(graph, order, node) : `stands under the id %${id}`;
    if (found !== null) problems.push(`${describe(node)}: ${found}`);
    if (id <= last) problems.push(`${describe(node)}: follows %${last}, ids must ascend`);
    last = id;
  }
  for (const [name, id] of graph.outputs) {
    if (!graph.nodes.has(id)) problems.push(`output ${name}: there is no node %${id}`);
  }
  if (problems.length === 0) {
    const cycle = findCycle(graph);
    if (cycle !== null) problems.push(`a cycle without delay: ${cycle.map(describe).join(" -> ")}`);
  }
  return problems;
}

export const describe = (node: Node): string =>
  `%${node.id} = ${node.op}${node.label === "" ? "" : ` (${node.label})`}`;

function checkAxes(graph: Graph): string[] {
  const problems: string[] = [];
  const seen = new Set<AxisId>();
  for (const { id, length } of graph.axes) {
    if (seen.has(id)) problems.push(`axis ${id}: declared twice`);
    seen.add(id);
    if (length !== null && !(Number.isInteger(length) && length >= 0)) {
      problems.push(`axis ${id}: length ${length} is no natural number`);
    }
  }
  return problems;
}

function checkNode(graph: Graph, order: AxisOrder, node: Node): string | null {
  if (!isOpName(node.op)) return "there is no such op";
  const inputs: NodeType[] = [];
  for (const id of node.inputs) {
    const input = graph.nodes.get(id);
    if (input === undefined) return `reads %${id}, which is not there`;
    inputs.push(input.type);
  }
  return checkArity(node) ?? checkAttributes(graph, order, node) ?? checkType(order, node, inputs);
}

function checkArity(node: Node): string | null {
  const { arity } = opRecord(node.op);
  const count = node.inputs.length;
  if (typeof arity === "number") return count === arity ? null : `has ${count} operands, takes ${arity}`;
  return count >= arity.atLeast ? null : `has ${count} operands, takes at least ${arity.atLeast}`;
}

function checkType(order: AxisOrder, node: Node, inputs: readonly NodeType[]): string | null {
  try {
    const type = typeByRule(order, node, inputs);
    if (!sameType(type, node.type))
      return `has the type ${printType(node.type)}, its rule says ${printType(type)}`;
  } catch (error) {
    // A rule that cannot give a type says why in an InternalError; other errors are bugs of the rule.
    if (error instanceof InternalError) return error.message;
    throw error;
  }
  return opRecord(node.op).check(inputs, node.attrs, node.type);
}

/** Axes in attributes, and what only the graph knows of them: whether they are static. */
function checkAttributes(graph: Graph, order: AxisOrder, node: Node): string | null {
  const named = [
    ...("axes" in node.attrs ? node.attrs.axes : []),
    ...("axis" in node.attrs ? [node.attrs.axis] : []),
    ...("type" in node.attrs ? node.attrs.type.axes : []),
  ];
  const unknown = named.find(axis => !order.has(axis));
  if (unknown !== undefined) return `axis ${unknown} is not declared`;
  if (!sameList(named, orderAxes(order, named))) return "axes are doubled or not in the graph's order";
  const lengthOf = (axis: AxisId): number | null => graph.axes.find(({ id }) => id === axis)?.length ?? null;
  if (node.op === "parameter" || node.op === "state") {
    const dynamic = node.attrs.axes.find(axis => lengthOf(axis) === null);
    return dynamic === undefined ? null : `axis ${dynamic} of a ${node.op} is not static`;
  }
  // Along an axis of unknown length, the operands are as many as its extent will be: unrolled graphs.
  const length = node.op === "stack" ? lengthOf(node.attrs.axis) : null;
  if (node.op === "stack" && length !== null && length !== node.inputs.length) {
    return `${node.inputs.length} operands along ${node.attrs.axis} of length ${length}`;
  }
  return null;
}

/** Operands that are needed at the same index: all but the value of a shift. */
const instantInputs = (node: Node): readonly NodeId[] =>
  node.op === "shift" ? node.inputs.slice(1) : node.inputs;

/** A cycle along instant operands, or null. Depth first with its own stack: graphs may be deep. */
function findCycle(graph: Graph): readonly Node[] | null {
  const done = new Set<NodeId>();
  const open = new Set<NodeId>();
  for (const root of graph.nodes.values()) {
    const stack = [{ node: root, next: 0 }];
    while (stack.length > 0) {
      const frame = stack[stack.length - 1]!;
      const { node } = frame;
      if (done.has(node.id)) {
        stack.pop();
        continue;
      }
      open.add(node.id);
      const input = instantInputs(node)[frame.next++];
      if (input === undefined) {
        done.add(node.id);
        open.delete(node.id);
        stack.pop();
      } else if (open.has(input)) {
        const path = stack.map(entry => entry.node);
        return path.slice(path.findIndex(({ id }) => id === input));
      } else if (!done.has(input)) stack.push({ node: graph.nodes.get(input)!, next: 0 });
    }
  }
  return null;
}
