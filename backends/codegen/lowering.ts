// How each op is computed: as part of a nest, as a view, or by kernels of its own. The table is total over OpName.

import type { AxisId, Node, NodeId, NodeOf, OpName } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { denseStrides } from "../plan/layout.ts";
import type { PlanTraits } from "../plan/plan.ts";
import { viewOf } from "../plan/views.ts";
import { compare } from "./builder.ts";
import { labelsOf } from "./contract.ts";
import { copyFeatures } from "./copies.ts";
import { fillValue } from "./fused.ts";
import type { Generator } from "./generate.ts";
import type { Kernel } from "./kernel.ts";
import {
  type Moving,
  moveArgmax,
  moveAt,
  moveGather,
  moveOneHot,
  moveRandom,
  moveScatterAdd,
  moveShift,
  moveWindows,
} from "./moves.ts";
import type { Reference } from "./places.ts";
import { emitReduction, type ReduceSpec } from "./reduce.ts";
import type { Scope } from "./tasks.ts";

type Emit<O extends OpName> = (
  generator: Generator,
  scope: Scope,
  node: NodeOf<O>,
  accumulate: boolean,
) => void;

export type Lowering<O extends OpName> =
  | { readonly kind: "source" }
  | { readonly kind: "elementwise" }
  /** `emit` copies where strides cannot say it. */
  | { readonly kind: "view"; readonly emit: Emit<O> }
  | { readonly kind: "kernel"; readonly emit: Emit<O> };

const source = { kind: "source" } as const;
const elementwise = { kind: "elementwise" } as const;
const kernel = <O extends OpName>(emit: Emit<O>): Lowering<O> => ({ kind: "kernel", emit });

/** A kernel that goes through the rows of the node's type. */
const rowwise =
  <O extends OpName>(make: (node: NodeOf<O>, moving: Moving) => void): Emit<O> =>
  (generator, scope, node) => {
    const { type } = generator.node(node.id);
    const reduces = node.op === "scatterAdd" && (node as NodeOf<"scatterAdd">).attrs.batch;
    generator.tasks.run(scope, {
      name: `${node.op} ${node.label}`,
      nodes: [node.id],
      free: generator.free(scope, type),
      rows: type.batched ? "each" : reduces ? "all" : "one",
      memories: [],
      flat: false,
      make: kernel => make(node, movingOf(generator, kernel)),
    });
  };

const movingOf = (generator: Generator, kernel: Kernel): Moving => ({
  kernel,
  lanes: generator.target.lanes,
  of: id => generator.places.of(id),
  type: id => generator.node(id).type,
  table: data => generator.places.table(data),
});

/** A view that needs memory after all: its operand is not kept as long, or lies so that strides cannot say it. */
const view = <O extends OpName>(): Lowering<O> => ({
  kind: "view",
  emit: (generator, scope, { id }) => {
    const node = generator.node(id);
    const from = generator.places.of(node.inputs[0]!);
    const out = generator.places.of(id);
    const seen = viewOf(node, from.features);
    if (seen !== null) {
      copyPart(generator, scope, node, { ...from, features: seen }, out);
      return;
    }
    // The elements keep their order: walk them in the operand's shape.
    const { shape } = from.features;
    const features = { ...out.features, shape, dims: denseStrides(shape) };
    copyPart(generator, scope, node, from, { ...out, features });
  },
});

/** Copies a value into (part of) a node's, whose rows are at the same positions. */
function copyPart(generator: Generator, scope: Scope, node: Node, from: Reference, to: Reference): void {
  const { type } = generator.node(node.id);
  generator.tasks.run(scope, {
    name: `copy ${node.label}`,
    nodes: [node.id],
    free: generator.free(scope, type),
    rows: type.batched ? "each" : "one",
    memories: [],
    flat: false,
    make: kernel => copyRows(generator, kernel, type.batched, from, to),
  });
}

function copyRows(
  generator: Generator,
  kernel: Kernel,
  batched: boolean,
  from: Reference,
  to: Reference,
): void {
  const { f } = kernel;
  const copy = (row: typeof kernel.from): void => {
    const [a, b] = [kernel.rows(from, row).address, kernel.rows(to, row).address];
    const { shape, dims } = from.features;
    copyFeatures(
      f,
      shape,
      { address: a, dims },
      { address: b, dims: to.features.dims },
      generator.target.lanes,
    );
  };
  if (batched) f.for(kernel.from, kernel.to, 1, copy);
  else copy(kernel.from);
}

/** The part of a reference that begins at `start` of a dimension, of another shape. */
const partOf = (reference: Reference, dim: number, start: number, shape: readonly number[]): Reference => ({
  ...reference,
  whole: false,
  features: {
    shape,
    dims: reference.features.dims,
    offset: reference.features.offset + start * (reference.features.dims[dim] ?? 0),
  },
});

function reduce(
  generator: Generator,
  scope: Scope,
  node: NodeOf<"sum" | "max" | "logsumexp" | "contract">,
  spec: Omit<ReduceSpec, "lanes" | "accumulate" | "batch" | "axes">,
  accumulate: boolean,
): void {
  const { axes, batch } = node.attrs;
  const { type } = node;
  generator.tasks.run(scope, {
    name: `${node.op} ${node.label}`,
    nodes: [node.id],
    free: generator.free(scope, type),
    rows: type.batched ? "each" : batch ? "all" : "one",
    memories: [],
    flat: false,
    ownBytes: accumulate && !type.batched ? generator.ownSum(node.id) : 0,
    make: kernel => {
      emitReduction(kernel, {
        ...spec,
        axes: axes.filter(axis => !scope.bound.has(axis)),
        batch,
        accumulate,
        lanes: generator.target.lanes,
      });
    },
  });
}

const reduction =
  <O extends "sum" | "max" | "logsumexp">(op: O): Emit<O> =>
  (generator, scope, node, accumulate) => {
    const [input] = node.inputs;
    const reference = generator.places.of(input!);
    const { batched, axes } = generator.node(input!).type;
    const { shape, dims } = reference.features;
    const reduced = (node.attrs as NodeOf<"sum">["attrs"]).dims;
    const isKept = (_: number, d: number): boolean => !reduced.includes(d);
    const isReduced = (_: number, d: number): boolean => reduced.includes(d);
    const out = generator.places.of(node.id);
    const outDims = node.attrs.keep ? out.features.dims.filter(isKept) : out.features.dims;
    reduce(
      generator,
      scope,
      node as NodeOf<"sum" | "max" | "logsumexp">,
      {
        op,
        operands: [{ reference, batched, axes, kept: dims.filter(isKept), reduced: dims.filter(isReduced) }],
        out: { reference: out, batched: node.type.batched, dims: outDims },
        kept: shape.filter(isKept),
        reduced: shape.filter(isReduced),
      },
      accumulate,
    );
  };

const contract: Emit<"contract"> = (generator, scope, node, accumulate) => {
  if (!accumulate && generator.matrixProduct(scope, node)) return;
  const operands = generator.contractOperands(node);
  const { out, contracted, size, stride } = labelsOf(node, operands);
  const reference = generator.places.of(node.id);
  reduce(
    generator,
    scope,
    node,
    {
      op: "sum",
      operands: operands.map(({ type, reference: own }, k) => ({
        reference: own,
        batched: type.batched,
        axes: type.axes,
        kept: out.map(label => stride(k as 0 | 1, label)),
        reduced: contracted.map(label => stride(k as 0 | 1, label)),
      })),
      out: { reference, batched: node.type.batched, dims: reference.features.dims },
      kept: out.map(size),
      reduced: contracted.map(size),
    },
    accumulate,
  );
};

const stack: Emit<"stack"> = (generator, scope, node) => {
  const { axis } = node.attrs;
  const out = generator.places.of(node.id);
  const at = scope.bound.get(axis);
  for (const [j, input] of node.inputs.entries()) {
    const copy = (): void =>
      generator.tasks.run(scope, {
        name: `stack ${node.label}`,
        nodes: [node.id],
        free: generator.free(scope, node.type).filter(other => other !== axis),
        rows: node.type.batched ? "each" : "one",
        memories: [],
        flat: false,
        make: kernel => {
          if (at === undefined) kernel.fix(new Map([[axis, j]]));
          copyRows(generator, kernel, node.type.batched, generator.places.of(input), out);
        },
      });
    if (at === undefined) copy();
    else scope.f.if(compare("eq", at, j), copy);
  }
};

export const lowerings: { readonly [O in OpName]: Lowering<O> } = {
  constant: source,
  parameter: source,
  input: source,
  state: source,
  length: source,
  index: source,
  batchSize: source,
  random: kernel(rowwise(moveRandom)),

  neg: elementwise,
  exp: elementwise,
  log: elementwise,
  log1p: elementwise,
  sqrt: elementwise,
  sin: elementwise,
  cos: elementwise,
  tanh: elementwise,
  sigmoid: elementwise,
  softplus: elementwise,
  abs: elementwise,
  sign: elementwise,
  floor: elementwise,
  not: elementwise,
  cast: elementwise,
  add: elementwise,
  sub: elementwise,
  mul: elementwise,
  div: elementwise,
  pow: elementwise,
  maximum: elementwise,
  minimum: elementwise,
  expdiff: elementwise,
  equal: elementwise,
  notEqual: elementwise,
  less: elementwise,
  lessEqual: elementwise,
  greater: elementwise,
  greaterEqual: elementwise,
  and: elementwise,
  or: elementwise,
  where: elementwise,
  accumulate: elementwise,

  stopGradient: view(),
  broadcast: view(),
  reshape: view(),
  transpose: view(),
  slice: view(),
  pad: kernel((generator, scope, node) => {
    const { dim, before, after } = node.attrs;
    const from = generator.places.of(node.inputs[0]!);
    const out = generator.places.of(node.id);
    if (before + after > 0) fillValue(generator, scope, node.id, 0);
    copyPart(generator, scope, node, from, partOf(out, dim, before, from.features.shape));
  }),
  concat: kernel((generator, scope, node) => {
    const { dim } = node.attrs;
    const out = generator.places.of(node.id);
    let start = 0;
    for (const input of node.inputs) {
      const from = generator.places.of(input);
      if (generator.plan.parts.get(input)?.of !== node.id) {
        copyPart(generator, scope, node, from, partOf(out, dim, start, from.features.shape));
      }
      start += from.features.shape[dim]!;
    }
  }),
  argmax: kernel(rowwise(moveArgmax)),
  oneHot: kernel(rowwise(moveOneHot)),
  gather: kernel(rowwise(moveGather)),
  scatterAdd: kernel(rowwise(moveScatterAdd)),
  patches: kernel(rowwise<"patches">(moveWindows)),
  unpatches: kernel(rowwise<"unpatches">(moveWindows)),
  sum: kernel(reduction("sum")),
  max: kernel(reduction("max")),
  logsumexp: kernel(reduction("logsumexp")),
  contract: kernel(contract),
  shift: kernel(rowwise(moveShift)),
  at: kernel(rowwise(moveAt)),
  stack: kernel(stack),
};

/** What the plan may do: delays are read in place, concatenations are written in parts. */
export function traitsOf({ schedule: { graph } }: Program, primary: AxisId | null): PlanTraits {
  const read = outputViews(graph);
  return {
    kindOf: node => lowerings[node.op].kind,
    readsDelay: node => {
      if (read.has(node.id)) return false;
      const { axis, offset } = node.attrs;
      // An advance ends with each example; rows are sorted by their lengths along one axis only.
      const isDynamic = graph.axes.find(({ id }) => id === axis)?.length === null;
      return offset > 0 || !node.type.batched || !isDynamic || axis === primary;
    },
    parts: true,
  };
}

/** Outputs and what they may be views of: the host reads them, and knows no delays. */
function outputViews(graph: Program["graph"]): ReadonlySet<NodeId> {
  const found = new Set<NodeId>(graph.outputs.values());
  for (const id of found) {
    const node = graph.nodes.get(id)!;
    if (lowerings[node.op].kind === "view" || node.op === "shift")
      for (const input of node.inputs) found.add(input);
  }
  return found;
}
