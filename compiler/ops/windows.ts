// Windows of an image as features, and back: with them a convolution is a contraction and its adjoint too.

import type { NodeType, Window2d } from "../graph/graph.ts";
import type { OpTable } from "./op.ts";
import { isSize, operand, pointwise, showShape, sizeOf } from "./shapes.ts";
import { inputTypes, rowStride, rowsOf, zerosOf } from "./values.ts";

/** [oh, ow, kh*kw*c]: what `patches` makes of the image. */
function windowShape({ image, kernel, stride, padding }: Window2d): readonly [number, number, number] {
  const count = (size: number, window: number, step: number, zeros: number): number =>
    Math.max(0, Math.floor((size + zeros - window) / step) + 1);
  return [
    count(image[0], kernel[0], stride[0], padding[0] + padding[1]),
    count(image[1], kernel[1], stride[1], padding[2] + padding[3]),
    kernel[0] * kernel[1] * image[2],
  ];
}

/** For each element of the windows, the element of the image it shows, or -1 for a zero outside. */
export function windowIndex(window: Window2d): Int32Array {
  const { image, kernel, stride, padding } = window;
  const [height, width, channels] = image;
  const shape = windowShape(window);
  const index = new Int32Array(sizeOf(shape));
  let at = 0;
  for (let oy = 0; oy < shape[0]; oy++) {
    for (let ox = 0; ox < shape[1]; ox++) {
      for (let ky = 0; ky < kernel[0]; ky++) {
        for (let kx = 0; kx < kernel[1]; kx++) {
          const y = oy * stride[0] + ky - padding[0];
          const x = ox * stride[1] + kx - padding[2];
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          for (let c = 0; c < channels; c++) index[at++] = inside ? (y * width + x) * channels + c : -1;
        }
      }
    }
  }
  return index;
}

function checkWindow(x: NodeType | undefined, window: Window2d, shape: readonly number[]): string | null {
  if (x?.dtype !== "real") return `the operand is ${x?.dtype}, not real`;
  const sizes = [...window.image, ...window.kernel, ...window.padding];
  if (!sizes.every(isSize) || !window.stride.every(n => isSize(n) && n > 0))
    return "a size is no natural number";
  return showShape(x.shape) === showShape(shape)
    ? null
    : `the operand has the shape ${showShape(x.shape)}, not ${showShape(shape)}`;
}

export const windows: Pick<OpTable, "patches" | "unpatches"> = {
  patches: {
    doc: "[h, w, c] -> [oh, ow, kh*kw*c]: each window's elements as features; zeros outside the image.",
    arity: 1,
    type: (inputs, window) => pointwise(inputs, operand(inputs, 0).dtype, windowShape(window)),
    check: ([x], window) => checkWindow(x, window, window.image),
    adjoint: (b, { attrs }, _, adjoint) => b.unpatches(adjoint, attrs),
    evaluate: (node, _, evaluation, [x]) => {
      const index = windowIndex(node.attrs);
      const out = zerosOf(node.type, evaluation);
      const step = rowStride(inputTypes(node, evaluation)[0]!);
      for (let row = 0; row < rowsOf(node.type, evaluation); row++) {
        for (let i = 0; i < index.length; i++) {
          if (index[i]! >= 0) out[row * index.length + i] = x!.data[row * step + index[i]!]!;
        }
      }
      return out;
    },
    cost: () => ({ flops: 0 }),
    elementwise: false,
  },
  unpatches: {
    doc: "[oh, ow, kh*kw*c] -> [h, w, c]: the windows' elements added back to where they came from.",
    arity: 1,
    type: (inputs, window) => pointwise(inputs, operand(inputs, 0).dtype, window.image),
    check: ([x], window) => checkWindow(x, window, windowShape(window)),
    adjoint: (b, { attrs }, _, adjoint) => b.patches(adjoint, attrs),
    evaluate: (node, _, evaluation, [x]) => {
      const index = windowIndex(node.attrs);
      const out = zerosOf(node.type, evaluation);
      const size = sizeOf(node.type.shape);
      for (let row = 0; row < rowsOf(node.type, evaluation); row++) {
        for (let i = 0; i < index.length; i++) {
          if (index[i]! >= 0) out[row * size + index[i]!]! += x!.data[row * index.length + i]!;
        }
      }
      return out;
    },
    cost: ({ attrs }) => ({ flops: sizeOf(windowShape(attrs)) }),
    elementwise: false,
  },
};
