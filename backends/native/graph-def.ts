// TensorFlow's graphs as bytes: a SavedModel (tensorflow/core/protobuf/saved_model.proto) of one graph and nothing else,
// which is the one form in which tfjs-node's binding takes a graph. Knows the format; what is in a graph is graph.ts's.

import type { DType } from "../../compiler/graph/graph.ts";
import { InternalError, unreachable } from "../../compiler/unreachable.ts";
import { bytes, joined, message, type Piece, text, whole } from "./protobuf.ts";
import type { NativeValues } from "./tfjs-node.ts";

/** What TensorFlow calls our dtypes (tensorflow/core/framework/types.proto), and the binding's TF_ constants too. */
export const dataTypes = { real: 1, index: 3, bool: 10 } as const satisfies Record<DType, number>;

/** 64 bits, which no value of ours has: some ops want their sizes so. */
const long = 9;

export type Attribute =
  | { readonly kind: "type"; readonly type: DType | "long" }
  | { readonly kind: "whole"; readonly value: number }
  | { readonly kind: "flag"; readonly value: boolean }
  | { readonly kind: "text"; readonly value: string }
  /** Null: known when it runs. */
  | { readonly kind: "shape"; readonly dims: readonly (number | null)[] }
  | {
      readonly kind: "tensor";
      readonly dtype: DType;
      readonly shape: readonly number[];
      readonly values: readonly number[];
    };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface NodeDef {
  readonly name: string;
  readonly op: string;
  /** Names of nodes, `name:1` for an output other than the first, `^name` for what has to run before. */
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
}

/** By which the binding asks for the graph. */
export const tag = "frond";

/** Any from 12 on, where attributes got their present meaning. */
const producer = 1482;

export function savedModel(nodes: readonly NodeDef[]): Uint8Array {
  const versions = message(4, [whole(1, producer)]);
  const known: Known = new Map();
  const graph = message(2, [...nodes.map(node => message(1, nodeDef(node, known))), versions]);
  const info = message(1, [text(4, tag)]);
  return joined([whole(1, 1), message(2, [info, graph])]);
}

/** Attributes that many nodes have, as they are written. */
type Known = Map<string, Piece>;

function nodeDef({ name, op, inputs, attributes }: NodeDef, known: Known): readonly Piece[] {
  return [
    text(1, name),
    text(2, op),
    ...inputs.map(input => text(3, input)),
    ...Object.entries(attributes).map(([key, attribute]) => attributeEntry(key, attribute, known)),
  ];
}

function attributeEntry(key: string, attribute: Attribute, known: Known): Piece {
  const make = (): Piece => message(5, [text(1, key), message(2, [attrValue(attribute)])]);
  if (attribute.kind === "tensor" || attribute.kind === "shape") return make();
  const name = `${key} ${attribute.kind === "type" ? attribute.type : attribute.value}`;
  const piece = known.get(name) ?? make();
  known.set(name, piece);
  return piece;
}

function attrValue(attribute: Attribute): Piece {
  switch (attribute.kind) {
    case "text":
      return text(2, attribute.value);
    case "whole":
      return whole(3, attribute.value);
    case "flag":
      return whole(5, attribute.value ? 1 : 0);
    case "type":
      return whole(6, attribute.type === "long" ? long : dataTypes[attribute.type]);
    case "shape":
      return message(7, shape(attribute.dims));
    case "tensor": {
      const { dtype, values } = attribute;
      const array = valuesOf(dtype, values);
      const content = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      return message(8, [whole(1, dataTypes[dtype]), message(2, shape(attribute.shape)), bytes(4, content)]);
    }
    default:
      return unreachable(attribute);
  }
}

const shape = (dims: readonly (number | null)[]): readonly Piece[] =>
  dims.map(dim => message(2, [whole(1, dim ?? -1)]));

/** The array in which tensors of a dtype are handed over; the format wants them little-endian, as machines are. */
export function valuesOf(dtype: DType, values: readonly number[]): NativeValues {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) throw new InternalError("valuesOf", "big-endian");
  if (dtype === "real") return Float32Array.from(values);
  return dtype === "index" ? Int32Array.from(values) : Uint8Array.from(values);
}
