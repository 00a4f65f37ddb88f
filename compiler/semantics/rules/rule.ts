// What the record of a primitive holds, and what its type rule is told. Rules see features only (dtype and shape):
// axes are the same for all primitives and are worked out by builtin-call.ts.

import type { Diagnostic, Span } from "../../diagnostics/diagnostic.ts";
import type { DType } from "../../graph/graph.ts";
import type { Size } from "../size.ts";
import type { AxisName, Static, TypedExpression } from "../typed.ts";

/** A type without its axes. */
export interface Feature {
  readonly dtype: DType;
  readonly classes: Size | null;
  readonly shape: readonly Size[];
}

export interface BuiltinParameter {
  readonly name: string;
  /** `axis`: the bare name of an axis, as in index(t). */
  readonly kind: "value" | "number" | "size" | "bool" | "axis";
  /** `one`, or all arguments from here on: `some` wants at least one, `any` none. */
  readonly count: "one" | "some" | "any";
  /** Left out by the caller: null where it must not be; `later` where the rule fills it in. */
  readonly default: Static | "later" | null;
}

/** What `[..]` after the name means: see `Brackets`. */
export type Brackets =
  /** Not allowed. */
  | "none"
  /** The axes disappear: sum[t](..). Without brackets, features are reduced. */
  | "reduced"
  /** As `reduced`, and must be given: microMean[t](..), flatten[k](..). */
  | "mustReduce"
  /** The axes stay: softmax[s](..). */
  | "kept"
  /** The axes are added: normal[t](units) draws anew at each step. */
  | "added";

/** Where a rule asks and complains. */
export interface RuleHost {
  report(diagnostic: Diagnostic): void;
  /** False, with a complaint, where the sizes are different; a constraint where only an instance can tell. */
  require(left: Size, right: Size, complain: () => Diagnostic): boolean;
  /** Whether a static value is a whole number for all instances. */
  isWhole(value: Static): boolean;
  /** The number of positions of a static axis; null for others. */
  axisLength(axis: AxisName): Size | null;
  /** Whether a name is what the equation at hand defines. */
  isDefined(name: string): boolean;
  /** Where a name was declared. */
  declaration(name: string): Span | null;
}

export interface RuleInput {
  readonly name: string;
  /** As written in the source: `+` for add. */
  readonly shown: string;
  readonly span: Span;
  /** The value arguments. */
  readonly args: readonly TypedExpression[];
  readonly axes: readonly AxisName[];
  readonly statics: ReadonlyMap<string, Static>;
  readonly sizes: ReadonlyMap<string, readonly Size[]>;
  readonly host: RuleHost;
}

export interface RuleResult {
  /** One for most; several for split. */
  readonly results: readonly Feature[];
  /** The arguments where the rule changed them (statics that became indices). */
  readonly args?: readonly TypedExpression[];
  /** Size arguments that the rule filled in. */
  readonly sizes?: ReadonlyMap<string, readonly Size[]>;
}

export interface BuiltinRecord {
  /** One sentence, with shapes. */
  readonly doc: string;
  readonly parameters: readonly BuiltinParameter[];
  readonly brackets: Brackets;
  /** Null after a complaint. */
  readonly type: (input: RuleInput) => RuleResult | null;
  /** The likely result while some arguments (null) are not known yet: shapes are found by iteration over cycles. */
  readonly guess?: (args: readonly (Feature | null)[]) => Feature | null;
}

export const value = (name: string): BuiltinParameter => ({
  name,
  kind: "value",
  count: "one",
  default: null,
});

export const values = (name: string): BuiltinParameter => ({
  name,
  kind: "value",
  count: "some",
  default: null,
});

export const number = (name: string, byDefault: number | null = null): BuiltinParameter => ({
  name,
  kind: "number",
  count: "one",
  default: byDefault === null ? null : { kind: "number", value: byDefault },
});

export const size = (name: string, byDefault: Static | "later" | null = null): BuiltinParameter => ({
  name,
  kind: "size",
  count: "one",
  default: byDefault,
});

/** All size arguments from here on. */
export const shape = (name: string): BuiltinParameter => ({
  name,
  kind: "size",
  count: "any",
  default: null,
});

export const flag = (name: string): BuiltinParameter => ({
  name,
  kind: "bool",
  count: "one",
  default: { kind: "bool", value: false },
});

export const axis = (name: string): BuiltinParameter => ({ name, kind: "axis", count: "one", default: null });

export const realOf = (shapeOf: readonly Size[]): Feature => ({
  dtype: "real",
  classes: null,
  shape: shapeOf,
});

export const one = (feature: Feature): RuleResult => ({ results: [feature] });
