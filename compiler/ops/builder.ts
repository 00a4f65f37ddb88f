// Builds graphs: gives ids, finds types by the ops' rules, ties cycles through placeholders. Lowering, autodiff, the
// passes and the tests all make their nodes here. A builder is the only mutable thing; what `finish` returns is a
// value. Nothing is simplified on the way: what is asked for is what is built.

import type { Span } from "../diagnostics/diagnostic.ts";
import type { Axis, AxisId, Graph, Node, NodeId, NodeOf, NodeType, OpAttrs, OpName } from "../graph/graph.ts";
import { InternalError } from "../unreachable.ts";
import { type AxisOrder, axisOrder, inferTypes, orderAxes } from "./infer.ts";
import { Operations } from "./operations.ts";
import { ops } from "./table.ts";
import { verify } from "./verify.ts";

export type { ReducedOptions } from "./operations.ts";

/** Where a node comes from. */
export interface Place {
  readonly span: Span | null;
  readonly label: string;
}

type PlaceholderType = Pick<NodeType, "dtype" | "shape"> & Partial<Pick<NodeType, "axes" | "batched">>;

interface Placeholder {
  readonly type: NodeType;
  readonly place: Place;
  target: NodeId | null;
}

const nowhere: Place = { span: null, label: "" };

export class GraphBuilder extends Operations {
  readonly #axes = new Map<AxisId, Axis>();
  readonly #nodes = new Map<NodeId, Node>();
  readonly #placeholders = new Map<NodeId, Placeholder>();
  readonly #outputs = new Map<string, NodeId>();
  #order: AxisOrder = axisOrder([]);
  #next = 0;
  #place: Place = nowhere;

  constructor(axes: readonly Axis[] = []) {
    super();
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
  override node<O extends OpName>(
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
    const type = { ...inferred, axes: this.ordered(inferred.axes) };
    const span = at.span === undefined ? this.#place.span : at.span;
    const node: NodeOf<O> = { id, op, inputs, attrs, type, span, label: at.label ?? this.#place.label };
    this.#nodes.set(id, node as Node);
    return id;
  }

  override typeOf(id: NodeId): NodeType {
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
    const axes = this.ordered(type.axes ?? []);
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

  protected override ordered(axes: readonly AxisId[]): readonly AxisId[] {
    return orderAxes(this.#order, axes);
  }

  #fresh(): NodeId {
    return this.#next++ as NodeId;
  }
}
