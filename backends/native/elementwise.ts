// Ops that work on each element by itself, as TensorFlow's ops of the same name; and what is put around those that
// treat infinities, NaN or zeros in another way than the records in compiler/ops.

import type { DType, Graph, NodeId, NodeOf, OpName } from "../../compiler/graph/graph.ts";
import type { Context, Lower } from "./context.ts";
import type { Tensor } from "./graph.ts";
import type { Ops } from "./ops.ts";
import type { Value } from "./values.ts";

type Make = (ops: Ops, operands: readonly Tensor[]) => Tensor;

const each =
  <O extends OpName>(make: Make): Lower<O> =>
  (node: NodeOf<O>, context: Context): Value =>
    context.values.pointwise(
      node.inputs.map(id => context.read(id)),
      operands => make(context.ops, operands),
    );

const unary = <O extends OpName>(op: string): Lower<O> => each((ops, [x]) => ops.unary(op, x!));
const binary = <O extends OpName>(op: string): Lower<O> => each((ops, [a, b]) => ops.binary(op, a!, b!));
const compare = <O extends OpName>(op: string): Lower<O> => each((ops, [a, b]) => ops.compare(op, a!, b!));

const same = (node: NodeOf<"stopGradient">, context: Context): Value => context.read(node.inputs[0]!);

export const elementwise = {
  neg: unary("Neg"),
  exp: unary("Exp"),
  log: unary("Log"),
  log1p: unary("Log1p"),
  sqrt: unary("Sqrt"),
  sin: unary("Sin"),
  cos: unary("Cos"),
  tanh: unary("Tanh"),
  sigmoid: unary("Sigmoid"),
  softplus: unary("Softplus"),
  abs: unary("Abs"),
  // Of -0, TensorFlow's is 0.
  sign: each((ops, [x]) =>
    ops.select(ops.compare("Equal", x!, ops.zero(x!.dtype)), x!, ops.unary("Sign", x!)),
  ),
  floor: unary("Floor"),
  not: each((ops, [x]) => ops.logical("LogicalNot", x!)),
  stopGradient: same,
  cast: ({ inputs, attrs }, context) =>
    context.values.pointwise([context.read(inputs[0]!)], ([x]) => castTo(context.ops, x!, attrs.dtype)),

  add: binary("AddV2"),
  sub: binary("Sub"),
  mul: (node, context) => slope(node, context) ?? binary<"mul">("Mul")(node, context),
  div: binary("RealDiv"),
  pow: each(power),
  maximum: (node, context) => extreme(node, context, "Maximum", 0.5),
  minimum: (node, context) => extreme(node, context, "Minimum", -0.5),
  expdiff: each((ops, [x, y]) => {
    const isNothing = ops.compare("Equal", x!, ops.real(Number.NEGATIVE_INFINITY));
    return ops.select(isNothing, ops.real(0), ops.unary("Exp", ops.binary("Sub", x!, y!)));
  }),
  equal: compare("Equal"),
  notEqual: compare("NotEqual"),
  less: compare("Less"),
  lessEqual: compare("LessEqual"),
  greater: compare("Greater"),
  greaterEqual: compare("GreaterEqual"),
  and: each((ops, [a, b]) => ops.logical("LogicalAnd", a!, b!)),
  or: each((ops, [a, b]) => ops.logical("LogicalOr", a!, b!)),
  where: each((ops, [condition, a, b]) => ops.select(condition!, a!, b!)),
  accumulate: (node, context) =>
    total(
      node.inputs.map(id => context.read(id)),
      context,
    ),
} satisfies { readonly [O in OpName]?: Lower<O> };

/** Any number but 0 is true, NaN included; other casts are TensorFlow's. */
function castTo(ops: Ops, x: Tensor, to: DType): Tensor {
  return to === "bool" && x.dtype !== "bool"
    ? ops.compare("NotEqual", x, ops.zero(x.dtype))
    : ops.cast(x, to);
}

/** To the powers NaN and infinity C makes 1 of 1, and of -1; JavaScript, and so the record, NaN. */
function power(ops: Ops, [a, b]: readonly Tensor[]): Tensor {
  const isOne = ops.compare("Equal", ops.unary("Abs", a!), ops.real(1));
  const isOdd = ops.logical("LogicalAnd", isOne, ops.logical("LogicalNot", ops.isFinite(b!)));
  return ops.select(isOdd, ops.real(Number.NaN), ops.binary("Pow", a!, b!));
}

/**
 * The adjoints of sigmoid, a * (y * (1 - y)), and of tanh, a * (1 - y * y), as one op each; null for other products. In
 * a loop an op costs as much as its arithmetic.
 */
function slope({ inputs }: NodeOf<"mul">, context: Context): Value | null {
  for (const [adjoint, factor] of [inputs, inputs.toReversed()] as const) {
    const found = curveOf(factor!, context);
    const y = found === null ? null : context.find(found.y);
    const a = y === null ? null : context.read(adjoint!);
    // These ops do not broadcast.
    if (found === null || y === null || a === null || !isAlike(a, y)) continue;
    return { ...y, tensor: context.ops.binary(found.op, y.tensor, a.tensor) };
  }
  return null;
}

function curveOf(id: NodeId, { graph }: Context): { readonly op: string; readonly y: NodeId } | null {
  const node = graph.nodes.get(id)!;
  const restOf1 = (other: NodeId): NodeId | null => {
    const { op, inputs } = graph.nodes.get(other)!;
    return op === "sub" && isOne(graph, inputs[0]!) ? inputs[1]! : null;
  };
  if (node.op === "mul") {
    const [a, b] = node.inputs as [NodeId, NodeId];
    if (restOf1(b) === a) return { op: "SigmoidGrad", y: a };
    if (restOf1(a) === b) return { op: "SigmoidGrad", y: b };
    return null;
  }
  const square = restOf1(id);
  const { op, inputs } = square === null ? { op: null, inputs: [] } : graph.nodes.get(square)!;
  return op === "mul" && inputs[0] === inputs[1] ? { op: "TanhGrad", y: inputs[0]! } : null;
}

function isOne(graph: Graph, id: NodeId): boolean {
  const { op, attrs } = graph.nodes.get(id)!;
  return op === "constant" && attrs.values.every(value => value === 1);
}

const isAlike = (a: Value, b: Value): boolean =>
  a.batched === b.batched && a.axes.join() === b.axes.join() && a.shape.join() === b.shape.join();

/**
 * Of 0 and -0 TensorFlow takes the second. Halves of equal numbers add up to the number, and of zeros to the larger one;
 * turned round, to the smaller. Not for constants, where it costs more than a sign of zero is worth.
 */
function extreme(
  node: NodeOf<"maximum"> | NodeOf<"minimum">,
  context: Context,
  op: "Maximum" | "Minimum",
  half: number,
): Value {
  const { graph, values } = context;
  const isPlain =
    node.type.dtype !== "real" || node.inputs.some(id => graph.nodes.get(id)!.op === "constant");
  const operands = node.inputs.map(id => context.read(id));
  return values.pointwise(operands, ([a, b]) => {
    const { ops } = context;
    const found = ops.binary(op, a!, b!);
    if (isPlain) return found;
    const [x, y] = [a!, b!].map(one => ops.binary("Mul", one, ops.real(half)));
    const sum = ops.binary("AddV2", x!, y!);
    return ops.select(ops.compare("Equal", a!, b!), half < 0 ? ops.unary("Neg", sum) : sum, found);
  });
}

function total(parts: readonly Value[], { ops, values }: Context): Value {
  const [first, ...others] = parts;
  if (first === undefined) return values.scalar(ops.real(0));
  if (parts.length > 2 && others.every(part => isAlike(part, first)))
    return { ...first, tensor: ops.addAll(parts.map(({ tensor }) => tensor)) };
  return others.reduce(
    (sum, part) => values.pointwise([sum, part], ([a, b]) => ops.binary("AddV2", a!, b!)),
    first,
  );
}
