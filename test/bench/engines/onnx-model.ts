// The benchmark's models in ONNX (https://onnx.ai/onnx/operators), opset 17: recurrent layers, and for taggers a dense
// softmax. Data are `[steps, batch, inputs]`, the layout that its recurrent operators want.

import type { Tensor } from "../../../backends/api.ts";
import { bytes, joined, message, type Piece, text, whole } from "../../../backends/native/protobuf.ts";
import type { Work } from "../work.ts";

type Attributes = Readonly<Record<string, number | string | readonly number[]>>;

/** The nodes and weights of a graph as they come about. */
class GraphWriter {
  readonly fields: Piece[] = [];
  #count = 0;

  /** Adds a node with one result of interest, the `output`-th; returns its name. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}, output = 0): string {
    const name = `v${this.#count++}`;
    this.fields.push(
      message(1, [
        ...inputs.map(input => text(1, input)),
        ...Array.from({ length: output }, () => text(2, "")),
        text(2, name),
        text(4, op),
        ...Object.entries(attributes).map(([key, value]) => message(5, attribute(key, value))),
      ]),
    );
    return name;
  }

  /** Adds a constant. */
  constant(shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const name = `w${this.#count++}`;
    const [float, int64] = [1, 7];
    this.fields.push(
      message(5, [
        ...shape.map(size => whole(1, size)),
        whole(2, data instanceof Float32Array ? float : int64),
        text(8, name),
        bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
      ]),
    );
    return name;
  }
}

function attribute(name: string, value: Attributes[string]): readonly Piece[] {
  const [int, string, ints] = [2, 3, 7];
  if (typeof value === "number") return [text(1, name), whole(3, value), whole(20, int)];
  if (typeof value === "string") return [text(1, name), text(4, value), whole(20, string)];
  return [text(1, name), ...value.map(each => whole(8, each)), whole(20, ints)];
}

/** A model with the input `x` and the output that is its only one. */
export function onnxModel({ case: one, tensors }: Work): Uint8Array {
  const graph = new GraphWriter();
  const { layer, model, steps, batch, units } = one;
  const weights = (name: string): Tensor => tensors.get(name)!;
  const recurrent = (input: string, names: readonly string[], result: number): string => {
    const gated = layer === "gru" ? gates.gru : gates.lstm;
    const parts = names.map(name => recurrentWeights(weights, name, gated, units));
    const stacked = ([0, 1, 2] as const).map(i => {
      const shape = [names.length, ...parts[0]![i].shape];
      return graph.constant(shape, concat(parts.map(part => part[i].data)));
    });
    const direction = names.length === 2 ? "bidirectional" : "forward";
    const attributes = { hidden_size: units, direction, ...gated.attributes };
    return graph.node(gated.op, [input, ...stacked], attributes, result);
  };
  /** [steps, directions, batch, units] to [steps, batch, directions * units] */
  const sideBySide = (input: string, directions: number): string => {
    const shape = graph.constant(
      [3],
      BigInt64Array.of(BigInt(steps), BigInt(batch), BigInt(directions * units)),
    );
    return graph.node("Reshape", [graph.node("Transpose", [input], { perm: [0, 2, 1, 3] }), shape]);
  };
  const [allStates, lastState] = [0, 1];
  let result: string;
  if (model === "Last") result = recurrent("x", ["h"], lastState);
  else {
    const states =
      layer === "bidirectional"
        ? sideBySide(
            recurrent(sideBySide(recurrent("x", ["f1", "b1"], allStates), 2), ["f2", "b2"], allStates),
            2,
          )
        : sideBySide(recurrent("x", ["h"], allStates), 1);
    const [W, b] = [weights("logits.W"), weights("logits.b")].map(({ shape, data }) =>
      graph.constant(shape, data as Float32Array),
    );
    result = graph.node("Softmax", [graph.node("Add", [graph.node("MatMul", [states, W!]), b!])], {
      axis: 2,
    });
  }
  const [irVersion, opset] = [8, 17];
  return joined([
    whole(1, irVersion),
    message(7, [
      ...graph.fields,
      text(2, layer),
      message(11, value("x", [steps, batch, one.inputs])),
      message(12, value(result, model === "Last" ? [1, batch, units] : [steps, batch, 10])),
    ]),
    message(8, [text(1, ""), whole(2, opset)]),
  ]);
}

function value(name: string, shape: readonly number[]): readonly Piece[] {
  const sizes = shape.map(size => message(1, [whole(1, size)]));
  return [text(1, name), message(2, [message(1, [whole(1, 1), message(2, sizes)])])];
}

interface Gates {
  readonly op: string;
  readonly attributes: Attributes;
  /** Where Frond has the gates that ONNX wants, in its order. */
  readonly order: readonly number[];
  /** The second bias; ONNX has one for every layer. */
  readonly second: string | null;
}

const gates: Readonly<Record<"lstm" | "gru", Gates>> = {
  // i, f, g, o to i, o, f, g; r, z, n to z, r, n
  lstm: { op: "LSTM", attributes: {}, order: [0, 3, 1, 2], second: null },
  gru: { op: "GRU", attributes: { linear_before_reset: 1 }, order: [1, 0, 2], second: "bu" },
};

interface Array2 {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** W `[gates * units, inputs]`, R `[gates * units, units]` and both biases, `[2 * gates * units]`. */
function recurrentWeights(
  weights: (name: string) => Tensor,
  layer: string,
  { order, second }: Gates,
  units: number,
): readonly [Array2, Array2, Array2] {
  const rows = order.length * units;
  const turned = ({ shape: [height = 0], data }: Tensor): Array2 => ({
    shape: [rows, height],
    data: Float32Array.from({ length: rows * height }, (_, at) => {
      const [row, k] = [Math.floor(at / height), at % height];
      return data[k * rows + order[Math.floor(row / units)]! * units + (row % units)]!;
    }),
  });
  const bias = (name: string | null): Float32Array =>
    name === null ? new Float32Array(rows) : turned({ ...weights(name), shape: [1] }).data;
  const biases = concat([bias(`${layer}.b`), bias(second === null ? null : `${layer}.${second}`)]);
  return [turned(weights(`${layer}.W`)), turned(weights(`${layer}.U`)), { shape: [2 * rows], data: biases }];
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
