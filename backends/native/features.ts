// Ops that rearrange features, and those between positions and numbers.

import type { NodeOf, OpName } from "../../compiler/graph/graph.ts";
import { sizeOf } from "../../compiler/ops/shapes.ts";
import { windowIndex } from "../../compiler/ops/windows.ts";
import type { Context, Lower } from "./context.ts";
import type { Value, Values } from "./values.ts";

/** The operand with its features in full, as many dimensions as its type says. */
const operandOf = (context: Context, node: NodeOf<OpName>, k: number): Value =>
  context.values.featured(context.read(node.inputs[k]!), context.typeOf(node.inputs[k]!).shape);

/** Where a feature dimension stands among all dimensions. */
const placeOf = (values: Values, value: Value, dim: number): number => values.lead(value).length + dim;

const resized = (shape: readonly number[], dim: number, size: number): readonly number[] =>
  shape.map((n, d) => (d === dim ? size : n));

export const features = {
  // Whoever needs the copies makes them.
  broadcast: ({ inputs }, context) => context.read(inputs[0]!),
  reshape: (node, context) => context.values.reshaped(operandOf(context, node, 0), node.type.shape),
  transpose: (node, context) => {
    const { ops, values } = context;
    const { perm } = node.attrs;
    const x = values.ranked(context.read(node.inputs[0]!), perm.length);
    const lead = values.lead(x).map((_, d) => d);
    const tensor = ops.transpose(x.tensor, [...lead, ...perm.map(d => placeOf(values, x, d))]);
    return { ...x, tensor, shape: perm.map(d => x.shape[d]!) };
  },
  slice,
  pad: (node, context) => {
    const { ops, values } = context;
    const { dim, before, after } = node.attrs;
    const x = operandOf(context, node, 0);
    if (before + after === 0) return x;
    const tensor = ops.pad(x.tensor, values.dims(x).length, placeOf(values, x, dim), before, after);
    return { ...x, tensor, shape: node.type.shape };
  },
  concat: (node, context) => {
    const { ops, values } = context;
    const parts = node.inputs.map((_, k) => operandOf(context, node, k));
    const { axes, batched } = values.union(parts);
    const tensors = parts.map(part => values.full(part, { axes, batched, shape: part.shape }).tensor);
    const whole = { axes, batched, shape: node.type.shape };
    return { ...whole, tensor: ops.concat(tensors, values.lead(whole).length + node.attrs.dim) };
  },

  argmax,
  oneHot: (node, context) => {
    const x = operandOf(context, node, 0);
    return { ...x, tensor: context.ops.oneHot(x.tensor, node.attrs.size), shape: node.type.shape };
  },
  gather,
  patches: (node, context) => {
    const { ops, values } = context;
    const { pixels, channels, outside } = pixelsOf(node.attrs);
    const x = operandOf(context, node, 0);
    const [height, width] = node.attrs.image;
    const flat = values.reshaped(x, [height * width, channels]);
    const at = placeOf(values, flat, 0);
    // The pixel after the last one is the zeros outside of the image.
    const more = ops.pad(flat.tensor, values.dims(flat).length, at, 0, 1);
    const index = ops.vector(pixels.map(pixel => (pixel < 0 ? outside : pixel)));
    const tensor = ops.gather(more, index, at, 0);
    return values.reshaped({ ...flat, tensor, shape: [pixels.length, channels] }, node.type.shape);
  },
  unpatches: (node, context) => {
    const { ops, values } = context;
    const { pixels, channels, outside } = pixelsOf(node.attrs);
    const flat = values.reshaped(operandOf(context, node, 0), [pixels.length, channels]);
    // Sums are over the first dimension.
    const lead = values.lead(flat).map((_, d) => d);
    const at = lead.length;
    const turned = ops.transpose(flat.tensor, [at, ...lead, at + 1]);
    const sums = ops.segmentSum(turned, ops.vector(pixels), outside);
    const tensor = ops.transpose(sums, [...lead.map(d => d + 1), 0, at + 1]);
    return values.reshaped({ ...flat, tensor, shape: [outside, channels] }, node.type.shape);
  },
} satisfies { readonly [O in OpName]?: Lower<O> };

function slice(node: NodeOf<"slice">, context: Context): Value {
  const { ops, values } = context;
  const { dim, start, size } = node.attrs;
  const { shape } = context.typeOf(node.inputs[0]!);
  const x = values.ranked(context.read(node.inputs[0]!), shape.length);
  // TensorFlow's optimiser breaks loops that have slices of all there is.
  if (size === shape[dim] || x.shape[dim] !== shape[dim]) return x;
  const at = placeOf(values, x, dim);
  // Several slices might be one Split; but TensorFlow's optimiser takes outputs of one node for each other.
  const dims = values.dims(x);
  const begin = dims.map((_, d) => (d === at ? start : 0));
  const rest = dims.map((_, d) => (d === at ? size : -1));
  return { ...x, tensor: ops.slice(x.tensor, begin, rest), shape: resized(x.shape, dim, size) };
}

/**
 * TensorFlow's takes any of several largest. As the record has it: the first one; NaN is larger than nothing, and at the
 * first place smaller than nothing.
 */
function argmax(node: NodeOf<"argmax">, context: Context): Value {
  const { ops, values } = context;
  const { dim } = node.attrs;
  const x = operandOf(context, node, 0);
  const place = placeOf(values, x, dim);
  const size = x.shape[dim]!;
  const isNumber = ops.compare("Equal", x.tensor, x.tensor);
  const known = ops.select(isNumber, x.tensor, ops.real(Number.NEGATIVE_INFINITY));
  const isLargest = ops.compare("Equal", known, ops.reduce("Max", known, [place], true));
  const after = x.shape.slice(dim + 1).map(() => [1]);
  const range = ops.reshape(ops.range(size), [[size], ...after]);
  const first = ops.reduce("Min", ops.select(isLargest, range, ops.whole(size)), [place]);
  const [begin, sizes] = [0, 1].map(n => values.dims(x).map((_, d) => (d === place ? n : -n)));
  const startsAsNumber = ops.reduce("All", ops.slice(isNumber, begin!, sizes!), [place]);
  return { ...x, tensor: ops.select(startsAsNumber, first, ops.whole(0)), shape: node.type.shape };
}

/** For each pixel of the windows the image's that it shows, -1 outside; `outside` is the number of the image's. */
function pixelsOf(window: NodeOf<"patches">["attrs"]): {
  readonly pixels: readonly number[];
  readonly channels: number;
  readonly outside: number;
} {
  const [height, width, channels] = window.image;
  const elements = windowIndex({ ...window, image: [height, width, 1] });
  return { pixels: [...elements], channels, outside: height * width };
}

/** TensorFlow refuses positions outside of the table: those take another row first, then what stands for none. */
function gather(node: NodeOf<"gather">, context: Context): Value {
  const { ops, values } = context;
  const table = operandOf(context, node, 0);
  const position = context.read(node.inputs[1]!);
  const [entries = 0, ...rest] = table.shape;
  const none = node.type.dtype === "real" ? ops.real(Number.NaN) : ops.zero(node.type.dtype);
  if (entries === 0 || sizeOf(rest) === 0) return values.scalar(none);
  const last = ops.whole(entries - 1);
  const inside = values.pointwise([position], ([p]) =>
    ops.binary("Minimum", ops.binary("Maximum", p!, ops.whole(0)), last),
  );
  const isInside = values.pointwise([position, inside], ([p, q]) => ops.compare("Equal", p!, q!));
  return values.select(isInside, lookUp(table, inside, context), values.scalar(none));
}

function lookUp(table: Value, position: Value, { ops, values }: Context): Value {
  const rest = table.shape.slice(1);
  if (table.axes.length === 0 && !table.batched) {
    return { ...position, tensor: ops.gather(table.tensor, position.tensor, 0, 0), shape: rest };
  }
  const { axes, batched } = values.union([table, position]);
  const [from, at] = [
    values.full(table, { axes, batched, shape: table.shape }),
    values.full(position, { axes, batched, shape: [] }),
  ];
  const lead = values.lead(from).length;
  return { axes, batched, shape: rest, tensor: ops.gather(from.tensor, at.tensor, lead, lead) };
}
