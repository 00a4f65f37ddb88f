// Convolution and pooling over images [h, w, c]: the windows of the image become features, [oh, ow, kh*kw*c].

import type { NodeId, Window2d } from "../../graph/graph.ts";
import type { BuiltinLowering, BuiltinUse } from "./use.ts";

type Pair = readonly [number, number];

function windowOf(use: BuiltinUse, kernel: Pair, stride: number): Window2d {
  const [h = 1, w = 1, c = 1] = use.shapeOf(0);
  const padding = use.size("padding", 0);
  const same = use.flag("same");
  const [top, bottom] = same ? samePadding(h, kernel[0], stride) : [padding, padding];
  const [left, right] = same ? samePadding(w, kernel[1], stride) : [padding, padding];
  return { image: [h, w, c], kernel, stride: [stride, stride], padding: [top, bottom, left, right] };
}

/** Zeros before and after so that there are ceil(size / stride) windows; the odd one stands after. */
function samePadding(size: number, kernel: number, stride: number): Pair {
  const windows = Math.ceil(size / stride);
  const zeros = Math.max(0, (windows - 1) * stride + kernel - size);
  return [Math.floor(zeros / 2), Math.ceil(zeros / 2)];
}

/** [h, w, c] and [kh, kw, c, o]: a contraction of the patches with the kernel as a matrix [kh*kw*c, o]. */
function conv2d(use: BuiltinUse): NodeId {
  const { builder } = use;
  const [kh = 1, kw = 1, c = 1, o = 1] = use.shapeOf(1);
  const patches = builder.patches(use.arg(0), windowOf(use, [kh, kw], use.size("stride", 1)));
  const matrix = builder.reshape(use.arg(1), [kh * kw * c, o]);
  return builder.contract(patches, matrix, { left: [0, 1, 2], right: [2, 3], out: [0, 1, 3] });
}

/** The elements of each window, [oh, ow, size*size, c]. Windows never reach over the edge. */
function windowElements(use: BuiltinUse): NodeId {
  const size = use.size("size");
  const patches = use.builder.patches(use.arg(0), windowOf(use, [size, size], use.size("stride", size)));
  const [oh = 1, ow = 1] = use.builder.typeOf(patches).shape;
  return use.builder.reshape(patches, [oh, ow, size * size, use.shapeOf(0)[2] ?? 1]);
}

export const windowLowerings = {
  conv2d,
  maxPool2d: use => use.builder.max(windowElements(use), { dims: [2] }),
  avgPool2d: use =>
    use.builder.div(
      use.builder.sum(windowElements(use), { dims: [2] }),
      use.builder.constant(use.size("size") ** 2),
    ),
} as const satisfies Record<string, BuiltinLowering>;
