// How each op is computed: as an expression of a fused loop nest, as a view, or by calls of Frond's kernels. The table
// is total over OpName; it holds everything that is particular to an op.

import type { Node, NodeId, NodeOf, NodeType, OpName } from "../../compiler/graph/graph.ts";
import { windowIndex } from "../../compiler/ops/windows.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { denseStrides, offsetTable, type Place, product } from "../plan/layout.ts";
import type { PlanTraits } from "../plan/plan.ts";
import { viewOf } from "../plan/views.ts";
import { type Binder, copyPlaces, maskOf, nestCall, rowSpace } from "./binder.ts";
import { bindContract } from "./contract.ts";
import { fillBody } from "./elementwise.ts";
import { type Expression, expressions, type Term } from "./expressions.ts";
import { bindReduction } from "./reductions.ts";

export type Lowering<O extends OpName> =
  /** Given before the first step. */
  | { readonly kind: "source" }
  | { readonly kind: "elementwise"; readonly expression: Expression<O> }
  | { readonly kind: "view" }
  | { readonly kind: "kernel"; readonly bind: (node: NodeOf<O>, binder: Binder) => void };

const source = { kind: "source" } as const;
const elementwise = <O extends OpName>(expression: Expression<O>): Lowering<O> => ({
  kind: "elementwise",
  expression,
});
const view = { kind: "view" } as const;
const kernel = <O extends OpName>(bind: (node: NodeOf<O>, binder: Binder) => void): Lowering<O> => ({
  kind: "kernel",
  bind,
});

export const lowerings: { readonly [O in OpName]: Lowering<O> } = {
  constant: source,
  parameter: source,
  input: source,
  state: source,
  length: source,
  index: source,
  batchSize: source,
  random: kernel((node, binder) => {
    const space = rowSpace(binder, node.type);
    binder.call("FrondRandom", [{ place: binder.place(node.id) }], () => ({
      frame: binder.frame,
      batch: binder.batch,
      size: product(node.type.shape),
      rows: product(space.sizes),
      axes: node.type.axes,
      positions: node.type.axes.map(axis => space.position(axis)),
      distribution: node.attrs.distribution,
      site: node.attrs.site,
    }));
  }),

  neg: elementwise(expressions.neg),
  exp: elementwise(expressions.exp),
  log: elementwise(expressions.log),
  log1p: elementwise(expressions.log1p),
  sqrt: elementwise(expressions.sqrt),
  sin: elementwise(expressions.sin),
  cos: elementwise(expressions.cos),
  tanh: elementwise(expressions.tanh),
  sigmoid: elementwise(expressions.sigmoid),
  softplus: elementwise(expressions.softplus),
  abs: elementwise(expressions.abs),
  sign: elementwise(expressions.sign),
  floor: elementwise(expressions.floor),
  not: elementwise(expressions.not),
  cast: elementwise(expressions.cast),
  add: elementwise(expressions.add),
  sub: elementwise(expressions.sub),
  mul: elementwise(expressions.mul),
  div: elementwise(expressions.div),
  pow: elementwise(expressions.pow),
  maximum: elementwise(expressions.maximum),
  minimum: elementwise(expressions.minimum),
  expdiff: elementwise(expressions.expdiff),
  equal: elementwise(expressions.equal),
  notEqual: elementwise(expressions.notEqual),
  less: elementwise(expressions.less),
  lessEqual: elementwise(expressions.lessEqual),
  greater: elementwise(expressions.greater),
  greaterEqual: elementwise(expressions.greaterEqual),
  and: elementwise(expressions.and),
  or: elementwise(expressions.or),
  where: elementwise(expressions.where),
  accumulate: elementwise(expressions.accumulate),

  stopGradient: view,
  broadcast: view,
  reshape: view,
  transpose: view,
  slice: view,
  pad: kernel((node, binder) => {
    const { dim, before, after } = node.attrs;
    if (before + after > 0) fill(binder, node);
    copyInto(binder, node, node.inputs[0]!, part(binder, node, dim, before));
  }),
  concat: kernel((node, binder) => {
    let start = 0;
    for (const input of node.inputs) {
      copyInto(binder, node, input, part(binder, node, node.attrs.dim, start));
      start += binder.type(input).shape[node.attrs.dim] ?? 0;
    }
  }),

  argmax: kernel((node, binder) => bindReduction(binder, node.id, node.inputs[0]!, "argmax", { dims: [node.attrs.dim], axes: [], batch: false })), // biome-ignore format: one call
  oneHot: kernel((node, binder) => {
    const [input] = node.inputs;
    const { sizes, strides } = elements(binder, node.type, binder.type(input!), binder.place(input!));
    binder.call("FrondOneHot", [{ place: binder.place(input!) }, { place: binder.place(node.id) }], () => ({
      index: offsetTable(sizes, strides),
      size: node.attrs.size,
    }));
  }),
  gather: kernel((node, binder) => {
    const [table, index] = node.inputs;
    const from = binder.place(table!);
    const space = rowSpace(binder, node.type);
    const entry: Place = { ...from, shape: from.shape.slice(1), dims: from.dims.slice(1) };
    binder.call(
      "FrondGather",
      [{ place: from }, { place: binder.place(index!) }, { place: binder.place(node.id) }],
      () => ({
        table: space.rows(entry),
        entries: from.shape[0] ?? 0,
        step: from.dims[0] ?? 0,
        index: space.rows(binder.place(index!)).rows,
        outside: node.type.dtype === "real" ? Number.NaN : 0,
      }),
    );
  }),
  scatterAdd: kernel((node, binder) => {
    const [index, value] = node.inputs;
    const { attrs } = node;
    const types = [binder.type(index!), binder.type(value!)];
    const all: NodeType = {
      ...binder.type(value!),
      axes: [...node.type.axes, ...attrs.axes],
      batched: types.some(({ batched }) => batched),
    };
    const space = rowSpace(binder, all);
    const out = binder.place(node.id);
    const reduced = attrs.batch ? [...all.axes] : attrs.axes;
    binder.call(
      "FrondScatterAdd",
      [{ place: binder.place(index!) }, { place: binder.place(value!) }, { place: out }],
      () => ({
        mask: maskOf(binder, space, types, reduced),
        index: space.rows(binder.place(index!)).rows,
        value: space.rows(binder.place(value!)),
        out: space.rows(out).rows,
        entries: attrs.size,
        total: product(rowSpace(binder, node.type).sizes) * product(node.type.shape),
      }),
    );
  }),
  patches: kernel((node, binder) => {
    const from = binder.place(node.inputs[0]!);
    binder.call("FrondPatches", [{ place: from }, { place: binder.place(node.id) }], () => ({
      image: rowSpace(binder, node.type).rows(from),
      index: windowIndex(node.attrs),
    }));
  }),
  unpatches: kernel((node, binder) => {
    const from = binder.place(node.inputs[0]!);
    binder.call("FrondUnpatches", [{ place: from }, { place: binder.place(node.id) }], () => ({
      windows: rowSpace(binder, node.type).rows(from),
      index: windowIndex(node.attrs),
      size: product(node.type.shape),
    }));
  }),

  sum: kernel((node, binder) => bindReduction(binder, node.id, node.inputs[0]!, "sum", node.attrs)),
  max: kernel((node, binder) => bindReduction(binder, node.id, node.inputs[0]!, "max", node.attrs)),
  logsumexp: kernel((node, binder) =>
    bindReduction(binder, node.id, node.inputs[0]!, "logsumexp", node.attrs),
  ),
  contract: kernel(bindContract),
  shift: kernel((node, binder) => {
    const { axis, offset } = node.attrs;
    const [value, initial] = node.inputs.map(id => binder.place(id));
    const space = rowSpace(binder, node.type);
    const along = value!.axes.get(axis);
    const axes = new Map(value!.axes);
    axes.delete(axis);
    binder.call(
      "FrondShift",
      [{ place: value!, still: axis }, { place: initial! }, { place: binder.place(node.id) }],
      () => ({
        frame: binder.frame,
        axis: space.position(axis),
        offset,
        // A delay looks back, where every example has begun; only an advance can look past an example's end.
        end: offset < 0 && node.type.batched && binder.ragged(axis) ? "length" : binder.extent(axis),
        batch: binder.batch,
        value: space.rows({ ...value!, axes }),
        step: along?.step ?? 0,
        wrap: along?.wrap ?? 0,
        initial: space.rows(initial!),
      }),
    );
  }),
  at: kernel((node, binder) => {
    const { axis, from, offset } = node.attrs;
    const value = binder.place(node.inputs[0]!);
    binder.call("FrondAt", [{ place: value, still: axis }, { place: binder.place(node.id) }], () => ({
      frame: binder.frame,
      axis: binder.axisNumber(axis),
      from,
      offset,
      end: node.type.batched && binder.ragged(axis) ? "length" : binder.extent(axis),
      batch: binder.batch,
      value: rowSpace(binder, node.type).rows(value),
      step: value.axes.get(axis)?.step ?? 0,
    }));
  }),
  stack: kernel((node, binder) => {
    const out = binder.place(node.id);
    const { axis } = node.attrs;
    const step = out.axes.get(axis)?.step ?? 0;
    const axes = new Map(out.axes);
    axes.delete(axis);
    const inner: NodeType = { ...node.type, axes: node.type.axes.filter(other => other !== axis) };
    for (const [j, input] of node.inputs.entries()) {
      const to: Place = { ...out, offset: out.offset + j * step, axes };
      copyTo(binder, inner, input, to);
    }
  }),
};

/** The expression of an elementwise node, its attributes filled in; null for other ops. */
export function expressionOf(node: Node): ((terms: readonly Term[]) => string) | null {
  const lowering = lowerings[node.op] as Lowering<OpName>;
  return lowering.kind === "elementwise" ? terms => lowering.expression(terms, node) : null;
}

/** Shifts and concatenations are kernels here: every operand of a call is a strided view of one buffer. */
export const traits: PlanTraits = {
  kindOf: node => lowerings[node.op].kind,
  readsDelay: () => false,
  parts: false,
};

/** Makes the calls that compute a node which is neither source nor part of a nest. */
export function bindNode(node: Node, binder: Binder): void {
  const lowering = lowerings[node.op] as Lowering<OpName>;
  if (lowering.kind === "kernel") lowering.bind(node, binder);
  else if (lowering.kind === "view") bindCopy(node, binder);
  else throw new InternalError("bindNode", `%${node.id} = ${node.op} is computed elsewhere`);
}

/** A view that needs memory after all: its operand is not kept as long, or lies so that strides cannot say it. */
function bindCopy(node: Node, binder: Binder): void {
  const [input] = node.inputs;
  const from = binder.place(input!);
  const seen = viewOf(node, { offset: from.offset, shape: from.shape, dims: from.dims });
  const out = binder.place(node.id);
  if (seen !== null) copyPlaces(binder, node.type, { ...from, ...seen }, out);
  else {
    // The elements keep their order: walk them in the operand's shape.
    const type = { ...node.type, shape: from.shape };
    copyPlaces(binder, type, from, { ...out, shape: from.shape, dims: denseStrides(from.shape) });
  }
}

/** Sizes and strides of an operand's elements in the row space of `type`. */
function elements(binder: Binder, type: NodeType, own: NodeType, place: Place) {
  const space = rowSpace(binder, type);
  return { sizes: [...space.sizes, ...own.shape], strides: [...space.strides(place), ...place.dims] };
}

function fill(binder: Binder, node: Node): void {
  const { sizes, strides } = elements(binder, node.type, node.type, binder.place(node.id));
  nestCall(binder, fillBody("0"), { sizes, strides: [strides] }, [binder.place(node.id)]);
}

/** The part of a node's value that begins at `start` of dimension `dim`; its shape is that of what is copied. */
function part(binder: Binder, node: Node, dim: number, start: number): Place {
  const out = binder.place(node.id);
  return { ...out, offset: out.offset + start * (out.dims[dim] ?? 0) };
}

function copyInto(binder: Binder, node: Node, input: NodeId, to: Place): void {
  copyTo(binder, node.type, input, to);
}

function copyTo(binder: Binder, space: NodeType, input: NodeId, to: Place): void {
  const { shape } = binder.type(input);
  copyPlaces(binder, { ...space, shape }, binder.place(input), to);
}
