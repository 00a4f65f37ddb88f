// The einsum of two operands: products by matrices, outer products, attention contexts, weight gradients. Its adjoint
// is itself. Padding is left out by selection, so that 0 times NaN never happens.

import type { AxisId, NodeId, NodeOf, NodeType, OpAttrs } from "../graph/graph.ts";
import type { GraphBuilder } from "./builder.ts";
import type { OpTable, Value } from "./op.ts";
import { anyBatched, operand, showShape, sizeOf, stridesOf, unionAxes } from "./shapes.ts";
import { indexBy, inputTypes, isReal, pointsOver, rowStride, zerosOf } from "./values.ts";

type Attrs = OpAttrs["contract"];

/** The size of each label, from the operands' shapes. */
function labelSizes(inputs: readonly NodeType[], { left, right }: Attrs): ReadonlyMap<number, number> {
  const sizes = new Map<number, number>();
  for (const [d, label] of right.entries()) sizes.set(label, operand(inputs, 1).shape[d] ?? 0);
  for (const [d, label] of left.entries()) sizes.set(label, operand(inputs, 0).shape[d] ?? 0);
  return sizes;
}

function checkLabels(inputs: readonly NodeType[], attrs: Attrs): string | null {
  const { left, right, out } = attrs;
  for (const [k, labels] of [left, right].entries()) {
    const { shape, dtype } = operand(inputs, k);
    if (dtype !== "real") return `operand ${k} is ${dtype}, not real`;
    if (labels.length !== shape.length) return `${labels.length} labels for operand ${k} ${showShape(shape)}`;
  }
  for (const labels of [left, right, out]) {
    if (new Set(labels).size !== labels.length) return "a label stands twice in one place";
  }
  const sizes = labelSizes(inputs, attrs);
  for (const [d, label] of right.entries()) {
    if (sizes.get(label) !== inputs[1]?.shape[d]) return `label ${label} has two sizes`;
  }
  for (const label of [...left, ...right]) {
    const places = [left, right, out].filter(labels => labels.includes(label)).length;
    if (places < 2) return `label ${label} stands in one operand only`;
  }
  const unknown = out.find(label => !sizes.has(label));
  return unknown === undefined ? null : `label ${unknown} stands in no operand`;
}

/** Offsets into one place's array for all values of a group of labels. */
function offsets(
  group: readonly number[],
  place: readonly number[],
  sizes: ReadonlyMap<number, number>,
): Int32Array {
  const strides = stridesOf(place.map(label => sizes.get(label)!));
  return indexBy(
    group.map(label => sizes.get(label)!),
    group.map(label => strides[place.indexOf(label)] ?? 0),
  );
}

/** A contraction as four nested loops: labels in all places, in left and out, in right and out, in both operands. */
interface Loops {
  readonly all: { readonly left: Int32Array; readonly right: Int32Array; readonly out: Int32Array };
  readonly rows: { readonly left: Int32Array; readonly out: Int32Array };
  readonly columns: { readonly right: Int32Array; readonly out: Int32Array };
  readonly inner: { readonly left: Int32Array; readonly right: Int32Array };
}

const planned = new WeakMap<Attrs, Map<string, Loops>>();

function loopsOf(inputs: readonly NodeType[], attrs: Attrs): Loops {
  const plans = planned.get(attrs) ?? new Map<string, Loops>();
  planned.set(attrs, plans);
  const key = inputs.map(({ shape }) => shape.join()).join(";");
  const known = plans.get(key);
  if (known !== undefined) return known;
  const { left, right, out } = attrs;
  const sizes = labelSizes(inputs, attrs);
  const all = left.filter(label => right.includes(label) && out.includes(label));
  const rows = left.filter(label => !right.includes(label));
  const columns = right.filter(label => !left.includes(label));
  const inner = left.filter(label => !out.includes(label));
  const loops = {
    all: {
      left: offsets(all, left, sizes),
      right: offsets(all, right, sizes),
      out: offsets(all, out, sizes),
    },
    rows: { left: offsets(rows, left, sizes), out: offsets(rows, out, sizes) },
    columns: { right: offsets(columns, right, sizes), out: offsets(columns, out, sizes) },
    inner: { left: offsets(inner, left, sizes), right: offsets(inner, right, sizes) },
  };
  plans.set(key, loops);
  return loops;
}

/** Adds the product of one example at one point to `to`, from the given first elements on. */
function addProduct(
  loops: Loops,
  x: Float64Array,
  y: Float64Array,
  to: Float64Array,
  at: readonly number[],
): void {
  const { all, rows, columns, inner } = loops;
  const [x0, y0, to0] = [at[0]!, at[1]!, at[2]!];
  for (let b = 0; b < all.out.length; b++) {
    const xb = x0 + all.left[b]!;
    const yb = y0 + all.right[b]!;
    for (let m = 0; m < rows.out.length; m++) {
      const xm = xb + rows.left[m]!;
      const tm = to0 + all.out[b]! + rows.out[m]!;
      for (let k = 0; k < inner.left.length; k++) {
        const factor = x[xm + inner.left[k]!]!;
        const yk = yb + inner.right[k]!;
        for (let n = 0; n < columns.out.length; n++) {
          to[tm + columns.out[n]!]! += factor * y[yk + columns.right[n]!]!;
        }
      }
    }
  }
}

/** The adjoint of one operand: the adjoint contracted with the other operand, over all that this one lacks. */
function operandAdjoint(b: GraphBuilder, node: NodeOf<"contract">, k: number, adjoint: NodeId): NodeId {
  const { left, right, out } = node.attrs;
  const [self, other] = k === 0 ? [left, right] : [right, left];
  const target = b.typeOf(node.inputs[k]!);
  const otherId = node.inputs[1 - k]!;
  const types = [b.typeOf(adjoint), b.typeOf(otherId)];
  const over = {
    axes: unionAxes(types).filter((axis: AxisId) => !target.axes.includes(axis)),
    batch: anyBatched(types) && !target.batched,
    out: self,
  };
  // Operands keep their sides, so that a product by a matrix stays one.
  return k === 0
    ? b.contract(adjoint, otherId, { ...over, left: out, right: other })
    : b.contract(otherId, adjoint, { ...over, left: other, right: out });
}

export const contraction: Pick<OpTable, "contract"> = {
  contract: {
    doc:
      "An einsum: features by labels, `axes` and the batch summed over real positions. An axis's own length counts " +
      "where a batched operand has the axis; otherwise its extent.",
    arity: 2,
    type: (inputs, attrs) => {
      const sizes = labelSizes(inputs, attrs);
      return {
        dtype: "real",
        shape: attrs.out.map(label => sizes.get(label) ?? 0),
        axes: unionAxes(inputs).filter(axis => !attrs.axes.includes(axis)),
        batched: anyBatched(inputs) && !attrs.batch,
      };
    },
    check: (inputs, attrs) => {
      const all = unionAxes(inputs);
      const missing = attrs.axes.find(axis => !all.includes(axis));
      if (missing !== undefined) return `no operand has the axis ${missing}`;
      if (attrs.batch && !anyBatched(inputs)) return "no operand is batched";
      return checkLabels(inputs, attrs);
    },
    adjoint: operandAdjoint,
    reads: (node, point, evaluation) =>
      pointsOver(evaluation, point, node.attrs.axes).flatMap(at => [
        { input: 0, point: at },
        { input: 1, point: at },
      ]),
    evaluate: (node, point, evaluation, reads) => {
      const types = inputTypes(node, evaluation);
      const [x, y] = [types[0]!, types[1]!];
      const loops = loopsOf(types, node.attrs);
      const out = zerosOf(node.type, evaluation);
      const rows = x.batched || y.batched ? evaluation.batch : 1;
      for (const [i, here] of pointsOver(evaluation, point, node.attrs.axes).entries()) {
        const [left, right]: readonly Value[] = [reads[2 * i]!, reads[2 * i + 1]!];
        for (let row = 0; row < rows; row++) {
          if (!isReal(x, evaluation, here, row) || !isReal(y, evaluation, here, row)) continue;
          const at = [row * rowStride(x), row * rowStride(y), row * rowStride(node.type)];
          addProduct(loops, left!.data, right!.data, out, at);
        }
      }
      return out;
    },
    cost: ({ attrs }, inputs) => ({ flops: 2 * sizeOf([...labelSizes(inputs, attrs).values()]) }),
    elementwise: false,
  },
};
