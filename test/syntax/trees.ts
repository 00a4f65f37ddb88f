// Random syntax trees for properties, and trees without their spans for comparing.

import fc from "fast-check";
import type {
  Argument,
  BinaryOperator,
  Definition,
  Expression,
  Identifier,
  Import,
  Parameter,
  Setting,
  SourceFile,
  Statement,
  Target,
  TypeExpression,
} from "../../compiler/syntax/ast.ts";

const source = { name: "random.frond", text: "" };
const span = { source, start: 0, end: 0 };

/** A tree as plain data without spans, sources and needless-parentheses flags. */
export function bare(value: unknown): unknown {
  const dropped = new Set(["span", "operatorSpan", "headerSpan", "pathSpan", "source", "parenthesized"]);
  return JSON.parse(JSON.stringify(value, (key, part: unknown) => (dropped.has(key) ? undefined : part)));
}

/** Milliseconds of processor time that a call takes: what else the machine does is no fault of the parser's. */
export function timed(call: () => void): number {
  const before = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const names = [
  "x",
  "h",
  "W",
  "axis",
  "input",
  "from",
  "until",
  "train",
  "last",
  "inf",
  "σ",
  "h̃",
  "xₜ",
  "_a1",
  "名前",
  "real",
];
const identifier: fc.Arbitrary<Identifier> = fc
  .constantFrom(...names)
  .map(name => ({ name: name.normalize("NFC"), span }));

const operators: readonly BinaryOperator[] = [
  "or",
  "and",
  "==",
  "<=",
  "<",
  "!=",
  "+",
  "-",
  "*",
  "/",
  "@",
  "^",
];

const number: fc.Arbitrary<Expression> = fc
  .oneof(fc.nat(1000), fc.double({ min: 0, max: 1e30, noNaN: true }))
  .map(value => ({ kind: "number", value: Math.abs(value), span }));

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  number,
  fc.boolean().map((value): Expression => ({ kind: "bool", value, span })),
  identifier.map((name): Expression => ({ kind: "name", name, indices: null, span })),
);

export const expression: fc.Arbitrary<Expression> = fc.letrec<{ readonly expression: Expression }>(tie => {
  const inner = tie("expression");
  const items = fc.array(inner, { minLength: 1, maxLength: 3 });
  const argument = fc
    .tuple(fc.option(identifier), inner)
    .map(([label, value]): Argument => ({ label, value, span }));
  const name = fc
    .tuple(identifier, items)
    .map(([name, indices]): Expression => ({ kind: "name", name, indices, span }));
  const call = fc
    .tuple(identifier, fc.option(items), fc.array(argument, { maxLength: 3 }))
    .map(([callee, axes, args]): Expression => ({ kind: "call", callee, axes, args, span }));
  const unary = fc
    .tuple(fc.constantFrom("-" as const, "not" as const), inner)
    .map(([operator, operand]): Expression => ({ kind: "unary", operator, operand, span }));
  const binary = fc
    .tuple(fc.constantFrom(...operators), inner, inner)
    .map(([operator, left, right]): Expression => {
      return { kind: "binary", operator, left, right, operatorSpan: span, span, parenthesized: false };
    });
  return {
    expression: fc.oneof({ maxDepth: 5, depthSize: "small" }, leaf, leaf, name, call, unary, binary, binary),
  };
}).expression;

const target: fc.Arbitrary<Target> = fc
  .tuple(identifier, fc.array(expression, { maxLength: 2 }))
  .map(([name, indices]) => ({ name, indices, span }));

const type: fc.Arbitrary<TypeExpression> = fc.oneof(
  fc.array(expression, { maxLength: 2 }).map((shape): TypeExpression => ({ kind: "real", shape, span })),
  expression.map((size): TypeExpression => ({ kind: "index", size, span })),
  fc.constantFrom("bool", "size", "number", "function").map(kind => ({ kind, span }) as TypeExpression),
);

const setting: fc.Arbitrary<Setting> = fc
  .tuple(identifier, expression)
  .map(([key, value]) => ({ key, value, span }));

const statement: fc.Arbitrary<Statement> = fc.oneof(
  fc
    .array(identifier, { minLength: 1, maxLength: 3 })
    .map((list): Statement => ({ kind: "axis", names: list, span })),
  fc
    .tuple(identifier, expression, expression)
    .map(([name, first, last]): Statement => ({ kind: "staticAxis", name, first, last, span })),
  fc
    .tuple(identifier, expression)
    .map(([name, value]): Statement => ({ kind: "derivedAxis", name, value, span })),
  fc
    .tuple(fc.constantFrom("input" as const, "target" as const), target, type)
    .map(([kind, target, type]): Statement => ({ kind, target, type, span })),
  fc
    .tuple(target, type, fc.option(expression))
    .map(([target, type, initializer]): Statement => ({ kind: "param", target, type, initializer, span })),
  fc
    .tuple(
      fc.constantFrom("plain" as const, "output" as const, "metric" as const),
      fc.array(target, { minLength: 1, maxLength: 3 }),
      expression,
    )
    .map(([role, targets, value]): Statement => ({ kind: "equation", role, targets, value, span })),
  fc.tuple(identifier, expression).map(([name, value]): Statement => ({ kind: "share", name, value, span })),
  fc.array(setting, { maxLength: 4 }).map((settings): Statement => ({ kind: "train", settings, span })),
  fc
    .tuple(target, expression, fc.option(expression), fc.option(expression))
    .map(
      ([target, value, from, until]): Statement => ({ kind: "generate", target, value, from, until, span }),
    ),
);

const parameter: fc.Arbitrary<Parameter> = fc
  .tuple(target, type, fc.option(expression))
  .map(([target, type, value]) => ({ target, type, default: value, span }));

const docLine = fc.constantFrom("Long short-term memory.", "", "α: see eq. 4", "  indented");

const definition: fc.Arbitrary<Definition> = fc
  .record({
    isLayer: fc.boolean(),
    name: identifier,
    axes: fc.array(identifier, { maxLength: 2 }),
    parameters: fc.array(parameter, { maxLength: 3 }),
    results: fc.array(target, { minLength: 1, maxLength: 2 }),
    body: fc.array(statement, { maxLength: 5 }),
    doc: fc.array(docLine, { maxLength: 2 }).map(lines => lines.join("\n")),
  })
  .map(({ isLayer, axes, results, ...rest }) => {
    const layer = { kind: "layer" as const, axes, results };
    const model = { kind: "model" as const, axes: [], results: [] };
    return { ...rest, ...(isLayer ? layer : model), span, headerSpan: span };
  });

const imported: fc.Arbitrary<Import> = fc
  .tuple(
    fc.array(fc.record({ name: identifier, alias: fc.option(identifier) }), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("./attention.frond", "a b.frond"),
  )
  .map(([names, path]) => ({ names, path, pathSpan: span, span }));

export const file: fc.Arbitrary<SourceFile> = fc
  .tuple(fc.array(imported, { maxLength: 2 }), fc.array(definition, { maxLength: 3 }))
  .map(([imports, definitions]) => ({ source, imports, definitions }));
