// Builds graphs: gives ids, finds types by the ops' rules, ties cycles through placeholders. Lowering, autodiff, the
// passes and the tests all make their nodes here. A builder is the only mutable thing; what `finish` returns is a
// value. Nothing is simplified on the way: what is asked for is what is built.

import type { Span } from "../diagnostics/diagnostic.ts";
import type {
  Axis,
  AxisId,
  DType,
  Graph,
  Node,
  NodeId,
  NodeOf,
  NodeType,
  OpAttrs,
  OpName,
  Reduced,
  Window2d,
} from "../graph/graph.ts";
import { InternalError } from "../unreachable.ts";
import { type AxisOrder, axisOrder, inferTypes, orderAxes } from "./infer.ts";
import { ops } from "./table.ts";
import { verify } from "./verify.ts";

/** Where a node comes from. */
export interface Place {
  readonly span: Span | null;
  readonly label: string;
}

/** What a reduction removes; what is left out is not reduced. */
export type ReducedOptions = Partial<Reduced>;

type PlaceholderType = Pick<NodeType, "dtype" | "shape"> & Partial<Pick<NodeType, "axes" | "batched">>;

interface Placeholder {
  readonly type: NodeType;
  readonly place: Place;
  target: NodeId | null;
}

const nowhere: Place = { span: null, label: "" };

export class GraphBuilder {
  readonly #axes = new Map<AxisId, Axis>();
  readonly #nodes = new Map<NodeId, Node>();
  readonly #placeholders = new Map<NodeId, Placeholder>();
  readonly #outputs = new Map<string, NodeId>();
  #order: AxisOrder = axisOrder([]);
  #next = 0;
  #place: Place = nowhere;

  constructor(axes: readonly Axis[] = []) {
    for (const { id, length } of axes) this.axis(id, length);
  }

  /** Goes on with a graph: same axes, ids and outputs. */
  static from(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder(graph.axes);
    for (const [id, node] of graph.nodes) {
      builder.#nodes.set(id, node);
      if (id >= builder.#next) builder.#next = id + 1;
    }
    for (const [name, id] of graph.outputs) builder.#outputs.set(name, id);
    return builder;
  }

  /** Declares an axis (again, with the same length, does nothing). Axes keep the order of their declaration. */
  axis(id: string, length: number | null): AxisId {
    const axis: Axis = { id: id as AxisId, length };
    const known = this.#axes.get(axis.id);
    if (known !== undefined && known.length !== length) {
      throw new InternalError("GraphBuilder.axis", `axis ${id} has length ${known.length}, not ${length}`);
    }
    if (known === undefined) {
      this.#axes.set(axis.id, axis);
      this.#order = axisOrder([...this.#axes.values()]);
    }
    return axis.id;
  }

  get axes(): readonly Axis[] {
    return [...this.#axes.values()];
  }

  /** The length of a static axis, null for others. */
  lengthOf(axis: AxisId): number | null {
    const known = this.#axes.get(axis);
    if (known === undefined) throw new InternalError("GraphBuilder.lengthOf", `unknown axis ${axis}`);
    return known.length;
  }

  /** What nodes made by `make` have as span and label. */
  withPlace<T>(place: Partial<Place>, make: () => T): T {
    const outer = this.#place;
    this.#place = { ...outer, ...place };
    try {
      return make();
    } finally {
      this.#place = outer;
    }
  }

  /** Adds a node. Operands may be placeholders; the type counts as final only in what `finish` returns. */
  node<O extends OpName>(
    op: O,
    inputs: readonly NodeId[],
    attrs: OpAttrs[O],
    at: Partial<Place> = this.#place,
  ): NodeId {
    const id = this.#fresh();
    const inferred = ops[op].type(
      inputs.map(input => this.typeOf(input)),
      attrs,
    );
    const type = { ...inferred, axes: orderAxes(this.#order, inferred.axes) };
    const span = at.span === undefined ? this.#place.span : at.span;
    const node: NodeOf<O> = { id, op, inputs, attrs, type, span, label: at.label ?? this.#place.label };
    this.#nodes.set(id, node as Node);
    return id;
  }

  typeOf(id: NodeId): NodeType {
    return this.#placeholders.get(id)?.type ?? this.nodeOf(id).type;
  }

  nodeOf(id: NodeId): Node {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new InternalError("GraphBuilder.nodeOf", `no node %${id}`);
    return node;
  }

  /** Stands for a value that is defined later. `axes` and `batched` are what `typeOf` says until `finish`. */
  placeholder(type: PlaceholderType, place: Partial<Place> = {}): NodeId {
    const id = this.#fresh();
    const axes = orderAxes(this.#order, type.axes ?? []);
    this.#placeholders.set(id, {
      type: { dtype: type.dtype, shape: type.shape, axes, batched: type.batched ?? false },
      place: { ...this.#place, ...place },
      target: null,
    });
    return id;
  }

  /** Says what a placeholder stood for; it may be another placeholder. */
  bind(placeholder: NodeId, id: NodeId): void {
    const open = this.#placeholders.get(placeholder);
    if (open === undefined || open.target !== null) {
      throw new InternalError("GraphBuilder.bind", `%${placeholder} is no open placeholder`);
    }
    open.target = id;
  }

  /** Adds an operand to an `accumulate` node. */
  append(accumulator: NodeId, id: NodeId): void {
    const node = this.nodeOf(accumulator);
    if (node.op !== "accumulate")
      throw new InternalError("GraphBuilder.append", `%${accumulator} is ${node.op}`);
    this.#nodes.set(accumulator, { ...node, inputs: [...node.inputs, id] });
  }

  output(name: string, id: NodeId): void {
    this.#outputs.set(name, id);
  }

  /** Forgets an output, and with it what only it reached. */
  dropOutput(name: string): void {
    this.#outputs.delete(name);
  }

  get outputs(): ReadonlyMap<string, NodeId> {
    return this.#outputs;
  }

  /** Ties the placeholders, finds the final types and verifies. */
  finish(): Graph {
    const nodes: Node[] = [];
    for (const node of this.#nodes.values()) {
      if (node.inputs.some(input => this.#placeholders.has(input))) {
        nodes.push({ ...node, inputs: node.inputs.map(input => this.#resolve(input)) });
      } else nodes.push(node);
    }
    const outputs = new Map([...this.#outputs].map(([name, id]) => [name, this.#resolve(id)] as const));
    const graph: Graph = { axes: this.axes, nodes: inferTypes(this.#order, nodes), outputs };
    const [problem] = verify(graph);
    if (problem !== undefined) throw new InternalError("GraphBuilder.finish", problem);
    return graph;
  }

  /** The node that a placeholder (or a chain of them) stands for; other ids as they are. */
  #resolve(id: NodeId): NodeId {
    let at = id;
    for (let steps = 0; steps <= this.#placeholders.size; steps++) {
      const open = this.#placeholders.get(at);
      if (open === undefined) return at;
      if (open.target === null) {
        throw new InternalError(
          "GraphBuilder.finish",
          `placeholder %${at} (${open.place.label}) was never bound`,
        );
      }
      at = open.target;
    }
    throw new InternalError("GraphBuilder.finish", `placeholder %${id} stands for itself`);
  }

  #fresh(): NodeId {
    return this.#next++ as NodeId;
  }

  #reduced({ dims = [], axes = [], batch = false, keep = false }: ReducedOptions): Reduced {
    return { dims: dims.toSorted((a, b) => a - b), axes: orderAxes(this.#order, axes), batch, keep };
  }

  // One method an op, below: the table's docs say what each means.

  /** One number fills `shape`; several are its elements, row-major. */
  constant(value: number | readonly number[], dtype: DType = "real", shape: readonly number[] = []): NodeId {
    return this.node("constant", [], { dtype, shape, values: typeof value === "number" ? [value] : value });
  }
  parameter(name: string, shape: readonly number[], axes: readonly AxisId[] = []): NodeId {
    return this.node("parameter", [], { name, shape, axes: orderAxes(this.#order, axes) });
  }
  input(
    name: string,
    type: { dtype?: DType; shape?: readonly number[]; axes?: readonly AxisId[]; batched?: boolean },
  ): NodeId {
    const { dtype = "real", shape = [], axes = [], batched = true } = type;
    return this.node("input", [], { name, dtype, shape, axes: orderAxes(this.#order, axes), batched });
  }
  state(
    name: string,
    type: { dtype?: DType; shape?: readonly number[]; axes?: readonly AxisId[] } = {},
  ): NodeId {
    const { dtype = "real", shape = [], axes = [] } = type;
    return this.node("state", [], { name, dtype, shape, axes: orderAxes(this.#order, axes) });
  }
  length(axis: AxisId): NodeId {
    return this.node("length", [], { axis });
  }
  index(axis: AxisId): NodeId {
    return this.node("index", [], { axis });
  }
  batchSize(): NodeId {
    return this.node("batchSize", [], {});
  }
  random(
    distribution: "uniform" | "normal",
    site: number,
    shape: readonly number[] = [],
    axes: readonly AxisId[] = [],
  ): NodeId {
    return this.node("random", [], { distribution, site, shape, axes: orderAxes(this.#order, axes) });
  }

  neg(x: NodeId): NodeId {
    return this.node("neg", [x], {});
  }
  exp(x: NodeId): NodeId {
    return this.node("exp", [x], {});
  }
  log(x: NodeId): NodeId {
    return this.node("log", [x], {});
  }
  log1p(x: NodeId): NodeId {
    return this.node("log1p", [x], {});
  }
  sqrt(x: NodeId): NodeId {
    return this.node("sqrt", [x], {});
  }
  sin(x: NodeId): NodeId {
    return this.node("sin", [x], {});
  }
  cos(x: NodeId): NodeId {
    return this.node("cos", [x], {});
  }
  tanh(x: NodeId): NodeId {
    return this.node("tanh", [x], {});
  }
  sigmoid(x: NodeId): NodeId {
    return this.node("sigmoid", [x], {});
  }
  softplus(x: NodeId): NodeId {
    return this.node("softplus", [x], {});
  }
  abs(x: NodeId): NodeId {
    return this.node("abs", [x], {});
  }
  sign(x: NodeId): NodeId {
    return this.node("sign", [x], {});
  }
  floor(x: NodeId): NodeId {
    return this.node("floor", [x], {});
  }
  not(x: NodeId): NodeId {
    return this.node("not", [x], {});
  }
  stopGradient(x: NodeId): NodeId {
    return this.node("stopGradient", [x], {});
  }
  cast(x: NodeId, dtype: DType): NodeId {
    return this.node("cast", [x], { dtype });
  }

  add(a: NodeId, b: NodeId): NodeId {
    return this.node("add", [a, b], {});
  }
  sub(a: NodeId, b: NodeId): NodeId {
    return this.node("sub", [a, b], {});
  }
  mul(a: NodeId, b: NodeId): NodeId {
    return this.node("mul", [a, b], {});
  }
  div(a: NodeId, b: NodeId): NodeId {
    return this.node("div", [a, b], {});
  }
  pow(a: NodeId, b: NodeId): NodeId {
    return this.node("pow", [a, b], {});
  }
  maximum(a: NodeId, b: NodeId): NodeId {
    return this.node("maximum", [a, b], {});
  }
  minimum(a: NodeId, b: NodeId): NodeId {
    return this.node("minimum", [a, b], {});
  }
  expdiff(x: NodeId, y: NodeId): NodeId {
    return this.node("expdiff", [x, y], {});
  }
  equal(a: NodeId, b: NodeId): NodeId {
    return this.node("equal", [a, b], {});
  }
  notEqual(a: NodeId, b: NodeId): NodeId {
    return this.node("notEqual", [a, b], {});
  }
  less(a: NodeId, b: NodeId): NodeId {
    return this.node("less", [a, b], {});
  }
  lessEqual(a: NodeId, b: NodeId): NodeId {
    return this.node("lessEqual", [a, b], {});
  }
  greater(a: NodeId, b: NodeId): NodeId {
    return this.node("greater", [a, b], {});
  }
  greaterEqual(a: NodeId, b: NodeId): NodeId {
    return this.node("greaterEqual", [a, b], {});
  }
  and(a: NodeId, b: NodeId): NodeId {
    return this.node("and", [a, b], {});
  }
  or(a: NodeId, b: NodeId): NodeId {
    return this.node("or", [a, b], {});
  }
  where(condition: NodeId, a: NodeId, b: NodeId): NodeId {
    return this.node("where", [condition, a, b], {});
  }
  accumulate(type: NodeType, inputs: readonly NodeId[] = []): NodeId {
    return this.node("accumulate", inputs, {
      type: { ...type, axes: orderAxes(this.#order, type.axes) },
    });
  }

  /** What is left out stays as it is. */
  broadcast(
    x: NodeId,
    to: { shape?: readonly number[]; axes?: readonly AxisId[]; batched?: boolean },
  ): NodeId {
    const { shape = this.typeOf(x).shape, axes = [], batched = false } = to;
    return this.node("broadcast", [x], { shape, axes: orderAxes(this.#order, axes), batched });
  }
  reshape(x: NodeId, shape: readonly number[]): NodeId {
    return this.node("reshape", [x], { shape });
  }
  transpose(x: NodeId, perm: readonly number[]): NodeId {
    return this.node("transpose", [x], { perm });
  }
  slice(x: NodeId, dim: number, start: number, size: number): NodeId {
    return this.node("slice", [x], { dim, start, size });
  }
  pad(x: NodeId, dim: number, before: number, after: number): NodeId {
    return this.node("pad", [x], { dim, before, after });
  }
  concat(parts: readonly NodeId[], dim: number): NodeId {
    return this.node("concat", parts, { dim });
  }
  argmax(x: NodeId, dim: number): NodeId {
    return this.node("argmax", [x], { dim });
  }
  oneHot(x: NodeId, size: number): NodeId {
    return this.node("oneHot", [x], { size });
  }
  gather(table: NodeId, index: NodeId): NodeId {
    return this.node("gather", [table, index], {});
  }
  scatterAdd(
    index: NodeId,
    value: NodeId,
    to: { size: number; axes?: readonly AxisId[]; batch?: boolean },
  ): NodeId {
    const { size, axes = [], batch = false } = to;
    return this.node("scatterAdd", [index, value], { size, axes: orderAxes(this.#order, axes), batch });
  }
  patches(x: NodeId, window: Window2d): NodeId {
    return this.node("patches", [x], window);
  }
  unpatches(x: NodeId, window: Window2d): NodeId {
    return this.node("unpatches", [x], window);
  }

  sum(x: NodeId, over: ReducedOptions): NodeId {
    return this.node("sum", [x], this.#reduced(over));
  }
  max(x: NodeId, over: ReducedOptions): NodeId {
    return this.node("max", [x], this.#reduced(over));
  }
  logsumexp(x: NodeId, over: ReducedOptions): NodeId {
    return this.node("logsumexp", [x], this.#reduced(over));
  }
  contract(
    a: NodeId,
    b: NodeId,
    over: {
      left: readonly number[];
      right: readonly number[];
      out: readonly number[];
      axes?: readonly AxisId[];
      batch?: boolean;
    },
  ): NodeId {
    const { left, right, out, axes = [], batch = false } = over;
    return this.node("contract", [a, b], { left, right, out, axes: orderAxes(this.#order, axes), batch });
  }
  shift(value: NodeId, initial: NodeId, axis: AxisId, offset: number): NodeId {
    return this.node("shift", [value, initial], { axis, offset });
  }
  at(x: NodeId, axis: AxisId, from: "first" | "last", offset = 0): NodeId {
    return this.node("at", [x], { axis, from, offset });
  }
  stack(parts: readonly NodeId[], axis: AxisId): NodeId {
    return this.node("stack", parts, { axis });
  }
}
