// The value of a name at the current position: an equation, an argument, an input or a parameter of an instance.

import type { Span } from "../diagnostics/diagnostic.ts";
import type { AxisId, DType, NodeId } from "../graph/graph.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import type { TypedEquation, TypedInput, TypedParam } from "../semantics/typed.ts";
import { InternalError } from "../unreachable.ts";
import { lowerExpression } from "./expression.ts";
import { lowerInitializer } from "./initializer.ts";
import type { Instance } from "./instance.ts";
import { largestValue, tooLarge } from "./lowering.ts";

export function nodeOfName(instance: Instance, name: string): NodeId {
  const known = instance.nodes.get(name);
  if (known !== undefined) return known;
  const node = makeNode(instance, name);
  instance.nodes.set(name, node);
  return node;
}

function makeNode(instance: Instance, name: string): NodeId {
  const { definition } = instance;
  const equation = definition.equations.get(name);
  if (equation !== undefined) return lowerEquation(instance, equation);
  const param = definition.params.get(name);
  if (param !== undefined) return lowerParam(instance, param);
  const value = definition.values.find(candidate => candidate.name === name);
  if (value !== undefined) return lowerValue(instance, value);
  throw new InternalError("lower", `${definition.name} has no name ${name}`);
}

function lowerEquation(instance: Instance, equation: TypedEquation): NodeId {
  const { lowering } = instance;
  const { dtype } = equation.type;
  const shape = instance.shape(equation.type, equation.span);
  const scope = instance.scopeOf(equation);
  const node = lowering.defer({ dtype, shape }, { span: equation.span, label: scope.label }, () => {
    const missing = missingAxes(instance, equation.type.axes, equation.value.type.axes);
    return asType(lowering.builder, lowerExpression(equation.value, scope), { dtype, shape, axes: missing });
  });
  lowering.names.set(scope.label, node);
  lowering.equations.set(scope.label, equation);
  return node;
}

const missingAxes = (instance: Instance, wanted: readonly string[], given: readonly string[]) =>
  wanted.filter(name => !given.includes(name)).map(name => instance.axis(name).id);

/** An argument of a layer is read in its caller; a model's input is fed. */
function lowerValue(instance: Instance, value: TypedInput): NodeId {
  const { lowering, caller } = instance;
  const { builder } = lowering;
  const { dtype } = value.type;
  const shape = instance.shape(value.type, value.span);
  if (caller === null) {
    const axes = value.type.axes.map(name => instance.axis(name).id);
    return builder.withPlace({ span: value.span, label: value.name }, () =>
      builder.input(value.name, { dtype, shape, axes, batched: true }),
    );
  }
  const argument = caller.call.values.get(value.name);
  if (argument === undefined)
    throw new InternalError("lower", `${instance.path} lacks argument ${value.name}`);
  const place = { span: argument.span, label: caller.scope.label };
  return lowering.defer({ dtype, shape }, place, () => {
    const outer = new Set(caller.scope.instance.axesOf(argument.type));
    const axes = value.type.axes.map(name => instance.axis(name).id).filter(axis => !outer.has(axis));
    return asType(builder, lowerExpression(argument, caller.scope), { dtype, shape, axes });
  });
}

function lowerParam(instance: Instance, param: TypedParam): NodeId {
  const { lowering } = instance;
  const name = instance.named(param.name);
  const known = lowering.parameters.get(name);
  if (known !== undefined) return known.node;
  const shape = instance.shape(param.type, param.span);
  const axes = param.type.axes.map(axis => instance.axis(axis).id);
  countParameter(instance, shape, axes, param.span);
  const init = lowerInitializer(param.initializer, instance, param.span);
  const node = lowering.builder.withPlace({ span: param.span, label: name }, () =>
    lowering.builder.parameter(name, shape, axes),
  );
  const ordered = lowering.builder.typeOf(node).axes;
  lowering.parameters.set(name, { spec: { name, shape, axes: ordered, init, span: param.span }, node });
  return node;
}

function countParameter(
  instance: Instance,
  shape: readonly number[],
  axes: readonly AxisId[],
  span: Span,
): void {
  const { lowering } = instance;
  const lengths = axes.map(axis => lowering.builder.lengthOf(axis) ?? 1);
  const total = lowering.countNumbers([...shape, ...lengths].reduce((product, size) => product * size, 1));
  if (total > largestValue) {
    instance.refuse(tooLarge("a set of parameters", total, "numbers", largestValue, span));
  }
}

/** The value cast, its features broadcast and its axes added where they differ from what is wanted. */
export function asType(
  builder: GraphBuilder,
  node: NodeId,
  wanted: { readonly dtype: DType; readonly shape: readonly number[]; readonly axes: readonly AxisId[] },
): NodeId {
  const { dtype, shape } = builder.typeOf(node);
  const value = dtype === wanted.dtype ? node : builder.cast(node, wanted.dtype);
  const same = shape.length === wanted.shape.length && shape.every((size, dim) => size === wanted.shape[dim]);
  return same && wanted.axes.length === 0
    ? value
    : builder.broadcast(value, { shape: wanted.shape, axes: wanted.axes });
}
