// Binds contractions to FrondMatMul: sorts their dimensions (feature labels, axes, the batch) into those of a product.
// Padding is replaced by zeros in both operands first, where there is any.

import type { AxisId, NodeId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import type { Place } from "../plan/layout.ts";
import { type Binder, maskOf, rowSpace } from "./binder.ts";
import { matMulSpec, type ProductDims } from "./matmul.ts";
import { selected } from "./reductions.ts";

interface MutableDims {
  sizes: number[];
  left: number[];
  right: number[];
  out: number[];
}

export function bindContract(node: NodeOf<"contract">, binder: Binder): void {
  const [leftId, rightId] = [node.inputs[0]!, node.inputs[1]!];
  const [left, right] = cleanOperands(node, binder);
  const out = binder.place(node.id);
  const dims = productDims(dimensionsOf(node, binder, left, right));
  const places = { left, right };
  const invariant = (id: NodeId, place: Place): boolean =>
    binder.isInvariant(id) && place === binder.place(id);
  let [first, second]: readonly ["left" | "right", "left" | "right"] = ["left", "right"];
  let keep = invariant(rightId, right);
  let sides: Readonly<Record<"h" | "m" | "n" | "k", ProductDims>> = dims;
  if (!keep && invariant(leftId, left)) {
    keep = true;
    [first, second] = ["right", "left"];
    sides = { h: turned(dims.h), m: turned(dims.n), n: turned(dims.m), k: turned(dims.k) };
  }
  const room = keep ? (size: number) => binder.keptPanels(size) : null;
  const { specOf, swapped } = matMulSpec(sides, binder.accumulate, room);
  const [a, b] = swapped ? [places[second], places[first]] : [places[first], places[second]];
  binder.call("FrondMatMul", [{ place: a }, { place: b }, { place: out }], specOf);
}

const turned = ({ sizes, left, right, out }: ProductDims): ProductDims => ({
  sizes,
  left: right,
  right: left,
  out,
});

/** Both operands with zeros where either is padding, if sums run over padding. */
function cleanOperands(node: NodeOf<"contract">, binder: Binder): readonly [Place, Place] {
  const { axes, batch } = node.attrs;
  const [x, y] = [binder.type(node.inputs[0]!), binder.type(node.inputs[1]!)];
  const batched = [x, y].filter(type => type.batched);
  const all = [...new Set(batched.flatMap(type => type.axes))];
  const reduced = (batch ? all : axes.filter(axis => all.includes(axis))).filter(axis => binder.ragged(axis));
  const clean = (id: NodeId, type: NodeType): Place => {
    if (reduced.length === 0) return binder.place(id);
    // An operand that lacks an axis or the batch takes it on: what it has there would meet the other's zeros, and
    // infinity times zero is not zero. Parameters and other values without axes stay as they are.
    const touched = type.batched || type.axes.some(axis => reduced.includes(axis));
    if (!touched) return binder.place(id);
    const over = { axes: inOrder(binder, [...type.axes, ...reduced]), batched: true };
    const mask = maskOf(binder, rowSpace(binder, over), [...batched], reduced);
    return mask === null ? binder.place(id) : selected(binder, id, mask, 0, over);
  };
  return [clean(node.inputs[0]!, x), clean(node.inputs[1]!, y)];
}

const inOrder = (binder: Binder, axes: readonly AxisId[]): readonly AxisId[] =>
  [...new Set(axes)].sort((a, b) => binder.axisNumber(a) - binder.axisNumber(b));

/** One dimension of a contraction: an axis, the batch or a feature label. */
interface Dimension {
  readonly size: number;
  /** Whether the operands vary along it. */
  readonly varies: readonly [left: boolean, right: boolean];
  readonly summed: boolean;
  readonly strides: readonly [left: number, right: number, out: number];
}

/** Sorts dimensions into those of heads (in both operands and the result), rows, columns and summands. */
function productDims(dimensions: readonly Dimension[]): Readonly<Record<"h" | "m" | "n" | "k", ProductDims>> {
  const dims = { h: emptyDims(), m: emptyDims(), n: emptyDims(), k: emptyDims() };
  for (const {
    size,
    varies: [inLeft, inRight],
    summed,
    strides,
  } of dimensions) {
    const { sizes, left, right, out } = dims[summed ? "k" : inLeft && inRight ? "h" : inLeft ? "m" : "n"];
    sizes.push(size);
    left.push(strides[0]);
    right.push(strides[1]);
    out.push(strides[2]);
  }
  return dims;
}

const emptyDims = (): MutableDims => ({ sizes: [], left: [], right: [], out: [] });

/** Axes that no loop binds, the batch where an operand has it, labels; outermost first. */
function dimensionsOf(
  node: NodeOf<"contract">,
  binder: Binder,
  left: Place,
  right: Place,
): readonly Dimension[] {
  const { attrs } = node;
  const out = binder.place(node.id);
  const [x, y] = [binder.type(node.inputs[0]!), binder.type(node.inputs[1]!)];
  const axes = inOrder(binder, [...x.axes, ...y.axes]).filter(axis => !binder.bound.includes(axis));
  const along = axes.map((axis): Dimension => {
    const step = (place: Place): number => place.axes.get(axis)?.step ?? 0;
    return {
      size: binder.extent(axis),
      varies: [has(x, left, axis), has(y, right, axis)],
      summed: attrs.axes.includes(axis),
      strides: [step(left), step(right), step(out)],
    };
  });
  const batch: Dimension = {
    size: binder.batch,
    // A cleaned operand may vary between examples where the node itself does not.
    varies: [x.batched || left.batch !== 0, y.batched || right.batch !== 0],
    summed: attrs.batch,
    strides: [left.batch, right.batch, out.batch],
  };
  const labels = [...new Set([...attrs.left, ...attrs.right])].map((label): Dimension => {
    const step = (place: Place, own: readonly number[]): number => place.dims[own.indexOf(label)] ?? 0;
    return {
      size: x.shape[attrs.left.indexOf(label)] ?? y.shape[attrs.right.indexOf(label)] ?? 0,
      varies: [attrs.left.includes(label), attrs.right.includes(label)],
      summed: !attrs.out.includes(label),
      strides: [step(left, attrs.left), step(right, attrs.right), step(out, attrs.out)],
    };
  });
  return [...along, ...(x.batched || y.batched ? [batch] : []), ...labels];
}

const has = (type: NodeType, place: Place, axis: AxisId): boolean =>
  type.axes.includes(axis) || place.axes.has(axis);
