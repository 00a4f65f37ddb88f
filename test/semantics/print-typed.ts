// Typed definitions as text, one equation a line, for pinning.

import { printFeature } from "../../compiler/semantics/print-type.ts";
import { printSize } from "../../compiler/semantics/size.ts";
import type {
  Boundary,
  Index,
  LayerCall,
  Static,
  TypedDefinition,
  TypedExpression,
  TypedInitializer,
  ValueType,
} from "../../compiler/semantics/typed.ts";

export function printTyped(definition: TypedDefinition): string {
  const { kind, name, axes, statics, inferred, values, params, equations } = definition;
  const lines = [`${kind} ${name}`];
  for (const axis of axes) {
    const range =
      axis.first === null || axis.last === null ? "" : ` = ${print(axis.first)}..${print(axis.last)}`;
    lines.push(`  axis ${axis.name} ${axis.kind}${range}`);
  }
  for (const one of statics) {
    lines.push(`  ${one.kind} ${one.name}${one.default === null ? "" : ` = ${print(one.default)}`}`);
  }
  if (inferred.length > 0) lines.push(`  inferred ${inferred.join(", ")}`);
  for (const value of values) lines.push(`  ${value.role} ${value.name}: ${printType(value.type)}`);
  for (const param of params.values()) {
    lines.push(`  param ${param.name}: ${printType(param.type)} = ${printInitializer(param.initializer)}`);
  }
  for (const equation of equations.values()) {
    const role = equation.role === "plain" ? "" : `${equation.role} `;
    const alias = equation.alias ? " (alias)" : "";
    lines.push(
      `  ${role}${equation.name}: ${printType(equation.type)}${alias} = ${printExpression(equation.value)}`,
    );
    lines.push(...equation.boundaries.map(boundary => `    ${printBoundary(boundary)}`));
  }
  for (const { input, axis, value, from, until } of definition.generate) {
    const start = from === null ? "" : ` from ${print(from)}`;
    const end = until === null ? "" : ` until ${printExpression(until)}`;
    lines.push(`  generate ${input} along ${axis} = ${printExpression(value)}${start}${end}`);
  }
  if (definition.results.length > 0) lines.push(`  results ${definition.results.join(", ")}`);
  return `${lines.join("\n")}\n`;
}

const printType = (type: ValueType): string =>
  type.axes.length === 0 ? printFeature(type) : `${printFeature(type)} @ ${type.axes.join(", ")}`;

const printBoundary = ({ axis, side, value }: Boundary): string =>
  `${axis} ${side}: ${printExpression(value)}`;

function print(value: Static): string {
  switch (value.kind) {
    case "number":
    case "bool":
      return String(value.value);
    case "size":
      return printSize(value.size);
    case "name":
      return value.name;
    case "negate":
      return `-${print(value.operand)}`;
    case "not":
      return `not ${print(value.operand)}`;
    case "binary":
      return `(${print(value.left)} ${value.operator} ${print(value.right)})`;
  }
}

function printIndex(index: Index): string {
  const offset = print(index.offset);
  if (index.kind === "offset") return offset === "0" ? index.axis : `${index.axis} delayed ${offset}`;
  return offset === "0" ? index.from : `${offset} from ${index.from}`;
}

export function printExpression(expression: TypedExpression): string {
  switch (expression.kind) {
    case "static":
      return expression.type.dtype === "index" ? `index ${print(expression.value)}` : print(expression.value);
    case "read": {
      const indices = expression.indices.map(printIndex).join(", ");
      return indices === "" ? expression.name : `${expression.name}[${indices}]`;
    }
    case "builtin": {
      const { name, axes, args, statics, sizes, result } = expression;
      const named = [...statics].map(([key, value]) => `${key}: ${print(value)}`);
      const sized = [...sizes].map(([key, list]) => `${key}: [${list.map(printSize).join(", ")}]`);
      const inner = [...args.map(printExpression), ...named, ...sized].join(", ");
      return `${name}${axes.length === 0 ? "" : `[${axes.join(", ")}]`}(${inner})${result === 0 ? "" : `.${result}`}`;
    }
    case "call":
      return `${printCall(expression.call)}.${expression.result}`;
  }
}

function printCall({ layer, axes, values, statics, sizes, instance, boundaries }: LayerCall): string {
  const along = axes.map(({ axis, reversed }) => (reversed ? `-${axis}` : axis)).join(", ");
  const parts = [
    ...[...values].map(([name, value]) => `${name}: ${printExpression(value)}`),
    ...[...statics].map(([name, value]) => `${name}: ${print(value)}`),
    ...[...sizes].map(([name, size]) => `${name} := ${printSize(size)}`),
    ...[...boundaries].flatMap(([name, list]) => list.map(boundary => `${name} ${printBoundary(boundary)}`)),
  ];
  return `${layer.name}${along === "" ? "" : `[${along}]`}<${instance}>(${parts.join("; ")})`;
}

function printInitializer(initializer: TypedInitializer): string {
  if (initializer.kind === "concat") {
    const parts = initializer.parts.map(
      ({ size, init }) => `${printSize(size)} of ${printInitializer(init)}`,
    );
    return `concat(${parts.join(", ")})`;
  }
  const numbers = [...initializer.numbers].map(([name, value]) => `${name}: ${print(value)}`);
  return `${initializer.kind}(${numbers.join(", ")})`;
}
