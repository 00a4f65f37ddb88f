// Binds contractions to FrondMatMul: sorts their dimensions (feature labels, axes, the batch) into those of a product.
// Padding is replaced by zeros in both operands first, where there is any.

import type { AxisId, NodeId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import { type Binder, maskOf, rowSpace } from "./binder.ts";
import type { Place } from "./layout.ts";
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
  const dims = productDims(node, binder, left, right, out);
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
  const kept = keep ? binder.keptPanels() : null;
  const { spec, swapped } = matMulSpec(sides, binder.accumulate, kept);
  const [a, b] = swapped ? [places[second], places[first]] : [places[first], places[second]];
  binder.call("FrondMatMul", [{ place: a }, { place: b }, { place: out }], spec);
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

function productDims(
  node: NodeOf<"contract">,
  binder: Binder,
  left: Place,
  right: Place,
  out: Place,
): Readonly<Record<"h" | "m" | "n" | "k", ProductDims>> {
  const { attrs } = node;
  const [x, y] = [binder.type(node.inputs[0]!), binder.type(node.inputs[1]!)];
  const dims = { h: emptyDims(), m: emptyDims(), n: emptyDims(), k: emptyDims() };
  const add = (
    inLeft: boolean,
    inRight: boolean,
    summed: boolean,
    size: number,
    strides: readonly number[],
  ) => {
    const kind = summed ? "k" : inLeft && inRight ? "h" : inLeft ? "m" : "n";
    dims[kind].sizes.push(size);
    dims[kind].left.push(strides[0]!);
    dims[kind].right.push(strides[1]!);
    dims[kind].out.push(strides[2]!);
  };
  const space = { axes: inOrder(binder, [...x.axes, ...y.axes]), batched: x.batched || y.batched };
  for (const axis of space.axes) {
    if (binder.bound.includes(axis)) continue;
    const strides = [left, right, out].map(place => place.axes.get(axis)?.step ?? 0);
    add(has(x, left, axis), has(y, right, axis), attrs.axes.includes(axis), binder.extent(axis), strides);
  }
  const batches = [left.batch, right.batch, out.batch];
  // A cleaned operand may vary between examples where the node itself does not.
  const varies = [x.batched || left.batch !== 0, y.batched || right.batch !== 0] as const;
  if (space.batched) add(varies[0], varies[1], attrs.batch, binder.batch, batches);
  const strideOf = (place: Place, labels: readonly number[], label: number): number =>
    place.dims[labels.indexOf(label)] ?? 0;
  for (const label of new Set([...attrs.left, ...attrs.right])) {
    const size = x.shape[attrs.left.indexOf(label)] ?? y.shape[attrs.right.indexOf(label)] ?? 0;
    const strides = [strideOf(left, attrs.left, label), strideOf(right, attrs.right, label), strideOf(out, attrs.out, label)]; // biome-ignore format: three alike
    add(attrs.left.includes(label), attrs.right.includes(label), !attrs.out.includes(label), size, strides);
  }
  return dims;
}

const has = (type: NodeType, place: Place, axis: AxisId): boolean =>
  type.axes.includes(axis) || place.axes.has(axis);

const emptyDims = (): MutableDims => ({ sizes: [], left: [], right: [], out: [] });
