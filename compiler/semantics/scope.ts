// What is known while one definition is checked: its names, where they were declared, and what its equations have
// been found to be. Filled by declare.ts and infer.ts, read by everything else.

import type { Diagnostic, Span } from "../diagnostics/diagnostic.ts";
import type { Definition, Expression, Statement } from "../syntax/ast.ts";
import type { BuiltinName } from "./builtins.ts";
import type { Globals } from "./globals.ts";
import type { Feature } from "./rules/rule.ts";
import type { Size } from "./size.ts";
import type {
  AxisName,
  Constraint,
  LayerCall,
  StaticParameter,
  TypedAxis,
  TypedEquation,
  TypedInput,
  TypedParam,
  ValueType,
} from "./typed.ts";

/** What a `function` argument stands for. Layers are checked once for each choice of functions. */
export type FunctionValue =
  | { readonly kind: "builtin"; readonly name: BuiltinName }
  | { readonly kind: "layer"; readonly target: Target };

/** A definition and the file that it sees names of. */
export interface Target {
  readonly definition: Definition;
  readonly globals: Globals;
}

export type EquationStatement = Extract<Statement, { kind: "equation" }>;

export interface BoundaryDraft {
  readonly name: string;
  readonly axis: AxisName;
  readonly side: "before" | "after";
  /** The axes of the left side but the boundary's own. */
  readonly axes: readonly AxisName[];
  readonly value: Expression;
  readonly span: Span;
  readonly targetSpan: Span;
}

/** A name on the left of an equation. `feature` is null until inference has found it. */
export interface EquationDraft {
  readonly name: string;
  readonly targetSpan: Span;
  /** As written: reads must give their indices in this order. */
  readonly order: readonly AxisName[];
  /** Left-hand offsets: `out[t+1]` has 1 for t. */
  readonly moved: ReadonlyMap<AxisName, Size>;
  /** False after an error on the left side: nobody knows then how the name is to be read. */
  readonly sound: boolean;
  readonly role: TypedEquation["role"];
  readonly boundaries: BoundaryDraft[];
  feature: Feature | null;
  typed: TypedEquation | null;
}

/** One equation statement: several drafts for a tuple. */
export interface EquationGroup {
  readonly statement: EquationStatement;
  readonly drafts: readonly EquationDraft[];
}

export interface Share {
  readonly name: string;
  readonly value: Expression;
  readonly span: Span;
  /** The first use; later ones must agree with its sizes. */
  first: LayerCall | null;
}

export type LocalSymbol =
  | { readonly kind: "static"; readonly parameter: StaticParameter; readonly span: Span }
  | { readonly kind: "inferred"; readonly span: Span }
  | { readonly kind: "axis"; readonly axis: TypedAxis; readonly length: Size | null; readonly span: Span }
  | {
      readonly kind: "value";
      readonly role: "input" | "target" | "argument";
      /** Null after an error in the declaration. */
      readonly input: TypedInput | null;
      readonly order: readonly AxisName[];
      readonly span: Span;
    }
  | {
      readonly kind: "param";
      readonly param: TypedParam | null;
      readonly order: readonly AxisName[];
      readonly span: Span;
    }
  | { readonly kind: "equation"; readonly draft: EquationDraft; readonly span: Span }
  | { readonly kind: "share"; readonly share: Share; readonly span: Span };

export interface DefinitionScope {
  readonly definition: Definition;
  readonly globals: Globals;
  readonly functions: ReadonlyMap<string, FunctionValue>;
  readonly symbols: Map<string, LocalSymbol>;
  /** In the order of declaration: the order of `ValueType.axes`. */
  readonly axes: AxisName[];
  readonly groups: EquationGroup[];
  readonly used: Set<string>;
  readonly constraints: Constraint[];
  /** Uses of layers so far, by the name their parameters would have: later ones are numbered. */
  readonly instances: Map<string, number>;
  /**
   * Layers in use that have errors of their own, and this definition where text of it could not be read: what such a
   * layer gives, and what depends on such text, is unknown and has been explained.
   */
  readonly failures: Set<Definition>;
  /** Unknown names that have been complained about: once is enough. */
  readonly unknown: Set<string>;
  readonly report: (diagnostic: Diagnostic) => void;
}

/** Where an expression stands. */
export interface Place {
  readonly scope: DefinitionScope;
  /** `infer`: shapes may be unknown, nothing is reported, and the tree is thrown away. */
  readonly mode: "infer" | "strict";
  /** Left-hand offsets that the right side is still to be moved by. */
  readonly moved: ReadonlyMap<AxisName, Size>;
  /** The names that are being defined: reading them is not using them. */
  readonly owners: readonly string[];
  /** The whole right side, and what it defines: `microMean` may be nothing else. */
  readonly whole: Expression | null;
  readonly role: TypedEquation["role"];
  /** Prefix of the parameters' names of layers used here: "d", "d.start". */
  readonly instance: string;
  /** Names that such a layer's name must avoid: those inside the layer that has the prefix itself. */
  readonly reserved: Set<string>;
}

export const reportAt = (place: Place, diagnostic: Diagnostic): void => {
  if (place.mode === "strict") place.scope.report(diagnostic);
};

/** Of what has been complained about elsewhere: what depends on it is left alone. */
export function unknownValue({ mode, scope }: Place): null {
  if (mode === "strict") scope.failures.add(scope.definition);
  return null;
}

/** Whether an unknown name is worth a complaint: once, and not when it stands in text that did not parse. */
export function isNews(place: Place, name: string): boolean {
  const { unknown, globals, failures, definition } = place.scope;
  if (place.mode !== "strict") return false;
  if (unknown.has(name) || globals.gaps.names.has(name)) {
    failures.add(definition);
    return false;
  }
  unknown.add(name);
  return true;
}

/** Axes without repetition, in the order of declaration. */
export const inOrder = (scope: DefinitionScope, axes: Iterable<AxisName>): readonly AxisName[] => {
  const present = new Set(axes);
  return present.size === 0 ? [] : scope.axes.filter(axis => present.has(axis));
};

export const featureOf = ({ dtype, classes, shape }: ValueType): Feature => ({ dtype, classes, shape });

/** The axis of that name, marked as used; null where the name is none. */
export function findAxis(scope: DefinitionScope, name: string) {
  const symbol = scope.symbols.get(name);
  if (symbol?.kind !== "axis") return null;
  scope.used.add(name);
  return symbol;
}

export function axisNames(scope: DefinitionScope): readonly string[] {
  return [...scope.symbols].filter(([, symbol]) => symbol.kind === "axis").map(([name]) => name);
}
