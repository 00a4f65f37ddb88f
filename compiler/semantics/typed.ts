// The typed tree: what the checker hands to lowering. Every name is resolved, every expression has a type whose
// shape is given in polynomials of the definition's sizes, layer calls know their arguments by name and the names of
// their parameters. A definition is checked once; lowering evaluates sizes for each instance.

import type { Diagnostic, Span } from "../diagnostics/diagnostic.ts";
import type { DType } from "../graph/graph.ts";
import type { BinaryOperator } from "../syntax/ast.ts";
import type { BuiltinName } from "./builtins.ts";
import type { Size } from "./size.ts";

/** An axis by its name in the definition at hand. */
export type AxisName = string;

export interface ValueType {
  readonly dtype: DType;
  /** For `index(n)`: n. Null for other types and for indices of unknown range (`index(t)`, `length(t)`). */
  readonly classes: Size | null;
  readonly shape: readonly Size[];
  /** In the order of declaration in the definition. */
  readonly axes: readonly AxisName[];
}

/**
 * What is known once the definition's arguments are: literals, `size`, `number` and `bool` arguments, inferred
 * sizes, and (inside its scope) the position along a static axis. Evaluated by lowering in an environment of names.
 */
export type Static =
  /** A whole number where a size is wanted (a size argument, an offset, an axis' end): evaluated by evaluateSize. */
  | { readonly kind: "size"; readonly size: Size }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "negate"; readonly operand: Static }
  | { readonly kind: "not"; readonly operand: Static }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Static;
      readonly right: Static;
    };

/** The position at which one axis of a name is read. */
export type Index =
  /** `t`, `t-k` (offset k > 0 delays), `t+k` (offset negative). The offset may use static axes. */
  | { readonly kind: "offset"; readonly axis: AxisName; readonly offset: Static }
  /** `first` + offset, `last` - offset. */
  | {
      readonly kind: "end";
      readonly axis: AxisName;
      readonly from: "first" | "last";
      readonly offset: Static;
    };

interface Typed {
  readonly type: ValueType;
  readonly span: Span;
}

export type TypedExpression =
  /** A static value used as a number or truth value: a scalar without axes. */
  | (Typed & { readonly kind: "static"; readonly value: Static })
  /** A name of the definition, one index for each axis of the name, in the name's order. */
  | (Typed & { readonly kind: "read"; readonly name: string; readonly indices: readonly Index[] })
  /**
   * A primitive. Operators are builtins too (`add`, `matmul`, `equal`, ...). `axes` are the brackets' (a reduction's,
   * the axes along which a draw differs), or the argument of index(t)/length(t).
   * Arguments that are no values stand by parameter name (builtins.ts): number and bool arguments in `statics`,
   * size arguments in `sizes` (lists, for `zeros(n, m)`); defaults are filled in.
   * Static operands (`2 * x`) have the dtype that the operation needs: "index" beside an index.
   * `result` selects one result of `split`; 0 otherwise.
   */
  | (Typed & {
      readonly kind: "builtin";
      readonly name: BuiltinName;
      readonly axes: readonly AxisName[];
      readonly args: readonly TypedExpression[];
      readonly statics: ReadonlyMap<string, Static>;
      readonly sizes: ReadonlyMap<string, readonly Size[]>;
      readonly result: number;
    })
  | (Typed & { readonly kind: "call"; readonly call: LayerCall; readonly result: number });

/** One use of a layer. Calls are compared by identity: the results of one call share its instance. */
export interface LayerCall {
  readonly layer: TypedDefinition;
  /** For each of the layer's axes: the caller's axis, and whether it runs from the end (`gru[-t]`). */
  readonly axes: readonly { readonly axis: AxisName; readonly reversed: boolean }[];
  /** The layer's value arguments, by its names. */
  readonly values: ReadonlyMap<string, TypedExpression>;
  /** The `size`, `number`, `bool` arguments given, by its names, in the caller's terms. Others take their default. */
  readonly statics: ReadonlyMap<string, Static>;
  /** The layer's inferred sizes, in the caller's sizes. */
  readonly sizes: ReadonlyMap<string, Size>;
  /** Where its parameters live below the caller: "h", "d.embedding", "enc.gru2", "d.start.dense". */
  readonly instance: string;
  /** Boundaries that the caller gives to results of this call by the alias rule, by the layer's result name. */
  readonly boundaries: ReadonlyMap<string, readonly Boundary[]>;
  readonly span: Span;
  /** Of `share enc = lstm(units)`, where this uses it. */
  readonly shareSpan: Span | null;
}

/**
 * `h[t<0] = value` (before) or `h[t>last] = value` (after). The value lacks the axis.
 * For a reversed call the side stays in the caller's terms: `b[t>last]` starts `b[t] = gru[-t](..)`.
 */
export interface Boundary {
  /** In the terms of the definition in which the boundary is written. */
  readonly axis: AxisName;
  readonly side: "before" | "after";
  readonly value: TypedExpression;
  readonly span: Span;
}

/** `result` of `value` when it is a multiple (split, a call). Left-hand offsets are already normalised away. */
export interface TypedEquation {
  readonly name: string;
  readonly type: ValueType;
  /** For the k-th name of a tuple, the expression that stands for its k-th result. */
  readonly value: TypedExpression;
  /**
   * Empty for aliases (the whole right side is one layer call): their boundaries went into the call, and reads of
   * the name outside the range find them there.
   */
  readonly boundaries: readonly Boundary[];
  readonly alias: boolean;
  readonly role: "plain" | "output" | "metric" | "loss";
  readonly span: Span;
  /** `h[t]` on the left. */
  readonly targetSpan: Span;
}

export interface TypedParam {
  readonly name: string;
  readonly type: ValueType;
  readonly initializer: TypedInitializer;
  readonly span: Span;
}

/** As lower/model.ts Initializer, with sizes and numbers still open. */
export type TypedInitializer =
  | {
      readonly kind:
        | "zeros"
        | "ones"
        | "fill"
        | "uniform"
        | "normal"
        | "glorotUniform"
        | "glorotNormal"
        | "heUniform"
        | "heNormal"
        | "lecunNormal"
        | "orthogonal"
        | "identity";
      /** By name: fill(value), uniform(low, high), normal(mean, deviation), orthogonal(gain), identity(gain). */
      readonly numbers: ReadonlyMap<string, Static>;
    }
  | {
      readonly kind: "concat";
      readonly parts: readonly { readonly size: Size; readonly init: TypedInitializer }[];
    };

export interface TypedInput {
  readonly name: string;
  readonly role: "input" | "target";
  readonly type: ValueType;
  readonly span: Span;
}

/** A `size`, `number`, `bool` (or `function`) argument of the definition. */
export interface StaticParameter {
  readonly name: string;
  readonly kind: "size" | "number" | "bool" | "function";
  readonly default: Static | null;
  readonly span: Span;
}

export interface TypedAxis {
  readonly name: AxisName;
  /** bound: given by the call's brackets. dynamic: a model's `axis t`. static: `axis k = first..last`. */
  readonly kind: "bound" | "dynamic" | "static";
  readonly first: Static | null;
  readonly last: Static | null;
  readonly span: Span;
}

/** Something that could not be decided with open sizes. Returns what is wrong for these sizes, or null. */
export interface Constraint {
  readonly check: (sizes: ReadonlyMap<string, number>) => Diagnostic | null;
}

/** The `train` block, still in static expressions. */
export interface TypedTrain {
  readonly optimizer: { readonly kind: "sgd" | "adam"; readonly numbers: ReadonlyMap<string, Static> };
  readonly clipNorm: Static | null;
  readonly batch: Static;
  readonly epochs: Static;
  readonly span: Span;
}

/**
 * `generate out[t+1] = value from a until condition`: equations of their own graph. `value` is what is produced at t;
 * in `until`, a read of the input with offset -1 (`out[t+1]`) is the value just produced.
 */
export interface TypedGenerate {
  readonly input: string;
  readonly axis: AxisName;
  readonly value: TypedExpression;
  readonly from: Static | null;
  readonly until: TypedExpression | null;
  readonly span: Span;
}

export interface TypedDefinition {
  readonly kind: "layer" | "model";
  readonly name: string;
  readonly axes: readonly TypedAxis[];
  readonly statics: readonly StaticParameter[];
  /** Names of inferred sizes. */
  readonly inferred: readonly string[];
  /** A layer's value arguments, a model's inputs and targets. */
  readonly values: readonly TypedInput[];
  readonly params: ReadonlyMap<string, TypedParam>;
  readonly equations: ReadonlyMap<string, TypedEquation>;
  /** A layer's results, by name of equation. */
  readonly results: readonly string[];
  readonly train: TypedTrain | null;
  readonly generate: readonly TypedGenerate[];
  readonly constraints: readonly Constraint[];
  readonly doc: string;
  readonly span: Span;
  readonly headerSpan: Span;
}
