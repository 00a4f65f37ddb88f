// Draws that move numbers: what stands at an element of the result is found from its position, example and features.

import type { AxisId, Node, NodeOf, OpName } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { isAligned } from "./aligned.ts";
import { type Cell, type Cells, lastOf, type Reference, viewed } from "./cells.ts";
import type { Emitter, Env } from "./emit.ts";
import { flatIndex, unflattened } from "./features.ts";
import { reduceOver, writeElements, writeTexels } from "./rows.ts";

export type Write<O extends OpName> = (emitter: Emitter, cells: Cells, cell: Cell, node: NodeOf<O>) => void;

/** The elements of a reference of the node's own shape. */
export function writeReference(
  emitter: Emitter,
  cell: Cell,
  { type: { shape } }: Node,
  reference: Reference,
): void {
  if (lastOf(shape) > 1 && isAligned(reference)) {
    writeTexels(emitter, cell, shape, (env, at) => emitter.load(reference, env, at, 4));
  } else writeElements(emitter, cell, shape, (env, at) => emitter.load(reference, env, at, 1));
}

/** A view that needs memory after all. */
export function writeView(emitter: Emitter, cells: Cells, cell: Cell, node: Node): void {
  const [input] = node.inputs;
  const from = cells.of(input!);
  const seen = viewed(node, from);
  if (seen !== null) {
    writeReference(emitter, cell, node, seen);
    return;
  }
  if (node.op !== "reshape") throw new InternalError("gpu", `%${node.id} = ${node.op} cannot be copied`);
  // The elements keep their order.
  const own = cells.node(input!).type.shape;
  writeElements(emitter, cell, node.type.shape, (env, at) =>
    emitter.load(from, env, unflattened(emitter, own, flatIndex(emitter, node.type.shape, at)), 1),
  );
}

export const writeShift: Write<"shift"> = (emitter, cells, cell, node) =>
  writeReference(emitter, cell, node, cells.delayed(node));

export const writeAt: Write<"at"> = (emitter, cells, cell, node) => {
  const { axis, from, offset } = node.attrs;
  const [input] = node.inputs;
  const reference = cells.of(input!);
  const perExample = node.type.batched && emitter.ragged.has(axis);
  const read = (env: Env, at: readonly string[], width: 1 | 4): string => {
    const length = perExample ? emitter.lengthOf(axis, env.example) : emitter.extent(axis);
    const position = emitter.let("i32", from === "first" ? `${offset}` : `${length} - ${1 + offset}`, "p");
    const inner = { ...env, positions: new Map(env.positions).set(axis, position) };
    const value = emitter.load(reference, inner, at, width);
    const inside = `${position} >= 0 && ${position} < ${length}`;
    return `select${width}(${emitter.number(0, width)}, ${value}, ${inside})`;
  };
  const { shape } = node.type;
  if (lastOf(shape) > 1 && isAligned(reference))
    writeTexels(emitter, cell, shape, (env, at) => read(env, at, 4));
  else writeElements(emitter, cell, shape, (env, at) => read(env, at, 1));
};

export const writeGather: Write<"gather"> = (emitter, cells, cell, node) => {
  const [table, index] = node.inputs.map(id => cells.of(id)) as [Reference, Reference];
  const entries = cells.node(node.inputs[0]!).type.shape[0]!;
  const outside = node.type.dtype === "real" ? Number.NaN : 0;
  const read = (env: Env, at: readonly string[], width: 1 | 4): string => {
    const entry = emitter.let("i32", `i32(${emitter.load(index, env, [], 1)})`, "e");
    const value = emitter.load(table, env, [entry, ...at], width);
    return `select${width}(${emitter.number(outside, width)}, ${value}, ${entry} >= 0 && ${entry} < ${entries})`;
  };
  const { shape } = node.type;
  if (lastOf(shape) > 1 && isAligned(table)) writeTexels(emitter, cell, shape, (env, at) => read(env, at, 4));
  else writeElements(emitter, cell, shape, (env, at) => read(env, at, 1));
};

export const writeScatterAdd: Write<"scatterAdd"> = (emitter, cells, cell, node) => {
  const [index, value] = node.inputs.map(id => cells.of(id)) as [Reference, Reference];
  const operands = node.inputs.map(id => cells.node(id).type);
  const { axes, batch } = node.attrs;
  const add = (env: Env, at: readonly string[], width: 1 | 4): string => {
    const [entry, ...rest] = at;
    const total = emitter.variable(width === 1 ? "f32" : "vec4f", emitter.number(0, width));
    reduceOver(emitter, env, { axes, batch, sizes: [], operands }, inner => {
      const own = `i32(${emitter.load(index, inner, [], 1)})`;
      emitter.if(`${own} == ${entry}`, () =>
        emitter.line(`${total} = ${total} + ${emitter.load(value, inner, rest, width)};`),
      );
    });
    return total;
  };
  const { shape } = node.type;
  const isWide = shape.length > 1 && lastOf(shape) > 1 && isAligned(value);
  if (isWide) writeTexels(emitter, cell, shape, (env, at) => add(env, at, 4));
  else writeElements(emitter, cell, shape, (env, at) => add(env, at, 1));
};

export const writeOneHot: Write<"oneHot"> = (emitter, cells, cell, node) => {
  const index = cells.of(node.inputs[0]!);
  writeElements(emitter, cell, node.type.shape, (env, at) => {
    const entry = emitter.load(index, env, at.slice(0, -1), 1);
    return `select1(0.0, 1.0, i32(${entry}) == ${at.at(-1)})`;
  });
};

export const writePad: Write<"pad"> = (emitter, cells, cell, node) => {
  const { dim, before } = node.attrs;
  const [input] = node.inputs;
  const size = cells.node(input!).type.shape[dim]!;
  const reference = cells.of(input!);
  writeElements(emitter, cell, node.type.shape, (env, at) => {
    const own = emitter.let("i32", `${at[dim]} - ${before}`, "f");
    const value = emitter.load(reference, env, at.with(dim, own), 1);
    return `select1(0.0, ${value}, ${own} >= 0 && ${own} < ${size})`;
  });
};

export const writeConcat: Write<"concat"> = (emitter, cells, cell, node) => {
  const { dim } = node.attrs;
  writeElements(emitter, cell, node.type.shape, (env, at) => {
    const result = emitter.variable("f32", "0.0");
    let start = 0;
    for (const input of node.inputs) {
      const own = `${at[dim]} - ${start}`;
      const size = cells.node(input).type.shape[dim]!;
      emitter.if(`${own} >= 0 && ${own} < ${size}`, () => {
        const index = emitter.let("i32", own, "f");
        emitter.line(`${result} = ${emitter.load(cells.of(input), env, at.with(dim, index), 1)};`);
      });
      start += size;
    }
    return result;
  });
};

export const writeStack: Write<"stack"> = (emitter, cells, cell, node) => {
  const { axis } = node.attrs;
  writeElements(emitter, cell, node.type.shape, (env, at) => {
    const result = emitter.variable("f32", "0.0");
    for (const [j, input] of node.inputs.entries()) {
      emitter.if(`${env.positions.get(axis)} == ${j}`, () =>
        emitter.line(`${result} = ${emitter.load(cells.of(input), env, at, 1)};`),
      );
    }
    return result;
  });
};

/** [oh, ow, kh*kw*c] of [h, w, c]. */
export const writePatches: Write<"patches"> = (emitter, cells, cell, node) => {
  const { image, kernel, stride, padding } = node.attrs;
  const [height, width, channels] = image;
  const reference = cells.of(node.inputs[0]!);
  writeElements(emitter, cell, node.type.shape, (env, [oy, ox, at]) => {
    const [ky, kx] = [`${at} / ${kernel[1] * channels}`, `(${at} / ${channels}) % ${kernel[1]}`];
    const y = emitter.let("i32", `${oy} * ${stride[0]} + ${ky} - ${padding[0]}`, "y");
    const x = emitter.let("i32", `${ox} * ${stride[1]} + ${kx} - ${padding[2]}`, "x");
    const channel = emitter.let("i32", `${at} % ${channels}`, "c");
    const value = emitter.load(reference, env, [y, x, channel], 1);
    return `select1(0.0, ${value}, ${y} >= 0 && ${y} < ${height} && ${x} >= 0 && ${x} < ${width})`;
  });
};

/** [h, w, c] of [oh, ow, kh*kw*c]: what windows show of each element, added up. */
export const writeUnpatches: Write<"unpatches"> = (emitter, cells, cell, node) => {
  const { kernel, stride, padding, image } = node.attrs;
  const [input] = node.inputs;
  const [rows, columns] = cells.node(input!).type.shape as [number, number];
  const reference = cells.of(input!);
  writeElements(emitter, cell, node.type.shape, (env, [y, x, channel]) => {
    const total = emitter.variable("f32", "0.0");
    emitter.loop("0", `${kernel[0]}`, ky =>
      emitter.loop("0", `${kernel[1]}`, kx => {
        const fromTop = emitter.let("i32", `${y} + ${padding[0]} - ${ky}`, "y");
        const fromLeft = emitter.let("i32", `${x} + ${padding[2]} - ${kx}`, "x");
        const [oy, ox] = [`${fromTop} / ${stride[0]}`, `${fromLeft} / ${stride[1]}`];
        const isThere = [
          `${fromTop} >= 0 && ${fromTop} % ${stride[0]} == 0 && ${oy} < ${rows}`,
          `${fromLeft} >= 0 && ${fromLeft} % ${stride[1]} == 0 && ${ox} < ${columns}`,
        ];
        emitter.if(isThere.join(" && "), () => {
          const at = `(${ky} * ${kernel[1]} + ${kx}) * ${image[2]} + ${channel}`;
          const features = [
            emitter.let("i32", oy, "f"),
            emitter.let("i32", ox, "f"),
            emitter.let("i32", at, "f"),
          ];
          emitter.line(`${total} = ${total} + ${emitter.load(reference, env, features, 1)};`);
        });
      }),
    );
    return total;
  });
};

export const writeRandom: Write<"random"> = (emitter, _, cell, node) => {
  const { distribution, site, axes } = node.attrs;
  const { shape } = node.type;
  writeElements(emitter, cell, shape, (env, at) => {
    const position = foldedPosition(axes, axis => env.positions.get(axis)!);
    const feature = flatIndex(emitter, shape, at);
    const [seed, step] = [emitter.integer({ kind: "seed" }), emitter.integer({ kind: "step" })];
    const name = distribution === "uniform" ? "uniform1" : "normal1";
    return `${name}(${env.example}, ${position}, ${feature}, ${site}, ${seed}, ${step})`;
  });
};

/** compiler/ops/random.ts: positionOf, in 32-bit integers. */
function foldedPosition(axes: readonly AxisId[], index: (axis: AxisId) => string): string {
  let position = "";
  for (const axis of axes) {
    position = position === "" ? index(axis) : `(${position}) * (${0x9e3779b1 | 0}) + ${index(axis)}`;
  }
  return position || "0";
}
