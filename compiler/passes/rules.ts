// The rules of pass `algebra`, by op. A rule gives a node of exactly the same type that has the same value at all real
// indices, or null.

import type { Node, NodeId, NodeOf } from "../graph/graph.ts";
import { sameList, sameType } from "../ops/infer.ts";
import { fillOf, isAlwaysFinite } from "./known.ts";
import type { Rewriter } from "./rewriter.ts";

/** What the node may be replaced by, or null. May rewire the node in place instead. */
export function simplified(r: Rewriter, node: Node): NodeId | null {
  return byOp(r, node) ?? throughFill(r, node) ?? withoutBroadcasts(r, node);
}

function byOp(r: Rewriter, node: Node): NodeId | null {
  switch (node.op) {
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "pow":
      return arithmetic(r, node);
    case "neg":
    case "not": {
      const x = r.operand(node, 0);
      return x.op === node.op ? r.resolve(x.inputs[0]!) : null;
    }
    case "and":
    case "or":
      return logic(r, node);
    case "where":
      return selection(r, node);
    case "accumulate":
      return accumulation(r, node);
    case "cast":
    case "broadcast":
    case "reshape":
    case "transpose":
    case "slice":
    case "pad":
    case "concat":
      return view(r, node);
    case "sum":
      return sum(r, node);
    case "contract":
      return elementwiseProduct(r, node);
    default:
      return null;
  }
}

function arithmetic(r: Rewriter, node: NodeOf<"add" | "sub" | "mul" | "div" | "pow"> & Node): NodeId | null {
  const [x, y] = [r.operand(node, 0), r.operand(node, 1)];
  const [a, b] = [fillOf(r, x), fillOf(r, y)];
  const as = (one: Node): NodeId => r.as(one.id, node.type, node);
  const negated = (one: Node): NodeId => r.as(r.add("neg", [one.id], {}, node), node.type, node);
  switch (node.op) {
    case "add":
      if (a === 0) return as(y);
      return b === 0 ? as(x) : null;
    case "sub":
      if (b === 0) return as(x);
      return a === 0 ? negated(y) : null;
    case "mul":
      if (a === 1) return as(y);
      if (b === 1) return as(x);
      if (a === -1) return negated(y);
      if (b === -1) return negated(x);
      if ((a === 0 && isAlwaysFinite(r, y)) || (b === 0 && isAlwaysFinite(r, x)))
        return r.fill(0, node.type, node);
      return null;
    default:
      return b === 1 ? as(x) : null;
  }
}

function logic(r: Rewriter, node: NodeOf<"and" | "or"> & Node): NodeId | null {
  const absorbing = node.op === "and" ? 0 : 1;
  for (const [one, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const known = fillOf(r, r.operand(node, one));
    if (known === null) continue;
    return known === absorbing
      ? r.fill(absorbing, node.type, node)
      : r.as(node.inputs[other]!, node.type, node);
  }
  return null;
}

function selection(r: Rewriter, node: NodeOf<"where">): NodeId | null {
  const [condition, a, b] = [0, 1, 2].map(k => r.operand(node, k)) as [Node, Node, Node];
  const known = fillOf(r, condition);
  if (known !== null) return r.as(known !== 0 ? a.id : b.id, node.type, node);
  return a.id === b.id ? r.as(a.id, node.type, node) : null;
}

/** Zeros add nothing; what is left may be one value, or slices that stand side by side. */
function accumulation(r: Rewriter, node: NodeOf<"accumulate">): NodeId | null {
  const { type } = node;
  const parts = node.inputs.map(input => r.node(input));
  const some = parts.filter(part => fillOf(r, part) !== 0);
  const [first] = some;
  if (first === undefined) return r.fill(0, type, node);
  if (some.length === 1) return r.as(first.id, type, node);
  const tiles = sideBySide(some);
  if (tiles !== null) {
    const whole = r.add("concat", tiles.parts, { dim: tiles.dim }, node);
    return r.as(whole, type, node);
  }
  // An accumulator broadcasts its operands itself.
  const bare = some.map(part => (part.op === "broadcast" ? r.operand(part, 0) : part));
  if (bare.length < parts.length || bare.some((part, k) => part.id !== parts[k]!.id)) {
    r.rewire(
      node.id,
      bare.map(({ id }) => id),
    );
  }
  return null;
}

/** Padded values along one dimension that together cover it once: the adjoint of a split. */
function sideBySide(
  parts: readonly Node[],
): { readonly parts: readonly NodeId[]; readonly dim: number } | null {
  const [first] = parts;
  if (first?.op !== "pad") return null;
  const { dim } = first.attrs;
  const tiles: { readonly id: NodeId; readonly start: number; readonly end: number }[] = [];
  for (const part of parts) {
    if (part.op !== "pad" || part.attrs.dim !== dim || !sameType(part.type, first.type)) return null;
    const start = part.attrs.before;
    tiles.push({ id: part.inputs[0]!, start, end: part.type.shape[dim]! - part.attrs.after });
  }
  tiles.sort((a, b) => a.start - b.start);
  let covered = 0;
  for (const { start, end } of tiles) {
    if (start !== covered) return null;
    covered = end;
  }
  return covered === first.type.shape[dim] ? { parts: tiles.map(({ id }) => id), dim } : null;
}

function view(
  r: Rewriter,
  node: NodeOf<"cast" | "broadcast" | "reshape" | "transpose" | "slice" | "pad" | "concat"> & Node,
): NodeId | null {
  const x = r.operand(node, 0);
  const isIdentity =
    node.op === "transpose" ? node.attrs.perm.every((d, i) => d === i) : node.inputs.length === 1;
  if (isIdentity && sameType(x.type, node.type)) return x.id;
  if (node.op === "broadcast" && x.op === "broadcast") return r.as(x.inputs[0]!, node.type, node);
  if (node.op === "reshape" && x.op === "reshape") return r.add("reshape", [x.inputs[0]!], node.attrs, node);
  if (node.op === "transpose" && x.op === "transpose") {
    return r.add("transpose", [x.inputs[0]!], { perm: node.attrs.perm.map(d => x.attrs.perm[d]!) }, node);
  }
  return node.op === "slice" ? sliceOf(r, node, x) : null;
}

/** A slice of a slice is a slice; of a concatenation, often of one part. */
function sliceOf(r: Rewriter, node: NodeOf<"slice">, x: Node): NodeId | null {
  const { dim, start, size } = node.attrs;
  if (x.op === "slice" && x.attrs.dim === dim) {
    return r.add("slice", [x.inputs[0]!], { dim, start: x.attrs.start + start, size }, node);
  }
  if (x.op !== "concat" || x.attrs.dim !== dim) return null;
  let before = 0;
  for (const input of x.inputs) {
    const part = r.node(input);
    const width = part.type.shape[dim]!;
    if (start >= before && start + size <= before + width) {
      const whole = size === width;
      const inner = whole ? part.id : r.add("slice", [part.id], { dim, start: start - before, size }, node);
      return r.as(inner, node.type, node);
    }
    before += width;
  }
  return null;
}

function sum(r: Rewriter, node: NodeOf<"sum">): NodeId | null {
  const x = r.operand(node, 0);
  const { dims, axes, batch } = node.attrs;
  if (dims.length === 0 && axes.length === 0 && !batch && sameType(x.type, node.type)) return x.id;
  return fillOf(r, x) === 0 ? r.fill(0, node.type, node) : null;
}

/** A contraction that sums nothing and whose operands line up is a plain product: scalar times x, x times y. */
function elementwiseProduct(r: Rewriter, node: NodeOf<"contract">): NodeId | null {
  const { left, right, out, axes, batch } = node.attrs;
  if (axes.length > 0 || batch) return null;
  const linesUp = (labels: readonly number[]): boolean => labels.length === 0 || sameList(labels, out);
  return linesUp(left) && linesUp(right) && (sameList(left, out) || sameList(right, out))
    ? r.add("mul", node.inputs, {}, node)
    : null;
}

/** Arrangements of one number are that number everywhere; a delay of it, started with it, too. */
function throughFill(r: Rewriter, node: Node): NodeId | null {
  const isArrangement = ["reshape", "transpose", "slice", "concat", "shift", "stack", "neg"].includes(
    node.op,
  );
  if (!isArrangement && !(node.op === "pad" && fillOf(r, r.operand(node, 0)) === 0)) return null;
  const fills = node.inputs.map(input => fillOf(r, r.node(input)));
  const [value] = fills;
  if (value === undefined || value === null || fills.some(fill => fill !== value)) return null;
  if (node.op === "neg") return r.fill(-value, node.type, node);
  return r.fill(value, node.type, node);
}

/** Ops that broadcast their operands themselves need no broadcast before them. */
function withoutBroadcasts(r: Rewriter, node: Node): NodeId | null {
  if (!isPointwise(node)) return null;
  for (const [k, input] of node.inputs.entries()) {
    const operand = r.node(input);
    if (operand.op !== "broadcast") continue;
    const inputs = node.inputs.map((other, i) => (i === k ? operand.inputs[0]! : other));
    if (!sameType(r.typeOf(node.op, inputs, node.attrs), node.type)) continue;
    r.rewire(node.id, inputs);
    return null;
  }
  return null;
}

const pointwise: ReadonlySet<string> = new Set([
  ...["add", "sub", "mul", "div", "pow", "maximum", "minimum", "expdiff", "where", "and", "or"],
  ...["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual"],
]);

const isPointwise = (node: Node): boolean => pointwise.has(node.op) && !sameList(node.inputs, []);
