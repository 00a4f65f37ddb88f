// Where values lie. Parameters, states and constants have fixed addresses; all others lie in the arena, whose layout
// the host makes for each batch and extents. A value is rows of features: [axes.., batch, features], the features
// row-major, each row rounded up to whole vectors, so that vectors may be written over its end. Rows of one number
// are not rounded: vectors go along the batch then.

import type { AxisId, DType, Graph, Node, NodeId, NodeType } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/program/program.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { constantFill } from "../plan/fusion.ts";
import { denseStrides, type Features, product } from "../plan/layout.ts";
import { keepingOf } from "../plan/lifetimes.ts";
import type { Plan, Stored } from "../plan/plan.ts";
import { viewOf } from "../plan/views.ts";
import { expr } from "./builder.ts";
import type { Expr, Target } from "./code.ts";
import type { Frame } from "./frame.ts";
import type { Target as UpdatedInPlace } from "./inplace.ts";

/** How a value goes on along an axis: position p lies `(wrap > 0 ? p % wrap : p) * step` bytes on. */
export interface Along {
  readonly step: Expr;
  /** Slots of a ring, 0 for whole sequences. */
  readonly wrap: number;
}

/** Memory that a value's rows lie in. */
export type Memory =
  | {
      readonly kind: "rows";
      /** Address of the first row. */
      readonly base: Expr;
      readonly along: ReadonlyMap<AxisId, Along>;
      /** The axes, outermost first; what follows lies densely: [.., batch, row]. */
      readonly order: readonly AxisId[];
      readonly batched: boolean;
      readonly rowBytes: number;
      /** Bytes to add to every address. */
      readonly offset: number;
    }
  /** At index i of the axis, `value` at i - offset, or `initial` where that is outside. */
  | {
      readonly kind: "delay";
      readonly axis: AxisId;
      readonly offset: number;
      readonly batched: boolean;
      readonly value: Memory;
      readonly initial: Memory;
    };

/** A value to read or write: its memory, and how its features lie in each row (in numbers of 4 bytes). */
export interface Reference {
  readonly dtype: DType;
  readonly memory: Memory;
  readonly features: Features;
  /** Whether it has its rows for itself, their rounding included. */
  readonly whole: boolean;
}

/** A stored value's sizes: along kept axes (null: the axis's extent), then examples, then its row. */
export interface StoredShape {
  readonly axes: readonly { readonly axis: AxisId; readonly window: number | null }[];
  readonly batched: boolean;
  readonly rowBytes: number;
}

/** What lies at a fixed address and is written once. */
export interface FixedData {
  readonly address: number;
  readonly data: Float32Array | Int32Array;
}

const cacheLine = 64;
export const aligned = (bytes: number): number => Math.ceil(bytes / cacheLine) * cacheLine;

export class Places {
  readonly #program: Program;
  readonly #graph: Graph;
  readonly #plan: Plan;
  readonly #frame: Frame;
  readonly #target: Target;
  readonly #inPlace: ReadonlyMap<NodeId, UpdatedInPlace>;
  readonly #known = new Map<NodeId, Reference>();
  readonly #numbers = new Map<NodeId, number>();
  readonly #fills = new Map<string, Reference>();
  /** Of parameters and states by name. */
  readonly variables = new Map<string, { readonly type: NodeType; readonly reference: Reference }>();
  readonly data: FixedData[] = [];
  /** Matrices that lie in blocks of columns (blocked.ts); what they lie in is otherwise as if it were row-major. */
  blocked: ReadonlySet<NodeId> = new Set();
  #end: number;

  /** @param start the first free address. */
  constructor(
    program: Program,
    plan: Plan,
    inPlace: ReadonlyMap<NodeId, UpdatedInPlace>,
    frame: Frame,
    target: Target,
    start: number,
  ) {
    this.#inPlace = inPlace;
    this.#program = program;
    this.#graph = program.schedule.graph;
    this.#plan = plan;
    this.#frame = frame;
    this.#target = target;
    this.#end = start;
    for (const [i, { node }] of plan.stored.entries()) this.#numbers.set(node, i);
  }

  /** The first address behind all that is fixed so far. */
  get end(): number {
    return this.#end;
  }

  /** Room at a fixed address. */
  reserve(bytes: number): number {
    const address = this.#end;
    this.#end += aligned(bytes);
    return address;
  }

  /** Numbers at a fixed address, written once. */
  table(data: Float32Array | Int32Array): number {
    const address = this.reserve(data.byteLength);
    this.data.push({ address, data });
    return address;
  }

  node(id: NodeId): Node {
    const node = this.#graph.nodes.get(id);
    if (node === undefined) throw new InternalError("codegen", `no node %${id}`);
    return node;
  }

  /** A row's bytes: whole vectors, but for rows of one number. */
  rowBytes(shape: readonly number[]): number {
    const floats = product(shape);
    const { lanes } = this.#target;
    return 4 * (floats === 1 ? 1 : Math.max(1, Math.ceil(floats / lanes)) * lanes);
  }

  shapeOf({ node: id, loops }: Stored): StoredShape {
    const { type } = this.node(id);
    const axes: { axis: AxisId; window: number | null }[] = [];
    for (const { axis } of loops) {
      if (!type.axes.includes(axis)) continue;
      const window = windowOf(this.#program, id, axis);
      if (window !== 1) axes.push({ axis, window });
    }
    for (const axis of type.axes) {
      if (!loops.some(loop => loop.axis === axis)) axes.push({ axis, window: null });
    }
    return { axes, batched: type.batched, rowBytes: this.rowBytes(type.shape) };
  }

  /** Where a node's value is read and written. */
  of(id: NodeId): Reference {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const made = this.#make(this.node(id));
    this.#known.set(id, made);
    return made;
  }

  #make(node: Node): Reference {
    const viewed = this.#plan.viewed.get(node.id);
    if (viewed !== undefined) return node.op === "shift" ? this.delayed(node) : this.#view(node, viewed);
    const part = this.#plan.parts.get(node.id);
    if (part !== undefined) return this.#part(node, part.of, part.start);
    if (node.op === "parameter" || node.op === "state") return this.variable(node.attrs.name, node.type);
    const target = this.#inPlace.get(node.id);
    if (target !== undefined) return this.variable(target.name, node.type);
    if (node.op === "constant") return this.#constant(node);
    return this.#stored(node);
  }

  #view(node: Node, operand: NodeId): Reference {
    const base = this.of(operand);
    const features = viewOf(node, base.features);
    if (features === null) throw new InternalError("codegen", `%${node.id} is no view of %${operand}`);
    const sameRow = product(features.shape) === product(base.features.shape);
    return { ...base, features, whole: base.whole && sameRow };
  }

  #part(node: Node, of: NodeId, start: number): Reference {
    const base = this.of(of);
    const { shape, dtype } = node.type;
    const offset = base.features.offset + start;
    return {
      dtype,
      memory: base.memory,
      features: { offset, shape, dims: denseStrides(shape) },
      whole: false,
    };
  }

  /** A shift as its value and its initial value, read in place, which have to lie alike. */
  delayed(node: Extract<Node, { op: "shift" }>): Reference {
    const [value, initial] = node.inputs.map(id => this.of(id));
    const fill = constantFill(this.#graph, node.inputs[1]!);
    const start = fill === null ? initial! : this.#filled(fill, node.type.dtype, node.type.shape);
    const { shape, dtype, batched } = node.type;
    const memory: Memory = {
      kind: "delay",
      axis: node.attrs.axis,
      offset: node.attrs.offset,
      batched,
      value: moved(value!.memory, 4 * value!.features.offset),
      initial: moved(start.memory, 4 * start.features.offset),
    };
    return { dtype, memory, features: { offset: 0, shape, dims: value!.features.dims }, whole: false };
  }

  /** A row of one number over and over. */
  #filled(value: number, dtype: DType, shape: readonly number[]): Reference {
    const key = `${value} ${dtype} ${product(shape)}`;
    const known = this.#fills.get(key);
    if (known !== undefined)
      return { ...known, features: { ...known.features, shape, dims: denseStrides(shape) } };
    const made = this.#fixed(
      dtype,
      shape,
      this.table(numbersOf(dtype, new Array<number>(product(shape)).fill(value))),
    );
    this.#fills.set(key, made);
    return made;
  }

  #constant(node: Extract<Node, { op: "constant" }>): Reference {
    const { dtype, shape, values } = node.attrs;
    const address = this.table(numbersOf(dtype, values));
    const reference = this.#fixed(dtype, shape, address);
    if (values.length > 1 || product(shape) === 1) return reference;
    return { ...reference, features: { offset: 0, shape, dims: shape.map(() => 0) } };
  }

  #fixed(dtype: DType, shape: readonly number[], address: number): Reference {
    return {
      dtype,
      memory: {
        kind: "rows",
        base: expr(address),
        along: new Map(),
        order: [],
        batched: false,
        rowBytes: this.rowBytes(shape),
        offset: 0,
      },
      features: { offset: 0, shape, dims: denseStrides(shape) },
      whole: true,
    };
  }

  /** The place of a parameter or state, read by the program or not. */
  variable(name: string, type: NodeType): Reference {
    const known = this.variables.get(name);
    if (known !== undefined) return known.reference;
    const { axes, shape } = type;
    const rows = product(axes.map(axis => this.staticLength(axis)));
    const address = this.reserve(rows * this.rowBytes(shape));
    const reference = this.#unbatched(type, address);
    this.variables.set(name, { type, reference });
    return reference;
  }

  /** Room for an unbatched value, its axes static. */
  aside(type: NodeType, bytes: number): Reference {
    return this.#unbatched(type, this.reserve(bytes));
  }

  #unbatched({ axes, shape, dtype }: NodeType, address: number): Reference {
    const rowBytes = this.rowBytes(shape);
    const steps = denseStrides(axes.map(axis => this.staticLength(axis)));
    const along = new Map(axes.map((axis, d) => [axis, { step: expr(steps[d]! * rowBytes), wrap: 0 }]));
    return {
      dtype,
      memory: { kind: "rows", base: expr(address), along, order: axes, batched: false, rowBytes, offset: 0 },
      features: { offset: 0, shape, dims: denseStrides(shape) },
      whole: true,
    };
  }

  staticLength(axis: AxisId): number {
    const length = this.#graph.axes.find(({ id }) => id === axis)?.length ?? null;
    if (length === null) throw new InternalError("codegen", `axis ${axis} has no static length`);
    return length;
  }

  #stored(node: Node): Reference {
    const number = this.#numbers.get(node.id);
    if (number === undefined) {
      throw new InternalError("codegen", `%${node.id} = ${node.op} (${node.label}) is read but has no place`);
    }
    const stored = this.#plan.stored[number]!;
    const { axes, batched, rowBytes } = this.shapeOf(stored);
    const along = new Map<AxisId, Along>();
    for (const [d, { axis, window }] of axes.entries()) {
      const step = this.#frame.entry(`step ${number} ${axis}`, source => {
        const inner = axes.slice(d + 1).map(next => next.window ?? source.extent(next.axis));
        return product(inner) * (batched ? source.batch : 1) * rowBytes;
      });
      along.set(axis, { step, wrap: window ?? 0 });
    }
    const base = this.#frame.entry(`base ${number}`, source => source.base(number));
    const { shape, dtype } = node.type;
    return {
      dtype,
      memory: {
        kind: "rows",
        base,
        along,
        order: axes.map(({ axis }) => axis),
        batched,
        rowBytes,
        offset: 0,
      },
      features: { offset: 0, shape, dims: denseStrides(shape) },
      whole: true,
    };
  }
}

/** The iterations of a value that are kept along an axis, or null for all. */
function windowOf(program: Program, id: NodeId, axis: AxisId): number | null {
  const keeping = keepingOf(program.schedule.keeping, id, axis);
  if (keeping.kind === "sequence") return null;
  return (keeping.kind === "ring" ? keeping.slots : 0) + 1;
}

function moved(memory: Memory, bytes: number): Memory {
  if (bytes === 0) return memory;
  if (memory.kind === "rows") return { ...memory, offset: memory.offset + bytes };
  return { ...memory, value: moved(memory.value, bytes), initial: moved(memory.initial, bytes) };
}

/** As they stand in memory: 32 bits each, truth values as 0 and -1. */
function numbersOf(dtype: DType, values: readonly number[]): Float32Array | Int32Array {
  if (dtype === "real") return Float32Array.from(values);
  return Int32Array.from(values, value => (dtype === "bool" ? (value === 0 ? 0 : -1) : value));
}
