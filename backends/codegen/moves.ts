// Ops that bring numbers from one place to another, as kernels: delays that cannot be read in place, first and last
// steps, table look-ups and their adjoints, positions as vectors, windows of images, random numbers.

import type { NodeId, NodeOf, NodeType } from "../../compiler/graph/graph.ts";
import { windowIndex } from "../../compiler/ops/windows.ts";
import { denseStrides, offsetTable, product } from "../plan/layout.ts";
import {
  add,
  binary,
  compare,
  expr,
  type FunctionBuilder,
  f32,
  load,
  mul,
  type Operand,
  select,
  sub,
} from "./builder.ts";
import type { Expr, Local } from "./code.ts";
import { copyFeatures, fillFeatures, type Lines } from "./copies.ts";
import { walkIndices } from "./indices.ts";
import type { Kernel, Position } from "./kernel.ts";
import type { Reference } from "./places.ts";
import { drawNormal, drawUniform } from "./random.ts";

/** What a kernel of this file is made with. */
export interface Moving {
  readonly kernel: Kernel;
  readonly lanes: number;
  of(id: NodeId): Reference;
  type(id: NodeId): NodeType;
  /** Numbers at a fixed address. */
  table(data: Int32Array): number;
}

const linesOf = ({ features }: Reference, address: Operand): Lines => ({ address, dims: features.dims });

/** Calls `make` for each row, or once for what is not batched. */
function eachRow({ kernel }: Moving, batched: boolean, make: (row: Local) => void): void {
  if (batched) kernel.f.for(kernel.from, kernel.to, 1, make);
  else make(kernel.from);
}

const isIn = (index: Operand, end: Operand): Expr =>
  binary("and", compare("ge", index, 0), compare("lt", index, end));

const at =
  (kernel: Kernel, axis: string, index: Operand): Position =>
  other =>
    other === axis ? index : kernel.position(other);

/** Where an example ends along an axis, or where all do. */
const endOf = (
  { kernel }: Moving,
  { batched }: NodeType,
  axis: NodeOf<"at">["attrs"]["axis"],
  row: Local,
): Operand =>
  batched && kernel.around.staticLength(axis) === null ? kernel.length(axis, row) : kernel.extent(axis);

export function moveShift(node: NodeOf<"shift">, moving: Moving): void {
  const { kernel, lanes } = moving;
  const { f } = kernel;
  const { axis, offset } = node.attrs;
  const [value, initial] = node.inputs.map(id => moving.of(id));
  const out = moving.of(node.id);
  eachRow(moving, node.type.batched, row => {
    const source = f.let(sub(kernel.position(axis), offset));
    // A delay looks back, where every example has begun; only an advance can look past an example's end.
    const isInside =
      offset > 0 ? compare("ge", source, 0) : compare("lt", source, endOf(moving, node.type, axis, row));
    const to = linesOf(out, kernel.rows(out, row).address);
    const copy = (from: Reference, position: Position): void =>
      copyFeatures(f, node.type.shape, linesOf(from, kernel.rows(from, row, position).address), to, lanes);
    f.if(
      isInside,
      () => copy(value!, at(kernel, axis, source)),
      () => copy(initial!, kernel.position),
    );
  });
}

export function moveAt(node: NodeOf<"at">, moving: Moving): void {
  const { kernel, lanes } = moving;
  const { f } = kernel;
  const { axis, from, offset } = node.attrs;
  const value = moving.of(node.inputs[0]!);
  const out = moving.of(node.id);
  eachRow(moving, node.type.batched, row => {
    const end = f.let(endOf(moving, node.type, axis, row));
    const index = f.let(from === "first" ? offset : sub(end, 1 + offset));
    const to = linesOf(out, kernel.rows(out, row).address);
    f.if(
      isIn(index, end),
      () => {
        const { address } = kernel.rows(value, row, at(kernel, axis, index));
        copyFeatures(f, node.type.shape, linesOf(value, address), to, lanes);
      },
      () => fillFeatures(f, node.type.shape, to, 0, lanes),
    );
  });
}

export function moveGather(node: NodeOf<"gather">, moving: Moving): void {
  const { kernel, lanes } = moving;
  const { f } = kernel;
  const [table, index] = node.inputs.map(id => moving.of(id));
  const out = moving.of(node.id);
  const { shape, dims } = table!.features;
  eachRow(moving, node.type.batched, row => {
    const entry = f.let(load("i32", kernel.rows(index!, row).address));
    const to = linesOf(out, kernel.rows(out, row).address);
    f.if(
      isIn(entry, shape[0]!),
      () => {
        const address = add(kernel.rows(table!, row).address, mul(entry, 4 * dims[0]!));
        copyFeatures(f, node.type.shape, { address, dims: dims.slice(1) }, to, lanes);
      },
      () => fillFeatures(f, node.type.shape, to, node.type.dtype === "real" ? f32(Number.NaN) : 0, lanes),
    );
  });
}

export function moveOneHot(node: NodeOf<"oneHot">, moving: Moving): void {
  const { kernel, lanes } = moving;
  const { f } = kernel;
  const index = moving.of(node.inputs[0]!);
  const out = moving.of(node.id);
  const { size } = node.attrs;
  eachRow(moving, node.type.batched, row => {
    const to = kernel.rows(out, row).address;
    fillFeatures(f, node.type.shape, linesOf(out, to), f32(0), lanes);
    const from = kernel.rows(index, row).address;
    eachFeature(
      f,
      index.features.shape,
      [index.features.dims, out.features.dims],
      [from, to],
      ([own, target]) => {
        const entry = f.let(load("i32", own!));
        f.if(isIn(entry, size), () => f.store(add(target!, mul(entry, 4)), f32(1)));
      },
    );
  });
}

/** Loops over every feature of `shape`, with an address for each operand. */
function eachFeature(
  f: FunctionBuilder,
  shape: readonly number[],
  dims: readonly (readonly number[])[],
  addresses: readonly Operand[],
  make: (addresses: readonly Operand[]) => void,
): void {
  const enter = (d: number, at: readonly Operand[]): void => {
    if (d === shape.length) {
      make(at);
      return;
    }
    const own = at.map(address => f.let(address));
    f.for(0, shape[d]!, 1, () => {
      enter(d + 1, own);
      for (const [k, address] of own.entries()) f.set(address, add(address, 4 * dims[k]![d]!));
    });
  };
  enter(0, addresses);
}

export function moveScatterAdd(node: NodeOf<"scatterAdd">, moving: Moving): void {
  const { kernel, lanes } = moving;
  const { f } = kernel;
  const { size, axes, batch } = node.attrs;
  const [index, value] = node.inputs.map(id => moving.of(id));
  const types = node.inputs.map(id => moving.type(id));
  const out = moving.of(node.id);
  const { shape, dims } = out.features;
  eachRow(moving, node.type.batched, row => {
    const to = kernel.rows(out, row).address;
    fillFeatures(f, shape, linesOf(out, to), f32(0), lanes);
    walkIndices(
      kernel,
      { axes, batch, operands: types },
      node.type.batched ? row : null,
      (example, position) => {
        const entry = f.let(load("i32", kernel.rows(index!, example, position).address));
        f.if(isIn(entry, size), () => {
          const target = f.let(add(to, mul(entry, 4 * dims[0]!)));
          const from = kernel.rows(value!, example, position).address;
          addFeatures(
            f,
            value!.features.shape,
            { address: from, dims: value!.features.dims },
            { address: target, dims: dims.slice(1) },
            lanes,
          );
        });
      },
    );
  });
}

/** to += from */
function addFeatures(
  f: FunctionBuilder,
  shape: readonly number[],
  from: Lines,
  to: Lines,
  lanes: number,
): void {
  const inner = [from, to].every(({ dims }) => dims.join() === denseStrides(shape).join());
  const count = product(shape);
  if (!inner) {
    eachFeature(f, shape, [from.dims, to.dims], [from.address, to.address], ([a, b]) =>
      f.store(b!, add(load("f32", b!), load("f32", a!))),
    );
    return;
  }
  const [a, b] = [f.let(from.address), f.let(to.address)];
  const whole = 4 * Math.floor(count / lanes) * lanes;
  if (whole > 0) {
    f.for(0, whole, 4 * lanes, i =>
      f.store(add(b, i), add(load("f32x", add(b, i)), load("f32x", add(a, i)))),
    );
  }
  for (let i = whole; i < 4 * count; i += 4) f.store(b, add(load("f32", b, i), load("f32", a, i)), i);
}

export function moveArgmax(node: NodeOf<"argmax">, moving: Moving): void {
  const { kernel } = moving;
  const { f } = kernel;
  const value = moving.of(node.inputs[0]!);
  const out = moving.of(node.id);
  const { dim } = node.attrs;
  const { shape, dims } = value.features;
  const kept = dims.filter((_, d) => d !== dim);
  eachRow(moving, node.type.batched, row => {
    const [from, to] = [kernel.rows(value, row).address, kernel.rows(out, row).address];
    eachFeature(f, node.type.shape, [kept, out.features.dims], [from, to], ([own, target]) => {
      const best = f.let(load("f32", own!));
      const place = f.let(0);
      f.for(1, shape[dim]!, 1, i => {
        const candidate = f.let(load("f32", add(own!, mul(i, 4 * dims[dim]!))));
        const isLarger = f.let(compare("gt", candidate, best));
        f.set(place, select(isLarger, i, place));
        f.set(best, select(isLarger, candidate, best));
      });
      f.store(target!, place);
    });
  });
}

/**
 * Windows of an image, or windows added back. The table has the byte offset of the image's number for each number of
 * the windows, -1 outside; runs of one pixel's channels are looked up once.
 */
export function moveWindows(node: NodeOf<"patches"> | NodeOf<"unpatches">, moving: Moving): void {
  const { kernel, lanes } = moving;
  const { f } = kernel;
  const operand = moving.of(node.inputs[0]!);
  const out = moving.of(node.id);
  const [image, windows] = node.op === "patches" ? [operand, out] : [out, operand];
  const channels = node.attrs.image[2];
  const index = windowIndex(node.attrs);
  const pixels = Int32Array.from({ length: index.length / channels }, (_, i) => index[i * channels]!);
  const places = offsetTable(image.features.shape, image.features.dims);
  const starts = offsetTable(windows.features.shape, windows.features.dims);
  const entries = new Int32Array(2 * pixels.length);
  for (const [i, pixel] of pixels.entries()) {
    entries[2 * i] = pixel < 0 ? -1 : 4 * places[pixel]!;
    entries[2 * i + 1] = 4 * starts[i * channels]!;
  }
  const table = moving.table(entries);
  const run = [channels];
  const imageRun = [image.features.dims[2]!];
  const windowRun = [windows.features.dims[2]!];
  eachRow(moving, node.type.batched, row => {
    const [own, other] = [kernel.rows(image, row).address, kernel.rows(windows, row).address];
    if (node.op === "unpatches") fillFeatures(f, out.features.shape, linesOf(out, own), f32(0), lanes);
    f.for(0, 8 * pixels.length, 8, entry => {
      const place = f.let(load("i32", add(entry, table)));
      const window: Lines = {
        address: f.let(add(other, load("i32", add(entry, table + 4)))),
        dims: windowRun,
      };
      const pixel: Lines = { address: add(own, place), dims: imageRun };
      const isInside = compare("ge", place, 0);
      if (node.op === "unpatches") f.if(isInside, () => addFeatures(f, run, window, pixel, lanes));
      else {
        f.if(
          isInside,
          () => copyFeatures(f, run, pixel, window, lanes),
          () => fillFeatures(f, run, window, f32(0), lanes),
        );
      }
    });
  });
}

/** Draws as compiler/ops/random.ts does. */
export function moveRandom(node: NodeOf<"random">, moving: Moving): void {
  const { kernel } = moving;
  const { f } = kernel;
  const { frame } = kernel.around;
  const out = moving.of(node.id);
  const { distribution, site } = node.attrs;
  const draw = distribution === "uniform" ? drawUniform : drawNormal;
  let folded: Operand = 0;
  for (const axis of node.type.axes) folded = add(mul(folded, 0x9e3779b1 | 0), kernel.position(axis));
  const position = f.let(expr(folded));
  eachRow(moving, node.type.batched, row => {
    const example = f.let(load("i32", add(frame.examples, mul(row, 4))));
    const to = f.let(kernel.rows(out, row).address);
    f.for(0, product(node.type.shape), 1, feature => {
      const words = { example, position, feature, site, seed: frame.seed, step: frame.step };
      f.store(add(to, mul(feature, 4)), draw(f, words));
    });
  });
}
