// From Ohm's parse tree to the syntax tree. Decides nothing but spans and grouping (precedence.ts); what could not be
// parsed is handed to the `Recovery`, which may still give statements back.

import type { MatchResult, Node } from "ohm-js";
import type { Diagnostic, Source, Span } from "../diagnostics/diagnostic.ts";
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
} from "./ast.ts";
import { grammar } from "./grammar.ts";
import { createGrouping, type Operand, type Prefix } from "./precedence.ts";
import type { Bad, Recovery } from "./recover.ts";

export interface Builder {
  /** Statements that were built before stand in the text as placeholders; they are given by place. */
  file(match: MatchResult, built: ReadonlyMap<number, Statement>): SourceFile;
  /** Of a match of rule Statement on a part of the text that begins at `offset`. */
  statement(match: MatchResult, offset: number): Statement;
}

type Brace = { readonly missing: boolean; readonly at: number };
type Header = Pick<Definition, "kind" | "name" | "axes" | "parameters" | "results">;

const binaryOperators: { readonly [written: string]: BinaryOperator } = {
  "·": "@",
  "⋅": "@",
  "⊙": "*",
  "−": "-",
  "≤": "<=",
  "≥": ">=",
  "≠": "!=",
};

export function createBuilder(source: Source, diagnostics: Diagnostic[], recovery: Recovery): Builder {
  let statementsByPlace: ReadonlyMap<number, Statement> = new Map();
  let offset = 0; // where the text of the current match begins in the source
  const { group, measured } = createGrouping(source, diagnostics);

  const spanOf = (node: Node): Span => {
    return { source, start: node.source.startIdx + offset, end: node.source.endIdx + offset };
  };
  const spanning = (first: Node, last: Node): Span => {
    return { source, start: first.source.startIdx + offset, end: last.source.endIdx + offset };
  };

  /** Whether the scan has put this where something unreadable was. */
  const isStandIn = (node: Node): boolean =>
    !source.text.startsWith(node.sourceString, node.source.startIdx + offset);

  // What the actions of the rules give, by the rule's name; Ohm's types know only `any`.
  const identifier = (node: Node): Identifier => ({
    name: node.sourceString.normalize("NFC"),
    span: spanOf(node),
  });
  const expression = (node: Node): Expression => node.build();
  const listed = <T>(first: Node, rest: Node): T[] => [
    first.build(),
    ...rest.children.map(node => node.build()),
  ];
  const optionalList = <T>(list: Node): T[] => (list.numChildren > 0 ? list.child(0).build() : []);
  const optional = (node: Node): Expression | null =>
    node.numChildren > 0 ? expression(node.child(0)) : null;
  /** The items of an optional bracket, null without it. */
  const bracketed = (list: Node): Expression[] | null =>
    list.numChildren > 0 ? list.child(0).build() : null;
  const target = (node: Node): Target => node.build();
  const targets = (node: Node): Target[] => node.build();
  const type = (node: Node): TypeExpression => node.build();
  const operatorOf = (node: Node): BinaryOperator =>
    binaryOperators[node.sourceString] ?? (node.sourceString as BinaryOperator);

  function definition(whole: Node, header: Header, headerNode: Node, open: Brace, items: Node, close: Brace) {
    const headerSpan = spanOf(headerNode);
    if (open.missing) recovery.missingBrace("{", headerSpan, headerSpan.end);
    const body = statements(items);
    if (close.missing) recovery.missingBrace("}", headerSpan, close.at);
    const doc = recovery.docAbove(headerSpan.start);
    return { ...header, body, doc, span: spanOf(whole), headerSpan };
  }

  function statements(items: Node): readonly Statement[] {
    return recovery.statements(items.children.map((node): Statement | Bad => node.build()));
  }

  const badNode = (node: Node, what: Bad["what"]): Bad => ({ kind: "bad", what, span: spanOf(node) });

  const equation = (whole: Node, role: "plain" | "output" | "metric", left: Node, value: Node): Statement => {
    return { kind: "equation", role, targets: targets(left), value: expression(value), span: spanOf(whole) };
  };

  const declaration = (whole: Node, kind: "input" | "target", left: Node, right: Node): Statement => {
    return { kind, target: target(left), type: type(right), span: spanOf(whole) };
  };

  const semantics = grammar().createSemantics();
  semantics.addOperation<unknown>("build", {
    File(items, _end) {
      const imports: Import[] = [];
      const definitions: Definition[] = [];
      for (const node of items.children) {
        const item: Import | Definition | Bad | null = node.build();
        if (item === null) continue;
        if (!("kind" in item)) imports.push(item);
        else if (item.kind === "bad") recovery.other(item);
        else definitions.push(item);
      }
      return { source, imports, definitions };
    },
    Item: item => item.build(),
    badItem(_first, _rest) {
      return badNode(this, "item");
    },
    Import(_word, _open, list, _close, _from, path, _eos): Import | null {
      const names: Import["names"][number][] = list.numChildren === 0 ? [] : list.child(0).build();
      const span = spanOf(this);
      if (isStandIn(path)) {
        for (const { name, alias } of names) recovery.lose((alias ?? name).name);
        return null;
      }
      return { names, path: path.sourceString.slice(1, -1), pathSpan: spanOf(path), span };
    },
    ImportNames: (first, _commas, rest, _comma) => listed(first, rest),
    ImportName(name, _as, alias) {
      return { name: identifier(name), alias: alias.numChildren > 0 ? identifier(alias.child(0)) : null };
    },
    Definition(header, open, items, close) {
      return definition(this, header.build(), header, open.build(), items, close.build());
    },
    BadDefinition(header, open, items, close) {
      recovery.other(badNode(header, "header"));
      const opened: Brace = open.build();
      // Without braces it is no definition at all: the complaint about the header says enough.
      if (opened.missing) statements(items);
      else definition(this, missingHeader(header), header, opened, items, close.build());
      return null;
    },
    Header: header => header.build(),
    LayerHeader(
      _word,
      name,
      _open,
      axes,
      _close,
      _left,
      parameters,
      _right,
      _arrow,
      first,
      _commas,
      rest,
    ): Header {
      return {
        kind: "layer",
        name: identifier(name),
        axes: axes.numChildren > 0 ? axes.child(0).build() : [],
        parameters: optionalList<Parameter>(parameters),
        results: listed<Target>(first, rest),
      };
    },
    ModelHeader(_word, name, _left, parameters, _right): Header {
      const list = parameters.numChildren > 0 ? parameters.child(0) : null;
      const given = list === null ? [] : optionalList<Parameter>(list);
      return { kind: "model", name: identifier(name), axes: [], parameters: given, results: [] };
    },
    openBrace(brace): Brace {
      return { missing: brace.sourceString === "", at: spanOf(brace).start };
    },
    closeBrace(brace): Brace {
      return { missing: brace.sourceString === "", at: spanOf(brace).start };
    },
    Parameters: (first, _commas, rest, _comma) => listed(first, rest),
    Items: (first, _commas, rest, _comma) => listed(first, rest),
    Names: (first, _commas, rest, _comma) => [first, ...rest.children].map(identifier),
    Parameter(left, _colon, right, _equals, value): Parameter {
      return { target: target(left), type: type(right), default: optional(value), span: spanOf(this) };
    },
    Type_real(_word, _open, shape, _close): TypeExpression {
      return { kind: "real", shape: bracketed(shape) ?? [], span: spanOf(this) };
    },
    Type_index(_word, _open, size, _close): TypeExpression {
      return { kind: "index", size: expression(size), span: spanOf(this) };
    },
    Type_plain(word): TypeExpression {
      return { kind: word.sourceString as "bool" | "size" | "number" | "function", span: spanOf(this) };
    },

    BlockItem: item => item.build(),
    badStatement(_bad) {
      return badNode(this, "statement");
    },
    Statement(statement, _eos) {
      return statementsByPlace.get(spanOf(statement).start) ?? statement.build();
    },
    Axis_static(_word, name, _equals, first, _dots, last): Statement {
      const span = spanOf(this);
      return {
        kind: "staticAxis",
        name: identifier(name),
        first: expression(first),
        last: expression(last),
        span,
      };
    },
    Axis_derived(_word, name, _equals, value): Statement {
      return { kind: "derivedAxis", name: identifier(name), value: expression(value), span: spanOf(this) };
    },
    Axis_dynamic(_word, names): Statement {
      return { kind: "axis", names: names.build(), span: spanOf(this) };
    },
    Input(_word, left, _colon, right) {
      return declaration(this, "input", left, right);
    },
    TargetDeclaration(_word, left, _colon, right) {
      return declaration(this, "target", left, right);
    },
    Param(_word, left, _colon, right, _equals, value): Statement {
      const initializer = optional(value);
      return { kind: "param", target: target(left), type: type(right), initializer, span: spanOf(this) };
    },
    Share(_word, name, _equals, value): Statement {
      return { kind: "share", name: identifier(name), value: expression(value), span: spanOf(this) };
    },
    Train(_word, _open, items, _close): Statement {
      const settings: Setting[] = [];
      for (const node of items.children) {
        const item: Setting | Bad = node.build();
        if ("kind" in item) recovery.other(item);
        else settings.push(item);
      }
      return { kind: "train", settings, span: spanOf(this) };
    },
    TrainItem_good: (setting, _separator) => setting.build(),
    TrainItem_bad: setting => badNode(setting, "setting"),
    Setting(key, _colon, value): Setting {
      return { key: identifier(key), value: expression(value), span: spanOf(this) };
    },
    Generate(_word, left, _equals, value, _from, from, _until, until): Statement {
      return {
        kind: "generate",
        target: target(left),
        value: expression(value),
        from: optional(from),
        until: optional(until),
        span: spanOf(this),
      };
    },
    Equation_output(_word, left, _equals, value) {
      return equation(this, "output", left, value);
    },
    Equation_metric(_word, left, _equals, value) {
      return equation(this, "metric", left, value);
    },
    Equation_plain(left, _equals, value) {
      return equation(this, "plain", left, value);
    },
    Targets_tuple: (_open, first, _commas, rest, _comma, _close) => listed(first, rest),
    Targets_one: one => [target(one)],
    Target(name, _open, items, _close): Target {
      return { name: identifier(name), indices: bracketed(items) ?? [], span: spanOf(this) };
    },

    Expression(first, operators, rest) {
      const operands: Operand[] = [first.build(), ...rest.children.map(node => node.build())];
      if (rest.numChildren === 0 && operands[0]!.prefixes.length === 0) return operands[0]!.primary;
      const infixes = operators.children.map(node => ({ operator: operatorOf(node), span: spanOf(node) }));
      return group(operands, infixes, spanOf(this));
    },
    Operand(prefixes, primary): Operand {
      return {
        prefixes: prefixes.children.map((node): Prefix => {
          return { operator: node.sourceString === "not" ? "not" : "-", span: spanOf(node) };
        }),
        primary: expression(primary),
        parenthesized: primary.ctorName === "Group",
      };
    },
    // In parentheses the span takes them in, so that the texts of larger expressions stay balanced.
    Group(_open, inner, _close) {
      const value = expression(inner);
      const span = spanOf(this);
      return measured(value.kind === "binary" ? { ...value, span, parenthesized: true } : { ...value, span });
    },
    Reference(name, _open, indices, _close, left, args, _right): Expression {
      const axes = bracketed(indices);
      const span = spanOf(this);
      if (left.numChildren === 0) {
        return measured({ kind: "name", name: identifier(name), indices: axes, span });
      }
      const list = optionalList<Argument>(args.child(0));
      return measured({ kind: "call", callee: identifier(name), axes, args: list, span });
    },
    Arguments: (first, _commas, rest, _comma) => listed(first, rest),
    Argument_named(label, _colon, value): Argument {
      return { label: identifier(label), value: expression(value), span: spanning(label, value) };
    },
    Argument_positional(value): Argument {
      return { label: null, value: expression(value), span: spanOf(value) };
    },
    number(_number): Expression {
      if (isStandIn(this)) return { kind: "error", span: spanOf(this) };
      return { kind: "number", value: Number(this.sourceString), span: spanOf(this) };
    },
    bool(_word): Expression {
      return { kind: "bool", value: this.sourceString === "true", span: spanOf(this) };
    },
  });

  /** The body under a header that cannot be read is still built, for its errors. */
  function missingHeader(node: Node): Header {
    return { kind: "layer", name: { name: "", span: spanOf(node) }, axes: [], parameters: [], results: [] };
  }

  return {
    file(match, built) {
      statementsByPlace = built;
      const file: SourceFile = semantics(match).build();
      statementsByPlace = new Map();
      return file;
    },
    statement(match, from) {
      offset = from;
      const statement: Statement = semantics(match).build();
      offset = 0;
      return statement;
    },
  };
}
