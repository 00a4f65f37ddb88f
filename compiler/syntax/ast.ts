// The syntax tree: what was written, with spans, and nothing that must be worked out.
// Index items, left-hand indices and sizes are all parsed as expressions; the checker restricts them,
// because it can say more about a wrong one than a grammar can.

import type { Span } from "../diagnostics/diagnostic.ts";

export interface Identifier {
  /** After NFC. */
  readonly name: string;
  readonly span: Span;
}

export type BinaryOperator =
  | "or"
  | "and"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "/"
  | "@"
  | "^";

export type Expression =
  /** Something that could not be read, and has been complained about: of unknown value and type. */
  | { readonly kind: "error"; readonly span: Span }
  | { readonly kind: "number"; readonly value: number; readonly span: Span }
  | { readonly kind: "bool"; readonly value: boolean; readonly span: Span }
  /** `x`, `x[t-1]`: `indices` is null without brackets. */
  | {
      readonly kind: "name";
      readonly name: Identifier;
      readonly indices: readonly Expression[] | null;
      readonly span: Span;
    }
  /** `f(..)`, `f[t](..)`: `axes` is null without brackets; an axis is a name or a negated name. */
  | {
      readonly kind: "call";
      readonly callee: Identifier;
      readonly axes: readonly Expression[] | null;
      readonly args: readonly Argument[];
      readonly span: Span;
    }
  | {
      readonly kind: "unary";
      readonly operator: "-" | "not";
      readonly operand: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly operatorSpan: Span;
      readonly span: Span;
      /** Written in parentheses: `(a * b) @ W` is legal where `a * b @ W` is not. */
      readonly parenthesized: boolean;
    };

/** `label` is null for a positional argument. */
export interface Argument {
  readonly label: Identifier | null;
  readonly value: Expression;
  readonly span: Span;
}

/** `real[d, 4*units]`, `index(classes)`, `bool`, `size`, `number`, `function`. */
export type TypeExpression =
  | { readonly kind: "real"; readonly shape: readonly Expression[]; readonly span: Span }
  | { readonly kind: "index"; readonly size: Expression; readonly span: Span }
  | { readonly kind: "bool"; readonly span: Span }
  | { readonly kind: "size"; readonly span: Span }
  | { readonly kind: "number"; readonly span: Span }
  | { readonly kind: "function"; readonly span: Span };

/** The left side of an equation, a declaration's name, a layer's result: `h[t]`, `d[t<0]`, `out[t+1]`, `y`. */
export interface Target {
  readonly name: Identifier;
  /** Empty without brackets. */
  readonly indices: readonly Expression[];
  readonly span: Span;
}

/** A parameter of a layer or model: `x[t]: real[d]`, `units: size = 128`. */
export interface Parameter {
  readonly target: Target;
  readonly type: TypeExpression;
  readonly default: Expression | null;
  readonly span: Span;
}

export type Statement =
  /** `axis s, t` */
  | { readonly kind: "axis"; readonly names: readonly Identifier[]; readonly span: Span }
  /** `axis k = 0..width-1`: first and last, both included. */
  | {
      readonly kind: "staticAxis";
      readonly name: Identifier;
      readonly first: Expression;
      readonly last: Expression;
      readonly span: Span;
    }
  /** `axis u = t / 2` */
  | {
      readonly kind: "derivedAxis";
      readonly name: Identifier;
      readonly value: Expression;
      readonly span: Span;
    }
  | { readonly kind: "input"; readonly target: Target; readonly type: TypeExpression; readonly span: Span }
  | { readonly kind: "target"; readonly target: Target; readonly type: TypeExpression; readonly span: Span }
  /** `initializer` is null when left out (zeros). */
  | {
      readonly kind: "param";
      readonly target: Target;
      readonly type: TypeExpression;
      readonly initializer: Expression | null;
      readonly span: Span;
    }
  /** `h[t] = ..`, `(h[t], c[t]) = ..`, `output p[t] = ..`, `metric m = ..`; `loss = ..` is an equation named loss. */
  | {
      readonly kind: "equation";
      readonly role: "plain" | "output" | "metric";
      readonly targets: readonly Target[];
      readonly value: Expression;
      readonly span: Span;
    }
  /** `share enc = lstm(units)` */
  | { readonly kind: "share"; readonly name: Identifier; readonly value: Expression; readonly span: Span }
  /** `train { optimizer: adam(rate: 1e-3), batch: 32 }` */
  | { readonly kind: "train"; readonly settings: readonly Setting[]; readonly span: Span }
  /** `generate out[t+1] = sample(p[t]) from 1 until out[t+1] == 0` */
  | {
      readonly kind: "generate";
      readonly target: Target;
      readonly value: Expression;
      readonly from: Expression | null;
      readonly until: Expression | null;
      readonly span: Span;
    };

export interface Setting {
  readonly key: Identifier;
  readonly value: Expression;
  readonly span: Span;
}

export interface Definition {
  readonly kind: "layer" | "model";
  readonly name: Identifier;
  /** A layer's axes: `lstm[t]`. Models declare theirs by statements. */
  readonly axes: readonly Identifier[];
  readonly parameters: readonly Parameter[];
  /** A layer's results; empty for a model. */
  readonly results: readonly Target[];
  readonly body: readonly Statement[];
  /** The text of the `///` lines above, or "". */
  readonly doc: string;
  readonly span: Span;
  /** `layer lstm[t](..) -> h[t], c[t]`, without the body. */
  readonly headerSpan: Span;
}

/** `import { attend, b as c } from "./attention.frond"` */
export interface Import {
  readonly names: readonly { readonly name: Identifier; readonly alias: Identifier | null }[];
  readonly path: string;
  readonly pathSpan: Span;
  readonly span: Span;
}

export interface SourceFile {
  readonly source: { readonly name: string; readonly text: string };
  readonly imports: readonly Import[];
  readonly definitions: readonly Definition[];
}
