// Types of expressions. Null stands for "unknown": while shapes are being inferred, a name not reached yet; in the
// strict pass, something that has been complained about already, so that nothing more is said of it.

import { report } from "../diagnostics/report.ts";
import { textOf } from "../diagnostics/wording.ts";
import type { BinaryOperator, Expression } from "../syntax/ast.ts";
import { unreachable } from "../unreachable.ts";
import { applyBuiltin, checkBuiltinCall } from "./builtin-call.ts";
import { type BuiltinName, callableNames, findBuiltin } from "./builtins.ts";
import { helpForFunction, helpForValue } from "./foreign-names.ts";
import { resolveIndices } from "./indices.ts";
import { checkLayerCall, checkShareCall } from "./layer-call.ts";
import { inOrder, isNews, type LocalSymbol, type Place, reportAt, unknownValue } from "./scope.ts";
import { namesInSize } from "./size.ts";
import type { Static, TypedExpression, ValueType } from "./typed.ts";

type NameExpression = Extract<Expression, { kind: "name" }>;
type CallExpression = Extract<Expression, { kind: "call" }>;

const operators: { readonly [Operator in BinaryOperator]: BuiltinName } = {
  or: "or",
  and: "and",
  "==": "equal",
  "!=": "notEqual",
  "<": "less",
  "<=": "lessEqual",
  ">": "greater",
  ">=": "greaterEqual",
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "@": "matmul",
  "^": "pow",
};

const scalar = (dtype: "real" | "bool"): ValueType => ({ dtype, classes: null, shape: [], axes: [] });

/** The expression as one value: of a call with several results, the first. */
export function checkExpression(place: Place, expression: Expression): TypedExpression | null {
  const { span } = expression;
  switch (expression.kind) {
    case "error":
      return unknownValue(place);
    case "number":
      return {
        kind: "static",
        value: { kind: "number", value: expression.value },
        type: scalar("real"),
        span,
      };
    case "bool":
      return { kind: "static", value: { kind: "bool", value: expression.value }, type: scalar("bool"), span };
    case "name":
      return checkName(place, expression);
    case "unary": {
      const operand = checkExpression(place, expression.operand);
      const folded = operand && foldUnary(expression.operator, operand);
      if (folded) return { ...folded, span };
      const [name, shown] = expression.operator === "-" ? (["neg", "-"] as const) : (["not", "not"] as const);
      return applyBuiltin(place, { name, shown, span, args: [operand] })[0] ?? null;
    }
    case "binary": {
      const left = checkExpression(place, expression.left);
      const right = checkExpression(place, expression.right);
      const folded = left && right && foldBinary(expression.operator, left, right);
      if (folded) return { ...folded, span };
      const name = operators[expression.operator];
      return applyBuiltin(place, { name, shown: expression.operator, span, args: [left, right] })[0] ?? null;
    }
    case "call":
      return checkCall(place, expression)[0] ?? null;
    default:
      return unreachable(expression);
  }
}

function foldUnary(operator: "-" | "not", operand: TypedExpression): TypedExpression | null {
  if (operand.kind !== "static" || operand.type.dtype !== (operator === "-" ? "real" : "bool")) return null;
  const kind = operator === "-" ? "negate" : "not";
  if (kind === "negate" && operand.value.kind === "number") {
    return { ...operand, value: { kind: "number", value: -operand.value.value } };
  }
  return { ...operand, value: { kind, operand: operand.value } };
}

/** Operations on numbers that are known before the run are known before the run. */
function foldBinary(
  operator: BinaryOperator,
  left: TypedExpression,
  right: TypedExpression,
): TypedExpression | null {
  if (left.kind !== "static" || right.kind !== "static" || operator === "@") return null;
  const truth = operator === "and" || operator === "or";
  const same = left.type.dtype === right.type.dtype;
  const ordered = operator !== "==" && operator !== "!=";
  if (!same || (ordered && left.type.dtype !== (truth ? "bool" : "real"))) return null;
  const value: Static = { kind: "binary", operator, left: left.value, right: right.value };
  const type = truth || "==!=<=>=".includes(operator) ? scalar("bool") : scalar("real");
  return { kind: "static", value, type, span: left.span };
}

function checkName(place: Place, expression: NameExpression): TypedExpression | null {
  const { name, span } = expression.name;
  const symbol = place.scope.symbols.get(name);
  if (symbol === undefined) return reportUnknown(place, expression);
  if (!place.owners.includes(name)) place.scope.used.add(name);
  switch (symbol.kind) {
    case "static":
    case "inferred": {
      const kind = symbol.kind === "static" ? symbol.parameter.kind : "size";
      if (kind === "function") return reportCallable(place, name, expression, "a function");
      const declaration = symbol.span;
      if (expression.indices !== null) {
        resolveIndices(place, { name, span: expression.span, order: [], declaration }, expression.indices);
        return null;
      }
      return {
        kind: "static",
        value: { kind: "name", name },
        type: scalar(kind === "bool" ? "bool" : "real"),
        span,
      };
    }
    case "axis": {
      const help = [`the position along the axis is \`index(${name})\``];
      reportAt(place, report("F0206", { axis: name }, expression.span, { label: "this is an axis", help }));
      return null;
    }
    case "share":
      return reportCallable(place, name, expression, "a shared layer");
    case "value":
    case "param":
    case "equation":
      return readName(place, expression, symbol);
  }
}

function readName(
  place: Place,
  { name, indices, span }: NameExpression,
  symbol: Extract<LocalSymbol, { kind: "value" | "param" | "equation" }>,
): TypedExpression | null {
  if (symbol.kind === "equation" ? !symbol.draft.sound : symbol.kind === "value" && symbol.input === null)
    return null;
  const order = symbol.kind === "equation" ? symbol.draft.order : symbol.order;
  const target = { name: name.name, span, order, declaration: symbol.span };
  const resolved = resolveIndices(place, target, indices);
  const feature =
    symbol.kind === "equation"
      ? symbol.draft.feature
      : symbol.kind === "value"
        ? symbol.input?.type
        : symbol.param?.type;
  if (resolved === null || feature === null || feature === undefined) return null;
  // `x[t-k]` with a static axis k varies along k too.
  const along = resolved.flatMap(index => [
    ...(index.kind === "offset" ? [index.axis] : []),
    ...(index.offset.kind === "size" ? namesInSize(index.offset.size) : []),
  ]);
  const { dtype, classes, shape } = feature;
  const type = { dtype, classes, shape, axes: inOrder(place.scope, along) };
  return { kind: "read", name: name.name, indices: resolved, type, span };
}

function reportUnknown(place: Place, expression: NameExpression): TypedExpression | null {
  const { name, span } = expression.name;
  const { scope } = place;
  if (name === "inf" && expression.indices === null) {
    return {
      kind: "static",
      value: { kind: "number", value: Number.POSITIVE_INFINITY },
      type: scalar("real"),
      span,
    };
  }
  const callable = scope.globals.find(name);
  if (callable !== null) return reportCallable(place, name, expression, `a ${callable.definition.kind}`);
  if (findBuiltin(name) !== null) return reportCallable(place, name, expression, "a function");
  if (!isNews(place, name)) return null;
  const help = helpForValue(name, scope.symbols.keys());
  reportAt(place, report("F0101", { name }, span, { label: "nothing here has this name", help }));
  return null;
}

function reportCallable(place: Place, name: string, expression: NameExpression, what: string): null {
  const axes = expression.indices === null ? "" : "[..]";
  reportAt(
    place,
    report("F0109", { name, what }, expression.span, {
      label: "not a value by itself",
      help: [`call it: \`${name}${axes}(..)\``],
    }),
  );
  return null;
}

/** Of a call that is wrong itself: what is wrong inside the arguments is worth telling too. */
export function checkArguments(place: Place, { args }: CallExpression): void {
  const { symbols, globals } = place.scope;
  for (const { value } of args) {
    const bare = value.kind === "name" && value.indices === null ? value.name.name : null;
    // An axis or a function may be just what is wanted here.
    const symbol = bare === null ? undefined : symbols.get(bare);
    const isCallable =
      bare !== null && symbol === undefined && (findBuiltin(bare) ?? globals.find(bare)) !== null;
    if (symbol?.kind !== "axis" && !isCallable) checkExpression(place, value);
  }
}

function reportNotCallable(place: Place, call: CallExpression, symbol: LocalSymbol): void {
  const { name, span } = call.callee;
  const hides = findBuiltin(name) !== null || place.scope.globals.find(name) !== null;
  const indexed = symbol.kind === "equation" || symbol.kind === "value" || symbol.kind === "param";
  const order = symbol.kind === "equation" ? symbol.draft.order : indexed ? symbol.order : [];
  const args = call.args.map(arg => textOf(arg.span)).join(", ");
  const help = hides
    ? [`it hides the function \`${name}\`: give the value another name`]
    : order.length > 0
      ? [`indices stand in square brackets: \`${name}[${order.length === call.args.length ? args : order}]\``]
      : indexed && call.args.length === 1
        ? [`a product is written \`${name} * ${args}\``]
        : [];
  const notes = [{ span: symbol.span, text: "it is declared here" }];
  reportAt(place, report("F0110", { name }, span, { label: "this name is no function here", notes, help }));
}

/** All results of a call; empty after a complaint. */
export function checkCall(place: Place, call: CallExpression): readonly (TypedExpression | null)[] {
  const { name, span } = call.callee;
  const { scope } = place;
  const symbol = scope.symbols.get(name);
  if (symbol?.kind === "share") {
    scope.used.add(name);
    return checkShareCall(place, call, symbol.share);
  }
  const bound = scope.functions.get(name);
  if (symbol !== undefined && bound !== undefined) {
    scope.used.add(name);
    if (bound.kind === "builtin") return checkBuiltinCall(place, call, bound.name);
    return checkLayerCall(place, call, bound.target);
  }
  if (symbol !== undefined) {
    reportNotCallable(place, call, symbol);
    return [];
  }
  const definition = scope.globals.find(name);
  if (definition !== null) return checkLayerCall(place, call, definition);
  const builtin = findBuiltin(name);
  if (builtin !== null) return checkBuiltinCall(place, call, builtin);
  if (!isNews(place, name)) return [];
  const help = helpForFunction(name, [...scope.globals.names(), ...callableNames]);
  reportAt(place, report("F0104", { name }, span, { label: "no layer or function has this name", help }));
  checkArguments(place, call);
  return [];
}
