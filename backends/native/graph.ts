// A TensorFlow graph under construction: nodes, and the loops' frames in which they run. What depends on no value of a
// loop is computed outside of it, since a node is put into the frame of its innermost operand; the others enter that
// frame as constants. Knows no op but those that carry values into frames (turning.ts has the rest of them).

import type { DType } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Attribute, Attributes, NodeDef } from "./graph-def.ts";

/**
 * Where a node runs: once, or once for each turn of a loop and of the loops around it. See "Implementation of Control
 * Flow in TensorFlow" (Abadi et al. 2017, "A computational model for TensorFlow", section 3).
 */
export interface Frame {
  /** Of the loop; empty outside of loops. */
  readonly name: string;
  readonly outer: Frame | null;
  /** A value of the loop that is dead when the loop has ended: what waits for it is not computed once more. */
  pivot: Tensor | null;
}

export interface Tensor {
  /** As nodes refer to it. */
  readonly name: string;
  readonly dtype: DType;
  readonly frame: Frame;
}

/** What a node is made for: its name begins so, and TensorFlow's errors name nodes. */
export interface Purpose {
  readonly id: number;
}

type Open<T> = { -readonly [K in keyof T]: T[K] };

export const ofType = (type: DType): Attribute => ({ kind: "type", type });
export const whole = (value: number): Attribute => ({ kind: "whole", value });
export const flag = (value: boolean): Attribute => ({ kind: "flag", value });

export class OpGraph {
  readonly nodes: Open<NodeDef>[] = [];
  readonly root: Frame = { name: "", outer: null, pivot: null };
  /** Nodes by what they compute, so that nothing is computed twice. */
  readonly #made = new Map<string, Tensor>();
  readonly #entered = new Map<string, Tensor>();
  #purpose: Purpose | null = null;

  /** Makes nodes for one of the program's. */
  for<Made>(purpose: Purpose, make: () => Made): Made {
    const before = this.#purpose;
    this.#purpose = purpose;
    const made = make();
    this.#purpose = before;
    return made;
  }

  /** A node; the same one where there is one that computes the same. */
  op(name: string, inputs: readonly Tensor[], attributes: Attributes, dtype: DType): Tensor {
    const key = `${name} ${inputs.map(input => input.name)}${keyOf(attributes)}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const frame = this.#innermost(inputs);
    const names = inputs.map(input => this.enter(input, frame).name);
    const [made] = this.add(name, names, attributes, dtype, frame);
    this.#made.set(key, made!);
    return made!;
  }

  /** A node of its own, in that frame; its operands must be there. */
  add(
    op: string,
    inputs: readonly string[],
    attributes: Attributes,
    dtype: DType,
    frame: Frame,
    outputs = 1,
  ): readonly Tensor[] {
    const scope = this.#purpose === null ? "" : `n${this.#purpose.id}/`;
    const name = `${scope}${op}_${this.nodes.length}`;
    this.nodes.push({ name, op, inputs, attributes });
    return Array.from({ length: outputs }, (_, k) => ({
      name: k === 0 ? name : `${name}:${k}`,
      dtype,
      frame,
    }));
  }

  /** What the caller feeds, under that name. */
  placeholder(name: string, dtype: DType, dims: readonly (number | null)[]): Tensor {
    const attributes: Attributes = { dtype: ofType(dtype), shape: { kind: "shape", dims } };
    this.nodes.push({ name, op: "Placeholder", inputs: [], attributes });
    return { name, dtype, frame: this.root };
  }

  constant(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
    return this.op(
      "Const",
      [],
      { dtype: ofType(dtype), value: { kind: "tensor", dtype, shape, values } },
      dtype,
    );
  }

  /** The tensor as nodes of a frame see it: the frame's own, or one of a frame around it that is the same at all turns. */
  enter(tensor: Tensor, frame: Frame): Tensor {
    if (tensor.frame === frame) return tensor;
    if (frame.outer === null) throw new InternalError("OpGraph", `${tensor.name} is not seen in the frame`);
    const key = `${frame.name} ${tensor.name}`;
    const known = this.#entered.get(key);
    if (known !== undefined) return known;
    const outside = this.enter(tensor, frame.outer);
    const [entered] = this.add(
      "Enter",
      [outside.name],
      enterAttributes(tensor.dtype, frame, true),
      tensor.dtype,
      frame,
    );
    this.#entered.set(key, entered!);
    return entered!;
  }

  /**
   * The tensor as one that is there for as long as the frame's loop turns. What goes from turn to turn, or into a loop
   * inside, must be that: a value that is always there would let loops turn for ever.
   */
  ofTurn(tensor: Tensor, frame: Frame): Tensor {
    if (tensor.frame === frame || frame.pivot === null) return this.enter(tensor, frame);
    const inputs = [this.enter(tensor, frame).name, `^${frame.pivot.name}`];
    return this.add("Identity", inputs, { T: ofType(tensor.dtype) }, tensor.dtype, frame)[0]!;
  }

  #innermost(inputs: readonly Tensor[]): Frame {
    let innermost = this.root;
    for (const { frame } of inputs) if (depthOf(frame) > depthOf(innermost)) innermost = frame;
    return innermost;
  }
}

const depthOf = ({ outer }: Frame): number => (outer === null ? 0 : depthOf(outer) + 1);

export const enterAttributes = (dtype: DType, frame: Frame, constant: boolean): Attributes => ({
  T: ofType(dtype),
  frame_name: { kind: "text", value: frame.name },
  is_constant: flag(constant),
  // A loop's turns wait for each other anyway: each needs what the one before it carries over.
  parallel_iterations: whole(1),
});

/** The same text for the same attributes only. */
function keyOf(attributes: Attributes): string {
  let key = "";
  for (const [name, attribute] of Object.entries(attributes)) key += ` ${name}=${textOf(attribute)}`;
  return key;
}

function textOf(attribute: Attribute): string {
  switch (attribute.kind) {
    case "type":
      return attribute.type;
    case "shape":
      return attribute.dims.join();
    case "tensor": {
      const { dtype, shape, values } = attribute;
      return `${dtype}[${shape}] ${values.map(value => (Object.is(value, -0) ? "-0" : value))}`;
    }
    default:
      return String(attribute.value);
  }
}
