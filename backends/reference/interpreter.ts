// Evaluates a recurrence graph by its meaning: the value of a node at a point is asked for, then those it reads, and
// each is computed once. Knows no schedule, so that it can judge one. A stack of its own instead of recursion: a
// thousand steps are a thousand values deep. The padding of every batched value is filled with NaN, so that whatever
// reads it is seen.

import type { AxisId, Graph, Node, NodeId, NodeOf } from "../../compiler/graph/graph.ts";
import type { Evaluation, OpRecord, Point, Read, Value } from "../../compiler/ops/op.ts";
import { drawNumber, positionOf } from "../../compiler/ops/random.ts";
import { sizeOf } from "../../compiler/ops/shapes.ts";
import { opRecord } from "../../compiler/ops/table.ts";
import { rowsOf } from "../../compiler/ops/values.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Tensor } from "../api.ts";

/** What a graph is evaluated in; everything checked, axes cut to their extents. */
export interface Environment {
  readonly batch: number;
  readonly lengths: ReadonlyMap<AxisId, ArrayLike<number>>;
  readonly extents: ReadonlyMap<AxisId, number>;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly states: ReadonlyMap<string, Tensor>;
  readonly seed: number;
  readonly step: number;
}

/** Stands for a value that is being computed: asking for it again means a cycle without delay. */
const busy: Value = { rows: 0, data: new Float64Array(0) };

type AnyOp = Node["op"];

/** A node with its values so far, one for each point of its axes. */
interface Slot {
  readonly node: NodeOf<AnyOp>;
  readonly record: OpRecord<AnyOp>;
  readonly axes: readonly { readonly id: AxisId; readonly stride: number }[];
  readonly values: (Value | undefined)[];
  /** Axes along which examples may be shorter than the extent. */
  readonly padded: readonly AxisId[];
}

/** A value whose operands are being collected. */
interface Frame {
  readonly slot: Slot;
  readonly index: number;
  readonly point: Point;
  /** Null: every operand once, at the same point. */
  readonly reads: readonly Read[] | null;
  readonly values: Value[];
}

export class Interpreter implements Evaluation {
  readonly graph: Graph;
  readonly batch: number;
  readonly #environment: Environment;
  readonly #slots = new Map<NodeId, Slot>();
  readonly #static: ReadonlySet<AxisId>;
  /** Inputs that are the same for all examples. */
  readonly #shared = new Set<string>();

  constructor(graph: Graph, environment: Environment) {
    this.graph = graph;
    this.batch = environment.batch;
    this.#environment = environment;
    this.#static = new Set(graph.axes.filter(({ length }) => length !== null).map(({ id }) => id));
    for (const { op, attrs } of graph.nodes.values()) {
      if (op === "input" && !attrs.batched) this.#shared.add(attrs.name);
    }
  }

  extent(axis: AxisId): number {
    const extent = this.#environment.extents.get(axis);
    if (extent === undefined) throw new InternalError("Interpreter", `axis ${axis} has no extent`);
    return extent;
  }

  length(axis: AxisId, example: number): number {
    const lengths = this.#environment.lengths.get(axis);
    return lengths === undefined ? this.extent(axis) : lengths[example]!;
  }

  /** A copy of one point's part of a tensor `[batch, ...axes, ...shape]`; the point has just the tensor's axes. */
  fed(kind: "parameter" | "input" | "state", name: string, point: Point): Value {
    const { inputs, parameters, states } = this.#environment;
    const tensor = { input: inputs, parameter: parameters, state: states }[kind].get(name);
    if (tensor === undefined) throw new InternalError("Interpreter", `${kind} ${name} has no value`);
    const axes = this.graph.axes.filter(({ id }) => point.has(id));
    const lead = kind === "input" && !this.#shared.has(name) ? 1 : 0;
    const rows = lead === 1 ? this.batch : 1;
    const size = sizeOf(tensor.shape.slice(lead + axes.length));
    let offset = 0;
    for (const [d, { id }] of axes.entries()) offset = offset * tensor.shape[lead + d]! + point.get(id)!;
    const stride = sizeOf(tensor.shape.slice(lead));
    const data = new Float64Array(rows * size);
    for (let row = 0; row < rows; row++) {
      const start = row * stride + offset * size;
      data.set(tensor.data.subarray(start, start + size), row * size);
    }
    return { rows, data };
  }

  draw(node: NodeOf<"random">, point: Point, example: number, feature: number): number {
    const { seed, step } = this.#environment;
    const { site, distribution } = node.attrs;
    const position = positionOf(node.type.axes, axis => point.get(axis)!);
    return drawNumber(distribution, { seed, step, site, example, position, feature });
  }

  /** The value of a node at a point that has (at least) the node's axes. */
  valueOf(id: NodeId, point: Point): Value {
    const root = this.#slot(id);
    const rootIndex = indexOf(root, point);
    const known = root.values[rootIndex];
    if (known !== undefined) return known;
    const stack: Frame[] = [this.#open(root, rootIndex, point)];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const missing = this.#collect(frame);
      if (missing !== null) stack.push(missing);
      else {
        this.#close(frame);
        stack.pop();
      }
    }
    return root.values[rootIndex]!;
  }

  #open(slot: Slot, index: number, at: Point): Frame {
    slot.values[index] = busy;
    // Only the node's own axes, in its order: records may be asked for one more.
    const point: Point =
      at.size === slot.axes.length ? at : new Map(slot.axes.map(({ id }) => [id, at.get(id)!] as const));
    const reads = slot.record.reads?.(slot.node, point, this) ?? null;
    return { slot, index, point, reads, values: [] };
  }

  /** Takes the operands that are known; opens a frame for the first that is not. */
  #collect({ slot, point, reads, values }: Frame): Frame | null {
    const { inputs } = slot.node;
    const count = reads === null ? inputs.length : reads.length;
    while (values.length < count) {
      const read = reads?.[values.length];
      const input = this.#slot(inputs[read?.input ?? values.length]!);
      const index = indexOf(input, read?.point ?? point);
      const value = input.values[index];
      if (value === busy) {
        throw new InternalError(
          "Interpreter",
          `%${input.node.id} (${input.node.label}) needs itself at one index`,
        );
      }
      if (value === undefined) return this.#open(input, index, read?.point ?? point);
      values.push(value);
    }
    return null;
  }

  #close({ slot, index, point, values }: Frame): void {
    const { node, record, padded } = slot;
    const data = record.evaluate(node, point, this, values);
    const rows = rowsOf(node.type, this);
    if (padded.length > 0) {
      const size = sizeOf(node.type.shape);
      for (let row = 0; row < rows; row++) {
        const isPadding = padded.some(axis => point.get(axis)! >= this.length(axis, row));
        if (isPadding) data.fill(Number.NaN, row * size, (row + 1) * size);
      }
    }
    slot.values[index] = { rows, data };
  }

  #slot(id: NodeId): Slot {
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const node: NodeOf<AnyOp> = this.graph.nodes.get(id)!;
    const axes: { id: AxisId; stride: number }[] = [];
    let count = 1;
    for (const axis of node.type.axes.toReversed()) {
      axes.unshift({ id: axis, stride: count });
      count *= this.extent(axis);
    }
    const padded = node.type.batched ? node.type.axes.filter(axis => !this.#static.has(axis)) : [];
    const values = new Array<Value | undefined>(count);
    const slot: Slot = { node, record: opRecord<AnyOp>(node.op), axes, values, padded };
    this.#slots.set(id, slot);
    return slot;
  }
}

function indexOf(slot: Slot, point: Point): number {
  let index = 0;
  for (const { id, stride } of slot.axes) {
    if (stride === 0) continue;
    index += point.get(id)! * stride;
  }
  return index;
}
