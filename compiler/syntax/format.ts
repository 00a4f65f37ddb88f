// Prints a syntax tree in the canonical form: two spaces of indentation, no parentheses but the necessary. What is
// parsed from the printed text equals the tree, up to spans and needless parentheses. Comments are not in the tree.

import { textOf } from "../diagnostics/wording.ts";
import { unreachable } from "../unreachable.ts";
import type {
  Argument,
  Definition,
  Expression,
  Import,
  Parameter,
  SourceFile,
  Statement,
  Target,
  TypeExpression,
} from "./ast.ts";
import { isComparison, precedence } from "./precedence.ts";

/** A train block wider than this takes a line for each setting. */
const lineWidth = 100;

export function format(file: SourceFile): string {
  const imports = file.imports.map(formatImport);
  const blocks = file.definitions.map(formatDefinition);
  return [...(imports.length > 0 ? [imports.join("")] : []), ...blocks].join("\n");
}

function formatImport({ names, path }: Import): string {
  const list = names.map(({ name, alias }) => (alias === null ? name.name : `${name.name} as ${alias.name}`));
  return `import { ${list.join(", ")} } from "${path}"\n`;
}

function formatDefinition(definition: Definition): string {
  const { kind, name, axes, parameters, results, body, doc } = definition;
  const docs = doc === "" ? "" : doc.split("\n").map(docLine).join("");
  const brackets = axes.length === 0 ? "" : `[${axes.map(axis => axis.name).join(", ")}]`;
  const list = kind === "model" && parameters.length === 0 ? "" : `(${parameters.map(parameter).join(", ")})`;
  const arrow = results.length === 0 ? "" : ` -> ${results.map(formatTarget).join(", ")}`;
  const lines = body.map(statement => `  ${formatStatement(statement)}\n`).join("");
  return `${docs}${kind} ${name.name}${brackets}${list}${arrow} {\n${lines}}\n`;
}

function docLine(line: string): string {
  return line === "" ? "///\n" : `/// ${line}\n`;
}

function parameter({ target, type, default: value }: Parameter): string {
  return `${formatTarget(target)}: ${formatType(type)}${value === null ? "" : ` = ${formatExpression(value)}`}`;
}

function formatTarget({ name, indices }: Target): string {
  return name.name + (indices.length === 0 ? "" : bracket(indices));
}

function formatType(type: TypeExpression): string {
  switch (type.kind) {
    case "real":
      return type.shape.length === 0 ? "real" : `real${bracket(type.shape)}`;
    case "index":
      return `index(${formatExpression(type.size)})`;
    case "bool":
    case "size":
    case "number":
    case "function":
      return type.kind;
    default:
      return unreachable(type);
  }
}

function formatStatement(statement: Statement): string {
  switch (statement.kind) {
    case "axis":
      return `axis ${statement.names.map(name => name.name).join(", ")}`;
    case "staticAxis":
      return `axis ${statement.name.name} = ${formatExpression(statement.first)}..${formatExpression(statement.last)}`;
    case "derivedAxis":
      return `axis ${statement.name.name} = ${formatExpression(statement.value)}`;
    case "input":
    case "target":
      return `${statement.kind} ${formatTarget(statement.target)}: ${formatType(statement.type)}`;
    case "param": {
      const initializer =
        statement.initializer === null ? "" : ` = ${formatExpression(statement.initializer)}`;
      return `param ${formatTarget(statement.target)}: ${formatType(statement.type)}${initializer}`;
    }
    case "equation":
      return formatEquation(statement);
    case "share":
      return `share ${statement.name.name} = ${formatExpression(statement.value)}`;
    case "train":
      return formatTrain(statement);
    case "generate": {
      const from = statement.from === null ? "" : ` from ${formatExpression(statement.from)}`;
      const until = statement.until === null ? "" : ` until ${formatExpression(statement.until)}`;
      return `generate ${formatTarget(statement.target)} = ${formatExpression(statement.value)}${from}${until}`;
    }
    default:
      return unreachable(statement);
  }
}

function formatEquation({ role, targets, value }: Extract<Statement, { kind: "equation" }>): string {
  const [only] = targets;
  const left =
    targets.length === 1 && only !== undefined
      ? formatTarget(only)
      : `(${targets.map(formatTarget).join(", ")})`;
  return `${role === "plain" ? "" : `${role} `}${left} = ${formatExpression(value)}`;
}

function formatTrain({ settings }: Extract<Statement, { kind: "train" }>): string {
  const list = settings.map(({ key, value }) => `${key.name}: ${formatExpression(value)}`);
  const line = `train { ${list.join(", ")} }`;
  if (list.length === 0) return "train {}";
  return line.length <= lineWidth ? line : `train {\n${list.map(setting => `    ${setting},\n`).join("")}  }`;
}

export function formatExpression(expression: Expression): string {
  return print(expression, 0);
}

/** `level` is the loosest precedence that needs no parentheses here. */
function print(expression: Expression, level: number): string {
  const text = printBare(expression);
  return precedenceOf(expression) < level ? `(${text})` : text;
}

function precedenceOf(expression: Expression): number {
  if (expression.kind === "binary") return precedence[expression.operator];
  if (expression.kind === "unary") return precedence[expression.operator === "not" ? "not" : "negate"];
  return precedence.atom;
}

function printBare(expression: Expression): string {
  switch (expression.kind) {
    case "error":
      return textOf(expression.span);
    case "number":
    case "bool":
      return String(expression.value);
    case "name":
      return expression.name.name + (expression.indices === null ? "" : bracket(expression.indices));
    case "call": {
      const axes = expression.axes === null ? "" : bracket(expression.axes);
      return `${expression.callee.name}${axes}(${expression.args.map(formatArgument).join(", ")})`;
    }
    case "unary":
      return expression.operator === "not"
        ? `not ${print(expression.operand, precedence.not)}`
        : `-${print(expression.operand, precedence.negate)}`;
    case "binary":
      return printBinary(expression);
    default:
      return unreachable(expression);
  }
}

function printBinary({ operator, left, right }: Extract<Expression, { kind: "binary" }>): string {
  const own = precedence[operator];
  if (operator === "^") return `${print(left, own + 1)}^${print(right, precedence.negate)}`;
  // `a * b @ W` is refused: a product on the right of `*` keeps its parentheses.
  const isMixture = own === precedence["*"] && right.kind === "binary" && right.operator === "@";
  const leftText = print(left, isComparison(operator) ? own + 1 : own);
  return `${leftText} ${operator} ${print(right, isMixture ? precedence.atom : own + 1)}`;
}

function formatArgument({ label, value }: Argument): string {
  return label === null ? formatExpression(value) : `${label.name}: ${formatExpression(value)}`;
}

function bracket(items: readonly Expression[]): string {
  return `[${items.map(formatExpression).join(", ")}]`;
}
