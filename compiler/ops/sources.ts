// Ops without operands: constants, what is fed or kept, lengths and positions, random draws.

import { isNumeric, type OpTable } from "./op.ts";
import { isSize, sizeOf } from "./shapes.ts";
import { rowsOf } from "./values.ts";

type SourceOp = "constant" | "parameter" | "input" | "state" | "length" | "index" | "batchSize" | "random";

const free = { flops: 0 };
const noAdjoint = { none: "a source has no operands" };
const common = { arity: 0, adjoint: noAdjoint, cost: () => free, elementwise: false } as const;

const badShape = (shape: readonly number[]): string | null =>
  shape.every(isSize) ? null : "a size in `shape` is no natural number";

export const sources: Pick<OpTable, SourceOp> = {
  constant: {
    ...common,
    doc: "Fixed numbers: one fills `shape`, or one for each element, row-major.",
    type: (_, { dtype, shape }) => ({ dtype, shape, axes: [], batched: false }),
    check: (_, { shape, values, dtype }) => {
      const count = sizeOf(shape);
      if (values.length !== 1 && values.length !== count) {
        return `${values.length} values for ${count} elements`;
      }
      if (dtype === "index" && !values.every(Number.isInteger)) return "an index is no integer";
      if (dtype === "bool" && !values.every(v => v === 0 || v === 1)) return "a bool is neither 0 nor 1";
      return badShape(shape);
    },
    evaluate: ({ attrs: { shape, values } }) => {
      const out = new Float64Array(sizeOf(shape));
      if (values.length === 1) out.fill(values[0]!);
      else out.set(values);
      return out;
    },
  },
  parameter: {
    ...common,
    doc: "A trainable parameter [...shape], with a value at each index of its static axes.",
    type: (_, { shape, axes }) => ({ dtype: "real", shape, axes, batched: false }),
    check: (_, { shape }) => badShape(shape),
    evaluate: (node, point, evaluation) => evaluation.fed("parameter", node.attrs.name, point).data,
  },
  input: {
    ...common,
    doc: "What the caller feeds: [...shape] at each index of `axes`, for each example if batched.",
    type: (_, { dtype, shape, axes, batched }) => ({ dtype, shape, axes, batched }),
    check: (_, { shape }) => badShape(shape),
    evaluate: (node, point, evaluation) => evaluation.fed("input", node.attrs.name, point).data,
  },
  state: {
    ...common,
    doc: "A value [...shape] kept between calls that is no parameter, such as an optimiser's moments.",
    type: (_, { dtype, shape, axes }) => ({ dtype, shape, axes, batched: false }),
    check: (_, { shape }) => badShape(shape),
    evaluate: (node, point, evaluation) => evaluation.fed("state", node.attrs.name, point).data,
  },
  length: {
    ...common,
    doc: "Each example's own length along the axis: an index [].",
    type: () => ({ dtype: "index", shape: [], axes: [], batched: true }),
    check: () => null,
    evaluate: ({ attrs }, _, evaluation) =>
      Float64Array.from({ length: evaluation.batch }, (_, example) => evaluation.length(attrs.axis, example)),
  },
  index: {
    ...common,
    doc: "The position along the axis: an index [].",
    type: (_, { axis }) => ({ dtype: "index", shape: [], axes: [axis], batched: false }),
    check: () => null,
    evaluate: ({ attrs }, point) => Float64Array.of(point.get(attrs.axis)!),
  },
  batchSize: {
    ...common,
    doc: "The number of examples: a real [].",
    type: () => ({ dtype: "real", shape: [], axes: [], batched: false }),
    check: () => null,
    evaluate: (_, __, evaluation) => Float64Array.of(evaluation.batch),
  },
  random: {
    ...common,
    doc: "Draws [...shape] that depend only on (seed, step, site, example, position, feature).",
    type: (_, { shape, axes }) => ({ dtype: "real", shape, axes, batched: true }),
    check: (_, { shape, site }) => (isSize(site) ? badShape(shape) : "`site` is no natural number"),
    evaluate: (node, point, evaluation) => {
      const size = sizeOf(node.attrs.shape);
      const rows = rowsOf(node.type, evaluation);
      const out = new Float64Array(rows * size);
      for (let example = 0; example < rows; example++) {
        for (let i = 0; i < size; i++) out[example * size + i] = evaluation.draw(node, point, example, i);
      }
      return out;
    },
    cost: node => ({ flops: isNumeric(node.type.dtype) ? 60 * sizeOf(node.attrs.shape) : 0 }),
  },
};
