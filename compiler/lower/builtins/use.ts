// One use of a builtin, as its lowering sees it: operands on demand, static arguments as numbers, axes of the graph.

import type { AxisId, DType, NodeId } from "../../graph/graph.ts";
import type { GraphBuilder } from "../../ops/builder.ts";
import { evaluateSize } from "../../semantics/size.ts";
import type { TypedExpression } from "../../semantics/typed.ts";
import { InternalError } from "../../unreachable.ts";
import type { BoundAxis, Instance, Scope } from "../instance.ts";
import { evaluateNumber, evaluateStatic, type StaticValue } from "../statics.ts";

export type BuiltinExpression = Extract<TypedExpression, { kind: "builtin" }>;

export type BuiltinLowering = (use: BuiltinUse) => NodeId;

export class BuiltinUse {
  readonly expression: BuiltinExpression;
  readonly instance: Instance;
  readonly builder: GraphBuilder;
  readonly #lower: (arg: TypedExpression) => NodeId;
  readonly #first: NodeId | null;

  constructor(
    expression: BuiltinExpression,
    scope: Scope,
    lower: (arg: TypedExpression) => NodeId,
    first: NodeId | null,
  ) {
    this.expression = expression;
    this.instance = scope.instance;
    this.builder = scope.instance.lowering.builder;
    this.#lower = lower;
    this.#first = first;
  }

  get count(): number {
    return this.expression.args.length;
  }

  /** The k-th operand; lowered when asked for, so that a branch never taken is never lowered. */
  arg(k: number): NodeId {
    const expression = this.expression.args[k];
    if (expression === undefined) throw new InternalError(this.expression.name, `operand ${k} is missing`);
    return k === 0 && this.#first !== null ? this.#first : this.#lower(expression);
  }

  /** The k-th operand as a real. */
  real(k: number): NodeId {
    const node = this.arg(k);
    return this.builder.typeOf(node).dtype === "real" ? node : this.builder.cast(node, "real");
  }

  get args(): readonly NodeId[] {
    return this.expression.args.map((_, k) => this.arg(k));
  }

  /** What a static operand is worth, or null for one that is not static. */
  staticArg(k: number): StaticValue | null {
    const expression = this.expression.args[k];
    return expression?.kind === "static" ? evaluateStatic(expression.value, this.instance.statics) : null;
  }

  shapeOf(k: number): readonly number[] {
    return this.builder.typeOf(this.arg(k)).shape;
  }

  /** Of the result. */
  get shape(): readonly number[] {
    return this.instance.shape(this.expression.type, this.expression.span);
  }

  get dtype(): DType {
    return this.expression.type.dtype;
  }

  /** Those in brackets. */
  get axes(): readonly BoundAxis[] {
    return this.expression.axes.map(name => this.instance.axis(name));
  }

  /** Along which the result has values, those included that a layer is mapped over. */
  get resultAxes(): readonly AxisId[] {
    return this.instance.axesOf(this.expression.type);
  }

  number(name: string): number {
    const value = this.expression.statics.get(name);
    if (value === undefined) throw new InternalError(this.expression.name, `argument ${name} is missing`);
    return evaluateNumber(value, this.instance.statics);
  }

  flag(name: string): boolean {
    const value = this.expression.statics.get(name);
    return value !== undefined && Boolean(evaluateStatic(value, this.instance.statics));
  }

  /** A size argument; it may be 0 (`slice(x, 0, 4)`). */
  size(name: string, otherwise?: number): number {
    const [size] = this.expression.sizes.get(name) ?? [];
    if (size !== undefined) return evaluateSize(size, this.instance.sizes);
    if (otherwise !== undefined) return otherwise;
    throw new InternalError(this.expression.name, `argument ${name} is missing`);
  }

  constant(value: number): NodeId {
    return this.builder.constant(value);
  }
}
